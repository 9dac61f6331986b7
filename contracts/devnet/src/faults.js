// SPDX-License-Identifier: Apache-2.0
// Switches that make the chain misbehave in one named way, so that clients can be shown to notice.
//
// A fault concerns how a header is sealed or whether blocks come at all. Transactions always run correctly.

const flag = (value) => typeof value === 'boolean'
const count = (value) => Number.isInteger(value) && value >= 0 && value <= 1000
const seconds = (value) => typeof value === 'number' && value >= 0 && value <= 86_400

const BFT = ['qbft', 'ibft2']
const ALL = [...BFT, 'clique']

/** Each switch: for which engines, which values, and its resting value. */
const switches = {
  few_seals: { engines: BFT, valid: flag, off: false },
  doubled_seal: { engines: BFT, valid: flag, off: false },
  outsider_seal: { engines: ALL, valid: flag, off: false },
  round: { engines: BFT, valid: count, off: 0 },
  recent_signer: { engines: ['clique'], valid: flag, off: false },
  wrong_difficulty: { engines: ['clique'], valid: flag, off: false },
  out_of_turn: { engines: ['clique'], valid: flag, off: false },
  stalled: { engines: ALL, valid: flag, off: false },
  empty_block_period_s: { engines: ALL, valid: seconds, off: 0 },
  equivocate: { engines: ALL, valid: flag, off: false },
  serve_twin: { engines: ALL, valid: flag, off: false },
}

export class Faults {
  /**
   * @param {string} engine
   * @param {object} [initial]
   */
  constructor(engine, initial = {}) {
    this.values = {}
    for (const [name, { engines, off }] of Object.entries(switches)) {
      if (engines.includes(engine)) this.values[name] = off
    }
    this.engine = engine
    this.set(initial)
  }

  /**
   * All or nothing.
   * @param {object} changes switch names and values
   * @returns {object} every switch after the change
   */
  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (!Object.hasOwn(this.values, name)) {
        throw new RangeError(`${this.engine} has no fault "${name}", only ${Object.keys(this.values).join(', ')}`)
      }
      if (!switches[name].valid(value)) throw new RangeError(`fault "${name}" cannot be ${JSON.stringify(value)}`)
    }
    Object.assign(this.values, changes)
    return { ...this.values }
  }
}
