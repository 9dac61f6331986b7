// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipUnless, vectors, vectorsIn } from '../fixtures/vectors.js'
import { checkCanRun, decodeTransaction } from '../src/admission.js'
import { fromHex } from '../src/bytes.js'
import { PoolError } from '../src/pool.js'
import { londonCommon } from '../src/state.js'

const eip155 = vectors('tx/eip155_vitalik.json')
const official = vectorsIn('ethereum-tests/TransactionTests')
const rich = { balance: 2n ** 256n }

test('the_vectors_of_eip_155_give_their_senders', skipUnless(eip155), () => {
  for (const { rlp, sender } of eip155) {
    const candidate = decodeTransaction(fromHex('0x' + rlp), londonCommon(1n))
    assert.equal(candidate.sender, sender)
    checkCanRun(candidate, rich, 30_000_000n)
  }
  assert.equal(eip155.length, 10)
})

/** What the vectors call valid and we refuse: without a chain id it could be replayed here from any other chain. */
const isUnprotected = (error) => /replay-protected/.test(error.message)

test('the_official_transaction_vectors_are_accepted_or_refused_as_published', skipUnless(official), () => {
  const counts = { accepted: 0, unprotected: 0, refused: 0 }
  for (const [name, { txbytes, result }] of official.flatMap((file) => Object.entries(file))) {
    const { exception, sender, hash } = result.London
    const admit = () => {
      const candidate = decodeTransaction(fromHex(txbytes), londonCommon(1n))
      checkCanRun(candidate, rich, 2n ** 64n)
      return candidate
    }
    if (exception) {
      assert.throws(admit, PoolError, name)
      counts.refused++
      continue
    }
    try {
      const candidate = admit()
      assert.deepEqual([candidate.sender, candidate.hash], [sender, hash], name)
      counts.accepted++
    } catch (error) {
      assert.ok(isUnprotected(error), `${name}: ${error.message}`)
      counts.unprotected++
    }
  }
  assert.deepEqual(counts, { accepted: 17, unprotected: 35, refused: 158 })
})
