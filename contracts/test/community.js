// SPDX-License-Identifier: Apache-2.0
// Devices that follow docs/SPEC.md section 7, and a negotiation that holds the contract against the model after every call.

import assert from 'node:assert/strict'
import { hexlify, keccak256, concat } from 'ethers'
import { EpochModel, POWER_W_MAX, STATUS, floorDiv, recordKey } from './coordinator_model.js'
import { key } from './harness.js'

const clamp = (v, low, high) => (v < low ? low : v > high ? high : v)

/** The profile within `limits` that is nearest to `target`. */
export const boxProx =
  ({ min, max }) =>
  (target) =>
    target.map((v, t) => clamp(v, min[t % min.length], max[t % max.length]))

/** The same with a fixed sum: water-filling, remainders to the earliest slots that can take them. */
export const energyProx =
  ({ min, max }, total) =>
  (target) => {
    const at = (level) => boxProx({ min, max })(target.map((v) => v + level))
    const sum = (x) => x.reduce((a, b) => a + b, 0n)
    let [low, high] = [-8_000_000n, 8_000_000n]
    while (high - low > 1n) {
      const middle = floorDiv(low + high, 2n)
      if (sum(at(middle)) <= total) low = middle
      else high = middle
    }
    const x = at(low)
    let missing = total - sum(x)
    for (let t = 0; t < x.length && missing > 0n; ++t) {
      if (at(high)[t] > x[t]) {
        x[t] += 1n
        missing -= 1n
      }
    }
    return x
  }

/** A device by name: key, terms and the exact solution of its own problem. */
export function device(name, { limits, fallback, prox = boxProx(limits) }) {
  const { secret, address } = key(name)
  return { name, secret, signer: address, limits, fallback, prox }
}

export const flat = (slots, value) => Array(slots).fill(BigInt(value))

/** `count` chargers and loads of different size for `slots` slots. */
export function community(prefix, count, slots) {
  return Array.from({ length: count }, (_, i) => {
    const max = BigInt(2000 + 700 * (i % 5))
    const limits = { min: [0n], max: [max] }
    const fallback = flat(slots, max / 4n)
    const energy = (max / 4n) * BigInt(slots) + BigInt(i)
    fallback[0] += BigInt(i)
    return device(`${prefix}${i}`, { limits, fallback, prox: energyProx({ min: flat(slots, 0), max: flat(slots, max) }, energy) })
  })
}

/** Devices that cannot move from the powers given, in W. */
export const still = (powers) =>
  powers.map((power, i) => device(`still${i}`, { limits: { min: [power], max: [power] }, fallback: [power] }))

/** A cap of 2,800 W in one slot, with a reward for consumption: the plan stands at 2,790 W. */
export const rewarded = { gamma: 0n, price: [-200_000n], base: [0n], cap: [2800n] }

/** What an operator would choose; prices in micro-units per kWh. */
export function problem(slots, { devices = 3, cap = 1500n * BigInt(devices), base = 0n, gamma = 1n << 18n } = {}) {
  const price = Array.from({ length: slots }, (_, t) => 200_000n + 100_000n * BigInt((t * 7) % 5) - 20_000n * BigInt(t % 3))
  return { gamma, price, base: Array(slots).fill(base), cap: Array(slots).fill(cap) }
}

export function rules(world, changes = {}) {
  const slotSeconds = changes.slotSeconds ?? 900n
  return {
    epoch: 1n,
    start: ((world.now + 100_000n) / slotSeconds) * slotSeconds,
    slots: 4n,
    slotSeconds,
    rho0: 100n << 16n,
    toleranceW: 2n,
    roundSeconds: 60n,
    graceSeconds: 20n,
    enterSeconds: 600n,
    roundsMax: 60n,
    disputeSeconds: 86_400n,
    warmEpoch: 0n,
    ...changes,
  }
}

/** The state of one device in an epoch: docs/SPEC.md, section 7, item 3. */
export class Participant {
  constructor(device) {
    this.device = device
    this.q = undefined
  }

  /** The profile that the device answers an open round with. */
  answer(model) {
    const { z, u, xb, zp } = model.vectors
    const record = model.records.get(this.device.id)
    const chain = this.q !== undefined && record.round === model.head.round - 1n && record.round > 0n
    this.q = z.map((zt, t) => {
      const x = 16n * record.profile[t]
      if (!chain) return x + zt - xb[t]
      const w = zt - floorDiv(8n * xb[t] - 3n * zp[t], 5n)
      return floorDiv(8n * x - 3n * this.q[t], 5n) + w
    })
    this.target = this.q.map((q, t) => clamp(floorDiv(q - u[t] + 8n, 16n), -POWER_W_MAX, POWER_W_MAX))
    return this.device.prox(this.target)
  }
}

/** A negotiation of `devices` on the contract, with the model beside it. */
export class Negotiation {
  constructor(world, devices, epochRules, parameters) {
    Object.assign(this, { world, devices, rules: epochRules, parameters })
    this.participants = new Map(devices.map((d) => [d, new Participant(d)]))
  }

  get epoch() {
    return this.rules.epoch
  }

