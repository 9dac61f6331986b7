// SPDX-License-Identifier: Apache-2.0
// What a node checks before a transaction may wait: that it decodes, belongs to this chain and could ever run.

import { createTxFromRLP } from '@ethereumjs/tx'
import { toHex } from './bytes.js'
import { PoolError } from './pool.js'

/**
 * @typedef {object} Candidate
 * @property {object} tx
 * @property {string} hash
 * @property {string} sender
 * @property {bigint} nonce
 */

/**
 * @param {Uint8Array} raw
 * @param {object} common
 * @returns {Candidate} throws PoolError
 */
export function decodeTransaction(raw, common) {
  let tx
  let sender
  try {
    // Not frozen, so that the sender can be kept: recovering it costs a millisecond each time.
    tx = createTxFromRLP(raw, { common, freeze: false })
    sender = tx.getSenderAddress()
  } catch (error) {
    throw new PoolError(`invalid transaction: ${error.message}`)
  }
  if (tx.type === 0 && BigInt(tx.v) < 35n) throw new PoolError('only replay-protected (EIP-155) transactions allowed')
  tx.getSenderAddress = () => sender
  return { tx, hash: toHex(tx.hash()), sender: sender.toString(), nonce: tx.nonce }
}

/**
 * @param {Candidate} candidate
 * @param {{balance: bigint}} account
 * @param {bigint} blockGasLimit
 */
export function checkCanRun({ tx }, { balance }, blockGasLimit) {
  if (tx.gasLimit > blockGasLimit) throw new PoolError(`exceeds block gas limit of ${blockGasLimit}`)
  const intrinsic = tx.getIntrinsicGas()
  if (tx.gasLimit < intrinsic) throw new PoolError(`intrinsic gas too low: has ${tx.gasLimit}, needs ${intrinsic}`)
  const gasPrice = tx.gasPrice ?? tx.maxFeePerGas
  if (balance < tx.value + tx.gasLimit * gasPrice) throw new PoolError('insufficient funds for gas * price + value')
}
