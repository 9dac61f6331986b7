// SPDX-License-Identifier: Apache-2.0
// Makes blocks: drafts the header by the engine's rules, runs the waiting transactions, seals, has it inspected.

import { fromHex, toHex } from './bytes.js'
import { EMPTY_LIST_HASH, EMPTY_TRIE_ROOT, ZERO_ADDRESS, ZERO_BLOOM, ZERO_HASH } from './headers.js'
import { Inspector } from './inspector.js'
import { describeReceipts, encodeReceipt, indexedRoot, unionOf } from './receipts.js'

export class Maker {
  /**
   * @param {object} parts
   * @param {import('./seals.js').Engine} parts.engine
   * @param {import('./ledger.js').Ledger} parts.ledger
   * @param {import('./state.js').State} parts.state
   * @param {import('./pool.js').Pool} parts.pool
   * @param {import('./validators.js').ValidatorSet} parts.validators
   * @param {import('./keyring.js').Keyring} parts.keyring
   * @param {import('./faults.js').Faults} parts.faults
   * @param {{nowMs: () => number}} parts.clock
   * @param {{gasLimit: number, timestampStepMin: number, verify: boolean, engine: string, epochLength: number,
   *   log: (line: string) => void}} options
   */
  constructor({ engine, ledger, state, pool, validators, keyring, faults, clock }, options) {
    this.engine = engine
    this.ledger = ledger
    this.state = state
    this.pool = pool
    this.validators = validators
    this.keyring = keyring
    this.faults = faults
    this.clock = clock
    this.options = options
    this.gasLimit = BigInt(options.gasLimit)
  }

  #now() {
    return BigInt(Math.floor(this.clock.nowMs() / 1000))
  }

  async makeGenesis() {
    const header = {
      parentHash: ZERO_HASH,
      ommersHash: EMPTY_LIST_HASH,
      stateRoot: await this.state.root(),
      transactionsRoot: EMPTY_TRIE_ROOT,
      receiptsRoot: EMPTY_TRIE_ROOT,
      logsBloom: ZERO_BLOOM,
      number: 0n,
      gasLimit: this.gasLimit,
      gasUsed: 0n,
      timestamp: this.#now(),
      baseFeePerGas: 0n,
      ...this.engine.genesis(this.validators.list),
    }
    this.ledger.append(this.#assemble(header, { author: ZERO_ADDRESS, validators: this.validators.list, included: [] }))
    if (this.options.verify) this.inspector = new Inspector(this.ledger.head, this.options)
  }

  /** @returns {Promise<import('./ledger.js').Block>} the new head */
  async make() {
    const fault = { ...this.faults.values }
    const validators = this.validators.list
    const plan = this.#plan(validators, fault)
    const { header, included, rejected } = await this.#execute(this.#draft(plan), plan.author)
    const content = { author: plan.author, validators, included }
    const signing = {
      ...content,
      fault,
      outsider: this.keyring.outsider,
      keyOf: (address) => this.keyring.keyOf(address),
    }
    const block = this.#assemble(this.engine.seal(header, signing), content)
    if (fault.equivocate) block.twin = this.#assemble(this.engine.seal(this.engine.twin(header), signing), content)
    this.inspector?.inspect(block, plan.refusedAs)
    this.ledger.append(block)
    // Not earlier: whoever asks for the next nonce must find each transaction in the pool or in a block.
    for (const { entry } of [...included, ...rejected]) this.pool.remove(entry.sender, entry.nonce)
    for (const { entry, reason } of rejected) this.options.log(`dropped transaction ${entry.hash}: ${reason}`)
    this.validators.count(header.number, plan.author, plan.vote)
    return block
  }

  #plan(validators, fault) {
    const number = this.ledger.head.header.number + 1n
    return this.engine.draft({
      number,
      validators,
      fault,
      outsider: this.keyring.outsider,
      isEpoch: this.validators.isEpoch(number),
      authorOf: (earlier) => (earlier > 0 ? this.ledger.block(earlier).author : undefined),
      voteFor: (author) => this.validators.voteFor(number, author),
    })
  }

  #draft(plan) {
    const { hash, header: parent } = this.ledger.head
    const now = this.#now()
    const earliest = parent.timestamp + BigInt(this.options.timestampStepMin)
    return {
      parentHash: hash,
      ommersHash: EMPTY_LIST_HASH,
      number: parent.number + 1n,
      gasLimit: this.gasLimit,
      timestamp: now > earliest ? now : earliest,
      baseFeePerGas: 0n,
      ...plan.fields,
    }
  }

  async #execute(draft, author) {
    const { stateRoot } = this.ledger.head.header
    const nonceOf = async (sender) => (await this.state.account(stateRoot, fromHex(sender, 20))).nonce
    const { included, rejected, gasUsed } = await this.state.runBlock(draft, author, await this.pool.ready(nonceOf))
    const header = {
      ...draft,
      gasUsed,
      stateRoot: await this.state.root(),
      transactionsRoot: await indexedRoot(included.map(({ entry }) => entry.tx.serialize())),
      receiptsRoot: await indexedRoot(
        included.map(({ entry, result }) => encodeReceipt(result.receipt, entry.tx.type)),
      ),
      logsBloom: unionOf(included.map(({ result }) => result.receipt.bitvector)),
    }
    return { header, included, rejected }
  }

  #assemble(header, { author, validators, included }) {
    const hash = this.engine.hash(header)
    return {
      header,
      hash,
      author,
      validators,
      totalDifficulty: header.difficulty + (this.ledger.head?.totalDifficulty ?? 0n),
      transactions: included.map(({ entry }) => ({ tx: entry.tx, hash: entry.hash, sender: entry.sender })),
      receipts: describeReceipts(included, toHex(hash), Number(header.number)),
    }
  }
}
