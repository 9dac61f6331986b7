// SPDX-License-Identifier: Apache-2.0
// close, cancel, the endings of an epoch, the ring and what anyone can read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat } from 'ethers'
import { World, reverts } from './harness.js'
import { Negotiation, boxProx, community, device, flat, problem, rules, started } from './community.js'
import { REASON, STATUS } from './coordinator_model.js'

const close = (n, ...changes) => {
  const args = n.closeArguments()
  for (const [index, value] of changes) args[index] = value
  return n.world.send(n.world.scheduler, 'close', args)
}

/** `count` devices that can only draw `power`. */
const fixed = (name, count, power) =>
  Array.from({ length: count }, (_, i) => {
    const limits = { min: [BigInt(power)], max: [BigInt(power)] }
    return device(`${name}${i}`, { limits, fallback: [BigInt(power)], prox: boxProx(limits) })
  })

test('a_round_closes_as_soon_as_all_have_answered', async () => {
  const n = await started(await World.create(), 'all')
  await n.answer(n.devices.slice(0, 2))
  await reverts(close(n), 'TooEarly')
  await n.answer(n.devices.slice(2))
  await n.close()
  assert.equal(n.model.head.round, 2n)
})

test('a_round_without_any_answer_closes_at_its_deadline_and_not_before', async () => {
  const n = await started(await World.create(), 'silent round')
  n.world.pass(58)
  assert.deepEqual(await reverts(close(n), 'TooEarly'), [n.model.head.deadline])
  n.world.chain.clock.setSeconds(Number(n.model.head.deadline))
  await n.close()
  assert.equal(n.model.head.changedAt, n.model.head.deadline - 60n)
  assert.equal(n.model.head.round, 2n)
})

test('after_the_grace_time_as_many_as_in_the_round_before_are_enough', async () => {
  const n = await started(await World.create(), 'grace', { count: 4 })
  const [a, b, c] = n.devices
  await n.answer([a, b])
  n.world.pass(30)
  await reverts(close(n), 'TooEarly') // before round 1 all count
  n.world.pass(31)
  await n.close()
  await n.answer([c])
  n.world.pass(21)
  await reverts(close(n), 'TooEarly')
  await n.answer([a])
  await n.close()
  await n.answer([a, b])
  await reverts(close(n), 'TooEarly') // enough, but within the grace time
  n.world.pass(21)
  await n.close()
})

test('the_penalty_rises_every_round_in_which_only_the_cap_is_missed', async () => {
  const world = await World.create()
  const devices = fixed('stiff', 2, 1000)
  await world.enrol(devices)
  const n = new Negotiation(
    world,
    devices,
    rules(world, { toleranceW: 1_000_000n, roundsMax: 6n }),
    problem(4, { devices: 2, cap: 1900n }),
  )
  const head = await n.all()
  assert.equal(head.reason, REASON.capCannotBeMet)
  assert.equal(head.excess, 100n)
  assert.equal(head.k, 4n) // after rounds 2 to 5; round 1 says nothing, round 6 is the last
})

test('the_silent_keep_their_last_profile_and_stay_in_the_sum', async () => {
  const n = await started(await World.create(), 'keep')
  const [a, b, c] = n.devices
  await n.answer()
  await n.close()
  const kept = n.model.records.get(c.id).profile
  await n.run((round) => (round % 2n ? [a, b] : [a]))
  assert.deepEqual(n.model.records.get(c.id).profile, kept)
  assert.equal(n.model.head.participants, 3n)
  const total = flat(4, 0).map((_, t) => n.devices.reduce((sum, d) => sum + n.model.records.get(d.id).profile[t], 0n))
  assert.deepEqual([...(await n.world.view(n.world.scheduler, 'sums', [1n]))], total)
})

test('who_never_answers_counts_with_its_fallback', async () => {
  const n = await started(await World.create(), 'never', { changes: { roundsMax: 3n } })
  await n.run(() => [])
  assert.deepEqual(
    n.model.sums,
    flat(4, 0).map((_, t) => n.devices.reduce((sum, d) => sum + d.fallback[t], 0n)),
  )
  await n.checkRecords()
})

