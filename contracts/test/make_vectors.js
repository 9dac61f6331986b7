#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Writes tests/vectors/schedule_rounds.json: rounds as the contract itself ran them, for whoever implements the other side.
// `--check` fails if the committed file is another. Deterministic: fixed keys, a chain that starts at a fixed time.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { AbiCoder, TypedDataEncoder, encodeBytes32String, getBytes, hexlify, keccak256 } from 'ethers'
import { World, checkInTypes, layout, registrationTypes } from './harness.js'
import { Negotiation, boxProx, community, device, flat, problem, rewarded, rules, still } from './community.js'
import { SKIP, STATUS, encodeFallback, encodeLimits, encodeProfile, penalty, recordKey } from './coordinator_model.js'

const file = fileURLToPath(new URL('../../tests/vectors/schedule_rounds.json', import.meta.url))
const numbers = (values) => values.map(Number)

/** A negotiation that writes down what happens. */
class Recorded extends Negotiation {
  constructor(name, ...rest) {
    super(...rest)
    this.log = { name, rounds: [] }
  }

  describeHead() {
    const h = this.model.head
    return {
      status: h.status,
      reason: h.reason,
      k: Number(h.k),
      slots: Number(h.slots),
      worst_slot: h.worstSlot,
      slot_seconds: Number(h.slotSeconds),
      round: Number(h.round),
      epoch: Number(h.epoch),
      start: Number(h.start),
      deadline: Number(h.deadline),
      changed_at: Number(h.changedAt),
      participants: Number(h.participants),
      excess_w: Number(h.excess),
      rho0: Number(h.rho0),
    }
  }

  state() {
    const { z, u, xb, zp, movers, moves } = this.model.vectors
    return {
      head: hexlify(this.model.headBytes),
      head_fields: this.describeHead(),
      epoch_word: this.model.word,
      vectors: hexlify(this.model.vectorsBytes),
      z: numbers(z),
      u: numbers(u),
      xb: numbers(xb),
      zp: numbers(zp),
      movers: numbers(movers),
      moves: numbers(moves),
    }
  }

  async begin(warm) {
    await this.open()
    this.log.parameters = hexlify(this.model.parametersBytes)
    this.log.rules = Object.fromEntries(Object.entries(this.rules).map(([k, v]) => [k, Number(v)]))
    this.log.entering_head = hexlify(this.model.headBytes)
    await this.enter()
    this.log.devices = this.devices.map((d) => ({
      id: d.id,
      private_key: hexlify(d.secret),
      signer: d.signer,
      limits: hexlify(encodeLimits(d.limits)),
      fallback: hexlify(encodeFallback(d.fallback)),
      record: hexlify(this.model.recordBytes(d.id)),
      record_word: keccak256(this.model.recordBytes(d.id)),
    }))
    await this.start(warm)
  }

  /** Writes down every round that is left, with all answering. */
  async rest() {
    while (this.model.head.status === STATUS.open) await this.round()
  }

  /** One update on its own, good or bad. */
  async update(d, profile, wrong = {}, expected = 0) {
    const { world, model } = this
    const { epoch } = model.rules
    const { round } = model.head
    const witness = { ...model.records.get(d.id), ...wrong.witness }
    const signature = wrong.signature ?? world.signUpdate(wrong.secret ?? d.secret, epoch, round, profile)
    const before = hexlify(model.recordBytes(d.id))
    const { events } = await this.submit([world.updateEntry(model, d, profile, { ...wrong, signature })])
    const reason = events[0].name === 'UpdateSkipped' ? Number(events[0].reason) : 0
    if (reason !== expected) throw new Error(`reason ${reason}, expected ${expected}`)
    if (reason === 0) model.submit(d.id, profile)
    await this.check()
    return {
      id: d.id,
      profile: hexlify(encodeProfile(profile)),
      digest: world.updateDigest(epoch, round, encodeProfile(profile)),
      signature: hexlify(signature),
      witness_round: Number(witness.round),
      reason,
      record_before: before,
      record_after: hexlify(model.recordBytes(d.id)),
      record_word: keccak256(model.recordBytes(d.id)),
    }
  }

