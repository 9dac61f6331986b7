// SPDX-License-Identifier: Apache-2.0
// submit and freeze of the Scheduler.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, getBytes, hexlify, keccak256 } from 'ethers'
import { World, key, reverts } from './harness.js'
import { boxProx, community, device, flat, problem, started } from './community.js'
import { SKIP, STATUS, encodeProfile } from './coordinator_model.js'

const CURVE_ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const reasons = (events) => events.map((e) => Number(e.reason ?? 0))
const profileOf = (n, d) => n.model.records.get(d.id).profile

test('a_good_update_moves_sum_change_and_record_and_stands_in_an_event', async () => {
  const n = await started(await World.create(), 'good')
  const [d] = n.devices
  const x = [0n, 1n, 2000n, 3n]
  const { events } = await n.submit([n.world.updateEntry(n.model, d, x)])
  assert.deepEqual([events[0].name, events[0].epoch, events[0].round, events[0].id], ['Profile', 1n, 1n, BigInt(d.id)])
  assert.equal(events[0].profile, hexlify(encodeProfile(x)))
  assert.equal(n.model.submit(d.id, x), 0)
  await n.check()
  await n.checkRecords()
})

test('a_batch_with_bad_entries_counts_the_good_ones', async () => {
  const n = await started(await World.create(), 'mixed', { count: 4 })
  const { world, model } = n
  const [a, b, c, d] = n.devices
  const entries = [
    world.updateEntry(model, a, profileOf(n, a), { secret: b.secret }),
    world.updateEntry(model, b, flat(4, 2_000_000)),
    world.updateEntry(model, c, profileOf(n, c)),
    world.updateEntry(model, d, profileOf(n, d), { signature: new Uint8Array(65) }),
    world.updateEntry(model, a, flat(4, 7)),
  ]
  const { events } = await n.submit(entries)
  assert.deepEqual(reasons(events), [SKIP.record, SKIP.limits, 0, SKIP.signature, 0])
  model.submit(c.id, profileOf(n, c))
  model.submit(a.id, flat(4, 7))
  await n.check()
})

test('only_the_first_update_of_a_round_counts', async () => {
  const n = await started(await World.create(), 'first')
  const { world, model } = n
  const [d] = n.devices
  const first = world.updateEntry(model, d, flat(4, 11))
  const second = world.updateEntry(model, d, flat(4, 12))
  const together = await n.submit([first, first, second])
  assert.deepEqual(reasons(together.events), [0, SKIP.repeated, SKIP.record])
  model.submit(d.id, flat(4, 11))
  const later = await n.submit([first, world.updateEntry(model, d, flat(4, 12)), world.updateEntry(model, d, flat(4, 11))])
  assert.deepEqual(reasons(later.events), [SKIP.repeated, SKIP.repeated, SKIP.repeated])
  await n.check()
})

test('each_field_of_the_witness_is_checked', async () => {
  const n = await started(await World.create(), 'witness')
  const { world, model } = n
  const [d] = n.devices
  const x = flat(4, 5)
  const wrong = [{ round: 1n }, { change2: 1n }, { change2Before: 1n }, { profile: flat(4, 1) }]
  wrong.push({ limits: getBytes(concat(['0x0001', '0x00000000', '0x7fffffff'])) })
  for (const witness of wrong) {
    assert.deepEqual(reasons((await n.submit([world.updateEntry(model, d, x, { witness })])).events), [SKIP.record])
  }
  const asOther = { ...d, id: n.devices[1].id }
  assert.deepEqual(reasons((await n.submit([world.updateEntry(model, asOther, x)])).events), [SKIP.record])
  await n.check()
})

test('a_device_that_has_not_entered_is_skipped', async () => {
  const n = await started(await World.create(), 'stranger')
  const { world, model, devices } = n
  const [stranger] = community('not in', 1, 4)
  await world.enrol([stranger])
  const bytes = concat([
    getBytes('0x' + stranger.id.toString(16).padStart(8, '0')),
    getBytes(world.updateEntry(model, devices[0], flat(4, 1), { secret: stranger.secret })).subarray(4),
  ])
  assert.deepEqual(reasons((await n.submit([bytes])).events), [SKIP.record])
})

