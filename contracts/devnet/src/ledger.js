// SPDX-License-Identifier: Apache-2.0
// The blocks made so far and the ways to find them. All stay in memory until the process ends.

import { toHex } from './bytes.js'

/**
 * @typedef {object} Block
 * @property {import('./headers.js').Header} header
 * @property {Uint8Array} hash
 * @property {Uint8Array} author whom the EVM saw as COINBASE
 * @property {Uint8Array[]} validators the set that this block belongs to, ascending
 * @property {bigint} totalDifficulty
 * @property {{tx: object, hash: string, sender: string}[]} transactions
 * @property {import('./receipts.js').Receipt[]} receipts
 * @property {Block} [twin] another block of the same height, if the validators equivocated
 */

export class Ledger {
  constructor() {
    /**
     * By number.
     * @type {Block[]}
     */
    this.blocks = []
    this.byHash = new Map()
    this.places = new Map()
  }

  /** @param {Block} block */
  append(block) {
    this.blocks.push(block)
    for (const each of [block, block.twin]) if (each) this.byHash.set(toHex(each.hash), each)
    block.receipts.forEach((receipt, index) => this.places.set(receipt.transactionHash, { block, index }))
  }

  /** @returns {Block} */
  get head() {
    return this.blocks[this.blocks.length - 1]
  }

  /**
   * @param {number|string|Block} at number, block hash, "earliest" or "latest", whose other names are "pending",
   *   "safe" and "finalized"; a block is itself
   * @returns {Block|undefined}
   */
  block(at) {
    if (typeof at === 'object') return at
    if (typeof at === 'number') return this.blocks[at]
    if (at === 'earliest') return this.blocks[0]
    if (['latest', 'pending', 'safe', 'finalized'].includes(at)) return this.head
    return this.byHash.get(at)
  }

  /**
   * @param {string} hash of a transaction
   * @returns {{block: Block, index: number}|undefined}
   */
  place(hash) {
    return this.places.get(hash)
  }
}
