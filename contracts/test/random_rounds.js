#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The contract against the model in random rounds: silent, bad and repeated devices, negative powers, extreme numbers. Every
// head, vector, sum, counter and record must be the same to the last bit. Prints what happened as JSON.
//
//   node test/random_rounds.js [rounds [seed [trace file]]]
//
// The trace lets another implementation run the same rounds; tests/vectors/random_rounds.txt is one. A line each, numbers in
// decimal, powers in W, times in chain seconds:
//   e epoch now start slots slot_seconds rho0 tolerance_w round_s grace_s enter_s rounds_max warm_epoch
//   p gamma price.. base.. cap..                the parameters
//   d id signer n min.. max.. m fallback..      a device enters
//   s now digest                                start
//   u id kind reason profile..                  an update, and why it was skipped (0: it counted). Kinds: g good; s of another
//       signer; c, r, p with a witness whose change2 is one more, whose round is this one, whose powers are one more;
//       v an invalid signature; w the witness of the entry before it
//   t now                                       too early to close
//   c now digest                                close
//   f id                                        freeze
// digest: 8 bytes of keccak(head ‖ vectors ‖ S, i64 each ‖ D, u128 ‖ X2, u128 ‖ answered, u32 ‖ frozen, u32 ‖ records by id).

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { concat, getBytes, keccak256 } from 'ethers'
import { World, reverts } from './harness.js'
import { Negotiation, boxProx, device, problem, rules } from './community.js'
import { STATUS, integer } from './coordinator_model.js'

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** xorshift64*: the same rounds every time. */
class Random {
  constructor(seed) {
    this.state = BigInt(seed)
  }
  bits() {
    let x = this.state
    x ^= x >> 12n
    x ^= BigInt.asUintN(64, x << 25n)
    x ^= x >> 27n
    this.state = x
    return BigInt.asUintN(64, x * 0x2545f4914f6cdd1dn)
  }
  /** low..high, both included. */
  within(low, high) {
    return BigInt(low) + (this.bits() % (BigInt(high) - BigInt(low) + 1n))
  }
  chance(percent) {
    return this.within(0, 99) < BigInt(percent)
  }
  of(values) {
    return values[Number(this.within(0, values.length - 1))]
  }
  /** Any magnitude below 2^bits is as likely as any other. */
  logUniform(bits) {
    return this.within(0, (1n << this.within(0, bits)) - 1n)
  }
  signed(bits) {
    return this.chance(50) ? this.logUniform(bits) : -this.logUniform(bits)
  }
}

function randomDevice(random, name, slots) {
  const count = random.chance(60) ? 1 : slots
  const pairs = Array.from({ length: count }, () => [random.signed(20), random.signed(20)].sort((a, b) => (a < b ? -1 : 1)))
  const limits = { min: pairs.map(([low]) => low), max: pairs.map(([, high]) => high) }
  const fallbackCount = random.chance(50) && count === 1 ? 1 : slots
  const fallback = Array.from({ length: fallbackCount }, (_, t) => random.within(limits.min[t % count], limits.max[t % count]))
  return device(name, { limits, fallback, prox: boxProx(limits) })
}

function randomParameters(random, slots, count) {
  if (random.chance(50)) return problem(slots, { devices: count, cap: 400_000n * BigInt(count), gamma: random.logUniform(34) })
  const each = (make) => Array.from({ length: slots }, make)
  return {
    gamma: random.logUniform(40),
    price: each(() => random.signed(31)),
    base: each(() => random.signed(24)),
    cap: each(() => random.signed(28)),
  }
}

function randomProfile(random, { limits }, slots) {
  const count = limits.min.length
  return Array.from({ length: slots }, (_, t) => random.within(limits.min[t % count], limits.max[t % count]))
}

