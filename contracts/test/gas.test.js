// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('gas.js', import.meta.url))

test('updates_and_closing_stay_within_their_gas', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--json'])
  const figures = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const { name, value } of figures) t.diagnostic(`${name} ${value}`)
  const held = figures.filter(({ target }) => target !== null)
  assert.equal(held.length, 4)
  for (const { name, value, target } of held) assert.ok(value <= target, `${name}: ${value} > ${target}`)
  const closes = figures.filter(({ name }) => /^gas_close_\d+$/.test(name)).map(({ value }) => value)
  assert.equal(closes.length, 3)
  assert.ok(Math.max(...closes) < 1.05 * Math.min(...closes), `closing depends on the number of devices: ${closes}`)
})