test('closing_needs_head_vectors_and_parameters_behind_the_epoch_word', async () => {
  const n = await started(await World.create(), 'shown')
  await n.answer()
  const changed = (data) => {
    const copy = Uint8Array.from(data)
    copy[copy.length - 1] ^= 1
    return copy
  }
  const { model } = n
  for (const head of ['0x', changed(model.headBytes), concat([model.headBytes, '0x00'])])
    await reverts(close(n, [1, head]), 'HeadMismatch')
  for (const vectors of ['0x', changed(model.vectorsBytes), model.vectorsBytes.subarray(1)])
    await reverts(close(n, [2, vectors]), 'VectorsMismatch')
  for (const parameters of ['0x', changed(model.parametersBytes)]) await reverts(close(n, [3, parameters]), 'ParametersMismatch')
  await n.close()
})

test('an_old_head_does_not_close_a_later_round', async () => {
  const n = await started(await World.create(), 'old head')
  const old = n.closeArguments()
  await n.answer()
  await n.close()
  await n.answer()
  await reverts(n.world.send(n.world.scheduler, 'close', old), 'HeadMismatch')
})

test('a_schedule_is_final_only_if_the_sum_meets_the_cap_exactly_in_every_slot', async () => {
  // Two loads of 1,000 W and a tolerance that forgives the residuals anything: only the cap decides.
  for (const [excess, end] of [
    [0n, STATUS.final],
    [1n, STATUS.failed],
  ]) {
    const world = await World.create()
    const parameters = problem(3, { cap: 9000n })
    parameters.base[1] = 700n
    parameters.cap[1] = 2700n - excess
    const n = await started(world, 'exact', {
      devices: fixed('exact', 2, 1000),
      slots: 3,
      parameters,
      changes: { toleranceW: 100_000n, roundsMax: 5n },
    })
    const head = await n.run()
    assert.equal(head.status, end)
    if (end === STATUS.failed) {
      assert.deepEqual([head.reason, head.worstSlot, head.excess], [REASON.capCannotBeMet, 1, 1n])
    } else {
      assert.equal(head.round, 2n) // never in round 1
    }
  }
})

test('an_epoch_fails_for_its_rounds_if_the_cap_holds_but_the_residuals_do_not', async () => {
  const n = await started(await World.create(), 'used up', {
    changes: { roundsMax: 2n, toleranceW: 0n },
    parameters: problem(4, { cap: 100_000n }),
  })
  const head = await n.run()
  assert.deepEqual([head.status, head.reason, head.worstSlot, head.excess], [STATUS.failed, REASON.roundsUsedUp, 0, 0n])
})

test('an_impossible_cap_fails_with_the_worst_slot_and_its_excess', async () => {
  const parameters = problem(4, { cap: 5000n })
  parameters.cap[2] = -100_000n
  const n = await started(await World.create(), 'impossible', {
    devices: fixed('impossible', 3, 1500),
    parameters,
    changes: { roundsMax: 8n },
  })
  const head = await n.run()
  assert.deepEqual([head.status, head.reason, head.worstSlot, head.excess], [STATUS.failed, REASON.capCannotBeMet, 2, 104_500n])
})

test('a_price_beyond_its_bound_ends_the_epoch_at_once', async () => {
  // A penalty of 2^-16 against prices of 2^31: the scaled price leaves 2^40 in the first round.
  const parameters = { gamma: 0n, price: flat(2, 2147483647), base: flat(2, 0), cap: flat(2, 1000) }
  const n = await started(await World.create(), 'beyond', {
    devices: fixed('beyond', 1, 500),
    slots: 2,
    parameters,
    changes: { rho0: 1n },
  })
  const head = await n.run()
  assert.deepEqual([head.status, head.reason, head.round, head.excess], [STATUS.failed, REASON.capCannotBeMet, 1n, 0n])
})

