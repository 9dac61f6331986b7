// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_BLOOM } from '../src/headers.js'
import { BLOCK_COUNT_MAX, LimitError, RESULT_COUNT_MAX, findLogs } from '../src/logs.js'

const ALL_BITS = new Uint8Array(256).fill(0xff)
const log = { address: '0x' + '11'.repeat(20), topics: [] }
const blockOf = (count, logsBloom = ALL_BITS) => ({
  header: { logsBloom },
  receipts: [{ logs: Array(count).fill(log) }],
})
const search = (blocks, filter = {}) => findLogs(blocks, { from: 0, to: blocks.length - 1, topics: [], ...filter })

test('too_many_results_or_blocks_are_an_error_of_their_own', () => {
  assert.equal(search([blockOf(RESULT_COUNT_MAX)]).length, RESULT_COUNT_MAX)
  assert.throws(() => search([blockOf(RESULT_COUNT_MAX + 1)]), LimitError)
  assert.throws(() => search([], { from: 0, to: BLOCK_COUNT_MAX }), LimitError)
})

test('a_block_whose_bloom_lacks_the_address_is_not_searched', () => {
  assert.equal(search([blockOf(1)], { addresses: [log.address] }).length, 1)
  assert.equal(search([blockOf(1, ZERO_BLOOM)], { addresses: [log.address] }).length, 0)
})

test('an_empty_or_reversed_range_finds_nothing', () => {
  assert.deepEqual(search([]), [])
  assert.deepEqual(search([blockOf(1)], { from: 5, to: 2 }), [])
})
