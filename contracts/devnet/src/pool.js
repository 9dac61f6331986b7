// SPDX-License-Identifier: Apache-2.0
// Transactions that wait for a block, by sender and nonce.

/** A transaction that the pool refuses, with the words that clients of real nodes know. */
export class PoolError extends Error {}

export class Pool {
  /** @param {{countMax: number, perSenderMax: number}} limits */
  constructor({ countMax, perSenderMax }) {
    this.countMax = countMax
    this.perSenderMax = perSenderMax
    /** @type {Map<string, Map<bigint, {tx: object, hash: string, arrival: number}>>} */
    this.senders = new Map()
    this.count = 0
    this.arrivals = 0
  }

  /**
   * @param {import('./admission.js').Candidate} candidate
   * @param {bigint} accountNonce next nonce of the sender in the latest state
   */
  add({ tx, hash, sender, nonce }, accountNonce) {
    const queue = this.senders.get(sender) ?? new Map()
    if (nonce < accountNonce) {
      throw new PoolError(`nonce too low: account is at ${accountNonce}, transaction has ${nonce}`)
    }
    const present = queue.get(nonce)
    if (present?.hash === hash) throw new PoolError('already known')
    if (present) throw new PoolError('replacement transaction underpriced')
    if (this.count >= this.countMax) throw new PoolError('txpool is full')
    if (queue.size >= this.perSenderMax) throw new PoolError('too many transactions of this sender are waiting')
    queue.set(nonce, { tx, hash, arrival: this.arrivals++ })
    this.senders.set(sender, queue)
    this.count++
  }

  /**
   * The nonce that continues the sender's waiting transactions without a gap.
   * @param {string} sender
   * @param {bigint} accountNonce
   */
  nextNonce(sender, accountNonce) {
    const queue = this.senders.get(sender)
    let nonce = accountNonce
    while (queue?.has(nonce)) nonce++
    return nonce
  }

  /**
   * Transactions that can run now: per sender by nonce without a gap, between senders by arrival. Those with a past
   * nonce are forgotten, those after a gap stay.
   * @param {(sender: string) => Promise<bigint>} accountNonceOf
   */
  async ready(accountNonceOf) {
    const runnable = []
    for (const [sender, queue] of this.senders) {
      let nonce = await accountNonceOf(sender)
      for (const past of [...queue.keys()].filter((n) => n < nonce)) this.remove(sender, past)
      // A transaction cannot run before its predecessor, so it inherits the later arrival.
      for (let arrival = -1; queue.has(nonce); nonce++) {
        const entry = queue.get(nonce)
        arrival = Math.max(arrival, entry.arrival)
        runnable.push({ sender, tx: entry.tx, hash: entry.hash, nonce, arrival })
      }
    }
    return runnable.sort((a, b) => a.arrival - b.arrival || (a.nonce < b.nonce ? -1 : 1))
  }

  /**
   * @param {string} sender
   * @param {bigint} nonce
   */
  remove(sender, nonce) {
    const queue = this.senders.get(sender)
    if (!queue?.delete(nonce)) return
    this.count--
    if (queue.size === 0) this.senders.delete(sender)
  }
}
