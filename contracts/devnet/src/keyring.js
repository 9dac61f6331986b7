// SPDX-License-Identifier: Apache-2.0
// The private keys of all validators, in one process: why this is a development chain. They are fixed and public.

import { addressOfKey, namedKey, toHex } from './bytes.js'

export const VALIDATOR_COUNT_MAX = 32

export class Keyring {
  constructor() {
    const keys = Array.from({ length: VALIDATOR_COUNT_MAX }, (_, i) => namedKey(`signer${i}`))
    /**
     * Everyone who may be or become a validator.
     * @type {Uint8Array[]}
     */
    this.addresses = keys.map(addressOfKey)
    const outsiderKey = namedKey('outsider')
    /** Never a validator. */
    this.outsider = addressOfKey(outsiderKey)
    this.byAddress = new Map([...keys, outsiderKey].map((key) => [toHex(addressOfKey(key)), key]))
  }

  /**
   * @param {Uint8Array} address
   * @returns {Uint8Array} its private key
   */
  keyOf(address) {
    return this.byAddress.get(toHex(address))
  }

  /** @param {Uint8Array} address */
  mayValidate(address) {
    return this.addresses.some((known) => toHex(known) === toHex(address))
  }
}
