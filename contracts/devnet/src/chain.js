// SPDX-License-Identifier: Apache-2.0
// The development chain: a pool, a state, and blocks that a set of validators has sealed. One process holds all
// validator keys, so there is no consensus between them; everything that a client can check is real.

import { createLegacyTx } from '@ethereumjs/tx'
import { checkCanRun, decodeTransaction } from './admission.js'
import { addressOfKey, fromHex, toHex } from './bytes.js'
import { ManualClock } from './clock.js'
import { Faults } from './faults.js'
import { ZERO_HASH } from './headers.js'
import { Keyring, VALIDATOR_COUNT_MAX } from './keyring.js'
import { Ledger } from './ledger.js'
import { Maker } from './maker.js'
import { Pool } from './pool.js'
import { revertReason } from './receipts.js'
import { engineByName } from './seals.js'
import { State, londonCommon } from './state.js'
import { ValidatorSet } from './validators.js'

/**
 * @typedef {object} Options
 * @property {number} [chainId]
 * @property {'qbft'|'ibft2'|'clique'} [engine]
 * @property {number} [validators] how many; their keys are fixed and public
 * @property {number} [gasLimit] of every block
 * @property {number} [timestampStepMin] least number of seconds between the timestamps of two blocks
 * @property {boolean} [automine] a block for each submitted transaction
 * @property {{nowMs: () => number}} [clock] default: a ManualClock
 * @property {Record<string, bigint>} [balances] coins at genesis; nobody needs any, gas costs nothing
 * @property {number} [epochLength] every so many blocks pending validator votes lapse
 * @property {object} [faults] initial values of the fault switches, see faults.js
 * @property {boolean} [verify] check each header by the independent verifier, which costs a recovery for each seal
 * @property {number} [poolCountMax]
 * @property {number} [poolPerSenderMax]
 * @property {(line: string) => void} [log] told what no caller learns otherwise
 */
const defaults = {
  chainId: 1337,
  engine: 'qbft',
  validators: 4,
  gasLimit: 30_000_000,
  timestampStepMin: 1,
  automine: true,
  balances: {},
  epochLength: 30_000,
  faults: {},
  verify: true,
  poolCountMax: 4096,
  poolPerSenderMax: 1024,
  log: () => {},
}

const MANUAL_START_SECONDS = 1_700_000_000

/** Thrown by call when the contract reverts or fails. The message is its own reason, if it gave one as a string. */
export class CallError extends Error {
  /** @param {{error: string, output: Uint8Array}} result */
  constructor({ error, output }) {
    super(revertReason(output) ?? error)
    this.reverted = error === 'revert'
    this.data = toHex(output)
  }
}

export class Devnet {
  /**
   * @param {Options} [options]
   * @returns {Promise<Devnet>}
   */
  static async create(options = {}) {
    const chain = new Devnet({ ...defaults, ...options })
    await chain.#start()
    return chain
  }

  /**
   * Use Devnet.create.
   * @param {Required<Options>} options
   */
  constructor(options) {
    const { validators, epochLength } = options
    if (!Number.isInteger(validators) || validators < 1 || validators > VALIDATOR_COUNT_MAX) {
      throw new RangeError(`validators must be 1..${VALIDATOR_COUNT_MAX}`)
    }
    this.options = options
    this.automine = options.automine
    this.clock = options.clock ?? new ManualClock(MANUAL_START_SECONDS)
    this.common = londonCommon(BigInt(options.chainId))
    this.ledger = new Ledger()
    this.pool = new Pool({ countMax: options.poolCountMax, perSenderMax: options.poolPerSenderMax })
    this.faults = new Faults(options.engine, options.faults)
    this.keyring = new Keyring()
    this.validators = new ValidatorSet(this.keyring.addresses.slice(0, validators), epochLength)
    /**
     * The block being made or made last.
     * @type {Promise<import('./ledger.js').Block|void>}
     */
    this.work = Promise.resolve()
  }