test('numbers_at_their_limits_do_not_stop_a_round', async () => {
  for (const sign of [1n, -1n]) {
    const limits = { min: [-2_000_000n], max: [2_000_000n] }
    const devices = Array.from({ length: 2 }, (_, i) =>
      device(`limit${sign}${i}`, {
        limits,
        fallback: [sign * 2_000_000n],
        prox: (v) => v.map((_, t) => (t % 2 ? 2_000_000n : -2_000_000n)),
      }),
    )
    const parameters = {
      gamma: (1n << 40n) - 1n,
      price: flat(3, sign * -2147483648n + (sign > 0 ? 0n : -1n)),
      base: flat(3, sign > 0 ? 2147483647 : -2147483648),
      cap: flat(3, sign > 0 ? -2147483648 : 2147483647),
    }
    const n = await started(await World.create(), 'limit', {
      devices,
      slots: 3,
      parameters,
      changes: { rho0: (1n << 40n) - 1n, toleranceW: 4294967295n, roundsMax: 6n },
    })
    const head = await n.run()
    assert.ok(head.status === STATUS.final || head.status === STATUS.failed)
    if (sign > 0n) assert.deepEqual([head.status, head.excess], [STATUS.failed, 4294967295n]) // more does not fit
  }
})

test('residuals_of_nothing_at_all_are_small', async () => {
  const parameters = { gamma: 0n, price: flat(2, 0), base: flat(2, 0), cap: flat(2, 0) }
  const n = await started(await World.create(), 'zero', {
    devices: fixed('zero', 1, 0),
    slots: 2,
    parameters,
    changes: { toleranceW: 0n },
  })
  const head = await n.run()
  assert.deepEqual([head.status, head.round], [STATUS.final, 2n])
})

// --- cancelling ---

test('an_operator_cancels_a_negotiation_in_any_of_its_phases', async () => {
  const world = await World.create()
  const n = new Negotiation(world, [], rules(world), problem(4))
  await n.open()
  const cancel = (negotiation, from = world.operator) =>
    world.send(world.scheduler, 'cancel', [negotiation.epoch, negotiation.model.headBytes], from)
  await reverts(cancel(n, world.anyone), 'NotOperator')
  await reverts(world.send(world.scheduler, 'cancel', [1n, '0x'], world.operator), 'HeadMismatch')
  const first = await cancel(n)
  n.model.cancel(world.blockTime)
  await n.checkClosed(first.events)
  assert.equal(Number(first.events[0].reason), REASON.cancelled)
  await reverts(cancel(n), 'WrongStatus')

  const open = await started(world, 'cancelled')
  const { events } = await cancel(open)
  open.model.cancel(world.blockTime)
  assert.equal(events[0].head, '0x' + Buffer.from(open.model.headBytes).toString('hex'))
  await open.check()
  await reverts(close(open), 'WrongStatus')
  assert.equal(await world.view(world.scheduler, 'failedCount'), 2n)
})

test('nobody_cancels_a_final_schedule', async () => {
  const n = await started(await World.create(), 'uncancelled', {
    changes: { toleranceW: 100n },
    parameters: problem(4, { cap: 9000n }),
  })
  await n.run()
  assert.equal(n.model.head.status, STATUS.final)
  await reverts(n.world.send(n.world.scheduler, 'cancel', [1n, n.model.headBytes], n.world.operator), 'WrongStatus')
  await reverts(close(n), 'WrongStatus')
})

// --- reading ---

test('none_yet_is_an_answer', async () => {
  const world = await World.create()
  const schedule = (epoch) => world.view(world.scheduler, 'schedule', [epoch])
  for (const epoch of [0n, 1n, 8n, 123456n]) {
    const { status, createdAt, aggregate } = await schedule(epoch)
    assert.deepEqual([status, createdAt, [...aggregate]], [0n, 0n, []])
    assert.equal((await world.view(world.scheduler, 'roundState', [epoch])).status, 0n)
  }
  const n = await started(world, 'yet', { changes: { toleranceW: 100n }, parameters: problem(4, { cap: 9000n }) })
  const running = await schedule(1n)
  assert.deepEqual([running.status, running.createdAt, [...running.aggregate]], [2n, 0n, []])
  await n.run()
  const done = await schedule(1n)
  assert.deepEqual([done.status, done.createdAt, done.startsAt], [3n, n.model.head.changedAt, n.model.head.start])
  assert.deepEqual([done.slots, done.slotSeconds, [...done.aggregate]], [4n, 900n, n.model.sums])
  assert.equal(await world.view(world.scheduler, 'finalCount'), 1n)
})

