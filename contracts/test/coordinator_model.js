// SPDX-License-Identifier: Apache-2.0
// docs/SPEC.md sections 3 to 5 a second time, in BigInt: every byte and every rounding of the coordinator, with nothing taken
// from the contracts. The tests hold the contracts against it, and the vectors for the C++ side come from it.

import { keccak256, concat, getBytes } from 'ethers'

export const STATUS = { none: 0, entering: 1, open: 2, final: 3, failed: 4 }
export const REASON = { none: 0, roundsUsedUp: 1, capCannotBeMet: 2, nobodyEntered: 3, cancelled: 4 }
export const SKIP = { record: 1, repeated: 2, limits: 3, signature: 4 }

export const RING = 8n
export const POWER_W_MAX = 2_000_000n
const U_MAX = 1n << 36n
const K_MAX = 24n
const EXCESS_MAX = (1n << 32n) - 1n

// --- integers ---

/** The largest integer <= a / b, for b > 0. */
export function floorDiv(a, b) {
  const quotient = a / b
  return a % b !== 0n && a < 0n ? quotient - 1n : quotient
}

const sum = (values) => values.reduce((a, b) => a + b, 0n)
const norm2 = (values) => sum(values.map((v) => v * v))
const minimum = (a, b) => (a < b ? a : b)
const maximum = (a, b) => (a > b ? a : b)
const absolute = (a) => (a < 0n ? -a : a)

/** A big-endian integer, two's complement if negative. @param {bigint|number} value @param {number} bytes */
export function integer(value, bytes) {
  const bits = BigInt(8 * bytes)
  const v = BigInt(value)
  if (v < -(1n << (bits - 1n)) || v >= 1n << bits) throw new RangeError(`${v} does not fit in ${bytes} bytes`)
  return getBytes(
    '0x' +
      BigInt.asUintN(8 * bytes, v)
        .toString(16)
        .padStart(2 * bytes, '0'),
  )
}

const integers = (values, bytes) => getBytes(concat(values.map((v) => integer(v, bytes))))

// --- bytes ---

/** @param {bigint[]} profile W */
export const encodeProfile = (profile) => integers(profile, 4)

/** @param {{min: bigint[], max: bigint[]}} limits */
export function encodeLimits({ min, max }) {
  const pairs = min.flatMap((low, t) => [low, max[t]])
  return getBytes(concat([integer(min.length, 2), integers(pairs, 4)]))
}

/** @param {bigint[]} fallback */
export const encodeFallback = (fallback) => getBytes(concat([integer(fallback.length, 2), integers(fallback, 4)]))

/** @param {{gamma: bigint, price: bigint[], base: bigint[], cap: bigint[]}} p */
export function encodeParameters({ gamma, price, base, cap }) {
  const slots = price.flatMap((_, t) => [price[t], base[t], cap[t]])
  return getBytes(concat([integer(gamma, 8), integers(slots, 4)]))
}

export const encodeVectors = ({ z, u, xb, zp, movers, moves }) =>
  getBytes(concat([integers([...z, ...u, ...xb, ...zp], 8), integers([...movers, ...moves], 4)]))

export function encodeHead(h) {
  return getBytes(
    concat([
      integer(1, 1),
      integer(h.status, 1),
      integer(h.reason, 1),
      integer(h.k, 1),
      integer(h.slots, 2),
      integer(h.worstSlot, 2),
      integer(h.slotSeconds, 4),
      integer(h.round, 4),
      integer(h.epoch, 8),
      integer(h.start, 8),
      integer(h.deadline, 8),
      integer(h.changedAt, 8),
      integer(h.participants, 4),
      integer(h.excess, 4),
      integer(h.rho0, 8),
      h.parametersHash,
      h.vectorsHash,
    ]),
  )
}

export function encodeRecord(r) {
  return getBytes(
    concat([
      integer(r.epoch, 8),
      integer(r.id, 4),
      integer(r.round, 4),
      integer(r.flags, 1),
      r.signer,
      keccak256(r.limits),
      integer(r.change2, 8),
      integer(r.change2Before, 8),
      encodeProfile(r.profile),
    ]),
  )
}

/** Key of a device's record word in the mapping. */
export const recordKey = (epoch, id) => ((BigInt(epoch) % RING) << 32n) | BigInt(id)

// --- the round ---

export function penalty(rho0, k) {
  return k >= 0n ? rho0 << k : maximum(rho0 >> -k, 1n)
}

