// SPDX-License-Identifier: Apache-2.0
// open, enter and start of the Scheduler.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, getBytes, hexlify } from 'ethers'
import { World, key, reverts } from './harness.js'
import { Negotiation, community, device, flat, problem, rules, started } from './community.js'
import { REASON, STATUS, encodeFallback, encodeLimits, encodeParameters, encodeVectors, recordKey } from './coordinator_model.js'

const open = (world, epochRules, parameters, from = world.operator) =>
  world.send(world.scheduler, 'open', [world.openParams(epochRules), encodeParameters(parameters)], from)

/** An epoch that can be entered; devices are enrolled, none has entered. */
async function entering(name, { count = 3, slots = 4, changes = {} } = {}) {
  const world = await World.create()
  const devices = community(name, count, slots)
  await world.enrol(devices)
  const n = new Negotiation(world, devices, rules(world, { slots: BigInt(slots), ...changes }), problem(slots))
  await n.open()
  return n
}

const enter = (n, entries) => n.world.send(n.world.scheduler, 'enter', [n.epoch, concat(entries)])
const start = (n, head = n.model.headBytes, warmHead = '0x', warmVectors = '0x') =>
  n.world.send(n.world.scheduler, 'start', [n.epoch, head, warmHead, warmVectors])

test('only_an_operator_opens_an_epoch', async () => {
  const world = await World.create()
  await reverts(open(world, rules(world), problem(4), world.anyone), 'NotOperator')
  await reverts(open(world, rules(world), problem(4), world.admin), 'NotOperator')
  await open(world, rules(world), problem(4))
  assert.equal(await world.view(world.scheduler, 'lastEpoch'), 1n)
})

test('an_epoch_number_is_above_all_earlier_ones', async () => {
  const world = await World.create()
  await reverts(open(world, rules(world, { epoch: 0n }), problem(4)), 'BadParameters')
  await open(world, rules(world, { epoch: 7n }), problem(4))
  await reverts(open(world, rules(world, { epoch: 7n }), problem(4)), 'EpochNotAbove')
  await reverts(open(world, rules(world, { epoch: 6n }), problem(4)), 'EpochNotAbove')
  await open(world, rules(world, { epoch: 8n }), problem(4))
})

test('each_value_of_an_epoch_out_of_its_range_is_refused', async () => {
  const world = await World.create()
  const year = 366n * 86_400n
  const bad = [
    { slots: 0n },
    { slots: 5n },
    { slotSeconds: 0n },
    { slotSeconds: 7n },
    { slotSeconds: 7200n },
    { start: ((world.now - 900n) / 900n) * 900n },
    { start: rules(world).start + 1n },
    { start: rules(world).start + year },
    { rho0: 0n },
    { rho0: 1n << 40n },
    { roundSeconds: 0n },
    { roundSeconds: year + 1n },
    { graceSeconds: 61n },
    { roundsMax: 1n },
    { roundsMax: 1001n },
    { enterSeconds: year + 1n },
    { disputeSeconds: year + 1n },
    { warmEpoch: 1n },
    { epoch: 9n, warmEpoch: 1n },
  ]
  for (const change of bad) await reverts(open(world, { ...rules(world), ...change }, problem(4)), 'BadParameters')
  await reverts(open(world, rules(world), problem(4, { gamma: 1n << 40n })), 'BadParameters')
  await reverts(open(world, rules(world, { slots: 289n }), problem(289)), 'BadParameters')
  await open(world, rules(world, { slots: 288n, slotSeconds: 300n }), problem(288))
})

test('devices_enter_with_their_fallback_and_stand_in_the_sum', async () => {
  const n = await entering('enter', { count: 3 })
  await n.enter()
  await n.checkRecords()
  assert.deepEqual(
    n.model.sums,
    n.devices.reduce((sums, d) => sums.map((s, t) => s + d.fallback[t]), flat(4, 0)),
  )
})

test('one_pair_of_limits_and_one_fallback_power_stand_for_every_slot', async () => {
  const n = await entering('short', { count: 1, slots: 5 })
  const d = device('short terms', { limits: { min: [-10n], max: [10n] }, fallback: [-7n] })
  await n.world.enrol([d])
  const { events } = await enter(n, [n.world.enterEntry(d)])
  assert.equal(events[0].profile, '0x' + 'fffffff9'.repeat(5))
  assert.equal(events[0].signer.toLowerCase(), d.signer)
  n.model.enter(d)
  await n.check()
  await n.checkRecords()
})

