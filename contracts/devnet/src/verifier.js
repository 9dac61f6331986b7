// SPDX-License-Identifier: Apache-2.0
// The independent check of every header that the chain makes: follows them one by one from a trusted start, from raw
// RLP alone. It is written against the rules of the engines, not against the maker.

import { bftRules } from './bft_verifier.js'
import { cliqueRules } from './clique_verifier.js'
import { checkCommon, parseHeader } from './raw_header.js'

const rulesOf = { qbft: () => bftRules('qbft'), ibft2: () => bftRules('ibft2'), clique: () => cliqueRules }

/**
 * @typedef {object} Start where trust begins. Without number, hash and timestamp the first header stands alone.
 * @property {string[]} validators addresses, 40 digits each
 * @property {bigint} [number]
 * @property {string} [hash] 64 digits
 * @property {bigint} [timestamp]
 */

export class Verifier {
  /**
   * @param {{engine: string, start: Start, fieldCount?: number, epochLength?: number, period?: number}} options
   *   period: least number of seconds between two headers
   */
  constructor({ engine, start, fieldCount = 16, epochLength = 30_000, period = 1 }) {
    this.rules = rulesOf[engine]()
    this.fieldCount = fieldCount
    this.epochLength = epochLength
    this.period = period
    this.parent = { number: start.number, hash: start.hash, timestamp: start.timestamp }
    this.state = this.rules.begin(start.validators)
  }

  /**
   * Checks a header as the next one and changes nothing.
   * @param {Uint8Array} rlp
   * @returns {{header: object, hash: string, signers: string[]}} throws HeaderError
   */
  check(rlp) {
    const header = parseHeader(rlp, this.fieldCount)
    checkCommon(header, this.parent, this.period)
    const signers = this.rules.check(header, this.state, this.epochLength)
    return { header, hash: this.rules.hash(header), signers }
  }

  /**
   * Checks a header and goes on from it. A refused one leaves everything as it was.
   * @param {Uint8Array} rlp
   */
  accept(rlp) {
    const checked = this.check(rlp)
    const { header, hash, signers } = checked
    this.state = this.rules.advance(header, this.state, this.epochLength, signers)
    this.#moveTo(header, hash)
    return checked
  }

  /**
   * Goes on from a header that was rightly refused, so that the valid ones after it can be checked.
   * @param {Uint8Array} rlp
   */
  stepOver(rlp) {
    const header = parseHeader(rlp, this.fieldCount)
    this.state = this.rules.stepOver(header, this.state, this.epochLength)
    this.#moveTo(header, this.rules.hash(header))
  }

  #moveTo(header, hash) {
    this.parent = { number: header.number, hash, timestamp: header.timestamp }
  }
}