/** How many devices a slot counts with: between every sixteenth and all of them. */
const moversWithin = (movers, devices) => minimum(maximum(movers, (devices + 15n) / 16n), devices)

/** The movers of a slot from those before and those that moved in the round. */
function recount(before, moved, devices, round) {
  let movers = before
  if (round >= 3n && moved > before) movers = moved
  else if (round >= 3n && round <= 20n) movers = (moved + before) / 2n
  return moversWithin(movers, devices)
}

/**
 * @returns the vectors after a round, before a second step and a change of the penalty, what the round is judged by, and
 * `second`, the second step of u that each slot would take.
 */
export function step({ sums, moves, devices, rho, round, parameters, vectors }) {
  const { gamma, price, base, cap } = parameters
  const next = { z: [], u: [], xb: [], zp: [], movers: [], moves: [...moves] }
  const out = { gap2: 0n, short2: 0n, slackness: 0n, bill: 0n, along: 0n, before2: 0n, shift2: 0n, z2: 0n, worstSlot: 0 }
  const second = []
  sums.forEach((s, t) => {
    const X = 16n * s
    const n = recount(vectors.movers[t], moves[t] - vectors.moves[t], devices, round)
    const zp = floorDiv(vectors.z[t] * vectors.movers[t], n)
    const xbp = floorDiv(vectors.xb[t] * vectors.movers[t], n)
    const xb = floorDiv(X, n)
    const h = floorDiv(8n * xb - 3n * zp, 5n)
    const numerator = rho * (h + vectors.u[t]) - 2n ** 20n * price[t] - 16n * gamma * base[t]
    const free = floorDiv(numerator, rho + gamma * n)
    const room = floorDiv(16n * (cap[t] - floorDiv(cap[t], 256n) - base[t]), n)
    const isAtCap = free > room
    const z = isAtCap ? room : free
    const u = vectors.u[t] - (z - h)
    const dxb = xb - xbp
    const a = z - zp - dxb
    const excess = s + base[t] - cap[t]
    const gap = X - n * z
    const gapBefore = isAtCap ? n * (xbp - zp) : 0n
    if (!isAtCap || excess > 0n) {
      out.gap2 += gap ** 2n
    } else if (gap < 0n) {
      out.short2 += gap ** 2n
      out.slackness += (numerator - rho * z - gamma * X) * -gap
    }
    out.bill += absolute(price[t] * (s + base[t]))
    out.along += gap * gapBefore
    out.before2 += gapBefore ** 2n
    second.push(gapBefore * (z - xb) < 0n ? z - xb : 0n)
    out.shift2 += 2n * n * dxb * a + devices * a * a
    out.z2 += (n * z) ** 2n
    next.zp.push(zp)
    next.movers.push(n)
    if (out.worstExcess === undefined || excess > out.worstExcess) Object.assign(out, { worstExcess: excess, worstSlot: t })
    next.z.push(z)
    next.u.push(u)
    next.xb.push(xb)
  })
  return { next, out, second }
}

/** Everything about a round that does not need the vectors any more. */
export function measure({ out, next, devices, movement, power2 }) {
  return {
    devices,
    gap2: out.gap2,
    short2: out.short2,
    isSlack: 1000n * out.slackness <= out.bill * 2n ** 24n,
    dual2: maximum(256n * movement + out.shift2, 0n),
    scale2: maximum(256n * devices * power2, out.z2),
    u2: norm2(next.u),
  }
}

export function isSmall(m, slots, toleranceW) {
  const A = (256n * m.devices * BigInt(slots) * BigInt(toleranceW) ** 2n) / 16n
  const gap2 = m.gap2 + (m.isSlack ? 0n : m.short2)
  const primal = 10n ** 6n * gap2 <= m.scale2 + 10n ** 6n * m.devices * A
  const dual = 10n ** 6n * m.dual2 <= m.devices * m.u2 + 10n ** 6n * A
  return primal && dual
}

/** P = primal2 / (scale2 / N) and Q = 4 dual2 / (N u2), to be compared without a division. */
function sides(m) {
  return { P: m.devices * (m.gap2 + m.short2) * m.u2, Q: 4n * m.dual2 * m.scale2 }
}

export function penaltyStep(m, round) {
  const { P, Q } = sides(m)
  if (round < 2n || round > 60n || (round > 12n && round % 2n === 1n)) return 0n
  if (P > 16n * Q) return 1n
  return Q > 16n * P ? -1n : 0n
}