  async open() {
    const { world } = this
    const parameters = new EpochModel(this.rules, this.parameters, 0n).parametersBytes
    const { events } = await world.send(world.scheduler, 'open', [world.openParams(this.rules), parameters], world.operator)
    this.model = new EpochModel(this.rules, this.parameters, world.now)
    assert.equal(events[0].name, 'EpochOpened')
    assert.equal(events[0].head, hexlify(this.model.headBytes))
    await this.check()
  }

  async enter(devices = this.devices) {
    const { world } = this
    for (let i = 0; i < devices.length; i += 100) {
      const entries = concat(devices.slice(i, i + 100).map((d) => world.enterEntry(d)))
      const { events } = await world.send(world.scheduler, 'enter', [this.epoch, entries])
      for (const event of events) assert.equal(event.name, 'DeviceEntered')
      assert.equal(events.length, Math.min(100, devices.length - i))
    }
    for (const d of devices) this.model.enter(d)
    await this.check()
  }

  /** @param {Negotiation} [warm] */
  async start(warm) {
    const { world, model } = this
    const head = model.headBytes
    const warmHead = warm ? warm.model.headBytes : '0x'
    const warmVectors = warm?.model.vectors && warm.model.head.status === STATUS.final ? warm.model.vectorsBytes : '0x'
    const result = await world.send(world.scheduler, 'start', [this.epoch, head, warmHead, warmVectors])
    model.start(world.now, warm?.model)
    await this.checkClosed(result.events)
    return result
  }

  async submit(entries) {
    const { world, model } = this
    return world.send(world.scheduler, 'submit', [this.epoch, model.head.round, concat(entries)])
  }

  /** The answers of some devices in one batch. */
  async answer(devices = this.devices) {
    const { world, model } = this
    const answers = devices.map((d) => [d, this.participants.get(d).answer(model)])
    const entries = answers.map(([d, x]) => world.updateEntry(model, d, x))
    const result = await this.submit(entries)
    for (const [d, x] of answers) assert.equal(model.submit(d.id, x), 0)
    assert.deepEqual(
      result.events.map((e) => e.name),
      answers.map(() => 'Profile'),
    )
    await this.check()
    return result
  }

  closeArguments() {
    return [this.epoch, this.model.headBytes, this.model.vectorsBytes, this.model.parametersBytes]
  }

  async close() {
    const { world, model } = this
    const result = await world.send(world.scheduler, 'close', this.closeArguments())
    assert.ok(model.mayClose(world.now), 'the contract closed a round that the model keeps open')
    model.close(world.now)
    await this.checkClosed(result.events)
    return result
  }

  /** Rounds until the epoch ends. @param {(round: bigint) => object[]} [answering] who answers in a round */
  async run(answering = () => this.devices) {
    while (this.model.head.status === STATUS.open) {
      const devices = answering(this.model.head.round)
      if (devices.length) await this.answer(devices)
      if (devices.length < this.devices.length) this.world.pass(Number(this.rules.roundSeconds))
      await this.close()
    }
    return this.model.head
  }

  /** open, enter, start and run. */
  async all(warm) {
    await this.open()
    await this.enter()
    await this.start(warm)
    return this.run()
  }

  /** The event of a start or close says what the model says, to the byte. */
  async checkClosed(events) {
    const { model } = this
    assert.equal(events.length, 1)
    const names = { [STATUS.open]: 'RoundOpened', [STATUS.final]: 'ScheduleFinal', [STATUS.failed]: 'EpochFailed' }
    assert.equal(events[0].name, names[model.head.status])
    assert.equal(events[0].head, hexlify(model.headBytes))
    if (model.vectors) assert.equal(events[0].vectors, hexlify(model.vectorsBytes))
    await this.check()
  }

  /** Words, sums and counters of the contract are those of the model. */
  async check() {
    const { world, model } = this
    const state = await world.view(world.scheduler, 'roundState', [this.epoch])
    const { head } = model
    assert.deepEqual(
      [state.status, state.round, state.participants, state.answered, state.frozen, state.movement, state.power2, state.word],
      [
        BigInt(head.status),
        head.round,
        BigInt(model.records.size),
        model.answered,
        model.frozen,
        model.movement,
        model.power2,
        model.word,
      ],
    )
    assert.deepEqual([...(await world.view(world.scheduler, 'sums', [this.epoch]))], model.sums)
  }

  async checkRecords() {
    for (const id of this.model.records.keys()) {
      const word = await this.world.view(this.world.scheduler, 'recordOf', [recordKey(this.epoch, id)])
      assert.equal(word, keccak256(this.model.recordBytes(id)))
    }
  }
}

/** A negotiation that is open for round 1, of `count` devices with keys named after `name`. */
export async function started(
  world,
  name,
  { count = 3, slots = 4, changes = {}, parameters, devices = community(name, count, slots) } = {},
) {
  await world.enrol(devices)
  const epoch = (await world.view(world.scheduler, 'lastEpoch')) + 1n
  const epochRules = rules(world, { epoch, slots: BigInt(slots), ...changes })
  const n = new Negotiation(world, devices, epochRules, parameters ?? problem(slots, { devices: devices.length }))
  await n.open()
  await n.enter()
  world.pass(epochRules.enterSeconds)
  await n.start()
  return n
}