test('who_is_not_enrolled_like_this_cannot_enter', async () => {
  const n = await entering('refused', { count: 4 })
  const { world, devices } = n
  const [a, suspended, b, good] = devices
  await world.send(world.registry, 'suspend', [suspended.id], world.operator)
  const pending = device('pending', { limits: a.limits, fallback: a.fallback })
  const terms = [encodeLimits(a.limits), encodeFallback(a.fallback)]
  await world.send(world.registry, 'register', [pending.signer, ...terms, world.signRegistration(pending.secret, ...terms)])
  const { events } = await enter(n, [
    world.enterEntry({ ...a, id: 77 }),
    world.enterEntry({ ...a, id: 0 }),
    world.enterEntry(suspended),
    world.enterEntry({ ...pending, id: 5 }),
    world.enterEntry({ ...a, limits: { min: [0n], max: [9_000n] } }),
    world.enterEntry({ ...b, fallback: flat(4, 1) }),
    world.enterEntry(good),
  ])
  assert.deepEqual(
    events.map((e) => Number(e.reason ?? 0)),
    [1, 1, 1, 1, 1, 1, 0],
  )
  n.model.enter(good)
  await n.check()
})

test('a_device_enters_once_even_if_its_key_or_terms_change_meanwhile', async () => {
  const n = await entering('once', { count: 2 })
  const { world, devices } = n
  const [a] = devices
  const { events } = await enter(n, [world.enterEntry(a), world.enterEntry(a)])
  assert.deepEqual(
    events.map((e) => Number(e.reason ?? 0)),
    [0, 2],
  )
  await world.send(world.registry, 'replaceKey', [a.id, key('once again').address], world.operator)
  const other = { ...a, limits: { min: [0n], max: [1n] }, fallback: [1n] }
  await world.send(world.registry, 'setTerms', [a.id, encodeLimits(other.limits), encodeFallback(other.fallback)], world.operator)
  const again = await enter(n, [world.enterEntry(other)])
  assert.equal(Number(again.events[0].reason), 2)
  n.model.enter(a)
  await n.check()
})

test('terms_for_another_number_of_slots_do_not_fit', async () => {
  const n = await entering('unfit', { count: 1 })
  const five = { min: flat(5, 0), max: flat(5, 9) }
  const devices = [
    device('five limits', { limits: five, fallback: [1n] }),
    device('five powers', { limits: { min: [0n], max: [9n] }, fallback: flat(5, 1) }),
    device('four', { limits: { min: flat(4, 0), max: flat(4, 9) }, fallback: flat(4, 1) }),
  ]
  await n.world.enrol(devices)
  const { events } = await enter(
    n,
    devices.map((d) => n.world.enterEntry(d)),
  )
  assert.deepEqual(
    events.map((e) => Number(e.reason ?? 0)),
    [3, 3, 0],
  )
})

test('a_malformed_batch_of_entries_reverts_as_a_whole', async () => {
  const n = await entering('cut', { count: 2 })
  const { world, devices } = n
  const entry = getBytes(world.enterEntry(devices[1]))
  for (const size of [1, 5, 6, 13, 15, entry.length - 1]) {
    await reverts(enter(n, [world.enterEntry(devices[0]), entry.subarray(0, size)]), 'MalformedBatch')
  }
  await reverts(enter(n, [entry, '0x00']), 'MalformedBatch')
  await n.check()
  assert.equal((await enter(n, [])).events.length, 0)
})

test('the_first_round_waits_for_all_active_devices_or_for_the_end_of_entering', async () => {
  const n = await entering('wait', { count: 3, changes: { enterSeconds: 600n } })
  await n.enter(n.devices.slice(0, 2))
  await reverts(start(n), 'TooEarly')
  n.world.pass(601)
  await n.start()
  assert.equal(n.model.head.participants, 2n)
})

test('the_first_round_starts_at_once_when_all_have_entered', async () => {
  const n = await entering('at once', { count: 3 })
  await n.enter()
  await n.start()
  assert.equal(n.model.head.status, STATUS.open)
})

test('an_epoch_that_nobody_entered_fails_but_not_before_the_end_of_entering', async () => {
  const world = await World.create()
  const n = new Negotiation(world, [], rules(world), problem(4))
  await n.open()
  await reverts(start(n), 'TooEarly')
  world.pass(601)
  await n.start()
  assert.equal(n.model.head.reason, REASON.nobodyEntered)
  assert.equal(n.model.head.status, STATUS.failed)
})

test('start_needs_the_head_behind_the_epoch_word', async () => {
  const n = await entering('head', { count: 1 })
  await n.enter()
  const wrong = Uint8Array.from(n.model.headBytes)
  wrong[63] ^= 1
  await reverts(start(n, wrong), 'HeadMismatch')
  await reverts(start(n, concat([n.model.headBytes, '0x00'])), 'HeadMismatch')
  await reverts(start(n, '0x'), 'HeadMismatch')
  await n.start()
  await reverts(start(n), 'WrongStatus')
})

test('nothing_enters_or_answers_out_of_its_phase', async () => {
  const n = await entering('phase', { count: 2 })
  const { world, devices } = n
  const entries = concat([world.enterEntry(devices[0])])
  await reverts(world.send(world.scheduler, 'submit', [1, 0, '0x']), 'WrongStatus')
  await reverts(world.send(world.scheduler, 'close', [1, n.model.headBytes, '0x', '0x']), 'WrongStatus')
  await reverts(world.send(world.scheduler, 'freeze', [1, '0x']), 'WrongStatus')
  await reverts(world.send(world.scheduler, 'enter', [9, entries]), 'WrongStatus')
  await reverts(world.send(world.scheduler, 'enter', [0, entries]), 'WrongStatus')
  await n.enter()
  await n.start()
  await reverts(enter(n, [world.enterEntry(devices[0])]), 'WrongStatus')
})

