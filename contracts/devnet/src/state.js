// SPDX-License-Identifier: Apache-2.0
// The world state: accounts and storage in real Merkle-Patricia tries, executed by the EthereumJS EVM at London rules.
// Every committed root stays readable, so calls and proofs work at past blocks.

import { createBlock } from '@ethereumjs/block'
import { Hardfork, Mainnet, createCustomCommon } from '@ethereumjs/common'
import { createMPT, createMerkleProof } from '@ethereumjs/mpt'
import { Caches, MerkleStateManager } from '@ethereumjs/statemanager'
import { createLegacyTx } from '@ethereumjs/tx'
import { Account, Address, MapDB } from '@ethereumjs/util'
import { createVM, runTx } from '@ethereumjs/vm'
import { EMPTY, equal, fromHex, quantity, toHex, toInteger } from './bytes.js'
import { EMPTY_TRIE_ROOT } from './headers.js'

/** Past states that reads keep at hand. */
const VIEW_COUNT_MAX = 8

const addressOf = (bytes) => new Address(fromHex(bytes, 20))

/**
 * The fork and chain id under which transactions are decoded and run.
 * @param {bigint} chainId
 */
export const londonCommon = (chainId) => commonOf(chainId, Hardfork.London)

/**
 * The same for another fork: blocks of networks that stay at older rules are run through this state by replay.js.
 * @param {bigint} chainId
 * @param {string} hardfork
 */
export const commonOf = (chainId, hardfork) =>
  createCustomCommon({ chainId: Number(chainId), name: 'devnet' }, Mainnet, { hardfork })

/**
 * Makes the state manager write a storage slot to its trie once a block and not at each SSTORE. It means to (it asks
 * whether the cache took the value), but the cache's put returns nothing, so it would write through each time and
 * leave all the nodes in between in the database.
 */
function deferStorageWrites(caches) {
  const put = caches.storage.put.bind(caches.storage)
  caches.storage.put = (...args) => {
    put(...args)
    return true
  }
  const copy = caches.shallowCopy.bind(caches)
  caches.shallowCopy = (...args) => deferStorageWrites(copy(...args))
  return caches
}

/**
 * @typedef {object} CallRequest
 * @property {Uint8Array} [from]
 * @property {Uint8Array} [to] absent: contract creation
 * @property {Uint8Array} [data]
 * @property {bigint} [value]
 * @property {bigint} gas
 */

export class State {
  /**
   * @param {object} options
   * @param {object} options.common
   * @param {(number: number) => Uint8Array} options.blockHashOf serves the BLOCKHASH opcode
   */
  static async create({ common, blockHashOf }) {
    const trie = await createMPT({ useKeyHashing: true, db: new MapDB(), common })
    // Without caches every transaction rewrites the trie: slower by half and a third of a megabyte each.
    const caches = new Caches({ account: { size: 5000 }, storage: { size: 5000 }, code: { size: 200 } })
    const manager = new MerkleStateManager({ common, trie, caches: deferStorageWrites(caches) })
    const blockchain = {
      getBlock: async (number) => ({ hash: () => blockHashOf(Number(number)) }),
      putBlock: async () => {},
      shallowCopy: () => blockchain,
    }
    const vm = await createVM({ common, stateManager: manager, blockchain })
    return new State(common, manager, blockchain, vm)
  }

  constructor(common, manager, blockchain, vm) {
    this.common = common
    this.manager = manager
    this.blockchain = blockchain
    this.vm = vm
    /**
     * State root -> view, the least recently used first.
     * @type {Map<string, Promise<object>>}
     */
    this.views = new Map()
  }

  root() {
    return this.manager.getStateRoot()
  }

  /**
   * Gives an account coins at genesis.
   * @param {Uint8Array} address
   * @param {bigint} balance
   */
  async fund(address, balance) {
    const account = new Account()
    account.balance = balance
    await this.manager.putAccount(addressOf(address), account)
  }

