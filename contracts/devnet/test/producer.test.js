// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { namedKey } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'
import { Producer } from '../src/producer.js'

const key = namedKey('tester')
const to = '0x' + '22'.repeat(20)

async function start(t, periodMs, faults = {}) {
  const chain = await Devnet.create({ automine: false, verify: false, faults })
  const errors = []
  const producer = new Producer(chain, { periodMs, onError: (error) => errors.push(error) })
  producer.start()
  t.after(() => producer.stop())
  return { chain, producer, errors, height: () => Number(chain.head.header.number) }
}

async function until(condition) {
  for (let i = 0; i < 2000; i++) {
    if (condition()) return
    await sleep(10)
  }
  assert.fail('waited in vain')
}

test('blocks_come_at_the_period', async (t) => {
  const { height } = await start(t, 100)
  const from = performance.now()
  await until(() => height() >= 10)
  assert.ok(performance.now() - from >= 850)
})

test('a_stalled_chain_makes_no_block_until_it_may_again', async (t) => {
  const { chain, height } = await start(t, 20, { stalled: true })
  await sleep(200)
  assert.equal(height(), 0)
  chain.faults.set({ stalled: false })
  await until(() => height() > 0)
})

test('empty_blocks_wait_longer_and_a_transaction_does_not', async (t) => {
  const { chain, height } = await start(t, 20, { empty_block_period_s: 3 })
  await chain.sendTransaction({ key, to, gasLimit: 21_000 })
  const from = performance.now()
  await until(() => height() === 1)
  assert.ok(performance.now() - from < 2000)
  const empty = performance.now()
  await until(() => height() === 2)
  assert.ok(performance.now() - empty > 1500)
})

test('no_block_comes_after_stop', async (t) => {
  const { producer, height } = await start(t, 10)
  await until(() => height() > 2)
  await producer.stop()
  const last = height()
  await sleep(100)
  assert.equal(height(), last)
})

test('the_first_error_ends_production_and_is_reported_once', async (t) => {
  const { chain, errors } = await start(t, 10)
  chain.clock.nowMs = () => {
    throw new Error('the clock is gone')
  }
  await until(() => errors.length > 0)
  await sleep(100)
  assert.deepEqual(
    errors.map(({ message }) => message),
    ['the clock is gone'],
  )
})
