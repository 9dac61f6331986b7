// SPDX-License-Identifier: Apache-2.0
// Reading a header as a distrustful client does: from its RLP bytes, canonical form only.
//
// Part of the independent check of what the chain makes. It shares no code with the maker but the RLP, Keccak and
// curve libraries.

import { RLP } from '@ethereumjs/rlp'
import { secp256k1 } from '@noble/curves/secp256k1'
import { keccak_256 } from '@noble/hashes/sha3'

/** Why a header was refused; `code` is a short stable name. */
export class HeaderError extends Error {
  constructor(code, message = code) {
    super(message)
    this.code = code
  }
}

export const hexOf = (bytes) => Buffer.from(bytes).toString('hex')

const numeric = { size: 0 }
const layout = [
  ['parentHash', 32],
  ['ommersHash', 32],
  ['coinbase', 20],
  ['stateRoot', 32],
  ['transactionsRoot', 32],
  ['receiptsRoot', 32],
  ['logsBloom', 256],
  ['difficulty', numeric],
  ['number', numeric],
  ['gasLimit', numeric],
  ['gasUsed', numeric],
  ['timestamp', numeric],
  ['extraData', undefined],
  ['mixHash', 32],
  ['nonce', 8],
  ['baseFeePerGas', numeric],
]
const EXTRA_DATA_INDEX = 12
const NO_OMMERS = '1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347'

/**
 * Decodes RLP whose every byte is accounted for and could not be written differently.
 * @param {Uint8Array} bytes
 */
export function decodeStrict(bytes) {
  let items
  try {
    items = RLP.decode(bytes)
  } catch (error) {
    throw new HeaderError('malformed_rlp', error.message)
  }
  if (hexOf(RLP.encode(items)) !== hexOf(bytes)) throw new HeaderError('non_canonical')
  return items
}

/**
 * @param {Uint8Array} rlp
 * @param {number} fieldCount 15 before London, 16 at London
 * @returns {Record<string, Uint8Array|bigint> & {items: Uint8Array[]}}
 */
export function parseHeader(rlp, fieldCount) {
  const items = decodeStrict(rlp)
  if (!Array.isArray(items) || items.length !== fieldCount) throw new HeaderError('header_field_count')
  const header = { items }
  items.forEach((item, i) => {
    const [name, size] = layout[i]
    if (!(item instanceof Uint8Array)) throw new HeaderError('field_type', `${name} is a list`)
    if (size === numeric) {
      if (item.length > 32 || item[0] === 0) throw new HeaderError('field_integer', name)
      header[name] = item.length === 0 ? 0n : BigInt('0x' + hexOf(item))
      return
    }
    if (size !== undefined && item.length !== size) throw new HeaderError('field_size', name)
    header[name] = item
  })
  return header
}

/**
 * Keccak of the header with other extraData.
 * @param {{items: Uint8Array[]}} header
 * @param {Uint8Array} extraData
 */
export function hashWithExtra(header, extraData) {
  return keccak_256(RLP.encode(header.items.map((item, i) => (i === EXTRA_DATA_INDEX ? extraData : item))))
}

/**
 * Keccak of the header as it is.
 * @param {{items: Uint8Array[]}} header
 */
export const hashOf = (header) => keccak_256(RLP.encode(header.items))

/**
 * @param {Uint8Array} hash
 * @param {Uint8Array} seal r, s, v
 * @returns {string} the signer's address, 40 digits
 */
export function recover(hash, seal) {
  if (seal.length !== 65) throw new HeaderError('seal_size')
  if (seal[64] > 1) throw new HeaderError('seal_recovery_id')
  try {
    const signature = secp256k1.Signature.fromCompact(seal.subarray(0, 64))
    if (signature.hasHighS()) throw new HeaderError('signature_high_s')
    const point = signature.addRecoveryBit(seal[64]).recoverPublicKey(hash)
    return hexOf(keccak_256(point.toRawBytes(false).subarray(1))).slice(24)
  } catch (error) {
    throw error instanceof HeaderError ? error : new HeaderError('seal_invalid', error.message)
  }
}

/**
 * What every engine demands of a header, seen alone and after its parent.
 * @param {object} header
 * @param {object} parent
 * @param {number} period seconds
 */
export function checkCommon(header, parent, period) {
  if (hexOf(header.ommersHash) !== NO_OMMERS) throw new HeaderError('ommers')
  if (header.gasUsed > header.gasLimit) throw new HeaderError('gas_used')
  if (parent.number !== undefined && header.number !== parent.number + 1n)
    throw new HeaderError('number_not_contiguous')
  if (parent.hash !== undefined && hexOf(header.parentHash) !== parent.hash)
    throw new HeaderError('parent_hash_mismatch')
  if (parent.timestamp !== undefined && header.timestamp < parent.timestamp + BigInt(period)) {
    throw new HeaderError('timestamp_too_early')
  }
}
