// SPDX-License-Identifier: Apache-2.0
// What is committed is what the sources give.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = (file, ...args) => promisify(execFile)(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args])
const read = (file) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'))

test('artifacts_are_current', async () => {
  await run('../build.js', '--check')
})

test('shared_vectors_are_current', async () => {
  await run('make_vectors.js', '--check')
})

test('the_words_that_devices_prove_have_the_slots_that_the_specification_gives_them', () => {
  assert.deepEqual(read('../artifacts/layout.json'), {
    DeviceRegistry: { contractOf: 0, checkInOf: 1 },
    Scheduler: { epochWord: 0, recordOf: 8 },
  })
})