  async round({ answering = this.devices, before = async () => [] } = {}) {
    const { model } = this
    const entry = { ...this.state(), rho: Number(penalty(model.head.rho0, model.head.k)), updates: await before() }
    for (const d of answering) {
      const participant = this.participants.get(d)
      const record = model.records.get(d.id)
      const chained = participant.q !== undefined && record.round > 0n && record.round === model.head.round - 1n
      const x = participant.answer(model)
      const update = await this.update(d, x)
      const target = participant.target.map(Number)
      entry.updates.push({
        ...update,
        answer: { unbroken: chained, q: numbers(participant.q), target_w: target, profile_w: numbers(x) },
      })
    }
    entry.sums_w = numbers(model.sums)
    entry.movement_w2 = Number(model.movement)
    entry.power2_w2 = Number(model.power2)
    if (answering.length < this.devices.length) this.world.pass(Number(this.rules.roundSeconds))
    await this.close()
    this.log.rounds.push(entry)
    if (model.head.status !== STATUS.open) this.log.end = this.state()
  }
}

const mappingSlot = (key, base) => keccak256(AbiCoder.defaultAbiCoder().encode(['uint256', 'uint256'], [key, base]))
const wordSlot = (number) => hexlify(getBytes('0x' + number.toString(16).padStart(64, '0')))

function storage() {
  const epochs = [1, 2, 7, 8, 20777]
  return {
    epoch_word: epochs.map((epoch) => ({ epoch, slot: wordSlot(layout.Scheduler.epochWord + (epoch % 8)) })),
    record_of: epochs.flatMap((epoch) =>
      [1, 300].map((id) => ({ epoch, id, slot: mappingSlot(recordKey(epoch, id), layout.Scheduler.recordOf) })),
    ),
    check_in_of: [1, 300].map((id) => ({ id, slot: mappingSlot(id, layout.DeviceRegistry.checkInOf) })),
    contract_of: ['Scheduler', 'Settlement'].map((name) => ({
      name,
      slot: mappingSlot(encodeBytes32String(name), layout.DeviceRegistry.contractOf),
    })),
  }
}

/** Every skip reason, as the first thing of a round. */
const allReasons = (n) => async () => {
  const [a, b] = n.devices
  const profile = n.model.records.get(a.id).profile
  const answered = await n.update(b, n.model.records.get(b.id).profile)
  return [
    answered,
    await n.update(b, n.model.records.get(b.id).profile, {}, SKIP.repeated),
    await n.update(a, profile, { secret: b.secret }, SKIP.record),
    await n.update(a, profile, { witness: { change2: 5n } }, SKIP.record),
    await n.update(
      a,
      profile.map(() => a.limits.max[0] + 1n),
      {},
      SKIP.limits,
    ),
    await n.update(a, profile, { signature: new Uint8Array(65).fill(255) }, SKIP.signature),
  ]
}

