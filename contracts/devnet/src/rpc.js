// SPDX-License-Identifier: Apache-2.0
// The JSON-RPC methods: the part of a node's interface that clients of this project use, with the results that Besu
// and geth would give, and a few of our own that begin with wp_.

import { Capability } from '@ethereumjs/tx'
import { fromHex, quantity, toHex } from './bytes.js'
import { CallError } from './chain.js'
import { encodeHeader, headerToRpc } from './headers.js'
import { findLogs } from './logs.js'
import { PoolError } from './pool.js'

const MINE_COUNT_MAX = 10_000
const PROOF_SLOT_COUNT_MAX = 1024
const VERSION = 'wattproof-devnet/0.1.0'

/** An error with the code that JSON-RPC clients expect. */
export class RpcError extends Error {
  constructor(code, message, data) {
    super(message)
    this.code = code
    this.data = data
  }
}

export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600
const METHOD_NOT_FOUND = -32601
const INVALID_PARAMS = -32602
const INTERNAL_ERROR = -32603
const SERVER_ERROR = -32000
const LIMIT_EXCEEDED = -32005
const EXECUTION_REVERTED = 3

const invalid = (message) => new RpcError(INVALID_PARAMS, message)

function bytesParam(name, value, size) {
  try {
    return fromHex(value, size)
  } catch (error) {
    throw invalid(`${name}: ${error.message}`)
  }
}

function quantityParam(name, value) {
  if (typeof value !== 'string' || !/^0x(0|[1-9a-fA-F][0-9a-fA-F]{0,63})$/.test(value)) throw invalid(`${name}: not a quantity`)
  return BigInt(value)
}

/** A storage key: 32 bytes, or a quantity as some clients write it. */
function slotParam(value) {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw invalid('storage key: not hexadecimal of at most 32 bytes')
  return '0x' + value.slice(2).padStart(64, '0')
}

/**
 * @param {{chain: import('./chain.js').Devnet, clock?: import('./clock.js').FileClock}} parts clock: only with a clock file
 * @returns {(method: string, params: unknown) => Promise<unknown>} throws RpcError
 */
export function createRpc({ chain, clock }) {
  const methods = { ...nodeMethods(chain), ...blockMethods(chain), ...stateMethods(chain), ...validatorMethods(chain), ...ownMethods(chain, clock) }
  return async (method, params = []) => {
    if (!Object.hasOwn(methods, method)) throw new RpcError(METHOD_NOT_FOUND, `the method ${method} does not exist`)
    if (!Array.isArray(params)) throw invalid('params must be an array')
    try {
      return await methods[method](...params)
    } catch (error) {
      throw asRpcError(error)
    }
  }
}

function asRpcError(error) {
  if (error instanceof RpcError) return error
  if (error instanceof PoolError) return new RpcError(SERVER_ERROR, error.message)
  if (error instanceof CallError) {
    const reverted = error.data !== '0x' || error.message === 'revert'
    return new RpcError(reverted ? EXECUTION_REVERTED : SERVER_ERROR, `execution reverted: ${error.message}`, error.data)
  }
  if (error instanceof RangeError) return new RpcError(error.limit ? LIMIT_EXCEEDED : INVALID_PARAMS, error.message)
  return new RpcError(INTERNAL_ERROR, error.message)
}

/** The block that a block parameter names, or undefined. */
function findBlock(chain, at = 'latest') {
  if (typeof at === 'object' && at !== null) {
    if (at.blockHash !== undefined) return chain.block(toHex(bytesParam('blockHash', at.blockHash, 32)))
    return findBlock(chain, at.blockNumber)
  }
  if (['latest', 'pending', 'safe', 'finalized', 'earliest'].includes(at)) return chain.block(at)
  const number = quantityParam('block', at)
  return number <= chain.head.header.number ? chain.block(Number(number)) : undefined
}

function needBlock(chain, at) {
  const block = findBlock(chain, at)
  if (!block) throw new RpcError(SERVER_ERROR, 'header not found')
  return block
}

function nodeMethods(chain) {
  return {
    web3_clientVersion: () => VERSION,
    net_version: () => String(chain.chainId),
    net_listening: () => false,
    net_peerCount: () => '0x0',
    eth_chainId: () => quantity(chain.chainId),
    eth_syncing: () => false,
    eth_accounts: () => [],
    eth_gasPrice: () => '0x0',
    eth_maxPriorityFeePerGas: () => '0x0',
    txpool_status: () => ({ pending: quantity(chain.pool.count), queued: '0x0' }),
  }
}

