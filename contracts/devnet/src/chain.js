// SPDX-License-Identifier: Apache-2.0
// The development chain: a pool, a state, and blocks that a set of validators has sealed. One process holds all
// validator keys, so there is no consensus between them; everything that a client can check is real.

import { createLegacyTx } from '@ethereumjs/tx'
import { checkCanRun, decodeTransaction } from './admission.js'
import { addressOfKey, fromHex, namedKey, toHex } from './bytes.js'
import { ManualClock } from './clock.js'
import { Faults } from './faults.js'
import { EMPTY_LIST_HASH, EMPTY_TRIE_ROOT, ZERO_ADDRESS, ZERO_BLOOM, ZERO_HASH, encodeHeader } from './headers.js'
import { Pool } from './pool.js'
import { describeReceipts, encodeReceipt, indexedRoot, revertReason, unionOf } from './receipts.js'
import { engineByName } from './seals.js'
import { State, londonCommon } from './state.js'
import { ValidatorSet } from './validators.js'
import { Verifier } from './verifier.js'

/**
 * @typedef {object} Options
 * @property {number} [chainId]
 * @property {'qbft'|'ibft2'|'clique'} [engine]
 * @property {number} [validators] how many; their keys are fixed and public
 * @property {number} [gasLimit] of every block
 * @property {number} [timestampStepMin] least number of seconds between the timestamps of two blocks
 * @property {boolean} [automine] a block for each submitted transaction
 * @property {{nowMs: () => number}} [clock] default: a ManualClock
 * @property {number} [genesisTime] chain seconds of block 0; default: what the clock says
 * @property {Record<string, bigint>} [balances] coins at genesis; nobody needs any, gas costs nothing
 * @property {number} [epochLength] every so many blocks pending validator votes lapse
 * @property {object} [faults] initial values of the fault switches, see faults.js
 * @property {boolean} [verify] check each header by the independent verifier, which costs a recovery for each seal
 * @property {number} [poolCountMax]
 * @property {number} [poolPerSenderMax]
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
}

const MANUAL_START_SECONDS = 1_700_000_000
const VALIDATOR_COUNT_MAX = 32

/** Thrown by call when the contract reverts or fails. */
export class CallError extends Error {
  /** @param {string} reason @param {Uint8Array} output what the contract returned */
  constructor(reason, output) {
    super(reason)
    this.data = toHex(output)
  }
}

/**
 * @typedef {object} Block
 * @property {import('./headers.js').Header} header
 * @property {Uint8Array} hash
 * @property {Uint8Array} author
 * @property {Uint8Array[]} validators the set that this block belongs to
 * @property {bigint} totalDifficulty
 * @property {{tx: object, hash: string, sender: string}[]} transactions
 * @property {import('./receipts.js').Receipt[]} receipts
 * @property {Block} [twin] another block of the same height, if the validators equivocated
 */

export class Devnet {
  /** @param {Options} [options] @returns {Promise<Devnet>} */
  static async create(options = {}) {
    const chain = new Devnet({ ...defaults, ...options })
    await chain.#start()
    return chain
  }

  /** Use Devnet.create. @param {Required<Options>} options */
  constructor(options) {
    const { validators } = options
    if (!Number.isInteger(validators) || validators < 1 || validators > VALIDATOR_COUNT_MAX) {
      throw new RangeError(`validators must be 1..${VALIDATOR_COUNT_MAX}`)
    }
    this.options = options
    this.engine = engineByName(options.engine)
    this.clock = options.clock ?? new ManualClock(options.genesisTime ?? MANUAL_START_SECONDS)
    this.automine = options.automine
    this.common = londonCommon(BigInt(options.chainId))
    this.pool = new Pool({ countMax: options.poolCountMax, perSenderMax: options.poolPerSenderMax })
    this.faults = new Faults(options.engine, options.faults)
    const keys = Array.from({ length: VALIDATOR_COUNT_MAX }, (_, i) => namedKey(`signer${i}`))
    /** Address -> private key, of every validator that there can be. */
    this.keys = new Map(keys.map((key) => [toHex(addressOfKey(key)), key]))
    const outsiderKey = namedKey('outsider')
    this.outsider = addressOfKey(outsiderKey)
    this.validators = new ValidatorSet([...this.keys.keys()].slice(0, validators).map((a) => fromHex(a)), options.epochLength)
    this.keys.set(toHex(this.outsider), outsiderKey)
    /** @type {Block[]} */
    this.blocks = []
    this.byHash = new Map()
    this.transactions = new Map()
    this.work = Promise.resolve()
  }

