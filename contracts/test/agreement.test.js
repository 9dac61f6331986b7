// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SKIP } from './coordinator_model.js'

const rounds = 1000
const seed = 20261121
const program = fileURLToPath(new URL('random_rounds.js', import.meta.url))
const committed = new URL('../../tests/vectors/random_rounds.txt', import.meta.url)

// In a process of its own: the test runner follows every promise, and there are very many.
test('contract_and_model_agree_to_the_last_bit_in_a_thousand_random_rounds', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'random-rounds-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const trace = join(folder, 'trace')
  const { stdout } = await promisify(execFile)(process.execPath, [program, String(rounds), String(seed), trace])
  // The C++ side runs the committed rounds again: see tests/unit/schedule/coordinator_test.cpp.
  assert.ok(readFileSync(trace).equals(readFileSync(committed)), `random_rounds.js ${rounds} ${seed} gives another trace`)
  const seen = JSON.parse(stdout)
  assert.ok(seen.rounds >= rounds)
  for (const reason of [0, ...Object.values(SKIP)])
    assert.ok(seen.reasons[reason] > 20, `reason ${reason} too rare: ${seen.reasons}`)
  for (const what of ['tooEarly', 'up', 'down', 'hastened', 'negative', 'frozen', 'warm']) assert.ok(seen[what] > 0, `${what} never happened`)
  for (const end of ['3/0', '4/1', '4/2']) assert.ok(seen.ends[end] > 0, `no epoch ended ${end}: ${stdout}`)
})
