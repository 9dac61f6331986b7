// SPDX-License-Identifier: Apache-2.0
// Chain time. Blocks carry whole chain seconds; each clock here says what chain time is now.

import { closeSync, existsSync, linkSync, openSync, readSync, unlinkSync, writeFileSync, writeSync } from 'node:fs'

const MAGIC = Buffer.from('WPCLOCK1', 'ascii')
const SIZE = 40
const SEQUENCE_OFFSET = 32
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
 * chain_ms = chain_ms0 + floor((real_ms - real_ms0) * rate_permille / 1000), real_ms in Unix time.
 */
export class FileClock {
  /**
   * Opens the file; makes one that runs at real time if there is none.
   * @param {string} path
   */
  constructor(path) {
    this.path = path
    if (!existsSync(path)) createFile(path)
    this.fd = openSync(path, 'r+')
    this.read()
  }

  /** @returns {{realMs: bigint, chainMs: bigint, ratePermille: bigint, sequence: bigint}} */
  read() {
    const bytes = Buffer.alloc(SIZE)
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      const before = this.#sequence()
      if (readSync(this.fd, bytes, 0, SIZE, 0) !== SIZE || !bytes.subarray(0, 8).equals(MAGIC)) {
        throw new Error(`${this.path} is not a clock file`)
      }
      if (before % 2n === 1n || before !== this.#sequence()) continue
      const [realMs, chainMs, ratePermille] = [8, 16, 24].map((offset) => bytes.readBigUInt64LE(offset))
      return { realMs, chainMs, ratePermille, sequence: before }
    }
    throw new Error(`${this.path} is being written all the time`)
  }

  #sequence() {
    const bytes = Buffer.alloc(8)
    readSync(this.fd, bytes, 0, 8, SEQUENCE_OFFSET)
    return bytes.readBigUInt64LE()
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
    const next = record({
      realMs,
      chainMs: chainMs ?? now,
      ratePermille: ratePermille ?? rate,
      sequence: sequence + 2n,
    })
    const sequenceOnly = Buffer.alloc(8)
    sequenceOnly.writeBigUInt64LE(sequence + 1n)
    writeSync(this.fd, sequenceOnly, 0, 8, SEQUENCE_OFFSET)
    writeSync(this.fd, next, 8, 24, 8)
    writeSync(this.fd, next, SEQUENCE_OFFSET, 8, SEQUENCE_OFFSET)
  }

  close() {
    closeSync(this.fd)
  }
}

/** Makes the file whole or not at all; if another process was faster, its file stays. */
function createFile(path) {
  const now = Date.now()
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, record({ realMs: now, chainMs: now, ratePermille: 1000, sequence: 0n }))
  try {
    linkSync(draft, path)
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

function record({ realMs, chainMs, ratePermille, sequence }) {
  const bytes = Buffer.alloc(SIZE)
  MAGIC.copy(bytes)
  bytes.writeBigUInt64LE(BigInt(realMs), 8)
  bytes.writeBigUInt64LE(BigInt(chainMs), 16)
  bytes.writeBigUInt64LE(BigInt(ratePermille), 24)
  bytes.writeBigUInt64LE(sequence, SEQUENCE_OFFSET)
  return bytes
}