  async #start() {
    const { common, ledger, pool, validators, keyring, faults, clock } = this
    const blockHashOf = (number) => ledger.block(number)?.hash ?? ZERO_HASH
    const state = await State.create({ common, blockHashOf })
    for (const [address, balance] of Object.entries(this.options.balances)) {
      await state.fund(fromHex(address, 20), balance)
    }
    const engine = engineByName(this.options.engine)
    this.state = state
    this.maker = new Maker({ engine, ledger, state, pool, validators, keyring, faults, clock }, this.options)
    await this.maker.makeGenesis()
  }

  /** @returns {import('./ledger.js').Block} */
  get head() {
    return this.ledger.head
  }

  get chainId() {
    return this.options.chainId
  }

  /**
   * Makes blocks at once, whatever the clock says, and never two at the same time.
   * @param {number} [count]
   * @returns {Promise<import('./ledger.js').Block>} the last one
   */
  async mine(count = 1) {
    let block
    for (let i = 0; i < count; i++) {
      // After an error no later block is made: the state may hold what no block tells.
      this.work = this.work.then(() => this.maker.make())
      block = await this.work
    }
    return block
  }

  /** @param {number|string} [at] as Ledger.block takes it */
  block(at = 'latest') {
    return this.ledger.block(at)
  }

  #blockOrThrow(at) {
    const block = this.block(at)
    if (!block) throw new RangeError(`no block ${at}`)
    return block
  }

  /** Hands over the account as it is at the head; no block comes between reading it and what `use` does at once. */
  async #withAccount(sender, use) {
    for (;;) {
      const { head } = this
      const account = await this.state.account(head.header.stateRoot, fromHex(sender, 20))
      if (head === this.head) return use(account)
    }
  }

  /**
   * The nonce after the sender's transactions in blocks and in the pool.
   * @param {string} sender
   * @returns {Promise<bigint>}
   */
  nextNonce(sender) {
    return this.#withAccount(sender, ({ nonce }) => this.pool.nextNonce(sender, nonce))
  }

  /**
   * @param {Uint8Array|string} raw signed transaction
   * @returns {Promise<string>} its hash; with automine it is mined then
   */
  async submit(raw) {
    const candidate = decodeTransaction(fromHex(raw), this.common)
    await this.#withAccount(candidate.sender, (account) => {
      checkCanRun(candidate, account, BigInt(this.options.gasLimit))
      this.pool.add(candidate, account.nonce)
    })
    if (this.automine) await this.mine()
    return candidate.hash
  }

  /**
   * Signs, submits and, with automine, mines a legacy transaction with gas price 0.
   * @param {object} request
   * @param {string|Uint8Array} request.key private key of the sender
   * @param {string} [request.to]
   * @param {string} [request.data]
   * @param {bigint} [request.value]
   * @param {number} [request.gasLimit] default: all the gas of a block
   * @param {bigint} [request.nonce] default: after what waits
   * @returns {Promise<import('./receipts.js').Receipt|string>} with automine the receipt, also of a revert, else the hash
   */
  async sendTransaction({ key, to, data = '0x', value = 0n, gasLimit = this.options.gasLimit, nonce }) {
    const secret = fromHex(key, 32)
    const sender = toHex(addressOfKey(secret))
    const fields = {
      nonce: nonce ?? (await this.nextNonce(sender)),
      gasPrice: 0n,
      gasLimit,
      to,
      data: fromHex(data),
      value,
    }
    const hash = await this.submit(createLegacyTx(fields, { common: this.common }).sign(secret).serialize())
    return this.automine ? this.receipt(hash) : hash
  }

  /**
   * Deploys with automine on, and insists that it worked.
   * @param {{key: string|Uint8Array, data: string, gasLimit?: number}} request
   * @returns {Promise<string>} the address
   */
  async deploy(request) {
    const receipt = await this.sendTransaction(request)
    if (!receipt.contractAddress) throw new Error(`deployment failed: ${receipt.error}`)
    return receipt.contractAddress
  }

  /**
   * @param {string} hash
   * @returns {import('./receipts.js').Receipt|undefined}
   */
  receipt(hash) {
    const found = this.ledger.place(hash)
    return found?.block.receipts[found.index]
  }

  /** No call takes more than a block could. */
  #cappedGas(gas) {
    const most = BigInt(this.options.gasLimit)
    return BigInt(gas) < most ? BigInt(gas) : most
  }

  /**
   * @param {{to?: string, data?: string, from?: string, value?: bigint, gas?: number|bigint}} request
   * @param {number|string} [at] block whose state is seen
   * @returns {Promise<string>} what the contract returned; throws CallError if it reverted
   */
  async call({ to, data = '0x', from, value = 0n, gas = this.options.gasLimit }, at) {
    const block = this.#blockOrThrow(at)
    const result = await this.state.call(block.header, block.author, {
      to: to && fromHex(to, 20),
      from: from && fromHex(from, 20),
      data: fromHex(data),
      value,
      gas: this.#cappedGas(gas),
    })
    if (result.error) throw new CallError(result)
    return toHex(result.output)
  }

  /**
   * The least gas with which a transaction succeeds on the state of a block.
   * @param {{to?: string, data?: string, from?: string, value?: bigint, gas?: number|bigint}} request
   * @param {number|string} [at]
   * @returns {Promise<bigint>} throws CallError if it fails with all the gas of a block
   */
  async estimateGas({ to, data = '0x', from, value = 0n, gas = this.options.gasLimit }, at) {
    const block = this.#blockOrThrow(at)
    const request = { to: to && fromHex(to, 20), from: from && fromHex(from, 20), data: fromHex(data), value }
    const run = (limit) => this.state.simulate(block.header, block.author, { ...request, gas: limit })
    const most = await run(this.#cappedGas(gas))
    if (most.error) throw new CallError(most)
    // Gas used is a lower bound: refunds come at the end, and a call passes on only 63/64 of what is left.
    let tooLittle = most.gasUsed - 1n
    let enough = this.#cappedGas(gas)
    while (enough - tooLittle > 1n) {
      // Usually the answer is the lower bound itself or close to it, so the first guesses are low.
      const step = (enough - tooLittle) / 2n
      const guess = tooLittle + (step < most.gasUsed / 32n + 1n ? step : most.gasUsed / 32n + 1n)
      if ((await run(guess)).error) tooLittle = guess
      else enough = guess
    }
    return enough
  }

  /**
   * Has every author vote for a change of the validator set until it is made.
   * @param {string} address
   * @param {boolean} add
   */
  proposeValidator(address, add) {
    const target = fromHex(address, 20)
    if (add && !this.keyring.mayValidate(target)) {
      throw new RangeError(`no key of ${address} here, so the chain would lose a seal`)
    }
    if (!add && this.validators.list.length === 1) throw new RangeError('the last validator must stay')
    this.validators.propose(target, add)
  }

  /**
   * EIP-1186.
   * @param {string} address
   * @param {string[]} [slots] 32 bytes each
   * @param {number|string} [at]
   */
  getProof(address, slots = [], at) {
    const words = slots.map((slot) => fromHex(slot, 32))
    return this.state.proof(this.#blockOrThrow(at).header.stateRoot, fromHex(address, 20), words)
  }

  /**
   * @param {string} address
   * @param {string} slot 32 bytes
   * @param {number|string} [at]
   * @returns {Promise<bigint>}
   */
  getStorage(address, slot, at) {
    return this.state.storage(this.#blockOrThrow(at).header.stateRoot, fromHex(address, 20), fromHex(slot, 32))
  }
}