function blockToRpc(block, withTransactions) {
  return {
    ...headerToRpc(block.header, block.hash),
    totalDifficulty: quantity(block.totalDifficulty),
    size: quantity(encodeHeader(block.header).length + block.transactions.reduce((sum, { tx }) => sum + tx.serialize().length, 0)),
    uncles: [],
    transactions: withTransactions
      ? block.transactions.map((_, index) => transactionToRpc(block, index))
      : block.transactions.map(({ hash }) => hash),
  }
}

function transactionToRpc(block, index) {
  const { tx, hash, sender } = block.transactions[index]
  const feeMarket = tx.supports(Capability.EIP1559FeeMarket)
  return {
    blockHash: toHex(block.hash),
    blockNumber: quantity(block.header.number),
    transactionIndex: quantity(index),
    hash,
    from: sender,
    to: tx.to?.toString() ?? null,
    type: quantity(tx.type),
    nonce: quantity(tx.nonce),
    gas: quantity(tx.gasLimit),
    gasPrice: quantity(feeMarket ? 0 : tx.gasPrice),
    ...(feeMarket && { maxFeePerGas: quantity(tx.maxFeePerGas), maxPriorityFeePerGas: quantity(tx.maxPriorityFeePerGas) }),
    ...(tx.type !== 0 && {
      chainId: quantity(chainIdOf(tx)),
      accessList: tx.accessList.map(([address, keys]) => ({ address: toHex(address), storageKeys: keys.map(toHex) })),
    }),
    value: quantity(tx.value),
    input: toHex(tx.data),
    v: quantity(tx.v),
    r: quantity(tx.r),
    s: quantity(tx.s),
  }
}

const chainIdOf = (tx) => tx.common.chainId()

function receiptToRpc(receipt) {
  const place = {
    transactionHash: receipt.transactionHash,
    transactionIndex: quantity(receipt.transactionIndex),
    blockHash: receipt.blockHash,
    blockNumber: quantity(receipt.blockNumber),
  }
  return {
    ...place,
    type: quantity(receipt.type),
    from: receipt.from,
    to: receipt.to,
    contractAddress: receipt.contractAddress,
    status: quantity(receipt.status),
    gasUsed: quantity(receipt.gasUsed),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    effectiveGasPrice: quantity(receipt.effectiveGasPrice),
    logsBloom: receipt.logsBloom,
    logs: receipt.logs.map((log) => ({ ...log, logIndex: quantity(log.logIndex), ...place, removed: false })),
    ...(receipt.revertData !== undefined && { revertReason: receipt.revertData }),
  }
}

function blockMethods(chain) {
  const served = (block) => (chain.faults.values.serve_twin && block?.twin) || block
  return {
    eth_blockNumber: () => quantity(chain.head.header.number),
    eth_getBlockByNumber: (at, full) => {
      const block = served(findBlock(chain, at))
      return block ? blockToRpc(block, full === true) : null
    },
    eth_getBlockByHash: (hash, full) => {
      const block = chain.block(toHex(bytesParam('block hash', hash, 32)))
      return block ? blockToRpc(block, full === true) : null
    },
    eth_getBlockReceipts: (at) => {
      const block = findBlock(chain, typeof at === 'string' && at.length === 66 ? { blockHash: at } : at)
      return block ? block.receipts.map(receiptToRpc) : null
    },
    eth_getTransactionReceipt: (hash) => {
      const receipt = chain.receipt(toHex(bytesParam('transaction hash', hash, 32)))
      return receipt ? receiptToRpc(receipt) : null
    },
    eth_getTransactionByHash: (hash) => {
      const found = chain.ledger.place(toHex(bytesParam('transaction hash', hash, 32)))
      return found ? transactionToRpc(found.block, found.index) : null
    },
    eth_getLogs: (filter) => {
      if (typeof filter !== 'object' || filter === null) throw invalid('filter: not an object')
      return findLogs(chain.ledger.blocks, logFilter(chain, filter)).map(({ receipt, log }) => receiptToRpc({ ...receipt, logs: [log] }).logs[0])
    },
    eth_sendRawTransaction: (raw) => chain.submit(bytesParam('transaction', raw)),
  }
}

function logFilter(chain, { fromBlock, toBlock, blockHash, address, topics = [] }) {
  const one = (value, size) => toHex(bytesParam('filter', value, size))
  const anyOf = (value, size) => (Array.isArray(value) ? value.map((v) => one(v, size)) : [one(value, size)])
  if (!Array.isArray(topics) || topics.length > 4) throw invalid('topics: not an array of at most 4')
  const single = blockHash !== undefined && Number(needBlock(chain, { blockHash }).header.number)
  const numberOf = (at) => (['latest', 'pending', 'safe', 'finalized', 'earliest', undefined].includes(at) ? Number(findBlock(chain, at).header.number) : Number(quantityParam('block', at)))
  return {
    from: blockHash !== undefined ? single : numberOf(fromBlock),
    to: blockHash !== undefined ? single : Math.min(numberOf(toBlock), chain.ledger.blocks.length - 1),
    addresses: address == null ? undefined : anyOf(address, 20),
    topics: topics.map((topic) => (topic === null ? undefined : anyOf(topic, 32))),
  }
}

