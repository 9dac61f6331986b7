// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { FileClock, ManualClock, RealClock } from '../src/clock.js'

const folder = mkdtempSync(join(tmpdir(), 'devnet-clock-'))
after(() => rmSync(folder, { recursive: true }))
const path = (name) => join(folder, name)

function fileWith(name, fields) {
  const bytes = Buffer.alloc(40)
  bytes.write('WPCLOCK1')
  fields.forEach((value, i) => bytes.writeBigUInt64LE(BigInt(value), 8 + 8 * i))
  writeFileSync(path(name), bytes)
  return path(name)
}

test('real_time_is_real_and_manual_time_stands_still', () => {
  assert.ok(Math.abs(new RealClock().nowMs() - Date.now()) < 1000)
  const clock = new ManualClock(100)
  assert.equal(clock.nowMs(), 100_000)
  clock.advanceSeconds(5)
  assert.equal(clock.nowMs(), 105_000)
})

test('a_new_file_runs_at_real_time', () => {
  const clock = new FileClock(path('new'))
  assert.ok(Math.abs(clock.nowMs() - Date.now()) < 1000)
  const bytes = readFileSync(path('new'))
  assert.equal(bytes.length, 40)
  assert.equal(bytes.toString('ascii', 0, 8), 'WPCLOCK1')
  assert.equal(bytes.readBigUInt64LE(24), 1000n)
  clock.close()
})

test('chain_time_follows_the_formula_and_floors', () => {
  const clock = new FileClock(fileWith('formula', [1_000_000, 5_000_000, 1500, 0]))
  assert.equal(clock.nowMs(1_000_000), 5_000_000)
  assert.equal(clock.nowMs(1_000_001), 5_000_001)
  assert.equal(clock.nowMs(1_002_000), 5_003_000)
  assert.equal(clock.nowMs(999_999), 4_999_998)
  clock.close()
})

test('a_new_rate_makes_no_jump_and_a_jump_goes_forward_only', () => {
  const clock = new FileClock(fileWith('rate', [Date.now(), 7_000_000, 0, 4]))
  assert.equal(clock.nowMs(), 7_000_000)
  clock.set({ ratePermille: 3_600_000 })
  const { realMs, chainMs, ratePermille, sequence } = clock.read()
  assert.deepEqual([chainMs, ratePermille, sequence], [7_000_000n, 3_600_000n, 6n])
  assert.equal(clock.nowMs(Number(realMs) + 2), 7_007_200)
  clock.set({ ratePermille: 0 })
  const now = clock.nowMs()
  assert.throws(() => clock.set({ chainMs: now - 1 }), /never goes back/)
  clock.set({ chainMs: now + 86_400_000 })
  assert.equal(clock.nowMs(), now + 86_400_000)
  clock.close()
})

test('two_processes_see_the_same_time', () => {
  const first = new FileClock(path('shared'))
  const second = new FileClock(path('shared'))
  first.set({ chainMs: 9_000_000_000_000, ratePermille: 0 })
  assert.equal(second.nowMs(), 9_000_000_000_000)
  first.close()
  second.close()
})

test('other_files_and_unfinished_writes_are_refused', () => {
  writeFileSync(path('short'), 'WPCLOCK1')
  writeFileSync(path('other'), Buffer.alloc(40, 1))
  assert.throws(() => new FileClock(path('short')), /not a clock file/)
  assert.throws(() => new FileClock(path('other')), /not a clock file/)
  assert.throws(() => new FileClock(fileWith('odd', [0, 0, 1000, 3])), /being written/)
})