async function cases() {
  const world = await World.create()
  const four = community('vector', 3, 4)
  await world.enrol(four)
  const cold = new Recorded(
    'cold start until final',
    world,
    four,
    rules(world, { rho0: 100n << 16n, toleranceW: 30n }),
    problem(4, { cap: 3300n, gamma: 1n << 21n }),
  )
  await cold.begin()
  await cold.round({ answering: [four[0], four[2]], before: allReasons(cold) })
  await cold.rest()

  const warm = new Recorded(
    'warm start, one silent',
    world,
    four,
    rules(world, { epoch: 2n, rho0: 8n << 16n, warmEpoch: 1n, toleranceW: 30n }),
    problem(4, { cap: 3200n, gamma: 1n << 21n }),
  )
  await warm.begin(cold)
  while (warm.model.head.status === STATUS.open)
    await warm.round({ answering: warm.model.head.round % 3n === 2n ? four.slice(1) : four })

  const feeding = [-1, 1].map((sign, i) => {
    const limits = { min: flat(5, -5000).map((v, t) => v + BigInt(t)), max: flat(5, 4000) }
    return device(`feeding${i}`, { limits, fallback: flat(5, sign * 1234), prox: boxProx(limits) })
  })
  await world.enrol(feeding)
  const failing = new Recorded(
    'slot limits, feeding in, cap cannot be met',
    world,
    feeding,
    rules(world, { epoch: 3n, slots: 5n, roundsMax: 3n, enterSeconds: 0n }),
    problem(5, { base: 20_000n, cap: 9000n, gamma: 12345n }),
  )
  await failing.begin()
  await failing.rest()

  const day = community('day', 2, 24)
  await world.enrol(day)
  const hourly = new Recorded(
    'a day of 24 hours, rounds used up',
    world,
    day,
    rules(world, { epoch: 4n, slots: 24n, slotSeconds: 3600n, roundsMax: 2n, enterSeconds: 0n }),
    problem(24, { cap: 60_000n, base: -10n }),
  )
  await hourly.begin()
  await hourly.rest()

  const two = still([2000n, 785n])
  await world.enrol(two)
  const unused = new Recorded(
    'a cap that is left unused by little',
    world,
    two,
    rules(world, { epoch: 5n, slots: 1n, toleranceW: 0n, enterSeconds: 0n }),
    rewarded,
  )
  await unused.begin()
  await unused.rest()
  return { world, logs: [cold, warm, failing, hourly, unused].map((n) => n.log) }
}

export async function vectors() {
  const { world, logs } = await cases()
  const { secret, signer } = { secret: logs[0].devices[0].private_key, signer: logs[0].devices[0].signer }
  const nonce = (7n << 32n) | 0x89abcdefn
  const checkIn = world.checkInEntry(1, nonce, getBytes(secret))
  const registration = { limits: logs[0].devices[0].limits, fallbackProfile: logs[0].devices[0].fallback }
  return {
    about: 'Rounds as contracts/src/Scheduler.sol ran them; written by contracts/test/make_vectors.js. Bytes as in docs/SPEC.md.',
    chain_id: world.chain.chainId,
    registry: world.registry.address,
    scheduler: world.scheduler.address,
    domain_separators: {
      registry: TypedDataEncoder.hashDomain(world.domains.registry),
      scheduler: TypedDataEncoder.hashDomain(world.domains.scheduler),
    },
    storage: storage(),
    check_in: {
      nonce: hexlify(checkIn).slice(10, 26),
      signer,
      digest: TypedDataEncoder.hash(world.domains.registry, checkInTypes, { nonce }),
      entry: checkIn,
    },
    registration: {
      ...registration,
      signer,
      digest: TypedDataEncoder.hash(world.domains.registry, registrationTypes, registration),
      signature: hexlify(world.signRegistration(getBytes(secret), registration.limits, registration.fallbackProfile)),
    },
    epochs: logs,
  }
}

/** One array of numbers a line keeps the file readable and small. */
export const text = (value) =>
  JSON.stringify(value, null, 1).replace(/\[\n\s+(-?\d[^\]"{}]*?)\n\s+\]/g, (_, inside) => `[${inside.replace(/\s+/g, '')}]`) +
  '\n'

async function main() {
  const content = text(await vectors())
  if (!process.argv.includes('--check')) {
    writeFileSync(file, content)
    console.log(`wrote ${file}: ${content.length} bytes`)
    return
  }
  const current = readFileSync(file, 'utf8') === content
  console.log(current ? 'vectors are current' : `${file} is not current: run 'node test/make_vectors.js' in contracts/`)
  process.exitCode = current ? 0 : 1
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main()
