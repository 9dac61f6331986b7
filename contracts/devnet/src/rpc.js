// SPDX-License-Identifier: Apache-2.0
// The JSON-RPC methods: the part of a node's interface that clients of this project use, with the results that Besu
// and geth would give, and a few of our own that begin with wp_.

import { setImmediate as otherWork } from 'node:timers/promises'
import { quantity, toHex } from './bytes.js'
import { CallError } from './chain.js'
import { encodeHeader } from './headers.js'
import { LimitError, findLogs } from './logs.js'
import { PoolError } from './pool.js'
import {
  EXECUTION_REVERTED,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  LIMIT_EXCEEDED,
  METHOD_NOT_FOUND,
  RpcError,
  SERVER_ERROR,
  invalidParams,
} from './rpc_error.js'
import { blockToRpc, logToRpc, receiptToRpc, transactionToRpc } from './rpc_format.js'
import {
  bytesParam,
  callParam,
  findBlock,
  hexParam,
  logFilterParam,
  needBlock,
  objectParam,
  quantityParam,
  slotParam,
} from './rpc_params.js'

const MINE_COUNT_MAX = 10_000
const PROOF_SLOT_COUNT_MAX = 1024
const VERSION = 'wattproof-devnet/0.1.0'

/**
 * @param {object} parts
 * @param {import('./chain.js').Devnet} parts.chain
 * @param {import('./clock.js').FileClock} [parts.clock]
 * @returns {((method: string, params: unknown) => Promise<unknown>) & {methods: string[]}} throws RpcError
 */
export function createRpc({ chain, clock }) {
  const methods = {
    ...nodeMethods(chain),
    ...blockMethods(chain),
    ...transactionMethods(chain),
    ...stateMethods(chain),
    ...validatorMethods(chain),
    ...ownMethods(chain, clock),
  }
  const rpc = async (method, params = []) => {
    if (!Object.hasOwn(methods, method)) throw new RpcError(METHOD_NOT_FOUND, `the method ${method} does not exist`)
    if (!Array.isArray(params)) throw invalidParams('params must be an array')
    try {
      return await methods[method](...params)
    } catch (error) {
      throw asRpcError(error)
    }
  }
  return Object.assign(rpc, { methods: Object.keys(methods) })
}

function asRpcError(error) {
  if (error instanceof RpcError) return error
  if (error instanceof PoolError) return new RpcError(SERVER_ERROR, error.message)
  if (error instanceof CallError) {
    if (!error.reverted) return new RpcError(SERVER_ERROR, error.message)
    const reason = error.message === 'revert' ? '' : `: ${error.message}`
    return new RpcError(EXECUTION_REVERTED, `execution reverted${reason}`, error.data)
  }
  if (error instanceof LimitError) return new RpcError(LIMIT_EXCEEDED, error.message)
  if (error instanceof RangeError) return new RpcError(INVALID_PARAMS, error.message)
  return new RpcError(INTERNAL_ERROR, error.message)
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
  }
}

function blockMethods({ ledger, faults }) {
  const served = (at) => {
    const block = findBlock(ledger, at)
    return (faults.values.serve_twin && block?.twin) || block
  }
  const orNull = (block, format) => (block ? format(block) : null)
  return {
    eth_blockNumber: () => quantity(ledger.head.header.number),
    eth_getBlockByNumber: (at, full) => orNull(served(at), (block) => blockToRpc(block, full === true)),
    eth_getBlockByHash: (hash, full) =>
      orNull(ledger.block(hexParam('block hash', hash, 32)), (block) => blockToRpc(block, full === true)),
    eth_getBlockReceipts: (at) => orNull(served(at), (block) => block.receipts.map(receiptToRpc)),
    eth_getLogs: (filter) =>
      findLogs(ledger.blocks, logFilterParam(ledger, filter)).map(({ receipt, log }) => logToRpc(receipt, log)),
    debug_getRawHeader: (at) => toHex(encodeHeader(needBlock(ledger, at).header)),
    wp_getTwinByNumber: (at, full) => orNull(findBlock(ledger, at)?.twin, (block) => blockToRpc(block, full === true)),
  }
}

