// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'
import { ValidatorSet } from '../src/validators.js'

const address = (n) => new Uint8Array(20).fill(n)
const names = (set) => set.list.map((a) => a[0])

test('a_majority_of_the_set_decides', () => {
  for (const size of [1, 2, 3, 4, 5, 6]) {
    const set = new ValidatorSet(
      Array.from({ length: size }, (_, i) => address(i + 1)),
      1000,
    )
    const needed = Math.floor(size / 2) + 1
    for (let voter = 1; voter <= needed; voter++) {
      assert.equal(set.list.length, size, `${size} validators, ${voter} votes`)
      set.count(BigInt(voter), address(voter), { target: address(9), add: true })
    }
    assert.equal(set.list.length, size + 1)
  }
})

test('a_validator_votes_once_on_a_target_and_may_change_its_mind', () => {
  const set = new ValidatorSet([1, 2, 3].map(address), 1000)
  const vote = (voter, add) => set.count(1n, address(voter), { target: address(9), add })
  vote(1, true)
  vote(1, true)
  assert.deepEqual(names(set), [1, 2, 3])
  vote(1, false)
  vote(2, true)
  assert.deepEqual(names(set), [1, 2, 3])
  vote(1, true)
  assert.deepEqual(names(set), [1, 2, 3, 9])
})

test('a_dropped_validator_loses_its_votes', () => {
  const set = new ValidatorSet([1, 2, 3].map(address), 1000)
  set.count(1n, address(3), { target: address(9), add: true })
  set.count(2n, address(1), { target: address(3), add: false })
  set.count(3n, address(2), { target: address(3), add: false })
  assert.deepEqual(names(set), [1, 2])
  set.count(4n, address(1), { target: address(9), add: true })
  assert.deepEqual(names(set), [1, 2])
})

test('an_author_votes_for_what_is_proposed_until_it_is_reached', () => {
  const set = new ValidatorSet([1, 2].map(address), 1000)
  set.propose(address(9), true)
  assert.equal(set.voteFor(1000n, address(1)), undefined)
  for (const voter of [1, 2]) {
    const vote = set.voteFor(1n, address(voter))
    assert.deepEqual(vote, { target: address(9), add: true })
    set.count(1n, address(voter), vote)
    assert.equal(set.voteFor(2n, address(voter)), undefined)
  }
  assert.deepEqual(names(set), [1, 2, 9])
  assert.equal(set.proposals.size, 0)
})

test('the_last_validator_is_never_dropped', () => {
  const set = new ValidatorSet([address(1)], 1000)
  set.propose(address(1), false)
  assert.equal(set.voteFor(1n, address(1)), undefined)
})

test('random_proposals_never_make_a_header_that_the_verifier_refuses', async () => {
  let random = 12345
  const next = (below) => (random = (random * 48271) % 2147483647) % below
  for (const engine of ['qbft', 'ibft2', 'clique']) {
    const chain = await Devnet.create({ engine, validators: 3, epochLength: 11 })
    const candidates = chain.keyring.addresses.slice(0, 7).map(toHex)
    const sizes = new Set()
    for (let i = 0; i < 60; i++) {
      const target = candidates[next(candidates.length)]
      if (next(3) > 0 || chain.validators.list.length > 1) chain.proposeValidator(target, next(2) === 0)
      await chain.mine(1 + next(3))
      sizes.add(chain.validators.list.length)
    }
    assert.equal(toHex(chain.head.hash).slice(2), chain.maker.inspector.verifier.parent.hash)
    assert.ok(sizes.size >= 3, `${engine}: ${[...sizes]}`)
  }
})
