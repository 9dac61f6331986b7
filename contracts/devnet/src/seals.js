// SPDX-License-Identifier: Apache-2.0
// The seal engines by name, and the interface that they share.

import { bftEngine } from './bft.js'

/**
 * @typedef {object} Engine
 * @property {string} name
 * @property {(count: number) => number} quorum validators that must be alive for a block
 * @property {(count: number) => number} voteThreshold votes that change the validator set
 * @property {(header: object) => Uint8Array} hash the block hash by this engine's rule
 * @property {(validators: Uint8Array[]) => object} genesis consensus fields of block 0
 * @property {(plan: object) => {author: Uint8Array, fields: object}} draft consensus fields of the next block, and the
 *   address that the EVM sees as COINBASE
 * @property {(header: object, signing: object) => object} seal the header with its seal or seals
 * @property {(header: object) => object} twin an unsealed header of the same height and state but another hash
 */

const engines = {
  qbft: () => bftEngine('qbft'),
  ibft2: () => bftEngine('ibft2'),
}

export const engineNames = Object.keys(engines)

/** @param {string} name @returns {Engine} */
export function engineByName(name) {
  if (!Object.hasOwn(engines, name)) throw new RangeError(`engine "${name}" is none of ${engineNames.join(', ')}`)
  return engines[name]()
}
