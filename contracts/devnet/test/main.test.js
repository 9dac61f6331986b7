// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FileClock } from '../src/clock.js'
import { encodeHeader, headerFromRpc } from '../src/headers.js'
import { Verifier } from '../src/verifier.js'

const program = fileURLToPath(new URL('../src/main.js', import.meta.url))

/** Starts the chain as a user does and gives its ready line and a way to call it. */
async function start(t, ...args) {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  const ready = JSON.parse(line)
  const call = async (method, ...params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const { result, error } = await (await fetch(ready.url, { method: 'POST', body })).json()
    if (error) throw Object.assign(new Error(error.message), error)
    return result
  }
  const waitFor = async (height) => {
    for (let i = 0; i < 500 && Number(await call('eth_blockNumber')) < height; i++) await sleep(20)
    assert.ok(Number(await call('eth_blockNumber')) >= height)
  }
  return { child, ready, call, waitFor }
}

for (const engine of ['qbft', 'ibft2', 'clique']) {
  test(`a_client_of_a_${engine}_chain_verifies_it_from_the_ready_line_and_plain_rpc`, async (t) => {
    const { ready, call, waitFor } = await start(
      t,
      '--engine',
      engine,
      '--validators',
      '3',
      '--chain-id',
      '77',
      '--period',
      '0.05',
    )
    assert.equal(ready.chainId, 77)
    await waitFor(8)
    const validators = ready.validators.map((v) => v.slice(2))
    const trusted = {
      number: 0n,
      hash: ready.genesisHash.slice(2),
      timestamp: BigInt(ready.genesisTimestamp),
      validators,
    }
    const verifier = new Verifier({ engine, start: trusted })
    for (let n = 1; n <= 8; n++) {
      const block = await call('eth_getBlockByNumber', '0x' + n.toString(16), false)
      assert.equal('0x' + verifier.accept(encodeHeader(headerFromRpc(block))).hash, block.hash)
    }
  })
}

test('timestamps_follow_the_shared_clock_and_its_speed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'devnet-main-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new FileClock(join(folder, 'clock'))
  t.after(() => clock.close())
  const tomorrow = Date.now() + 86_400_000
  clock.set({ chainMs: tomorrow, ratePermille: 1_000_000 })
  const { call, waitFor } = await start(t, '--period', '0.05', '--clock', join(folder, 'clock'))
  await waitFor(10)
  const times = await Promise.all(
    ['0x0', '0x1', '0xa'].map(async (n) => Number((await call('eth_getBlockByNumber', n, false)).timestamp)),
  )
  assert.ok(times[0] >= Math.floor(tomorrow / 1000))
  // Nine periods of 50 ms at a thousandfold speed.
  assert.ok(times[2] - times[1] > 300, `${times}`)
  await call('wp_clock', { rate_permille: 1000 })
  assert.equal(clock.read().ratePermille, 1000n)
  const { chain_ms: now } = await call('wp_clock')
  assert.ok(Math.abs(now - clock.nowMs()) < 30_000)
})

test('faults_can_be_on_from_the_start', async (t) => {
  const { call } = await start(t, '--fault', 'stalled', '--fault', 'round=2', '--empty-block-period', '2.5')
  const faults = await call('wp_faults')
  assert.deepEqual([faults.stalled, faults.round, faults.empty_block_period_s], [true, 2, 2.5])
})

test('period_0_makes_a_block_for_each_transaction', async (t) => {
  const { call } = await start(t, '--period', '0')
  assert.equal(await call('eth_blockNumber'), '0x0')
  assert.equal(await call('evm_mine'), '0x1')
})

test('it_ends_at_once_and_well_when_asked_to', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    const { child } = await start(t)
    child.kill(signal)
    assert.deepEqual(await once(child, 'exit'), [0, null])
  }
})

test('wrong_options_end_with_status_2_and_say_which', () => {
  const cases = [
    [['--period', 'x'], /--period x/],
    [['--validators', '33'], /--validators 33/],
    [['--validators', '1.5'], /--validators 1.5/],
    [['--engine', 'raft'], /engine "raft"/],
    [['--fault', 'fly'], /no fault "fly"/],
    [['--fault', 'round=x'], /--fault round=x/],
    [['--nonsense'], /nonsense/],
    [['--clock', '/nowhere/clock'], /\/nowhere/],
  ]
  for (const [args, message] of cases) {
    const { status, stderr, stdout } = spawnSync(process.execPath, [program, ...args], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    assert.equal(status, 2, `${args}`)
    assert.match(stderr, message)
    assert.equal(stdout, '')
  }
})