function stateMethods(chain) {
  const rootAt = (at) => needBlock(chain, at).header.stateRoot
  const accountAt = (address, at) => chain.state.account(rootAt(at), bytesParam('address', address, 20))
  return {
    eth_getBalance: async (address, at) => quantity((await accountAt(address, at)).balance),
    eth_getTransactionCount: async (address, at) => {
      const { nonce } = await accountAt(address, at)
      return quantity(at === 'pending' ? chain.pool.nextNonce(address.toLowerCase(), nonce) : nonce)
    },
    eth_getCode: async (address, at) => toHex(await chain.state.code(rootAt(at), bytesParam('address', address, 20))),
    eth_getStorageAt: async (address, slot, at) => {
      const value = await chain.getStorage(toHex(bytesParam('address', address, 20)), slotParam(slot), needBlock(chain, at))
      return '0x' + value.toString(16).padStart(64, '0')
    },
    eth_getProof: (address, slots, at) => {
      if (!Array.isArray(slots) || slots.length > PROOF_SLOT_COUNT_MAX) throw invalid(`storage keys: not an array of at most ${PROOF_SLOT_COUNT_MAX}`)
      return chain.getProof(toHex(bytesParam('address', address, 20)), slots.map(slotParam), needBlock(chain, at))
    },
    eth_call: (request, at) => chain.call(callRequest(request), needBlock(chain, at)),
    eth_estimateGas: async (request, at) => quantity(await chain.estimateGas(callRequest(request), needBlock(chain, at))),
  }
}

function callRequest(request) {
  if (typeof request !== 'object' || request === null) throw invalid('call: not an object')
  const { from, to, data, input, value, gas } = request
  const optional = (name, v, size) => (v == null ? undefined : toHex(bytesParam(name, v, size)))
  return {
    from: optional('from', from, 20),
    to: optional('to', to, 20),
    data: optional('data', data ?? input),
    value: value == null ? undefined : quantityParam('value', value),
    gas: gas == null ? undefined : quantityParam('gas', gas),
  }
}

/** Named as on real nodes, so that the same client code reads the set and proposes changes there. */
function validatorMethods(chain) {
  const listAt = (at) => needBlock(chain, at).validators.map(toHex)
  const propose = (address, add) => {
    if (typeof add !== 'boolean') throw invalid('the second parameter is not true or false')
    chain.proposeValidator(toHex(bytesParam('address', address, 20)), add)
    return true
  }
  const discard = (address) => chain.validators.discard(bytesParam('address', address, 20))
  const pending = () => Object.fromEntries(chain.validators.proposals)
  const { engine } = chain.options
  if (engine === 'clique') {
    return { clique_getSigners: listAt, clique_propose: propose, clique_discard: discard, clique_proposals: pending }
  }
  const prefix = engine === 'qbft' ? 'qbft' : 'ibft'
  return {
    [`${prefix}_getValidatorsByBlockNumber`]: listAt,
    [`${prefix}_proposeValidatorVote`]: propose,
    [`${prefix}_discardValidatorVote`]: discard,
    [`${prefix}_getPendingVotes`]: pending,
  }
}

function ownMethods(chain, clock) {
  return {
    evm_mine: async (blocks = '0x1') => {
      const count = typeof blocks === 'number' ? blocks : Number(quantityParam('count', blocks))
      if (!Number.isInteger(count) || count < 1 || count > MINE_COUNT_MAX) throw invalid(`count: not 1..${MINE_COUNT_MAX}`)
      return quantity((await chain.mine(count)).header.number)
    },
    wp_faults: (changes = {}) => {
      if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) throw invalid('faults: not an object')
      return chain.faults.set(changes)
    },
    wp_getTwinByNumber: (at, full) => {
      const twin = findBlock(chain, at)?.twin
      return twin ? blockToRpc(twin, full === true) : null
    },
    debug_getRawHeader: (at) => toHex(encodeHeader(needBlock(chain, at).header)),
    wp_clock: (change) => {
      if (change !== undefined) setClock(clock, change)
      const ratePermille = clock ? Number(clock.read().ratePermille) : 1000
      return { chain_ms: chain.clock.nowMs(), rate_permille: ratePermille }
    },
  }
}

function setClock(clock, { rate_permille: ratePermille, chain_ms: chainMs }) {
  if (!clock) throw new RpcError(SERVER_ERROR, 'the chain runs without a clock file')
  for (const value of [ratePermille, chainMs]) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) throw invalid('clock: not a whole number')
  }
  clock.set({ ratePermille, chainMs })
}
