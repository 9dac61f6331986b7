// SPDX-License-Identifier: Apache-2.0
// Measures what the chain costs in time and memory and prints it as JSON: npm run measure

import { storeContract, word } from './fixtures/hand_assembled.js'
import { namedKey } from './src/bytes.js'
import { Devnet } from './src/chain.js'

const TRANSACTION_COUNT = 1000
const REPEAT_COUNT = 200
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

const startMs = performance.now()
const chain = await Devnet.create({ automine: false })
const result = { create_ms: Math.round(performance.now() - startMs) }
await chain.sendTransaction({ key, data: storeContract, gasLimit: 200_000 })
const { receipts } = await chain.mine()
const to = receipts[0].contractAddress
const store = (i) => ({ key, to, data: '0x' + word(i % 50) + word(i + 1), gasLimit: 60_000 })

result.sign_and_submit_ms = await meanMs(TRANSACTION_COUNT, (i) => chain.sendTransaction(store(i)))
result.execute_ms = Number(((await meanMs(1, () => chain.mine())) / chain.head.transactions.length).toFixed(2))
result.transactions_in_block = chain.head.transactions.length
result.empty_block_verified_ms = await meanMs(REPEAT_COUNT, () => chain.mine())
result.call_ms = await meanMs(REPEAT_COUNT, () => chain.call({ to }))
result.proof_of_two_slots_ms = await meanMs(REPEAT_COUNT, () => chain.getProof(to, ['0x' + word(1), '0x' + word(2)]))
result.resident_mb = Math.round(process.memoryUsage().rss / 1e6)
console.log(JSON.stringify(result, undefined, 2))