  #environment(header, author) {
    const { number, timestamp, gasLimit, difficulty, parentHash } = header
    const fields = {
      number,
      timestamp,
      gasLimit,
      difficulty,
      parentHash,
      coinbase: addressOf(author),
      ...(this.common.isActivatedEIP(1559) && { baseFeePerGas: header.baseFeePerGas ?? 0n }),
    }
    return createBlock({ header: fields }, { common: this.common, skipConsensusFormatValidation: true })
  }

  /**
   * Runs a block's transactions and commits the state that they leave.
   * @param {object} header draft with number, timestamp, gasLimit, difficulty, parentHash
   * @param {Uint8Array} author COINBASE
   * @param {{tx: object}[]} candidates in order
   * @returns {Promise<{included: object[], rejected: {entry: object, reason: string}[], gasUsed: bigint}>}
   *   a candidate in neither list did not fit into the block and may wait
   */
  async runBlock(header, author, candidates) {
    const block = this.#environment(header, author)
    const included = []
    const rejected = []
    const waiting = new Set()
    let gasUsed = 0n
    // One checkpoint around all of them, so that the trie is written once a block.
    await this.vm.evm.journal.checkpoint()
    for (const entry of candidates) {
      if (waiting.has(entry.sender)) continue
      if (gasUsed + entry.tx.gasLimit > header.gasLimit) {
        waiting.add(entry.sender)
        continue
      }
      try {
        const result = await runTx(this.vm, {
          tx: entry.tx,
          block,
          blockGasUsed: gasUsed,
          skipHardForkValidation: true,
        })
        gasUsed += result.totalGasSpent
        included.push({ entry, result })
      } catch (error) {
        waiting.add(entry.sender)
        rejected.push({ entry, reason: error.message })
      }
    }
    await this.vm.evm.journal.commit()
    return { included, rejected, gasUsed }
  }

  /** A view of a past state with caches of its own. */
  async #at(root) {
    const copy = this.manager.shallowCopy(false)
    await copy.setStateRoot(root)
    return copy
  }

  /** An EVM whose writes are never committed, so that nothing of them reaches the shared trie database. */
  async #scratch(root) {
    const stateManager = await this.#at(root)
    const vm = await createVM({ common: this.common, stateManager, blockchain: this.blockchain })
    await vm.evm.journal.checkpoint()
    return vm
  }

  /** A view that is only read, kept for the next reads of the same state. */
  async #view(root) {
    const name = toHex(root)
    const view = this.views.get(name) ?? this.#at(root)
    this.views.delete(name)
    this.views.set(name, view)
    if (this.views.size > VIEW_COUNT_MAX) this.views.delete(this.views.keys().next().value)
    return view
  }

  /**
   * @param {Uint8Array} root
   * @param {Uint8Array} address
   */
  async account(root, address) {
    const account = (await (await this.#view(root)).getAccount(addressOf(address))) ?? new Account()
    return { nonce: account.nonce, balance: account.balance }
  }

  /**
   * @param {Uint8Array} root
   * @param {Uint8Array} address
   */
  async code(root, address) {
    return (await this.#view(root)).getCode(addressOf(address))
  }

  /**
   * @param {Uint8Array} root
   * @param {Uint8Array} address
   * @param {Uint8Array} slot 32 bytes
   */
  async storage(root, address, slot) {
    return toInteger(await (await this.#view(root)).getStorage(addressOf(address), slot))
  }

  /**
   * Runs a message on a copy of the state.
   * @param {object} header block whose state and environment it sees
   * @param {Uint8Array} author
   * @param {CallRequest} request
   * @returns {Promise<{output: Uint8Array, gasUsed: bigint, error?: string}>}
   */
  async call(header, author, request) {
    const vm = await this.#scratch(header.stateRoot)
    const { execResult } = await vm.evm.runCall({
      caller: addressOf(request.from ?? new Uint8Array(20)),
      to: request.to && addressOf(request.to),
      data: request.data ?? EMPTY,
      value: request.value ?? 0n,
      gasLimit: request.gas,
      skipBalance: true,
      block: this.#environment(header, author),
    })
    return {
      output: execResult.returnValue,
      gasUsed: execResult.executionGasUsed,
      error: execResult.exceptionError?.error,
    }
  }

  /**
   * Like call, but as a whole transaction with its intrinsic gas and refunds.
   * @returns as call
   */
  async simulate(header, author, request) {
    const vm = await this.#scratch(header.stateRoot)
    const sender = addressOf(request.from ?? new Uint8Array(20))
    const fields = {
      gasLimit: request.gas,
      gasPrice: 0n,
      to: request.to,
      data: request.data ?? EMPTY,
      value: request.value ?? 0n,
    }
    const tx = createLegacyTx(fields, { common: this.common, freeze: false })
    tx.getSenderAddress = () => sender
    if (tx.gasLimit < tx.getIntrinsicGas()) return { output: EMPTY, gasUsed: 0n, error: 'intrinsic gas too low' }
    const block = this.#environment(header, author)
    const result = await runTx(vm, {
      tx,
      block,
      skipNonce: true,
      skipBalance: true,
      skipBlockGasLimitValidation: true,
      skipHardForkValidation: true,
    })
    const { returnValue, exceptionError } = result.execResult
    return { output: returnValue, gasUsed: result.totalGasSpent, error: exceptionError?.error }
  }

  /**
   * EIP-1186 proof of an account and of storage slots.
   * @param {Uint8Array} root
   * @param {Uint8Array} address
   * @param {Uint8Array[]} slots 32 bytes each
   */
  async proof(root, address, slots) {
    const manager = await this.#view(root)
    const account = (await manager.getAccount(addressOf(address))) ?? new Account()
    const storageTrie = manager._getStorageTrie(addressOf(address), account)
    const storageProof = []
    for (const slot of slots) {
      const value = toInteger(await manager.getStorage(addressOf(address), slot))
      storageProof.push({ key: toHex(slot), value: quantity(value), proof: await proofNodes(storageTrie, slot) })
    }
    return {
      address: toHex(address),
      accountProof: await proofNodes(manager._trie, address),
      balance: quantity(account.balance),
      codeHash: toHex(account.codeHash),
      nonce: quantity(account.nonce),
      storageHash: toHex(account.storageRoot),
      storageProof,
    }
  }
}

async function proofNodes(trie, key) {
  if (equal(trie.root(), EMPTY_TRIE_ROOT)) return []
  const nodes = await createMerkleProof(trie, key)
  // A node below 32 bytes travels inside its parent and is not an element of its own.
  return nodes.filter((node, i) => i === 0 || node.length >= 32).map(toHex)
}
