// SPDX-License-Identifier: Apache-2.0
// The validator set and the votes in headers that change it: one vote a block, a majority of the set decides.

import { equal, toHex } from './bytes.js'

/** @typedef {{target: Uint8Array, add: boolean}} Vote */

export class ValidatorSet {
  /**
   * @param {Uint8Array[]} list
   * @param {number} epochLength every so many blocks pending votes lapse
   */
  constructor(list, epochLength) {
    this.list = [...list].sort(Buffer.compare)
    this.epochLength = epochLength
    /**
     * target -> voter -> add, both as text.
     * @type {Map<string, Map<string, boolean>>}
     */
    this.votes = new Map()
    /**
     * What the operator wants: target -> add.
     * @type {Map<string, boolean>}
     */
    this.proposals = new Map()
  }

  /** @param {Uint8Array} address */
  has(address) {
    return this.list.some((member) => equal(member, address))
  }

  /** @param {bigint} number */
  isEpoch(number) {
    return Number(number) % this.epochLength === 0
  }

  /**
   * From now on every author votes so, until it is reached.
   * @param {Uint8Array} target
   * @param {boolean} add
   */
  propose(target, add) {
    this.proposals.set(toHex(target), add)
  }

  /**
   * @param {Uint8Array} target
   * @returns {boolean} whether there was such a proposal
   */
  discard(target) {
    return this.proposals.delete(toHex(target))
  }

  /**
   * The vote that an author puts into its block.
   * @param {bigint} number
   * @param {Uint8Array} author
   * @returns {Vote|undefined}
   */
  voteFor(number, author) {
    if (this.isEpoch(number)) return undefined
    for (const [text, add] of this.proposals) {
      const target = new Uint8Array(Buffer.from(text.slice(2), 'hex'))
      const last = !add && this.list.length === 1
      if (this.has(target) === add || last) this.proposals.delete(text)
      else if (this.votes.get(text)?.get(toHex(author)) !== add) return { target, add }
    }
    return undefined
  }

  /**
   * Counts a block; the set may be another one for the next block.
   * @param {bigint} number
   * @param {Uint8Array} author
   * @param {Vote} [vote]
   */
  count(number, author, vote) {
    if (this.isEpoch(number)) this.votes.clear()
    else if (vote) this.#countVote(toHex(author), vote)
  }

  #countVote(author, { target, add }) {
    const text = toHex(target)
    const ballots = this.votes.get(text) ?? new Map()
    this.votes.set(text, ballots.set(author, add))
    const agreeing = [...ballots.values()].filter((ballot) => ballot === add).length
    if (agreeing < Math.floor(this.list.length / 2) + 1) return
    this.votes.delete(text)
    this.list = this.list.filter((member) => !equal(member, target))
    if (add) this.list = [...this.list, target].sort(Buffer.compare)
    else for (const other of this.votes.values()) other.delete(text)
  }
}
