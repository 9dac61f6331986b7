// SPDX-License-Identifier: Apache-2.0
// Bytes, hexadecimal text and keys: the few conversions that every file here needs.

import { keccak_256 } from '@noble/hashes/sha3'
import { secp256k1 } from '@noble/curves/secp256k1'

export const EMPTY = new Uint8Array(0)

/**
 * @param {Uint8Array} data
 * @returns {Uint8Array} 32 bytes
 */
export const keccak = (data) => keccak_256(data)

/**
 * @param {string} text
 * @returns {Uint8Array}
 */
export const utf8 = (text) => new TextEncoder().encode(text)

/**
 * @param {Uint8Array} data
 * @returns {string} "0x" and two digits a byte
 */
export const toHex = (data) => '0x' + Buffer.from(data).toString('hex')

/**
 * Accepts what toHex makes, upper case included, and nothing else: Buffer's own parser stops silently at the first
 * wrong digit.
 * @param {string|Uint8Array} value bytes pass through, so that callers may hold either
 * @param {number} [size] required number of bytes
 * @returns {Uint8Array}
 */
export function fromHex(value, size) {
  const data = value instanceof Uint8Array ? value : parseHex(value)
  if (size !== undefined && data.length !== size) throw new TypeError(`${data.length} bytes where ${size} belong`)
  return data
}

function parseHex(text) {
  if (typeof text !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(text)) {
    throw new TypeError('not 0x and hexadecimal bytes')
  }
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}

/**
 * JSON-RPC "quantity": no leading zeros, zero is 0x0.
 * @param {bigint|number} value
 */
export const quantity = (value) => '0x' + BigInt(value).toString(16)

/**
 * RLP integer: big-endian without leading zeros, zero is the empty string.
 * @param {bigint|number} value
 */
export function integerBytes(value) {
  if (BigInt(value) === 0n) return EMPTY
  const digits = BigInt(value).toString(16)
  return fromHex('0x' + (digits.length % 2 ? '0' : '') + digits)
}

/**
 * @param {Uint8Array} data big-endian
 * @returns {bigint}
 */
export const toInteger = (data) => (data.length === 0 ? 0n : BigInt(toHex(data)))

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 */
export const equal = (a, b) => Buffer.compare(a, b) === 0

/**
 * @param {...Uint8Array} parts
 * @returns {Uint8Array}
 */
export const concat = (...parts) => new Uint8Array(Buffer.concat(parts))

/**
 * A fixed private key by name, for development only: anyone can compute it.
 * @param {string} name
 */
export const namedKey = (name) => keccak(utf8(name))

/**
 * @param {Uint8Array} key private key
 * @returns {Uint8Array} the 20-byte address
 */
export const addressOfKey = (key) => keccak(secp256k1.getPublicKey(key, false).subarray(1)).subarray(12)

/**
 * @param {Uint8Array} hash 32 bytes
 * @param {Uint8Array} key private key
 * @returns {Uint8Array} 65 bytes r, s, v with low s and v 0 or 1
 */
export function sign(hash, key) {
  const signature = secp256k1.sign(hash, key)
  return concat(signature.toCompactRawBytes(), Uint8Array.of(signature.recovery))
}
