// SPDX-License-Identifier: Apache-2.0
// The seal engines by name, and the interface that they share.

import { bftEngine } from './bft.js'
import { cliqueEngine } from './clique.js'

/**
 * @typedef {object} Plan
 * @property {bigint} number
 * @property {Uint8Array[]} validators ascending
 * @property {boolean} isEpoch
 * @property {(number: number) => Uint8Array|undefined} authorOf of an earlier block
 * @property {(author: Uint8Array) => import('./validators.js').Vote|undefined} voteFor
 * @property {Uint8Array} outsider no validator, but its key is known here
 * @property {object} fault values of the fault switches
 *
 * @typedef {object} Signing
 * @property {Uint8Array[]} validators ascending
 * @property {Uint8Array} author
 * @property {(address: Uint8Array) => Uint8Array} keyOf
 * @property {Uint8Array} outsider
 * @property {object} fault values of the fault switches
 *
 * @typedef {object} Draft
 * @property {Uint8Array} author whom the EVM sees as COINBASE
 * @property {import('./validators.js').Vote} [vote]
 * @property {object} fields consensus fields of the header
 * @property {string[]} refusedAs what is wrong with the header, by a fault switch: one of these errors it must give
 *
 * @typedef {object} Engine
 * @property {(header: object) => Uint8Array} hash the block hash by this engine's rule
 * @property {(validators: Uint8Array[]) => object} genesis consensus fields of block 0
 * @property {(plan: Plan) => Draft} draft
 * @property {(header: object, signing: Signing) => object} seal the header with its seal or seals
 * @property {(header: object) => object} twin an unsealed header of the same height and state but another hash
 */

const engines = {
  qbft: () => bftEngine('qbft'),
  ibft2: () => bftEngine('ibft2'),
  clique: cliqueEngine,
}

export const engineNames = Object.keys(engines)

/**
 * @param {string} name
 * @returns {Engine}
 */
export function engineByName(name) {
  if (!Object.hasOwn(engines, name)) throw new RangeError(`engine "${name}" is none of ${engineNames.join(', ')}`)
  return engines[name]()
}
