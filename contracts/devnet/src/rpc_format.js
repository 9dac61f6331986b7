// SPDX-License-Identifier: Apache-2.0
// Blocks, transactions and receipts in the form in which JSON-RPC hands them out.

import { Capability } from '@ethereumjs/tx'
import { integerBytes, quantity, toHex } from './bytes.js'
import { encodeHeader, headerToRpc } from './headers.js'

/**
 * @param {import('./ledger.js').Block} block
 * @param {boolean} withTransactions whole transactions, or only their hashes
 */
export function blockToRpc(block, withTransactions) {
  return {
    ...headerToRpc(block.header, block.hash),
    totalDifficulty: quantity(block.totalDifficulty),
    size: quantity(sizeOf(block)),
    uncles: [],
    transactions: withTransactions
      ? block.transactions.map((_, index) => transactionToRpc(block, index))
      : block.transactions.map(({ hash }) => hash),
  }
}

/** Bytes of an RLP item with so long a payload, which is not a single byte. */
const itemSize = (payload) => 1 + payload + (payload < 56 ? 0 : integerBytes(payload).length)

/** Bytes of the block's RLP: header, transactions, and the empty list of ommers. */
function sizeOf({ header, transactions }) {
  const sizes = transactions.map(({ tx }) => {
    const size = tx.serialize().length
    // A typed transaction is a string in the list, a legacy one is itself a list.
    return tx.type === 0 ? size : itemSize(size)
  })
  return itemSize(encodeHeader(header).length + itemSize(sizes.reduce((sum, size) => sum + size, 0)) + 1)
}

/**
 * @param {import('./ledger.js').Block} block
 * @param {number} index
 */
export function transactionToRpc(block, index) {
  const { tx, hash, sender } = block.transactions[index]
  return {
    blockHash: toHex(block.hash),
    blockNumber: quantity(block.header.number),
    transactionIndex: quantity(index),
    hash,
    from: sender,
    to: tx.to?.toString() ?? null,
    type: quantity(tx.type),
    nonce: quantity(tx.nonce),
    gas: quantity(tx.gasLimit),
    ...pricesOf(tx),
    ...(tx.type !== 0 && { chainId: quantity(tx.common.chainId()), accessList: accessListOf(tx) }),
    value: quantity(tx.value),
    input: toHex(tx.data),
    v: quantity(tx.v),
    r: quantity(tx.r),
    s: quantity(tx.s),
  }
}

function pricesOf(tx) {
  if (!tx.supports(Capability.EIP1559FeeMarket)) return { gasPrice: quantity(tx.gasPrice) }
  return {
    gasPrice: quantity(tx.getEffectivePriorityFee(0n)),
    maxFeePerGas: quantity(tx.maxFeePerGas),
    maxPriorityFeePerGas: quantity(tx.maxPriorityFeePerGas),
  }
}

function accessListOf(tx) {
  return tx.accessList.map(([address, keys]) => ({ address: toHex(address), storageKeys: keys.map(toHex) }))
}

/** @param {import('./receipts.js').Receipt} receipt */
export function receiptToRpc(receipt) {
  return {
    ...placeOf(receipt),
    type: quantity(receipt.type),
    from: receipt.from,
    to: receipt.to,
    contractAddress: receipt.contractAddress,
    status: quantity(receipt.status),
    gasUsed: quantity(receipt.gasUsed),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantity(receipt.effectiveGasPrice),
    logsBloom: receipt.logsBloom,
    logs: receipt.logs.map((log) => logToRpc(receipt, log)),
    ...(receipt.revertData !== undefined && { revertReason: receipt.revertData }),
  }
}

/**
 * @param {import('./receipts.js').Receipt} receipt that holds the log
 * @param {object} log
 */
export function logToRpc(receipt, log) {
  return { ...log, logIndex: quantity(log.logIndex), ...placeOf(receipt), removed: false }
}

function placeOf(receipt) {
  return {
    transactionHash: receipt.transactionHash,
    transactionIndex: quantity(receipt.transactionIndex),
    blockHash: receipt.blockHash,
    blockNumber: quantity(receipt.blockNumber),
  }
}
