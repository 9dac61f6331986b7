// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pool, PoolError } from '../src/pool.js'

const entry = (sender, nonce, hash = `${sender}${nonce}`) => ({ tx: {}, sender, nonce: BigInt(nonce), hash })
const limits = { countMax: 100, perSenderMax: 10 }
const ready = async (pool, nonces = {}) =>
  (await pool.ready(async (sender) => BigInt(nonces[sender] ?? 0))).map(({ hash }) => hash)

test('senders_take_turns_by_arrival_and_each_goes_by_nonce', async () => {
  const pool = new Pool(limits)
  for (const [sender, nonce] of [
    ['a', 1],
    ['b', 0],
    ['a', 0],
    ['b', 1],
    ['c', 0],
  ])
    pool.add(entry(sender, nonce), 0n)
  // a1 came first, but cannot run before a0.
  assert.deepEqual(await ready(pool), ['b0', 'a0', 'a1', 'b1', 'c0'])
})

test('a_gap_waits_and_a_past_nonce_is_forgotten', async () => {
  const pool = new Pool(limits)
  for (const nonce of [0, 1, 3]) pool.add(entry('a', nonce), 0n)
  assert.deepEqual(await ready(pool, { a: 1 }), ['a1'])
  assert.equal(pool.count, 2)
  assert.equal(pool.nextNonce('a', 1n), 2n)
  pool.add(entry('a', 2), 1n)
  assert.deepEqual(await ready(pool, { a: 1 }), ['a1', 'a2', 'a3'])
})

test('limits_hold_and_removal_makes_room', () => {
  const pool = new Pool({ countMax: 3, perSenderMax: 2 })
  pool.add(entry('a', 0), 0n)
  pool.add(entry('a', 1), 0n)
  assert.throws(() => pool.add(entry('a', 2), 0n), /of this sender/)
  pool.add(entry('b', 0), 0n)
  assert.throws(() => pool.add(entry('c', 0), 0n), /full/)
  pool.remove('a', 0n)
  pool.remove('a', 0n)
  assert.equal(pool.count, 2)
  pool.add(entry('c', 0), 0n)
})

test('a_nonce_is_taken_once', () => {
  const pool = new Pool(limits)
  pool.add(entry('a', 5), 5n)
  assert.throws(() => pool.add(entry('a', 5), 5n), new PoolError('already known'))
  assert.throws(() => pool.add(entry('a', 5, 'other'), 5n), /replacement/)
  assert.throws(() => pool.add(entry('a', 4), 5n), /nonce too low/)
  assert.equal(pool.count, 1)
})