test('a_message_of_another_round_epoch_contract_or_chain_does_not_count', async () => {
  const world = await World.create()
  const n = await started(world, 'replay')
  const { model } = n
  const [d] = n.devices
  const x = flat(4, 9)
  const signature = world.signUpdate(d.secret, 1n, 1n, x)
  await n.answer()
  await n.close()
  const replayed = [
    world.updateEntry(model, d, x, { signature }),
    world.updateEntry(model, d, x, { signature: world.signUpdate(d.secret, 2n, 2n, x) }),
  ]
  const other = await World.create()
  other.domains.scheduler.chainId = 9999
  replayed.push(world.updateEntry(model, d, x, { signature: other.signUpdate(d.secret, 1n, 2n, x) }))
  other.domains.scheduler = { ...world.domains.scheduler, verifyingContract: key('elsewhere').address }
  replayed.push(world.updateEntry(model, d, x, { signature: other.signUpdate(d.secret, 1n, 2n, x) }))
  assert.deepEqual(reasons((await n.submit(replayed)).events), [1, 1, 1, 1])
})

test('one_signature_has_one_accepted_form', async () => {
  const n = await started(await World.create(), 'form')
  const { world, model } = n
  const [d] = n.devices
  const x = flat(4, 3)
  const good = getBytes(world.signUpdate(d.secret, 1n, 1n, x))
  const s = CURVE_ORDER - BigInt(hexlify(good.subarray(32, 64)))
  const forms = [
    concat([good.subarray(0, 32), '0x' + s.toString(16).padStart(64, '0'), Uint8Array.of(1 - good[64])]),
    concat([good.subarray(0, 64), Uint8Array.of(27 + good[64])]),
    concat([good.subarray(0, 64), Uint8Array.of(2)]),
    concat(['0x' + '00'.repeat(32), good.subarray(32)]),
    concat([good.subarray(0, 32), '0x' + '00'.repeat(32), good.subarray(64)]),
  ]
  const { events } = await n.submit(forms.map((signature) => world.updateEntry(model, d, x, { signature })))
  assert.deepEqual(
    reasons(events),
    forms.map(() => SKIP.signature),
  )
})

test('limits_hold_in_every_slot_and_on_both_sides', async () => {
  for (const slots of [1, 2, 3, 4, 5, 7, 8]) {
    const wide = { min: flat(slots, -100).map((v, t) => v + BigInt(t)), max: flat(slots, 100).map((v, t) => v + BigInt(t)) }
    const devices = [
      device(`edge wide ${slots}`, { limits: wide, fallback: flat(slots, 0).map((_, t) => BigInt(t)) }),
      device(`edge pair ${slots}`, { limits: { min: [-100n], max: [50n] }, fallback: [0n] }),
    ]
    const world = await World.create({ validators: 1 })
    const n = await started(world, 'edge', { devices, slots })
    for (const d of devices) {
      const bound = (values) => flat(slots, 0).map((_, t) => values[t % values.length])
      const outside = []
      for (let t = 0; t < slots; ++t) {
        outside.push(
          bound(d.limits.max).map((v, i) => (i === t ? v + 1n : v)),
          bound(d.limits.min).map((v, i) => (i === t ? v - 1n : v)),
        )
        outside.push(
          bound(d.limits.max).map((v, i) => (i === t ? 2147483647n : v)),
          bound(d.limits.min).map((v, i) => (i === t ? -2147483648n : v)),
        )
      }
      const { events } = await n.submit(outside.map((x) => world.updateEntry(n.model, d, x)))
      assert.deepEqual(
        reasons(events),
        outside.map(() => SKIP.limits),
      )
      await n.check()
      const edge = bound(d.limits.max).map((v, t) => (t % 2 ? v : bound(d.limits.min)[t]))
      assert.deepEqual(reasons((await n.submit([world.updateEntry(n.model, d, edge)])).events), [0])
      n.model.submit(d.id, edge)
      await n.check()
    }
    await n.checkRecords()
  }
})

