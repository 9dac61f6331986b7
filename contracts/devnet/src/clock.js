// SPDX-License-Identifier: Apache-2.0
// Chain time. Blocks carry whole chain seconds; each clock here says what chain time is now.

import { closeSync, existsSync, openSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs'

const MAGIC = Buffer.from('WPCLOCK1', 'ascii')
const SIZE = 40
const READ_ATTEMPTS_MAX = 1000

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

/**
 * A clock that several processes share through a small file, each reading it whenever it needs the time; devices map
 * it into memory. Little-endian, 40 bytes:
 *
 *   0 magic "WPCLOCK1" | 8 real_ms0 | 16 chain_ms0 | 24 rate_permille | 32 sequence, odd while being written
 *
 * chain_ms = chain_ms0 + floor((real_ms - real_ms0) * rate_permille / 1000), with real_ms the Unix time in milliseconds.
 */
export class FileClock {
  /** Opens the file; makes one that runs at real time if there is none. @param {string} path */
  constructor(path) {
    this.path = path
    if (!existsSync(path)) {
      const now = Date.now()
      const fresh = record({ realMs: now, chainMs: now, ratePermille: 1000, sequence: 0n })
      writeFileSync(`${path}.new`, fresh)
      renameSync(`${path}.new`, path)
    }
    this.fd = openSync(path, 'r+')
    this.read()
  }

  /** @returns {{realMs: bigint, chainMs: bigint, ratePermille: bigint, sequence: bigint}} */
  read() {
    const bytes = Buffer.alloc(SIZE)
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      if (readSync(this.fd, bytes, 0, SIZE, 0) !== SIZE || !bytes.subarray(0, 8).equals(MAGIC)) {
        throw new Error(`${this.path} is not a clock file`)
      }
      const before = bytes.readBigUInt64LE(32)
      const fields = { realMs: bytes.readBigUInt64LE(8), chainMs: bytes.readBigUInt64LE(16), ratePermille: bytes.readBigUInt64LE(24) }
      readSync(this.fd, bytes, 32, 8, 32)
      if (before % 2n === 0n && before === bytes.readBigUInt64LE(32)) return { ...fields, sequence: before }
    }
    throw new Error(`${this.path} is being written all the time`)
  }

  /** @param {number} [realMs] */
  nowMs(realMs = Date.now()) {
    const { realMs: real0, chainMs: chain0, ratePermille } = this.read()
    const scaled = (BigInt(realMs) - real0) * ratePermille
    const floor = scaled / 1000n - (scaled % 1000n < 0n ? 1n : 0n)
    return Number(chain0 + floor)
  }

  /**
   * Changes the speed without a jump, or jumps forward if chainMs is given.
   * @param {{ratePermille?: number, chainMs?: number}} change
   */
  set({ ratePermille, chainMs }) {
    const realMs = Date.now()
    const now = this.nowMs(realMs)
    if (chainMs !== undefined && chainMs < now) throw new RangeError('chain time never goes back')
    const { sequence, ratePermille: rate } = this.read()
    const next = record({ realMs, chainMs: chainMs ?? now, ratePermille: ratePermille ?? rate, sequence: sequence + 2n })
    const sequenceOnly = Buffer.alloc(8)
    sequenceOnly.writeBigUInt64LE(sequence + 1n)
    writeSync(this.fd, sequenceOnly, 0, 8, 32)
    writeSync(this.fd, next, 8, 24, 8)
    writeSync(this.fd, next, 32, 8, 32)
  }

  close() {
    closeSync(this.fd)
  }
}

function record({ realMs, chainMs, ratePermille, sequence }) {
  const bytes = Buffer.alloc(SIZE)
  MAGIC.copy(bytes)
  bytes.writeBigUInt64LE(BigInt(realMs), 8)
  bytes.writeBigUInt64LE(BigInt(chainMs), 16)
  bytes.writeBigUInt64LE(BigInt(ratePermille), 24)
  bytes.writeBigUInt64LE(sequence, 32)
  return bytes
}
