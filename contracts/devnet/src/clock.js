// SPDX-License-Identifier: Apache-2.0
// Chain time. Blocks carry whole chain seconds; each clock here says what chain time is now.

/** Real time is chain time. */
export class RealClock {
  nowMs() {
    return Date.now()
  }
}

/** Stands still unless told: makes in-process tests repeatable. */
export class ManualClock {
  /** @param {number} seconds chain time at the start */
  constructor(seconds) {
    this.ms = seconds * 1000
  }
  nowMs() {
    return this.ms
  }
  setSeconds(seconds) {
    this.ms = seconds * 1000
  }
  advanceSeconds(seconds) {
    this.ms += seconds * 1000
  }
}