function transactionMethods(chain) {
  const placeOf = (hash) => chain.ledger.place(hexParam('transaction hash', hash, 32))
  return {
    eth_sendRawTransaction: (raw) => chain.submit(bytesParam('transaction', raw)),
    eth_getTransactionReceipt: (hash) => {
      const place = placeOf(hash)
      return place ? receiptToRpc(place.block.receipts[place.index]) : null
    },
    eth_getTransactionByHash: (hash) => {
      const place = placeOf(hash)
      return place ? transactionToRpc(place.block, place.index) : null
    },
    txpool_status: () => ({ pending: quantity(chain.pool.count), queued: '0x0' }),
  }
}

function stateMethods(chain) {
  const blockAt = (at) => needBlock(chain.ledger, at)
  const rootAt = (at) => blockAt(at).header.stateRoot
  const accountAt = (address, at) => chain.state.account(rootAt(at), bytesParam('address', address, 20))
  return {
    eth_getBalance: async (address, at) => quantity((await accountAt(address, at)).balance),
    eth_getTransactionCount: async (address, at) => {
      if (at === 'pending') return quantity(await chain.nextNonce(hexParam('address', address, 20)))
      return quantity((await accountAt(address, at)).nonce)
    },
    eth_getCode: async (address, at) => toHex(await chain.state.code(rootAt(at), bytesParam('address', address, 20))),
    eth_getStorageAt: async (address, slot, at) => {
      const value = await chain.getStorage(hexParam('address', address, 20), slotParam(slot), blockAt(at))
      return '0x' + value.toString(16).padStart(64, '0')
    },
    eth_getProof: (address, slots, at) => {
      if (!Array.isArray(slots) || slots.length > PROOF_SLOT_COUNT_MAX) {
        throw invalidParams(`storage keys: not an array of at most ${PROOF_SLOT_COUNT_MAX}`)
      }
      return chain.getProof(hexParam('address', address, 20), slots.map(slotParam), blockAt(at))
    },
    eth_call: (request, at) => chain.call(callParam(request), blockAt(at)),
    eth_estimateGas: async (request, at) => quantity(await chain.estimateGas(callParam(request), blockAt(at))),
  }
}

/** Named as on real nodes, so that the same client code reads the set and proposes changes there. */
function validatorMethods(chain) {
  const list = (at) => needBlock(chain.ledger, at).validators.map(toHex)
  const propose = (address, add) => {
    if (typeof add !== 'boolean') throw invalidParams('the second parameter is not true or false')
    chain.proposeValidator(hexParam('address', address, 20), add)
    return true
  }
  const discard = (address) => chain.validators.discard(bytesParam('address', address, 20))
  const pending = () => Object.fromEntries(chain.validators.proposals)
  const { engine } = chain.options
  if (engine === 'clique') {
    return { clique_getSigners: list, clique_propose: propose, clique_discard: discard, clique_proposals: pending }
  }
  const prefix = engine === 'qbft' ? 'qbft' : 'ibft'
  return {
    [`${prefix}_getValidatorsByBlockNumber`]: list,
    [`${prefix}_proposeValidatorVote`]: propose,
    [`${prefix}_discardValidatorVote`]: discard,
    [`${prefix}_getPendingVotes`]: pending,
  }
}

function ownMethods(chain, clock) {
  return {
    evm_mine: async (blocks = '0x1') => {
      const count = typeof blocks === 'number' ? blocks : Number(quantityParam('count', blocks))
      if (!Number.isInteger(count) || count < 1 || count > MINE_COUNT_MAX) {
        throw invalidParams(`count: not 1..${MINE_COUNT_MAX}`)
      }
      for (let i = 0; i < count; i++) {
        await chain.mine()
        await otherWork()
      }
      return quantity(chain.head.header.number)
    },
    wp_faults: (changes = {}) => chain.faults.set(objectParam('faults', changes)),
    wp_clock: (change) => {
      if (change !== undefined) setClock(clock, objectParam('clock', change))
      const ratePermille = clock ? Number(clock.read().ratePermille) : 1000
      return { chain_ms: chain.clock.nowMs(), rate_permille: ratePermille }
    },
  }
}

function setClock(clock, { rate_permille: ratePermille, chain_ms: chainMs }) {
  if (!clock) throw new RpcError(SERVER_ERROR, 'the chain runs without a clock file')
  for (const value of [ratePermille, chainMs]) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0)) {
      throw invalidParams('clock: not a whole number')
    }
  }
  clock.set({ ratePermille, chainMs })
}
