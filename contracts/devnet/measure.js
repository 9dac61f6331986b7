// SPDX-License-Identifier: Apache-2.0
// Measures what the chain costs in time and memory and prints it as JSON: npm run measure

import { storeContract, word } from './fixtures/hand_assembled.js'
import { namedKey } from './src/bytes.js'
import { Devnet } from './src/chain.js'

const BLOCK_COUNT = 20
const TRANSACTIONS_PER_BLOCK = 50
const EMPTY_BLOCK_COUNT = 1000
const READ_COUNT = 200
const key = namedKey('measure')

/**
 * Mean milliseconds of one run.
 * @param {number} count
 * @param {(i: number) => Promise<unknown>} task
 */
async function meanMs(count, task) {
  const start = performance.now()
  for (let i = 0; i < count; i++) await task(i)
  return Number(((performance.now() - start) / count).toFixed(2))
}

/** Bytes in use after everything unreachable is gone. */
function bytesInUse() {
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const startMs = performance.now()
const chain = await Devnet.create({ automine: false })
const result = { create_ms: Math.round(performance.now() - startMs) }
await chain.sendTransaction({ key, data: storeContract, gasLimit: 200_000 })
const { receipts } = await chain.mine()
const to = receipts[0].contractAddress
const store = (i) => ({ key, to, data: '0x' + word(i % 50) + word(i + 1), gasLimit: 60_000 })

async function fillBlocks() {
  let submitMs = 0
  let mineMs = 0
  for (let block = 0; block < BLOCK_COUNT; block++) {
    submitMs += await meanMs(TRANSACTIONS_PER_BLOCK, (i) => chain.sendTransaction(store(i + block)))
    mineMs += await meanMs(1, () => chain.mine())
  }
  result.sign_and_submit_ms = Number((submitMs / BLOCK_COUNT).toFixed(2))
  result[`block_of_${TRANSACTIONS_PER_BLOCK}_ms`] = Math.round(mineMs / BLOCK_COUNT)
}

await fillBlocks()
const beforeTransactions = bytesInUse()
await fillBlocks()
const beforeEmpty = bytesInUse()
result.transaction_bytes = Math.round((beforeEmpty - beforeTransactions) / (BLOCK_COUNT * TRANSACTIONS_PER_BLOCK))
result.empty_block_ms = await meanMs(EMPTY_BLOCK_COUNT, () => chain.mine())
result.empty_block_bytes = Math.round((bytesInUse() - beforeEmpty) / EMPTY_BLOCK_COUNT)
result.call_ms = await meanMs(READ_COUNT, () => chain.call({ to }))
result.proof_of_two_slots_ms = await meanMs(READ_COUNT, () => chain.getProof(to, ['0x' + word(1), '0x' + word(2)]))
result.resident_mb = Math.round(process.memoryUsage().rss / 1e6)
console.log(JSON.stringify(result, undefined, 2))