  async #start() {
    const blockHashOf = (number) => this.blocks[number]?.hash ?? ZERO_HASH
    this.state = await State.create({ common: this.common, blockHashOf })
    for (const [address, balance] of Object.entries(this.options.balances)) {
      await this.state.fund(fromHex(address, 20), balance)
    }
    const time = this.options.genesisTime ?? Math.floor(this.clock.nowMs() / 1000)
    const header = {
      parentHash: ZERO_HASH,
      ommersHash: EMPTY_LIST_HASH,
      stateRoot: await this.state.root(),
      transactionsRoot: EMPTY_TRIE_ROOT,
      receiptsRoot: EMPTY_TRIE_ROOT,
      logsBloom: ZERO_BLOOM,
      number: 0n,
      gasLimit: BigInt(this.options.gasLimit),
      gasUsed: 0n,
      timestamp: BigInt(time),
      baseFeePerGas: 0n,
      ...this.engine.genesis(this.validators.list),
    }
    this.#append(this.#assemble(header, { author: ZERO_ADDRESS, validators: this.validators.list, included: [] }))
    if (this.options.verify) this.verifier = this.#newVerifier()
  }

  #newVerifier() {
    const { hash, header } = this.head
    const start = { number: 0n, hash: toHex(hash).slice(2), timestamp: header.timestamp, validators: this.validators.list.map((v) => toHex(v).slice(2)) }
    const { engine, epochLength, timestampStepMin } = this.options
    return new Verifier({ engine, start, epochLength, period: timestampStepMin })
  }

  /** Every header must pass the independent check, and one made under a fault must be refused for it. */
  #verify(block, refusedAs) {
    const rlp = encodeHeader(block.header)
    let outcome = 'valid'
    try {
      if (block.twin) this.verifier.check(encodeHeader(block.twin.header))
      this.verifier.accept(rlp)
    } catch (error) {
      outcome = error.code ?? error.message
    }
    const expected = refusedAs.length === 0 ? ['valid'] : refusedAs
    if (!expected.includes(outcome)) throw new Error(`block ${block.header.number} is ${outcome} where it must be ${expected.join(' or ')}`)
    if (outcome !== 'valid') this.verifier.stepOver(rlp)
  }

  #assemble(header, { author, validators, included }) {
    const hash = this.engine.hash(header)
    return {
      header,
      hash,
      author,
      validators,
      totalDifficulty: header.difficulty + (this.head?.totalDifficulty ?? 0n),
      transactions: included.map(({ entry }) => ({ tx: entry.tx, hash: entry.hash, sender: entry.sender })),
      receipts: describeReceipts(included, toHex(hash), Number(header.number)),
    }
  }

  #append(block) {
    this.blocks.push(block)
    for (const each of [block, block.twin]) if (each) this.byHash.set(toHex(each.hash), each)
    block.receipts.forEach((receipt, index) => this.transactions.set(receipt.transactionHash, { block, index }))
  }

  /** @returns {Block} */
  get head() {
    return this.blocks[this.blocks.length - 1]
  }

  get chainId() {
    return this.options.chainId
  }

  /** Runs one piece of work after the other: blocks are never made in parallel. @template T @param {() => Promise<T>} task @returns {Promise<T>} */
  #inTurn(task) {
    const result = this.work.then(task)
    this.work = result.catch(() => {})
    return result
  }

  /** Makes blocks at once, whatever the clock says. @param {number} [count] @returns {Promise<Block>} the last one */
  async mine(count = 1) {
    let block
    for (let i = 0; i < count; i++) block = await this.#inTurn(() => this.#produce())
    return block
  }

  async #produce() {
    const parent = this.head.header
    const number = parent.number + 1n
    const validators = this.validators.list
    const fault = { ...this.faults.values }
    const plan = this.engine.draft({
      number,
      validators,
      fault,
      outsider: this.outsider,
      isEpoch: this.validators.isEpoch(number),
      authorOf: (earlier) => (earlier > 0 ? this.blocks[earlier].author : undefined),
      voteFor: (author) => this.validators.voteFor(number, author),
    })
    const now = BigInt(Math.floor(this.clock.nowMs() / 1000))
    const earliest = parent.timestamp + BigInt(this.options.timestampStepMin)
    const draft = {
      parentHash: this.head.hash,
      ommersHash: EMPTY_LIST_HASH,
      number,
      gasLimit: BigInt(this.options.gasLimit),
      timestamp: now > earliest ? now : earliest,
      baseFeePerGas: 0n,
      ...plan.fields,
    }
    const { header, included } = await this.#execute(draft, plan.author)
    const signing = {
      validators,
      author: plan.author,
      outsider: this.outsider,
      keyOf: (address) => this.keys.get(toHex(address)),
      fault,
    }
    const content = { author: plan.author, validators, included }
    const block = this.#assemble(this.engine.seal(header, signing), content)
    if (fault.equivocate) block.twin = this.#assemble(this.engine.seal(this.engine.twin(header), signing), content)
    if (this.verifier) this.#verify(block, plan.refusedAs)
    this.#append(block)
    this.validators.count(number, plan.author, plan.vote)
    return block
  }

  async #execute(draft, author) {
    const ready = await this.pool.ready((sender) => this.#accountNonce(sender))
    const { included, rejected, gasUsed } = await this.state.runBlock(draft, author, ready)
    for (const { entry } of [...included, ...rejected]) this.pool.remove(entry.sender, entry.nonce)
    const header = {
      ...draft,
      gasUsed,
      stateRoot: await this.state.root(),
      transactionsRoot: await indexedRoot(included.map(({ entry }) => entry.tx.serialize())),
      receiptsRoot: await indexedRoot(included.map(({ entry, result }) => encodeReceipt(result.receipt, entry.tx.type))),
      logsBloom: unionOf(included.map(({ result }) => result.receipt.bitvector)),
    }
    return { header, included }
  }

  async #accountNonce(sender, block = this.head) {
    return (await this.state.account(block.header.stateRoot, fromHex(sender, 20))).nonce
  }

  /** @param {number|string|Block} [at] number, block hash, or "latest" (also "pending", "safe", "finalized"), "earliest" @returns {Block|undefined} */
  block(at = 'latest') {
    if (typeof at === 'object') return at
    if (typeof at === 'number') return this.blocks[at]
    if (at === 'earliest') return this.blocks[0]
    if (['latest', 'pending', 'safe', 'finalized'].includes(at)) return this.head
    return this.byHash.get(at)
  }

  #blockOrThrow(at) {
    const block = this.block(at)
    if (!block) throw new RangeError(`no block ${at}`)
    return block
  }

  /** @param {Uint8Array|string} raw signed transaction @returns {Promise<string>} its hash; with automine it is mined then */
  async submit(raw) {
    const candidate = decodeTransaction(fromHex(raw), this.common)
    const account = await this.state.account(this.head.header.stateRoot, fromHex(candidate.sender))
    checkCanRun(candidate, account, BigInt(this.options.gasLimit))
    this.pool.add(candidate, account.nonce)
    if (this.automine) await this.mine()
    return candidate.hash
  }

  /**
   * Signs, submits and, with automine, mines a legacy transaction with gas price 0.
   * @param {{key: string|Uint8Array, to?: string, data?: string, value?: bigint, gasLimit?: number, nonce?: bigint}} request
   * @returns {Promise<import('./receipts.js').Receipt|string>} the receipt, status 0 included; without automine the hash
   */
  async sendTransaction({ key, to, data = '0x', value = 0n, gasLimit = this.options.gasLimit, nonce }) {
    const secret = fromHex(key, 32)
    const sender = toHex(addressOfKey(secret))
    const next = nonce ?? this.pool.nextNonce(sender, await this.#accountNonce(sender))
    const fields = { nonce: next, gasPrice: 0n, gasLimit, to, data: fromHex(data), value }
    const hash = await this.submit(createLegacyTx(fields, { common: this.common }).sign(secret).serialize())
    return this.automine ? this.receipt(hash) : hash
  }

  /** Deploys and insists that it worked. @param {{key: string|Uint8Array, data: string, gasLimit?: number}} request @returns {Promise<string>} the address */
  async deploy(request) {
    const receipt = await this.sendTransaction(request)
    if (!receipt.contractAddress) throw new Error(`deployment failed: ${receipt.error}`)
    return receipt.contractAddress
  }

  /** @param {string} hash @returns {import('./receipts.js').Receipt|undefined} */
  receipt(hash) {
    const found = this.transactions.get(hash)
    return found?.block.receipts[found.index]
  }

  /**
   * @param {{to?: string, data?: string, from?: string, value?: bigint, gas?: number}} request
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
      gas: BigInt(gas),
    })
    if (result.error) throw new CallError(revertReason(result.output) ?? result.error, result.output)
    return toHex(result.output)
  }

  /**
   * The least gas with which a transaction succeeds on the state of a block.
   * @param {{to?: string, data?: string, from?: string, value?: bigint, gas?: number|bigint}} request @param {number|string} [at]
   * @returns {Promise<bigint>} throws CallError if it fails with all the gas of a block
   */
  async estimateGas({ to, data = '0x', from, value = 0n, gas = this.options.gasLimit }, at) {
    const block = this.#blockOrThrow(at)
    const request = { to: to && fromHex(to, 20), from: from && fromHex(from, 20), data: fromHex(data), value }
    const run = (limit) => this.state.simulate(block.header, block.author, { ...request, gas: limit })
    const most = await run(BigInt(gas))
    if (most.error) throw new CallError(revertReason(most.output) ?? most.error, most.output)
    // Gas used is a lower bound: refunds come at the end, and a call passes on only 63/64 of what is left.
    let tooLittle = most.gasUsed - 1n
    let enough = BigInt(gas)
    while (enough - tooLittle > 1n) {
      // Usually the answer is the lower bound itself or close to it, so the first guesses are low.
      const step = (enough - tooLittle) / 2n
      const guess = tooLittle + (step < most.gasUsed / 32n + 1n ? step : most.gasUsed / 32n + 1n)
      if ((await run(guess)).error) tooLittle = guess
      else enough = guess
    }
    return enough
  }

  /** Has every author vote for a change of the validator set until it is made. @param {string} address @param {boolean} add */
  proposeValidator(address, add) {
    if (add && (!this.keys.has(address) || address === toHex(this.outsider))) throw new RangeError(`nobody here holds the key of ${address}, so the chain would lose a seal`)
    if (!add && this.validators.list.length === 1) throw new RangeError('the last validator must stay')
    this.validators.propose(fromHex(address, 20), add)
  }

  /** EIP-1186. @param {string} address @param {string[]} [slots] 32 bytes each @param {number|string} [at] */
  getProof(address, slots = [], at) {
    const words = slots.map((slot) => fromHex(slot, 32))
    return this.state.proof(this.#blockOrThrow(at).header.stateRoot, fromHex(address, 20), words)
  }

  /** @param {string} address @param {string} slot 32 bytes @param {number|string} [at] @returns {Promise<bigint>} */
  getStorage(address, slot, at) {
    return this.state.storage(this.#blockOrThrow(at).header.stateRoot, fromHex(address, 20), fromHex(slot, 32))
  }
}