test('a_malformed_batch_reverts_as_a_whole', async () => {
  const n = await started(await World.create(), 'malformed')
  const { world, model } = n
  const [a, b] = n.devices
  const good = world.updateEntry(model, a, flat(4, 1))
  const entry = getBytes(world.updateEntry(model, b, flat(4, 1)))
  for (const size of [1, 4, 89, 90, 91, 100, entry.length - 1])
    await reverts(n.submit([good, entry.subarray(0, size)]), 'MalformedBatch')
  for (const count of [0, 2, 3, 5, 65535]) {
    const wrong = Uint8Array.from(entry)
    wrong.set([count >> 8, count & 255], 89)
    await reverts(n.submit([good, wrong]), 'MalformedBatch')
  }
  await reverts(n.submit([good, '0x00']), 'MalformedBatch')
  await n.check()
  assert.equal((await n.submit([])).events.length, 0)
})

test('updates_of_a_round_that_is_not_open_revert', async () => {
  const n = await started(await World.create(), 'late')
  const { world, model } = n
  const entry = world.updateEntry(model, n.devices[0], flat(4, 1))
  const submit = (epoch, round) => world.send(world.scheduler, 'submit', [epoch, round, entry])
  assert.deepEqual(await reverts(submit(1, 0), 'WrongRound'), [1n])
  await reverts(submit(1, 2), 'WrongRound')
  await reverts(submit(2, 1), 'WrongStatus')
  await reverts(submit(9, 1), 'WrongStatus')
  await n.answer()
  await n.close()
  await reverts(submit(1, 1), 'WrongRound')
})

test('anyone_may_relay_updates_and_no_batch_closes_a_round', async () => {
  const n = await started(await World.create(), 'relay')
  const { events } = await n.answer()
  assert.ok(events.every((e) => e.name === 'Profile'))
  assert.equal(n.model.answered, n.model.head.participants)
  const state = await n.world.view(n.world.scheduler, 'roundState', [1n])
  assert.equal(state.round, 1n)
})

test('key_and_terms_stay_as_they_were_when_the_device_entered', async () => {
  const n = await started(await World.create(), 'stable')
  const { world, model } = n
  const [a, b, c] = n.devices
  const fresh = key('fresh')
  await world.send(world.registry, 'replaceKey', [a.id, fresh.address], world.operator)
  await world.send(world.registry, 'suspend', [b.id], world.operator)
  await world.send(
    world.registry,
    'setTerms',
    [c.id, getBytes('0x00010000000000000001'), getBytes('0x000100000000')],
    world.operator,
  )
  const entries = [
    world.updateEntry(model, a, profileOf(n, a), { secret: fresh.secret }),
    ...[a, b, c].map((d) => world.updateEntry(model, d, profileOf(n, d))),
  ]
  assert.deepEqual(reasons((await n.submit(entries)).events), [SKIP.record, 0, 0, 0])
})

// --- freezing ---

/** Two honest devices and one that posts whatever it likes. */
async function disturbed(world, name, changes = {}) {
  const honest = community(name, 2, 4)
  const limits = { min: [-20_000n], max: [20_000n] }
  let turn = 0
  const prox = () => flat(4, 0).map((_, t) => BigInt(((turn++ * 7919 + t * 104729) % 40_000) - 20_000))
  const wild = device(`${name} wild`, { limits, fallback: [0n], prox })
  return {
    wild,
    n: await started(world, name, { devices: [...honest, wild], parameters: problem(4, { cap: 60_000n }), changes }),
  }
}

const freeze = (n, entry) => n.world.send(n.world.scheduler, 'freeze', [n.epoch, entry])

async function untilRound(n, round) {
  while (n.model.head.round < round) {
    await n.answer()
    await n.close()
  }
}