/** The same signature with n - s: valid for a naive recovery. */
function mirrored(signature) {
  const bytes = getBytes(signature)
  const s = CURVE_ORDER - BigInt('0x' + Buffer.from(bytes.subarray(32, 64)).toString('hex'))
  return concat([bytes.subarray(0, 32), '0x' + s.toString(16).padStart(64, '0'), Uint8Array.of(1 - bytes[64])])
}

function digest(model) {
  const counters = [integer(model.movement, 16), integer(model.power2, 16), integer(model.answered, 4), integer(model.frozen, 4)]
  const records = [...model.records.keys()].sort((a, b) => a - b).map((id) => model.recordBytes(id))
  const sums = model.sums.map((s) => integer(s, 8))
  return keccak256(concat([model.headBytes, model.vectorsBytes, ...sums, ...counters, ...records])).slice(2, 18)
}

class RandomNegotiation extends Negotiation {
  constructor(random, seen, trace, ...rest) {
    super(...rest)
    Object.assign(this, { random, seen, trace })
  }

  note(...values) {
    this.trace.push(values.flat().join(' '))
  }

  async begin(warm) {
    const { rules: r, parameters: p, world } = this
    await this.open()
    const waits = [r.roundSeconds, r.graceSeconds, r.enterSeconds]
    this.note('e', r.epoch, world.now, r.start, r.slots, r.slotSeconds, r.rho0, r.toleranceW, waits, r.roundsMax, r.warmEpoch)
    this.note('p', p.gamma, p.price, p.base, p.cap)
    await this.enter()
    for (const { id, signer, limits, fallback } of this.devices)
      this.note('d', id, signer.toLowerCase(), limits.min.length, limits.min, limits.max, fallback.length, fallback)
    world.pass(1)
    await this.start(warm)
    this.note('s', world.now, digest(this.model))
  }

  /** One entry, good or bad, and what must become of it. */
  entry(d) {
    const { random, world, model } = this
    const record = { ...model.records.get(d.id) }
    const good = random.chance(50) ? this.participants.get(d).answer(model) : randomProfile(random, d, model.sums.length)
    const made = (kind, profile, wrong = {}, shown = {}) => ({
      id: d.id,
      kind,
      profile,
      bytes: world.updateEntry(model, d, profile, wrong),
      reason: model.submit(d.id, profile, shown),
    })
    const mistaken = (kind, witness) => made(kind, good, { witness }, { witness })
    if (random.chance(75)) return { ...made('g', good), record }
    const other = random.of(this.devices)
    const outside = good.map((x, t) =>
      t === good.length - 1 ? d.limits.max[t % d.limits.max.length] + random.within(1, 1_000_000) : x,
    )
    const huge = good.map(() => random.of([2147483647n, -2147483648n]))
    const signature = world.signUpdate(d.secret, this.epoch, model.head.round, good)
    return random.of([
      () => (other === d ? made('g', good) : made('s', good, { secret: other.secret }, { signer: other.signer })),
      () => made('s', good, { round: model.head.round + 1n }, { signer: '0x' + '00'.repeat(20) }),
      () => mistaken('c', { change2: record.change2 + 1n }),
      () => mistaken('r', { round: model.head.round }),
      () => mistaken('p', { profile: good.map((x) => x + 1n) }),
      () => made('g', outside),
      () => made('g', huge),
      () => made('v', good, { signature: mirrored(signature) }, { valid: false }),
      () => made('v', good, { signature: concat([getBytes(signature).subarray(0, 64), Uint8Array.of(27)]) }, { valid: false }),
    ])()
  }

  async randomBatch() {
    const { random, model } = this
    const entries = []
    for (const d of this.devices) {
      if (random.chance(20)) continue
      const entry = this.entry(d)
      entries.push(entry)
      if (entry.record && random.chance(15)) {
        entries.push({ ...entry, kind: 'w', reason: model.submit(d.id, entry.profile, { witness: entry.record }) })
      }
    }
    if (entries.length === 0) return
    const { events } = await this.submit(entries.map((e) => e.bytes))
    const happened = events.map((e) => [Number(e.id), e.name === 'Profile' ? 0 : Number(e.reason)])
    assert.deepEqual(
      happened,
      entries.map((e) => [e.id, e.reason]),
    )
    for (const e of entries) {
      this.seen.reasons[e.reason]++
      this.note('u', e.id, e.kind, e.reason, e.profile)
    }
  }

