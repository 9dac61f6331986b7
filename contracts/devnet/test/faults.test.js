// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawHeader, verifierOf } from '../fixtures/raw_chain.js'
import { Devnet } from '../src/chain.js'
import { Faults } from '../src/faults.js'

const cases = [
  ['qbft', { few_seals: true }, 'seal_below_quorum'],
  ['qbft', { doubled_seal: true }, 'duplicate_signer'],
  ['qbft', { outsider_seal: true }, 'unknown_signer'],
  ['ibft2', { few_seals: true }, 'seal_below_quorum'],
  ['ibft2', { doubled_seal: true }, 'duplicate_signer'],
  ['ibft2', { outsider_seal: true }, 'unknown_signer'],
  ['clique', { outsider_seal: true }, 'unknown_signer'],
  ['clique', { recent_signer: true }, 'signed_recently'],
  ['clique', { wrong_difficulty: true }, 'wrong_difficulty'],
]

for (const [engine, fault, code] of cases) {
  const [name] = Object.keys(fault)
  test(`${engine}_headers_with_${name}_are_refused_and_the_chain_recovers`, async () => {
    for (const validators of [2, 4, 5]) {
      const chain = await Devnet.create({ engine, validators })
      await chain.mine(2)
      chain.faults.set(fault)
      const verifier = verifierOf(chain)
      for (const block of chain.ledger.blocks.slice(1)) verifier.accept(rawHeader(block))
      const bad = rawHeader(await chain.mine())
      assert.throws(() => verifier.accept(bad), { code })
      chain.faults.set({ [name]: false })
      verifier.stepOver(bad)
      for (let i = 0; i < 5; i++) verifier.accept(rawHeader(await chain.mine()))
    }
  })
}

test('equivocation_gives_two_final_headers_of_one_height', async () => {
  for (const engine of ['qbft', 'ibft2', 'clique']) {
    const chain = await Devnet.create({ engine, faults: { equivocate: true } })
    const block = await chain.mine()
    const verifier = verifierOf(chain)
    const [one, other] = [block, block.twin].map((each) => verifier.check(rawHeader(each)))
    assert.equal(one.header.number, other.header.number)
    assert.notEqual(one.hash, other.hash)
  }
})

test('a_later_round_moves_on_to_another_proposer', async () => {
  const chain = await Devnet.create({ faults: { round: 0 } })
  const first = (await chain.mine()).header.coinbase
  const other = await Devnet.create({ faults: { round: 2 } })
  const block = await other.mine()
  assert.notDeepEqual(block.header.coinbase, first)
  assert.deepEqual(block.header.coinbase, other.validators.list[2])
})

test('a_wrong_switch_or_value_changes_nothing', () => {
  const faults = new Faults('qbft', { round: 2 })
  for (const bad of [
    { recent_signer: true },
    { round: -1 },
    { round: 1.5 },
    { stalled: 1 },
    { empty_block_period_s: '3' },
    { toString: true },
  ]) {
    assert.throws(() => faults.set({ few_seals: true, ...bad }), RangeError)
  }
  assert.deepEqual(faults.set({}), new Faults('qbft', { round: 2 }).set({}))
  assert.throws(() => new Faults('clique').set({ round: 1 }), /clique has no fault "round"/)
})
