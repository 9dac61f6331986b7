// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { storeContract, word } from '../fixtures/hand_assembled.js'
import { provenValue } from '../fixtures/trie_proof.js'
import { fromHex, integerBytes, keccak, namedKey, toHex } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'

const key = namedKey('tester')
const slot = (n) => '0x' + word(n)

/** Values of slots as proved from a block's state root alone. */
async function provenSlots(chain, address, slots, at) {
  const { stateRoot } = chain.block(at).header
  const proof = await chain.getProof(address, slots, at)
  const account = provenValue(
    stateRoot,
    keccak(fromHex(address)),
    proof.accountProof.map((n) => fromHex(n)),
  )
  if (account === undefined) return slots.map(() => undefined)
  const [nonce, balance, storageRoot, codeHash] = RLP.decode(account)
  assert.equal(toHex(storageRoot), proof.storageHash)
  assert.equal(toHex(codeHash), proof.codeHash)
  assert.deepEqual([nonce, balance], [integerBytes(BigInt(proof.nonce)), integerBytes(BigInt(proof.balance))])
  return proof.storageProof.map(({ key: name, value, proof: nodes }) => {
    const found = provenValue(
      storageRoot,
      keccak(fromHex(name)),
      nodes.map((n) => fromHex(n)),
    )
    const proven = found === undefined ? 0n : BigInt(toHex(RLP.decode(found)))
    assert.equal(BigInt(value), proven)
    return proven
  })
}

test('proofs_of_many_slots_verify_against_the_state_root', async () => {
  const chain = await Devnet.create({ automine: false, verify: false })
  await chain.sendTransaction({ key, data: storeContract, gasLimit: 200_000 })
  await chain.mine()
  const to = chain.head.receipts[0].contractAddress
  for (let i = 0; i < 300; i++) {
    await chain.sendTransaction({ key, to, data: slot(i) + word(i * i + 1), gasLimit: 60_000 })
  }
  await chain.mine()
  assert.equal(chain.head.receipts.length, 300)
  const names = Array.from({ length: 320 }, (_, i) => slot(i))
  const values = await provenSlots(chain, to, names, 2)
  assert.deepEqual(
    values,
    names.map((_, i) => (i < 300 ? BigInt(i * i + 1) : 0n)),
  )
})

test('proofs_of_the_last_256_blocks_stay_available', async () => {
  const chain = await Devnet.create({ verify: false })
  const to = await chain.deploy({ key, data: storeContract })
  for (let i = 2; i <= 300; i++) await chain.sendTransaction({ key, to, data: slot(7) + word(i) })
  for (const at of [2, 44, 45, 150, 299, 300]) {
    assert.deepEqual(await provenSlots(chain, to, [slot(7), slot(8)], at), [BigInt(at), 0n])
  }
})

test('absent_accounts_and_empty_tries_are_provable', async () => {
  const chain = await Devnet.create({ verify: false })
  const nobody = '0x' + '99'.repeat(20)
  assert.deepEqual(await provenSlots(chain, nobody, [slot(0)], 0), [undefined])
  const to = await chain.deploy({ key, data: storeContract })
  assert.deepEqual(await provenSlots(chain, nobody, [slot(0)], 1), [undefined])
  assert.deepEqual(await provenSlots(chain, to, [slot(0)], 1), [0n])
})

test('deleted_slots_are_proved_absent_again', async () => {
  const chain = await Devnet.create({ verify: false })
  const to = await chain.deploy({ key, data: storeContract })
  for (const value of [1, 0]) await chain.sendTransaction({ key, to, data: slot(3) + word(value) })
  assert.deepEqual(await provenSlots(chain, to, [slot(3)], 2), [1n])
  assert.deepEqual(await provenSlots(chain, to, [slot(3)], 3), [0n])
})

test('the_storage_root_is_that_of_a_trie_built_from_the_slots_alone', async () => {
  const chain = await Devnet.create({ verify: false, automine: false })
  await chain.sendTransaction({ key, data: storeContract, gasLimit: 200_000 })
  await chain.mine()
  const to = chain.head.receipts[0].contractAddress
  const slots = new Map()
  let random = 1
  const next = (below) => (random = (random * 48271) % 2147483647) % below
  for (let block = 0; block < 10; block++) {
    for (let i = 0; i < 20; i++) {
      const [name, value] = [next(40), next(3) === 0 ? 0 : next(1000)]
      // Now and then there is gas for the store but not for the log after it, so that the store is undone.
      const starved = next(5) === 0
      const hash = await chain.sendTransaction({
        key,
        to,
        data: slot(name) + word(value),
        gasLimit: starved ? 26_000 : 60_000,
      })
      slots.set(hash, [name, value])
    }
    await chain.mine()
  }
  const expected = new Map()
  let failed = 0
  for (const { receipts } of chain.ledger.blocks.slice(2)) {
    for (const { transactionHash, status } of receipts) {
      if (status === 1) expected.set(...slots.get(transactionHash))
      else failed++
    }
  }
  assert.ok(failed > 5)
  const trie = await createMPT({ useKeyHashing: true })
  for (const [name, value] of expected) {
    if (value !== 0) await trie.put(fromHex(slot(name)), RLP.encode(integerBytes(value)))
  }
  assert.equal((await chain.getProof(to)).storageHash, toHex(trie.root()))
})

test('a_call_or_an_estimate_leaves_no_trace', async () => {
  const chain = await Devnet.create({ verify: false })
  const to = await chain.deploy({ key, data: storeContract })
  const before = chain.state.manager._trie.database().db._database.size
  const root = toHex(await chain.state.root())
  await chain.call({ to, data: slot(1) + word(1) })
  await chain.estimateGas({ to, data: slot(1) + word(1) })
  assert.equal(toHex(await chain.state.root()), root)
  assert.equal(chain.state.manager._trie.database().db._database.size, before)
  assert.equal(await chain.getStorage(to, slot(1)), 0n)
})

test('blocks_and_reads_at_the_same_time_do_not_disturb_each_other', async () => {
  const chain = await Devnet.create({ verify: false, automine: false })
  await chain.sendTransaction({ key, data: storeContract, gasLimit: 200_000 })
  await chain.mine()
  const to = chain.head.receipts[0].contractAddress
  for (let i = 0; i < 60; i++) await chain.sendTransaction({ key, to, data: slot(0) + word(i + 1), gasLimit: 60_000 })
  const mining = chain.mine()
  const reads = await Promise.all(Array.from({ length: 20 }, () => chain.call({ to }, 1)))
  assert.ok(reads.every((value) => value === slot(0)))
  await mining
  assert.deepEqual(await provenSlots(chain, to, [slot(0)], 2), [60n])
})