test('the_whole_negotiation_can_be_read_from_events', async () => {
  const world = await World.create()
  const n = await started(world, 'events', { changes: { toleranceW: 100n }, parameters: problem(4, { cap: 9000n }) })
  await n.run()
  const profiles = new Map()
  let last
  for (const event of world.history) {
    if (event.name === 'Profile') profiles.set(Number(event.id), event.profile)
    if (event.name === 'ScheduleFinal') last = event
  }
  assert.equal(last.head, '0x' + Buffer.from(n.model.headBytes).toString('hex'))
  for (const [id, record] of n.model.records) {
    assert.equal(profiles.get(id), '0x' + record.profile.map((x) => BigInt.asUintN(32, x).toString(16).padStart(8, '0')).join(''))
  }
})

// --- the ring ---

test('a_ring_entry_is_reused_only_after_the_dispute_time', async () => {
  const world = await World.create()
  const first = await started(world, 'ring', {
    changes: { toleranceW: 100n, disputeSeconds: 5000n },
    parameters: problem(4, { cap: 9000n }),
  })
  const params = (changes) => [world.openParams(rules(world, { epoch: 9n, ...changes })), first.model.parametersBytes]
  const open = (changes) => world.send(world.scheduler, 'open', params(changes), world.operator)
  await reverts(open(), 'RingEntryBusy') // in negotiation
  await first.run()
  assert.equal(first.model.head.status, STATUS.final)
  const end = first.model.head.start + 4n * 900n + 5000n
  assert.deepEqual(await reverts(open(), 'RingEntryBusy'), [1n, end])
  world.chain.clock.setSeconds(Number(end) - 1)
  await reverts(open(), 'RingEntryBusy')
  world.chain.clock.setSeconds(Number(end) + 1)
  await open()
  const old = await world.view(world.scheduler, 'schedule', [1n])
  assert.equal(old.status, 0n)
})

test('a_failed_epoch_keeps_its_entry_for_the_dispute_time_after_its_failure', async () => {
  const world = await World.create()
  const first = await started(world, 'ring failed', { changes: { disputeSeconds: 5000n } })
  await world.send(world.scheduler, 'cancel', [1n, first.model.headBytes], world.operator)
  const open = () =>
    world.send(
      world.scheduler,
      'open',
      [world.openParams(rules(world, { epoch: 9n })), first.model.parametersBytes],
      world.operator,
    )
  await reverts(open(), 'RingEntryBusy')
  world.pass(5000)
  await open()
})

test('a_reused_entry_knows_nothing_of_the_epoch_before', async () => {
  const world = await World.create()
  const first = await started(world, 'reuse', { slots: 7, changes: { disputeSeconds: 0n } })
  await first.answer()
  await first.close()
  await world.send(world.scheduler, 'cancel', [1n, first.model.headBytes], world.operator)
  world.pass(10)
  const second = new Negotiation(world, first.devices, rules(world, { epoch: 9n, slots: 7n, disputeSeconds: 0n }), problem(7))
  await second.open() // sums, counters and word are those of a fresh epoch
  await second.enter(second.devices.slice(0, 2)) // both may enter again
  world.pass(601)
  await second.start()
  const stale = world.updateEntry(first.model, first.devices[2], flat(7, 1), { round: 1n })
  const { events } = await second.submit([stale])
  assert.equal(Number(events[0].reason), 1)
  await second.answer(second.devices.slice(0, 2))
  await second.close()
})

test('epochs_of_the_ring_do_not_touch_each_other', async () => {
  const world = await World.create()
  const devices = community('side by side', 2, 4)
  await world.enrol(devices)
  const all = []
  for (let epoch = 1n; epoch <= 8n; ++epoch) {
    const n = new Negotiation(world, devices, rules(world, { epoch }), problem(4))
    await n.open()
    await n.enter()
    await n.start()
    all.push(n)
  }
  for (const n of all) await n.answer()
  for (const n of all) await n.close()
  for (const n of all) {
    await n.check()
    await n.checkRecords()
  }
})
