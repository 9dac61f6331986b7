// SPDX-License-Identifier: Apache-2.0
// Reading the parameters of JSON-RPC requests. Each function throws an RpcError that names what is wrong.

import { fromHex, toHex } from './bytes.js'
import { RpcError, SERVER_ERROR, invalidParams } from './rpc_error.js'

const BLOCK_NAMES = ['latest', 'pending', 'safe', 'finalized', 'earliest']
const TOPIC_COUNT_MAX = 4

/**
 * @param {string} name
 * @param {unknown} value
 * @param {number} [size] in bytes
 */
export function bytesParam(name, value, size) {
  try {
    return fromHex(value, size)
  } catch (error) {
    throw invalidParams(`${name}: ${error.message}`)
  }
}

/** The same as lower-case text. */
export const hexParam = (name, value, size) => toHex(bytesParam(name, value, size))

/** @returns {bigint} */
export function quantityParam(name, value) {
  if (typeof value !== 'string' || !/^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})$/.test(value)) {
    throw invalidParams(`${name}: not a quantity`)
  }
  return BigInt(value)
}

/** A storage key: 32 bytes, or a quantity as some clients write it. */
export function slotParam(value) {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) {
    throw invalidParams('storage key: not hexadecimal of at most 32 bytes')
  }
  return '0x' + value.slice(2).padStart(64, '0')
}

/** @returns {object} the value, which must be an object */
export function objectParam(name, value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidParams(`${name}: not an object`)
  return value
}

/**
 * The block that a block parameter names: a name, a number, a hash or an object of EIP-1898.
 * @param {import('./ledger.js').Ledger} ledger
 * @param {unknown} at
 * @returns {import('./ledger.js').Block|undefined}
 */
export function findBlock(ledger, at) {
  if (at?.blockHash !== undefined) return ledger.block(hexParam('blockHash', at.blockHash, 32))
  const name = at?.blockNumber ?? at ?? 'latest'
  if (BLOCK_NAMES.includes(name)) return ledger.block(name)
  if (typeof name === 'string' && name.length === 66) return ledger.block(hexParam('block', name, 32))
  const number = quantityParam('block', name)
  return number <= ledger.head.header.number ? ledger.block(Number(number)) : undefined
}

/** Like findBlock, but it must exist. */
export function needBlock(ledger, at) {
  const block = findBlock(ledger, at)
  if (!block) throw new RpcError(SERVER_ERROR, 'header not found')
  return block
}

/** The message of eth_call and eth_estimateGas, in the form that Devnet takes. */
export function callParam(request) {
  const { from, to, data, input, value, gas } = objectParam('call', request)
  const optional = (read, name, given, size) => (given == null ? undefined : read(name, given, size))
  return {
    from: optional(hexParam, 'from', from, 20),
    to: optional(hexParam, 'to', to, 20),
    data: optional(hexParam, 'data', data ?? input),
    value: optional(quantityParam, 'value', value),
    gas: optional(quantityParam, 'gas', gas),
  }
}

/** The filter of eth_getLogs, in the form that findLogs takes. */
export function logFilterParam(ledger, filter) {
  const { fromBlock, toBlock, blockHash, address, topics = [] } = objectParam('filter', filter)
  if (!Array.isArray(topics) || topics.length > TOPIC_COUNT_MAX) {
    throw invalidParams(`topics: not an array of at most ${TOPIC_COUNT_MAX}`)
  }
  const anyOf = (name, value, size) => [value].flat().map((each) => hexParam(name, each, size))
  return {
    ...rangeOf(ledger, { fromBlock, toBlock, blockHash }),
    addresses: address == null ? undefined : anyOf('address', address, 20),
    topics: topics.map((topic) => (topic === null ? undefined : anyOf('topic', topic, 32))),
  }
}

function rangeOf(ledger, { fromBlock, toBlock, blockHash }) {
  if (blockHash !== undefined) {
    const number = Number(needBlock(ledger, { blockHash }).header.number)
    return { from: number, to: number }
  }
  const head = Number(ledger.head.header.number)
  const numberOf = (at = 'latest') =>
    BLOCK_NAMES.includes(at) ? Number(ledger.block(at).header.number) : Number(quantityParam('block', at))
  return { from: numberOf(fromBlock), to: Math.min(numberOf(toBlock), head) }
}