test('a_device_that_never_settles_is_frozen_from_round_10_on_and_the_epoch_ends', async () => {
  const world = await World.create()
  const { wild, n } = await disturbed(world, 'restless', { toleranceW: 30n })
  await untilRound(n, 9n)
  await reverts(freeze(n, world.freezeEntry(n.model, wild.id)), 'WrongRound')
  await untilRound(n, 10n)
  assert.ok(n.model.mayFreeze(wild.id))
  const { events } = await freeze(n, world.freezeEntry(n.model, wild.id))
  assert.deepEqual([events[0].name, events[0].id, events[0].round], ['DeviceFrozen', BigInt(wild.id), 10n])
  n.model.freeze(wild.id)
  await n.check()
  await n.checkRecords()
  await reverts(freeze(n, world.freezeEntry(n.model, wild.id)), 'RecordMismatch')

  const skipped = await n.submit([world.updateEntry(n.model, wild, flat(4, 1))])
  assert.deepEqual(reasons(skipped.events), [SKIP.record])
  const honest = n.devices.filter((d) => d !== wild)
  while (n.model.head.status === STATUS.open) {
    await n.answer(honest)
    await n.close() // all have answered or are frozen: no waiting
  }
  assert.equal(n.model.head.status, STATUS.final)
  assert.ok(n.model.head.round <= 22n, `ended in round ${n.model.head.round}`)
})

test('an_epoch_with_such_a_device_and_no_freeze_fails_at_its_last_round', async () => {
  const { n } = await disturbed(await World.create(), 'unfrozen', { roundsMax: 14n, toleranceW: 30n })
  await n.run()
  assert.equal(n.model.head.status, STATUS.failed)
})

test('who_does_not_disturb_cannot_be_frozen', async () => {
  const world = await World.create()
  const { wild, n } = await disturbed(world, 'honest', { toleranceW: 30n })
  await untilRound(n, 10n)
  for (const d of n.devices.filter((other) => other !== wild))
    await reverts(freeze(n, world.freezeEntry(n.model, d.id)), 'NotDisturbing')
  const forged = { change2: 10n ** 12n }
  await reverts(freeze(n, world.freezeEntry(n.model, n.devices[0].id, forged)), 'RecordMismatch')
  await reverts(freeze(n, world.freezeEntry(n.model, wild.id, { limitsHash: keccak256('0x') })), 'RecordMismatch')
  await reverts(freeze(n, concat([world.freezeEntry(n.model, wild.id), '0x00'])), 'MalformedBatch')
  await reverts(freeze(n, '0x'), 'MalformedBatch')
  // Silent in the last round: its record is of an older one.
  await n.answer(n.devices.filter((other) => other !== wild))
  world.pass(61)
  await n.close()
  await reverts(freeze(n, world.freezeEntry(n.model, wild.id)), 'NotDisturbing')
})

test('a_change_within_the_tolerance_is_no_reason_to_freeze', async () => {
  const world = await World.create()
  let turn = 0n
  const mover = device('small mover', {
    limits: { min: [0n], max: [9000n] },
    fallback: [1000n],
    prox: () => flat(4, 1000n + (turn++ % 2n)),
  })
  const still = device('still', {
    limits: { min: [1000n], max: [1000n] },
    fallback: [1000n],
    prox: boxProx({ min: [1000n], max: [1000n] }),
  })
  const make = async (toleranceW) => {
    const n = await started(world, 'small', {
      devices: [
        { ...mover, ...key(`mover ${toleranceW}`) },
        { ...still, ...key(`still ${toleranceW}`) },
      ].map((d) => ({ ...d, signer: d.address })),
      changes: { toleranceW },
      parameters: problem(4, { cap: 1000n }),
    })
    await untilRound(n, 10n)
    return [n, n.devices[0].id]
  }
  const [tolerant, id] = await make(3n)
  await reverts(freeze(tolerant, world.freezeEntry(tolerant.model, id)), 'NotDisturbing')
  const [strict, other] = await make(0n)
  await freeze(strict, world.freezeEntry(strict.model, other))
})
