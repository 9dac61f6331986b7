// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawHeader, verifierOf, altered } from '../fixtures/raw_chain.js'
import { skipUnless, vectors } from '../fixtures/vectors.js'
import { fromHex } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'
import { HeaderError } from '../src/raw_header.js'
import { Verifier } from '../src/verifier.js'

const bytes = (text) => fromHex('0x' + text)
const ibft1 = vectors('bft/besu_ibft1_101_blocks.json')

test('a_flipped_bit_in_any_byte_of_a_header_is_refused', async () => {
  for (const engine of ['qbft', 'ibft2', 'clique']) {
    const chain = await Devnet.create({ engine, verify: false })
    const rlp = rawHeader(await chain.mine())
    const verifier = verifierOf(chain)
    verifier.check(rlp)
    for (let i = 0; i < rlp.length; i++) {
      const flipped = Uint8Array.from(rlp)
      flipped[i] ^= 1 << (i % 8)
      assert.throws(() => verifier.check(flipped), HeaderError, `${engine}: byte ${i}`)
    }
  }
})

test('a_refused_header_leaves_the_verifier_as_it_was', async () => {
  const chain = await Devnet.create({ verify: false })
  await chain.mine(2)
  const verifier = verifierOf(chain)
  const before = JSON.stringify(verifier.state)
  assert.throws(() => verifier.accept(rawHeader(chain.block(2))), { code: 'number_not_contiguous' })
  assert.equal(JSON.stringify(verifier.state), before)
  verifier.accept(rawHeader(chain.block(1)))
  verifier.accept(rawHeader(chain.block(2)))
})

test('a_header_must_follow_its_parent', async () => {
  const chain = await Devnet.create({ verify: false })
  const rlp = rawHeader(await chain.mine())
  const verifier = verifierOf(chain)
  const change = (index, value) => altered(rlp, (items) => (items[index] = value))
  assert.throws(() => verifier.check(change(0, new Uint8Array(32))), { code: 'parent_hash_mismatch' })
  assert.throws(() => verifier.check(change(1, new Uint8Array(32))), { code: 'ommers' })
  assert.throws(() => verifier.check(change(8, Uint8Array.of(9))), { code: 'number_not_contiguous' })
  assert.throws(() => verifier.check(change(10, bytes('7fffffffff'))), { code: 'gas_used' })
  assert.throws(() => verifier.check(change(11, Uint8Array.of(1))), { code: 'timestamp_too_early' })
})

test('headers_are_accepted_in_one_encoding_only', async () => {
  const chain = await Devnet.create({ verify: false })
  const rlp = rawHeader(await chain.mine())
  const verifier = verifierOf(chain)
  assert.throws(() => verifier.check(rlp.subarray(0, -1)), { code: 'malformed_rlp' })
  assert.throws(() => verifier.check(Uint8Array.of(...rlp, 0)), { code: 'malformed_rlp' })
  assert.throws(() => verifier.check(altered(rlp, (items) => items.push(new Uint8Array(0)))), {
    code: 'header_field_count',
  })
  assert.throws(() => verifier.check(altered(rlp, (items) => items.pop())), { code: 'header_field_count' })
  assert.throws(() => verifier.check(altered(rlp, (items) => (items[9] = bytes('00ff')))), { code: 'field_integer' })
  assert.throws(() => verifier.check(altered(rlp, (items) => (items[14] = new Uint8Array(7)))), { code: 'field_size' })
  assert.throws(() => verifier.check(altered(rlp, (items) => (items[3] = []))), { code: 'field_type' })
})

test('the_older_ibft1_headers_are_refused_by_both_bft_engines', skipUnless(ibft1), () => {
  let count = 0
  for (const engine of ['qbft', 'ibft2']) {
    for (const { header_rlp: rlp, validators } of ibft1.blocks) {
      const verifier = new Verifier({ engine, start: { validators }, fieldCount: 15 })
      assert.throws(() => verifier.check(bytes(rlp)), { name: 'Error', code: 'malformed_rlp' })
      count++
    }
  }
  assert.equal(count, 202)
})
