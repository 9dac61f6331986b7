// SPDX-License-Identifier: Apache-2.0
// Holds the chain to its own rules: the independent verifier must accept every header that was made well, and refuse
// every one made under a fault, for that fault. Anything else is a defect of the chain and stops it.

import { toHex } from './bytes.js'
import { encodeHeader } from './headers.js'
import { Verifier } from './verifier.js'

export class Inspector {
  /**
   * @param {import('./ledger.js').Block} genesis
   * @param {{engine: string, epochLength: number, timestampStepMin: number}} options
   */
  constructor(genesis, { engine, epochLength, timestampStepMin }) {
    const digits = (bytes) => toHex(bytes).slice(2)
    const { hash, header, validators } = genesis
    const start = { number: 0n, hash: digits(hash), timestamp: header.timestamp, validators: validators.map(digits) }
    this.verifier = new Verifier({ engine, start, epochLength, period: timestampStepMin })
  }

  /**
   * @param {import('./ledger.js').Block} block the next one
   * @param {string[]} refusedAs errors that the faults in force must cause; none: the block is valid
   */
  inspect(block, refusedAs) {
    const rlp = encodeHeader(block.header)
    const outcome = this.#outcome(block, rlp)
    const expected = refusedAs.length === 0 ? ['valid'] : refusedAs
    if (!expected.includes(outcome)) {
      throw new Error(`block ${block.header.number} is ${outcome} where it must be ${expected.join(' or ')}`)
    }
    if (outcome !== 'valid') this.verifier.stepOver(rlp)
  }

  #outcome(block, rlp) {
    try {
      if (block.twin) this.verifier.check(encodeHeader(block.twin.header))
      this.verifier.accept(rlp)
      return 'valid'
    } catch (error) {
      return error.code ?? error.message
    }
  }
}
