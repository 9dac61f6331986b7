// SPDX-License-Identifier: Apache-2.0
// The block header of the London fork: 16 fields, their RLP and their JSON-RPC form.

import { RLP } from '@ethereumjs/rlp'
import { fromHex, integerBytes, keccak, quantity, toHex } from './bytes.js'

export const EMPTY_TRIE_ROOT = keccak(Uint8Array.of(0x80))
export const EMPTY_LIST_HASH = keccak(Uint8Array.of(0xc0))
export const ZERO_HASH = new Uint8Array(32)
export const ZERO_ADDRESS = new Uint8Array(20)
export const ZERO_NONCE = new Uint8Array(8)
export const ZERO_BLOOM = new Uint8Array(256)

/**
 * @typedef {object} Header
 * @property {Uint8Array} parentHash the parent's block hash, which for BFT engines is not the Keccak of its RLP
 * @property {Uint8Array} ommersHash always the hash of the empty list
 * @property {Uint8Array} coinbase
 * @property {Uint8Array} stateRoot
 * @property {Uint8Array} transactionsRoot
 * @property {Uint8Array} receiptsRoot
 * @property {Uint8Array} logsBloom 256 bytes
 * @property {bigint} difficulty
 * @property {bigint} number
 * @property {bigint} gasLimit
 * @property {bigint} gasUsed
 * @property {bigint} timestamp chain seconds
 * @property {Uint8Array} extraData
 * @property {Uint8Array} mixHash
 * @property {Uint8Array} nonce 8 bytes, a string and not an integer
 * @property {bigint} baseFeePerGas
 */

/**
 * @param {Header} header
 * @returns {Uint8Array}
 */
export function encodeHeader(header) {
  return RLP.encode([
    header.parentHash,
    header.ommersHash,
    header.coinbase,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    header.logsBloom,
    integerBytes(header.difficulty),
    integerBytes(header.number),
    integerBytes(header.gasLimit),
    integerBytes(header.gasUsed),
    integerBytes(header.timestamp),
    header.extraData,
    header.mixHash,
    header.nonce,
    integerBytes(header.baseFeePerGas),
  ])
}

/**
 * @param {Header} header
 * @param {Uint8Array} hash the block hash by the engine's rule
 */
export function headerToRpc(header, hash) {
  return {
    number: quantity(header.number),
    hash: toHex(hash),
    parentHash: toHex(header.parentHash),
    sha3Uncles: toHex(header.ommersHash),
    miner: toHex(header.coinbase),
    stateRoot: toHex(header.stateRoot),
    transactionsRoot: toHex(header.transactionsRoot),
    receiptsRoot: toHex(header.receiptsRoot),
    logsBloom: toHex(header.logsBloom),
    difficulty: quantity(header.difficulty),
    gasLimit: quantity(header.gasLimit),
    gasUsed: quantity(header.gasUsed),
    timestamp: quantity(header.timestamp),
    extraData: toHex(header.extraData),
    mixHash: toHex(header.mixHash),
    nonce: toHex(header.nonce),
    baseFeePerGas: quantity(header.baseFeePerGas),
  }
}

/**
 * The inverse of headerToRpc, for clients that rebuild a header.
 * @param {object} block
 * @returns {Header}
 */
export function headerFromRpc(block) {
  return {
    parentHash: fromHex(block.parentHash, 32),
    ommersHash: fromHex(block.sha3Uncles, 32),
    coinbase: fromHex(block.miner, 20),
    stateRoot: fromHex(block.stateRoot, 32),
    transactionsRoot: fromHex(block.transactionsRoot, 32),
    receiptsRoot: fromHex(block.receiptsRoot, 32),
    logsBloom: fromHex(block.logsBloom, 256),
    difficulty: BigInt(block.difficulty),
    number: BigInt(block.number),
    gasLimit: BigInt(block.gasLimit),
    gasUsed: BigInt(block.gasUsed),
    timestamp: BigInt(block.timestamp),
    extraData: fromHex(block.extraData),
    mixHash: fromHex(block.mixHash, 32),
    nonce: fromHex(block.nonce, 8),
    baseFeePerGas: BigInt(block.baseFeePerGas),
  }
}