/** Whether slots at the cap take their second step. */
export function isHastened(out, m, round) {
  const { P, Q } = sides(m)
  return round >= 8n && round <= 20n && 8n * out.along > 5n * out.before2 && Q <= 16n * P
}

/** One epoch as the Scheduler keeps it, with all that it keeps only hashes of. */
export class EpochModel {
  /**
   * @param {object} rules what `open` takes, in bigint, `slots` included
   * @param {{gamma: bigint, price: bigint[], base: bigint[], cap: bigint[]}} parameters
   * @param {bigint} now chain seconds
   */
  constructor(rules, parameters, now) {
    this.rules = rules
    this.parameters = parameters
    const T = Number(rules.slots)
    this.sums = Array(T).fill(0n)
    this.moves = Array(T).fill(0n)
    Object.assign(this, { movement: 0n, movement1: 0n, movement2: 0n, power2: 0n, answered: 0n, frozen: 0n, settledBefore: 0n })
    this.vectors = undefined
    /** id -> what the device's record commits to */
    this.records = new Map()
    this.head = {
      status: STATUS.entering,
      reason: 0,
      k: 0n,
      slots: rules.slots,
      worstSlot: 0,
      slotSeconds: rules.slotSeconds,
      round: 0n,
      epoch: rules.epoch,
      start: rules.start,
      deadline: now + rules.enterSeconds,
      changedAt: now,
      participants: 0n,
      excess: 0n,
      rho0: rules.rho0,
      parametersHash: keccak256(encodeParameters(parameters)),
      vectorsHash: '0x' + '00'.repeat(32),
    }
  }

  get headBytes() {
    return encodeHead(this.head)
  }

  get word() {
    return keccak256(this.headBytes)
  }

  get parametersBytes() {
    return encodeParameters(this.parameters)
  }

  get vectorsBytes() {
    return encodeVectors(this.vectors)
  }

  recordBytes(id) {
    return encodeRecord(this.records.get(id))
  }

  /** @param {{id: number, signer: string, limits: object, fallback: bigint[]}} device */
  enter({ id, signer, limits, fallback }) {
    const T = this.sums.length
    const profile = fallback.length === 1 ? Array(T).fill(fallback[0]) : [...fallback]
    this.records.set(id, {
      epoch: this.rules.epoch,
      id,
      round: 0n,
      flags: 0,
      signer,
      bounds: limits,
      limits: encodeLimits(limits),
      change2: 0n,
      change2Before: 0n,
      profile,
    })
    this.sums = this.sums.map((s, t) => s + profile[t])
    this.power2 += norm2(profile)
  }

  /** @param {bigint} now @param {EpochModel} [warm] the epoch named as warmEpoch, if its end is to be taken over */
  start(now, warm) {
    const N = BigInt(this.records.size)
    if (N === 0n) return this.#fail(now, { reason: REASON.nobodyEntered })
    this.head.participants = N
    this.settledBefore = N
    const usable =
      warm &&
      warm.head.status === STATUS.final &&
      warm.head.slots === this.head.slots &&
      warm.head.slotSeconds === this.head.slotSeconds
    if (usable) {
      const { z, u, xb, movers } = warm.vectors
      this.vectors = { z, u, xb, zp: z, movers: movers.map((n) => moversWithin(n, N)), moves: z.map(() => 0n) }
      this.head.k = warm.head.k
      this.head.rho0 = warm.head.rho0
    } else {
      const xb = this.sums.map((s) => floorDiv(16n * s, N))
      const none = xb.map(() => 0n)
      this.vectors = { z: xb, u: none, xb, zp: xb, movers: xb.map(() => N), moves: none }
    }
    this.#openRound(now)
  }

