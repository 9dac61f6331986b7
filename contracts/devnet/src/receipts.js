// SPDX-License-Identifier: Apache-2.0
// Receipts and logs of a block: their trie, their bloom and the form in which they are handed out.

import { createMPT } from '@ethereumjs/mpt'
import { RLP } from '@ethereumjs/rlp'
import { EMPTY, concat, integerBytes, keccak, toHex } from './bytes.js'
import { EMPTY_TRIE_ROOT, ZERO_BLOOM } from './headers.js'

const ERROR_STRING_SELECTOR = '0x08c379a0'

/**
 * Root of the trie that a header keeps over its transactions or receipts: key RLP(index), value as given.
 * @param {Uint8Array[]} values
 */
export async function indexedRoot(values) {
  if (values.length === 0) return EMPTY_TRIE_ROOT
  const trie = await createMPT()
  for (const [i, value] of values.entries()) await trie.put(RLP.encode(integerBytes(i)), value)
  return trie.root()
}

/**
 * @param {object} receipt of the EVM
 * @param {number} type transaction type
 * @returns {Uint8Array}
 */
export function encodeReceipt(receipt, type) {
  const status = receipt.status === 1 ? Uint8Array.of(1) : EMPTY
  const body = RLP.encode([status, integerBytes(receipt.cumulativeBlockGasUsed), receipt.bitvector, receipt.logs])
  return type === 0 ? body : concat(Uint8Array.of(type), body)
}

/** @param {Uint8Array[]} blooms */
export function unionOf(blooms) {
  const out = Uint8Array.from(ZERO_BLOOM)
  for (const bloom of blooms) for (let i = 0; i < out.length; i++) out[i] |= bloom[i]
  return out
}

/**
 * Whether a bloom may hold a value; false is certain.
 * @param {Uint8Array} bloom
 * @param {Uint8Array} value
 */
export function mayContain(bloom, value) {
  const hash = keccak(value)
  return [0, 2, 4].every((i) => {
    const bit = ((hash[i] << 8) | hash[i + 1]) & 2047
    return (bloom[255 - (bit >> 3)] & (1 << (bit & 7))) !== 0
  })
}

/**
 * The text of a `revert("...")`, or undefined.
 * @param {Uint8Array} output
 */
export function revertReason(output) {
  if (output.length < 68 || toHex(output.subarray(0, 4)) !== ERROR_STRING_SELECTOR) return undefined
  const size = Number(BigInt(toHex(output.subarray(36, 68))))
  if (output.length - 68 < size) return undefined
  return new TextDecoder().decode(output.subarray(68, 68 + size))
}

/**
 * @typedef {object} Receipt numbers as numbers or bigints, bytes as 0x text
 * @property {string} transactionHash
 * @property {number} transactionIndex
 * @property {string} blockHash
 * @property {number} blockNumber
 * @property {number} status 1, or 0 if it reverted
 * @property {number} type
 * @property {string} from
 * @property {?string} to null for a contract creation
 * @property {?string} contractAddress
 * @property {number} gasUsed
 * @property {number} cumulativeGasUsed
 * @property {bigint} effectiveGasPrice
 * @property {string} logsBloom
 * @property {{address: string, topics: string[], data: string, logIndex: number}[]} logs logIndex counts over the block
 * @property {string} [revertData] what a reverted transaction returned
 * @property {string} [error] why it failed, in words
 */

/**
 * @returns {Receipt[]} of one block
 * @param {object[]} included as State.runBlock gives them
 * @param {string} blockHash
 * @param {number} blockNumber
 */
export function describeReceipts(included, blockHash, blockNumber) {
  let logIndex = 0
  return included.map(({ entry, result }, transactionIndex) => {
    const { receipt, execResult, totalGasSpent, createdAddress } = result
    const failure = execResult.exceptionError
    const logs = receipt.logs.map(([address, topics, data]) => ({
      address: toHex(address),
      topics: topics.map(toHex),
      data: toHex(data),
      logIndex: logIndex++,
    }))
    return {
      transactionHash: entry.hash,
      transactionIndex,
      blockHash,
      blockNumber,
      status: receipt.status,
      type: entry.tx.type,
      from: entry.sender,
      to: entry.tx.to?.toString() ?? null,
      contractAddress: !failure && createdAddress ? createdAddress.toString() : null,
      gasUsed: Number(totalGasSpent),
      cumulativeGasUsed: Number(receipt.cumulativeBlockGasUsed),
      effectiveGasPrice: entry.tx.gasPrice ?? entry.tx.getEffectivePriorityFee(0n),
      logsBloom: toHex(receipt.bitvector),
      logs,
      ...(failure && {
        revertData: toHex(execResult.returnValue),
        error: revertReason(execResult.returnValue) ?? failure.error,
      }),
    }
  })
}