test('more_than_255_devices_take_part', async () => {
  const world = await World.create({ validators: 1 })
  const count = 300
  const devices = Array.from({ length: count }, (_, i) =>
    device(`many${i}`, { limits: { min: [0n], max: [1000n] }, fallback: [BigInt(i)] }),
  )
  const n = await started(world, 'many', { devices, slots: 2, parameters: problem(2, { devices: count, cap: 300_000n }) })
  assert.equal(n.model.head.participants, BigInt(count))
  for (let i = 0; i < count; i += 50) await n.answer(devices.slice(i, i + 50))
  await n.close()
  assert.equal(n.model.head.round, 2n)
  const word = await world.view(world.scheduler, 'recordOf', [recordKey(n.epoch, devices[299].id)])
  assert.notEqual(BigInt(word), 0n)
})

// --- warm start ---

/** A final epoch and the next one, which names it; all have entered. */
async function twoEpochs(name, changes = {}, { slots = 4, ended = true } = {}) {
  const world = await World.create()
  const first = await started(world, name, { changes: { toleranceW: 300n }, parameters: problem(4, { cap: 9000n }) })
  if (ended) await first.run()
  const devices = slots === 4 ? first.devices : community(`${name}-other`, 2, slots)
  if (slots !== 4) await world.enrol(devices)
  const second = new Negotiation(
    world,
    devices,
    rules(world, { epoch: 2n, warmEpoch: 1n, slots: BigInt(slots), toleranceW: 300n, ...changes }),
    problem(slots, { cap: 9000n }),
  )
  await second.open()
  await second.enter()
  world.pass(601)
  return [first, second]
}

test('a_warm_start_takes_over_vectors_and_penalty_of_a_final_epoch', async () => {
  const [first, second] = await twoEpochs('warm', { rho0: 77n })
  assert.equal(first.model.head.status, STATUS.final)
  await second.start(first)
  const { z, u, xb, movers, moves } = first.model.vectors
  assert.deepEqual(second.model.vectors, { z, u, xb, zp: z, movers, moves: moves.map(() => 0n) })
  assert.equal(second.model.head.rho0, first.model.head.rho0)
  assert.equal(second.model.head.k, first.model.head.k)
})

test('whoever_calls_start_cannot_choose_between_warm_and_cold', async () => {
  const [first, second] = await twoEpochs('choice')
  const head = first.model.headBytes
  const other = encodeVectors({ ...first.model.vectors, u: flat(4, 5) })
  await reverts(start(second), 'HeadMismatch')
  await reverts(start(second, second.model.headBytes, second.model.headBytes, first.model.vectorsBytes), 'HeadMismatch')
  await reverts(start(second, second.model.headBytes, head, '0x'), 'VectorsMismatch')
  await reverts(start(second, second.model.headBytes, head, other), 'VectorsMismatch')
  await second.start(first)
})

test('the_start_is_cold_if_the_epoch_before_failed_or_is_not_over', async () => {
  for (const ended of ['failed', 'open']) {
    const [first, second] = await twoEpochs(`cold ${ended}`, {}, { ended: false })
    if (ended === 'failed') {
      await first.world.send(first.world.scheduler, 'cancel', [1, first.model.headBytes], first.world.operator)
      first.model.cancel(first.world.blockTime)
    }
    await second.start(first)
    assert.deepEqual(second.model.vectors.u, flat(4, 0))
  }
})

test('the_start_is_cold_if_the_epoch_before_had_other_slots', async () => {
  const [first, second] = await twoEpochs('other slots', {}, { slots: 6 })
  await second.start(first)
  assert.deepEqual(second.model.vectors.u, flat(6, 0))
  const [third, fourth] = await twoEpochs('other seconds', { slotSeconds: 1800n })
  await fourth.start(third)
  assert.deepEqual(fourth.model.vectors.u, flat(4, 0))
})

test('the_start_is_cold_if_the_ring_holds_another_epoch_or_none_in_that_place', async () => {
  const world = await World.create()
  const devices = community('empty', 2, 4)
  await world.enrol(devices)
  const n = new Negotiation(world, devices, rules(world, { epoch: 30n, warmEpoch: 21n }), problem(4))
  await n.open()
  await n.enter()
  await n.start()
  assert.equal(hexlify(n.model.vectorsBytes).length, 2 + 2 * 40 * 4)
  await world.send(world.scheduler, 'cancel', [30, n.model.headBytes], world.operator)
  n.model.cancel(world.blockTime)
  const next = new Negotiation(world, devices, rules(world, { epoch: 31n, warmEpoch: 14n }), problem(4))
  await next.open()
  await next.enter()
  await reverts(start(next), 'HeadMismatch')
  await start(next, next.model.headBytes, n.model.headBytes)
})