  /**
   * @param {number} id @param {bigint[]} profile
   * @param {{signer?: string, witness?: object, valid?: boolean}} [entry] who signed, and the witness if it is not the right one
   * @returns {number} 0 if it counts, else the reason why it is skipped
   */
  submit(id, profile, { signer, witness, valid = true } = {}) {
    if (!valid) return SKIP.signature
    const record = this.records.get(id)
    const shown = { ...record, ...(signer && { signer }), ...witness, flags: 0 }
    const matches = record && keccak256(encodeRecord(shown)) === keccak256(encodeRecord(record))
    if (!matches) {
      const taken = record && keccak256(encodeRecord(this.#advanced(shown, profile))) === keccak256(encodeRecord(record))
      return taken ? SKIP.repeated : SKIP.record
    }
    if (record.round === this.head.round) return SKIP.repeated
    const { min, max } = record.bounds
    const bound = (values, t) => values[values.length === 1 ? 0 : t]
    if (profile.some((x, t) => x < bound(min, t) || x > bound(max, t))) return SKIP.limits
    const next = this.#advanced(record, profile)
    this.sums = this.sums.map((s, t) => s + profile[t] - record.profile[t])
    this.moves = this.moves.map((c, t) => c + (profile[t] === record.profile[t] ? 0n : 1n))
    this.movement += next.change2
    this.power2 += norm2(profile) - norm2(record.profile)
    this.answered += 1n
    this.records.set(id, next)
    return 0
  }

  #advanced(record, profile) {
    // Cut off only for a witness that is not true: within the limits it is below 2^53.
    const change2 = BigInt.asUintN(64, norm2(profile.map((x, t) => x - record.profile[t])))
    const change2Before = record.round + 1n === this.head.round ? record.change2 : 0n
    return { ...record, round: this.head.round, change2, change2Before, profile: [...profile] }
  }

  mayClose(now) {
    const settled = this.answered + this.frozen
    if (settled >= this.head.participants || now >= this.head.deadline) return true
    return now >= this.head.changedAt + this.rules.graceSeconds && settled >= this.settledBefore
  }

  close(now) {
    const { head, rules } = this
    const devices = head.participants
    const rho = penalty(head.rho0, head.k)
    const { next, out, second } = step({
      sums: this.sums,
      moves: this.moves,
      devices,
      rho,
      round: head.round,
      parameters: this.parameters,
      vectors: this.vectors,
    })
    const m = measure({ out, next, devices, movement: this.movement, power2: this.power2 })
    this.vectors = next
    const capHolds = out.worstExcess <= 0n
    const tooLarge = next.u.some((u) => u >= U_MAX || u <= -U_MAX)
    const agreed = head.round > 1n && !tooLarge && isSmall(m, rules.slots, rules.toleranceW)
    // For tests that must see both happen.
    this.isBySlackness = agreed && !isSmall({ ...m, isSlack: false }, rules.slots, rules.toleranceW)
    this.isHastened = false
    if (agreed && capHolds) {
      Object.assign(head, { status: STATUS.final, changedAt: now, vectorsHash: keccak256(this.vectorsBytes) })
      return
    }
    if (tooLarge || head.round >= rules.roundsMax) {
      if (!tooLarge && capHolds) return this.#fail(now, { reason: REASON.roundsUsedUp })
      const excess = minimum(maximum(out.worstExcess, 0n), EXCESS_MAX)
      return this.#fail(now, { reason: REASON.capCannotBeMet, worstSlot: out.worstSlot, excess })
    }
    const k = minimum(maximum(head.k + (agreed ? 1n : penaltyStep(m, head.round)), -K_MAX), K_MAX)
    const j = k - head.k
    this.isHastened = isHastened(out, m, head.round)
    if (this.isHastened) next.u = next.u.map((u, t) => u - second[t])
    next.u = next.u.map((u) => (j > 0n ? floorDiv(u, 1n << j) : u * (1n << -j)))
    head.k = k
    this.settledBefore = this.answered + this.frozen
    this.#openRound(now)
  }

  mayFreeze(id) {
    const record = this.records.get(id)
    const A = (256n * this.head.participants * BigInt(this.rules.slots) * BigInt(this.rules.toleranceW) ** 2n) / 16n
    return (
      this.head.round >= 10n &&
      record.flags === 0 &&
      record.round === this.head.round - 1n &&
      2n * record.change2 > this.movement1 &&
      2n * record.change2Before > this.movement2 &&
      256n * record.change2 > A
    )
  }

  freeze(id) {
    this.records.get(id).flags = 1
    this.frozen += 1n
  }

  cancel(now) {
    Object.assign(this.head, { status: STATUS.failed, reason: REASON.cancelled, changedAt: now })
  }

  #openRound(now) {
    this.movement2 = this.movement1
    this.movement1 = this.movement
    this.movement = 0n
    this.answered = 0n
    Object.assign(this.head, {
      status: STATUS.open,
      round: this.head.round + 1n,
      deadline: now + this.rules.roundSeconds,
      changedAt: now,
      vectorsHash: keccak256(this.vectorsBytes),
    })
  }

  #fail(now, { reason, worstSlot = 0, excess = 0n }) {
    Object.assign(this.head, { status: STATUS.failed, reason, worstSlot, excess, changedAt: now })
    if (this.vectors) this.head.vectorsHash = keccak256(this.vectorsBytes)
  }
}
