// SPDX-License-Identifier: Apache-2.0
// Runs the blocks of another chain through this one's state, and holds every result against what that chain's headers say.
//
//   node replay.js < chain.json      {"chainId":..,"fork":"berlin","alloc":{"0x..":"0x.."},"blocks":[{..header fields..,
//                                     "author":"0x..","raw":["0x.."]}]}, from block 1 on
//
// Prints {"blocks":..,"transactions":..,"gas":..,"differences":[..]}; exit status 1 if there are any.

import { createTxFromRLP } from '@ethereumjs/tx'
import { fromHex, toHex } from './src/bytes.js'
import { encodeReceipt, indexedRoot, unionOf } from './src/receipts.js'
import { State, commonOf } from './src/state.js'

const DIFFERENCES_MAX = 20

async function readInput() {
  const parts = []
  for await (const part of process.stdin) parts.push(part)
  return JSON.parse(Buffer.concat(parts).toString())
}

function headerOf(block) {
  const integers = ['number', 'timestamp', 'gasLimit', 'difficulty', 'baseFeePerGas']
  const header = { parentHash: fromHex(block.parentHash, 32) }
  for (const name of integers) if (block[name] !== undefined) header[name] = BigInt(block[name])
  return header
}

/** What the block's transactions lead to here, by the names of the header's fields. */
async function resultOf(state, common, block) {
  const candidates = block.raw.map((raw) => {
    const tx = createTxFromRLP(fromHex(raw), { common })
    return { tx, sender: tx.getSenderAddress().toString() }
  })
  const run = await state.runBlock(headerOf(block), fromHex(block.author, 20), candidates)
  const reasons = run.rejected.map(({ reason }) => reason)
  const receipts = run.included.map(({ entry, result }) => encodeReceipt(result.receipt, entry.tx.type))
  return {
    reasons,
    stateRoot: toHex(await state.root()),
    receiptsRoot: toHex(await indexedRoot(receipts)),
    logsBloom: toHex(unionOf(run.included.map(({ result }) => result.receipt.bitvector))),
    gasUsed: run.gasUsed,
  }
}

async function main() {
  const input = await readInput()
  const common = commonOf(BigInt(input.chainId), input.fork)
  const hashes = new Map(input.blocks.map((block) => [Number(block.number), fromHex(block.hash, 32)]))
  const state = await State.create({ common, blockHashOf: (number) => hashes.get(number) ?? new Uint8Array(32) })
  for (const [address, balance] of Object.entries(input.alloc)) await state.fund(fromHex(address, 20), BigInt(balance))
  const summary = { blocks: 0, transactions: 0, gas: 0, differences: [] }
  for (const block of input.blocks) {
    const result = await resultOf(state, common, block)
    summary.blocks++
    summary.transactions += block.raw.length
    summary.gas += Number(result.gasUsed)
    for (const reason of result.reasons) summary.differences.push(`block ${Number(block.number)}: refused here: ${reason}`)
    for (const name of ['stateRoot', 'receiptsRoot', 'logsBloom', 'gasUsed']) {
      if (BigInt(result[name]) === BigInt(block[name])) continue
      summary.differences.push(`block ${Number(block.number)}: ${name} is ${block[name]} there and ${result[name]} here`)
    }
    if (summary.differences.length > DIFFERENCES_MAX) break
  }
  console.log(JSON.stringify(summary))
  process.exitCode = summary.differences.length === 0 ? 0 : 1
}

await main()