  async randomRound() {
    const { random, world, model, seen } = this
    await this.randomBatch()
    if (random.chance(30)) await this.randomBatch()
    const wait = random.of([0, 25, 61])
    world.pass(wait)
    const before = { k: model.head.k, round: model.head.round }
    const time = world.nextTime
    if (!model.mayClose(time)) {
      await reverts(world.send(world.scheduler, 'close', this.closeArguments()), 'TooEarly')
      seen.tooEarly++
      this.note('t', time)
      world.pass(61)
    }
    await this.close()
    this.note('c', world.now, digest(model))
    seen.rounds++
    seen.up += model.head.k > before.k ? 1 : 0
    seen.hastened += model.isHastened ? 1 : 0
    seen.down += model.head.k < before.k ? 1 : 0
    seen.negative += model.sums.some((s) => s < 0n) ? 1 : 0
    if (model.head.status === STATUS.open) await this.freezeAny()
  }

  async freezeAny() {
    const { world, model, seen } = this
    for (const id of model.records.keys()) {
      if (!model.mayFreeze(id)) continue
      const { events } = await world.send(world.scheduler, 'freeze', [this.epoch, world.freezeEntry(model, id)])
      assert.equal(events[0].name, 'DeviceFrozen')
      model.freeze(id)
      this.note('f', id)
      seen.frozen++
    }
  }
}

async function main(roundsAtLeast, seed, file) {
  const random = new Random(seed)
  const trace = []
  const world = await World.create({ validators: 1 })
  const counts = { rounds: 0, tooEarly: 0, up: 0, down: 0, hastened: 0, negative: 0, frozen: 0, warm: 0 }
  const seen = { ...counts, reasons: [0, 0, 0, 0, 0], ends: {} }
  let before
  for (let epoch = 1n; seen.rounds < roundsAtLeast; ++epoch) {
    const repeat = before && before.model.head.status === STATUS.final && random.chance(60)
    const slots = repeat ? before.model.sums.length : Number(random.chance(10) ? 24 : random.within(1, 9))
    const count = Number(random.within(1, 5))
    const devices = repeat
      ? before.devices
      : Array.from({ length: count }, (_, i) => randomDevice(random, `random${epoch}-${i}`, slots))
    if (!repeat) await world.enrol(devices)
    world.pass(200_000) // past the last slot of every epoch before, so that the ring is free
    const epochRules = rules(world, {
      epoch,
      slots: BigInt(slots),
      rho0: random.logUniform(40) || 1n,
      toleranceW: random.logUniform(12),
      roundsMax: random.within(2, 40),
      enterSeconds: 1n,
      disputeSeconds: 0n,
      warmEpoch: random.chance(70) ? epoch - 1n : 0n,
    })
    const n = new RandomNegotiation(random, seen, trace, world, devices, epochRules, randomParameters(random, slots, devices.length))
    await n.begin(epochRules.warmEpoch > 0n ? before : undefined)
    seen.warm += n.model.head.rho0 === epochRules.rho0 ? 0 : 1
    while (n.model.head.status === STATUS.open) await n.randomRound()
    await n.checkRecords()
    const end = `${n.model.head.status}/${n.model.head.reason}`
    seen.ends[end] = (seen.ends[end] ?? 0) + 1
    before = n
  }
  console.log(JSON.stringify(seen))
  if (file) writeFileSync(file, trace.join('\n') + '\n')
}

const [rounds, seed, file] = process.argv.slice(2)
await main(Number(rounds ?? 1000), BigInt(seed ?? 20261121), file)
