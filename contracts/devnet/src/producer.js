// SPDX-License-Identifier: Apache-2.0
// Makes a block every period of real time. The timestamps in the blocks are chain time, which may run at another speed.

export class Producer {
  /**
   * @param {import('./chain.js').Devnet} chain
   * @param {{periodMs: number, onError: (error: Error) => void}} options
   */
  constructor(chain, { periodMs, onError }) {
    this.chain = chain
    this.periodMs = periodMs
    this.onError = onError
    this.lastBlockMs = performance.now()
  }

  start() {
    this.dueMs = performance.now() + this.periodMs
    this.#arm()
  }

  async stop() {
    clearTimeout(this.timer)
    this.stopped = true
    await this.running
  }

  #arm() {
    if (this.stopped) return
    this.timer = setTimeout(() => (this.running = this.#tick()), Math.max(0, this.dueMs - performance.now()))
  }

  async #tick() {
    try {
      if (this.#wantsBlock()) {
        await this.chain.mine()
        this.lastBlockMs = performance.now()
      }
    } catch (error) {
      this.onError(error)
      return
    }
    // A block that took longer than the period delays the next ones; they do not come in a burst afterwards.
    this.dueMs = Math.max(this.dueMs + this.periodMs, performance.now())
    this.#arm()
  }

  #wantsBlock() {
    const { stalled, empty_block_period_s: emptyPeriod } = this.chain.faults.values
    if (stalled) return false
    // A timer may fire a little early, so half a period decides.
    const idleMs = performance.now() - this.lastBlockMs + this.periodMs / 2
    return this.chain.pool.count > 0 || idleMs >= emptyPeriod * 1000
  }
}
