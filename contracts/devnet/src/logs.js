// SPDX-License-Identifier: Apache-2.0
// Search for logs over a range of blocks, with the bounds that keep one request from occupying the chain.

import { fromHex } from './bytes.js'
import { mayContain } from './receipts.js'

export const BLOCK_COUNT_MAX = 100_000
export const RESULT_COUNT_MAX = 10_000

/** A search that would cost or return too much. */
export class LimitError extends Error {}

/**
 * @param {import('./ledger.js').Block[]} blocks
 * @param {{from: number, to: number, addresses?: string[], topics: (string[]|undefined)[]}} filter topics: at each
 *   place the accepted values, undefined accepts any
 * @returns {{receipt: object, log: object}[]} in order of block and position
 */
export function findLogs(blocks, { from, to, addresses, topics }) {
  if (from > to) return []
  if (to - from >= BLOCK_COUNT_MAX) throw new LimitError(`more than ${BLOCK_COUNT_MAX} blocks`)
  const wanted = [addresses, ...topics]
    .filter((choices) => choices !== undefined)
    .map((choices) => choices.map((text) => fromHex(text)))
  const found = []
  for (const block of blocks.slice(from, to + 1)) {
    if (!wanted.every((choices) => choices.some((value) => mayContain(block.header.logsBloom, value)))) continue
    for (const receipt of block.receipts) {
      for (const log of receipt.logs) if (matches(log, addresses, topics)) found.push({ receipt, log })
    }
    if (found.length > RESULT_COUNT_MAX) throw new LimitError(`more than ${RESULT_COUNT_MAX} logs`)
  }
  return found
}

function matches(log, addresses, topics) {
  if (addresses && !addresses.includes(log.address)) return false
  return topics.every(
    (choices, i) => i < log.topics.length && (choices === undefined || choices.includes(log.topics[i])),
  )
}
