// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { concat, encodeBytes32String, getBytes, hexlify, keccak256 } from 'ethers'
import { ADMIN_DELAY_SECONDS, World, key, reverts } from './harness.js'
import { flat } from './community.js'
import { encodeFallback, encodeLimits } from './coordinator_model.js'

const limits = encodeLimits({ min: [-500n], max: [3000n] })
const fallback = encodeFallback([200n])
const STATUS = { none: 0n, pending: 1n, active: 2n, suspended: 3n }

let world
let registry
let count = 0

before(async () => {
  world = await World.create()
  registry = world.registry
})

const asOperator = (method, ...args) => world.send(registry, method, args, world.operator)
const asAnyone = (method, ...args) => world.send(registry, method, args)
const device = async (id) => world.view(registry, 'device', [id])

/** A device of its own for a test. */
async function added() {
  const k = key(`registry device ${count++}`)
  const { events } = await asOperator('add', k.address, limits, fallback)
  return { ...k, id: Number(events[0].id ?? events[1].id) }
}

async function registered() {
  const k = key(`registry device ${count++}`)
  const { events } = await asAnyone('register', k.address, limits, fallback, world.signRegistration(k.secret, limits, fallback))
  return { ...k, id: Number(events.find((e) => e.name === 'DeviceRegistered').id) }
}

test('an_added_device_is_active_with_its_terms_committed', async () => {
  const before = await world.view(registry, 'activeCount')
  const d = await added()
  const found = await device(d.id)
  assert.equal(found.status, STATUS.active)
  assert.equal(found.signer.toLowerCase(), d.address)
  assert.equal(found.limitsHash, keccak256(limits))
  assert.equal(found.fallbackHash, keccak256(fallback))
  assert.equal(await world.view(registry, 'idOf', [d.address]), BigInt(d.id))
  assert.equal(await world.view(registry, 'activeCount'), before + 1n)
  assert.equal(await world.view(registry, 'deviceCount'), BigInt(d.id))
})

test('an_unknown_device_is_all_zero', async () => {
  const found = await device(4_000_000)
  assert.equal(found.status, STATUS.none)
  assert.equal(BigInt(found.signer), 0n)
  assert.equal(await world.view(registry, 'idOf', [key('nobody').address]), 0n)
})

test('the_bytes_of_the_terms_stand_in_an_event', async () => {
  const { events } = await asOperator('add', key('terms event').address, limits, fallback)
  const event = events.find((e) => e.name === 'DeviceTerms')
  assert.equal(event.limits, hexlify(limits))
  assert.equal(event.fallbackProfile, hexlify(fallback))
})

test('only_an_operator_manages_devices_and_names', async () => {
  const d = await added()
  const r = await registered()
  const name = encodeBytes32String('Market')
  const calls = [
    ['add', key('x').address, limits, fallback],
    ['approve', r.id],
    ['reject', r.id],
    ['suspend', d.id],
    ['resume', d.id],
    ['replaceKey', d.id, key('y').address],
    ['setTerms', d.id, limits, fallback],
    ['setContract', name, d.address],
  ]
  for (const [method, ...args] of calls) {
    await reverts(asAnyone(method, ...args), 'AccessControlUnauthorizedAccount')
    await reverts(world.send(registry, method, args, world.admin), 'AccessControlUnauthorizedAccount')
  }
})

test('a_registration_waits_for_approval', async () => {
  const before = await world.view(registry, 'activeCount')
  const r = await registered()
  assert.equal((await device(r.id)).status, STATUS.pending)
  assert.equal(await world.view(registry, 'activeCount'), before)
  const { events } = await asOperator('approve', r.id)
  assert.equal(events[0].name, 'DeviceApproved')
  assert.equal((await device(r.id)).status, STATUS.active)
  assert.equal(await world.view(registry, 'activeCount'), before + 1n)
  await reverts(asOperator('approve', r.id), 'WrongStatus')
  await reverts(asOperator('reject', r.id), 'WrongStatus')
})

test('a_rejected_registration_is_forgotten_and_may_be_made_again_under_another_id', async () => {
  const r = await registered()
  const { events } = await asOperator('reject', r.id)
  assert.equal(events[0].name, 'DeviceRejected')
  assert.equal((await device(r.id)).status, STATUS.none)
  assert.equal(await world.view(registry, 'idOf', [r.address]), 0n)
  await asAnyone('register', r.address, limits, fallback, world.signRegistration(r.secret, limits, fallback))
  assert.equal(await world.view(registry, 'idOf', [r.address]), BigInt(r.id + 1))
})

test('nobody_registers_the_key_or_the_terms_of_another', async () => {
  const k = key('victim')
  const other = key('attacker')
  const signature = world.signRegistration(k.secret, limits, fallback)
  const terms = [encodeLimits({ min: [0n], max: [1n] }), encodeFallback([0n])]
  await reverts(
    asAnyone('register', k.address, limits, fallback, world.signRegistration(other.secret, limits, fallback)),
    'BadSignature',
  )
  await reverts(asAnyone('register', k.address, ...terms, signature), 'BadSignature')
  await reverts(asAnyone('register', k.address, limits, fallback, getBytes(signature).subarray(0, 64)), 'BadSignature')
  await reverts(asAnyone('register', k.address, limits, fallback, concat([signature, '0x00'])), 'BadSignature')
  const invalid = concat([getBytes(signature).subarray(0, 64), '0x05'])
  await reverts(asAnyone('register', '0x' + '00'.repeat(20), limits, fallback, invalid), 'SignerNotUsable')
})

test('a_signer_serves_one_device_only_ever', async () => {
  const d = await added()
  await reverts(asOperator('add', d.address, limits, fallback), 'SignerNotUsable')
  await reverts(asOperator('add', '0x' + '00'.repeat(20), limits, fallback), 'SignerNotUsable')
  const other = await added()
  await reverts(asOperator('replaceKey', other.id, d.address), 'SignerNotUsable')
  await asOperator('replaceKey', d.id, key('second key').address)
  assert.equal(await world.view(registry, 'idOf', [d.address]), 0n)
  assert.equal(await world.view(registry, 'idOf', [key('second key').address]), BigInt(d.id))
  await reverts(asOperator('add', d.address, limits, fallback), 'SignerNotUsable')
  await reverts(asOperator('replaceKey', d.id, d.address), 'SignerNotUsable')
})

test('suspending_and_resuming_move_the_number_of_active_devices', async () => {
  const d = await added()
  const before = await world.view(registry, 'activeCount')
  await asOperator('suspend', d.id)
  assert.equal((await device(d.id)).status, STATUS.suspended)
  assert.equal(await world.view(registry, 'activeCount'), before - 1n)
  await reverts(asOperator('suspend', d.id), 'WrongStatus')
  await asOperator('resume', d.id)
  assert.equal(await world.view(registry, 'activeCount'), before)
  await reverts(asOperator('resume', d.id), 'WrongStatus')
})

test('what_does_not_exist_cannot_be_changed', async () => {
  for (const call of [
    ['approve', 0],
    ['suspend', 999_999],
    ['resume', 0],
    ['replaceKey', 999_999, key('z').address],
    ['setTerms', 0, limits, fallback],
  ]) {
    await reverts(asOperator(...call), 'WrongStatus')
  }
  await reverts(asOperator('suspend', 2n ** 32n + 1n), 'WrongStatus')
})

test('terms_may_differ_from_slot_to_slot_up_to_288_slots', async () => {
  const d = await added()
  const wide = { min: flat(288, -2_000_000), max: flat(288, 2_000_000) }
  await asOperator('setTerms', d.id, encodeLimits(wide), encodeFallback(flat(288, -2_000_000)))
  await asOperator('setTerms', d.id, encodeLimits(wide), encodeFallback([2_000_000n]))
  await asOperator('setTerms', d.id, limits, encodeFallback(flat(24, 3000)))
  assert.equal((await device(d.id)).limitsHash, keccak256(limits))
})

test('terms_that_are_not_well_formed_are_refused', async () => {
  const d = await added()
  const bytes = (text) => getBytes('0x' + text)
  const bad = [
    [encodeLimits({ min: [1n], max: [0n] }), encodeFallback([0n])],
    [encodeLimits({ min: [0n, 5n], max: [9n, 4n] }), encodeFallback([5n, 5n])],
    [encodeLimits({ min: [0n], max: [2_000_001n] }), encodeFallback([0n])],
    [encodeLimits({ min: [-2_000_001n], max: [0n] }), encodeFallback([0n])],
    [limits, encodeFallback([3001n])],
    [limits, encodeFallback([-501n])],
    [limits, encodeFallback([0n, 0n, 3001n])],
    [encodeLimits({ min: [0n, 0n], max: [9n, 1n] }), encodeFallback([2n])],
    [encodeLimits({ min: [0n, 0n], max: [9n, 9n] }), encodeFallback([2n, 2n, 2n])],
    [encodeLimits({ min: [], max: [] }), fallback],
    [limits, encodeFallback([])],
    [concat([limits, '0x00']), fallback],
    [limits, getBytes(fallback).subarray(0, 5)],
    [bytes(''), fallback],
    [bytes('00'), fallback],
    [limits, bytes('')],
    [encodeLimits({ min: flat(289, 0), max: flat(289, 1) }), encodeFallback([0n])],
  ]
  for (const terms of bad) await reverts(asOperator('setTerms', d.id, ...terms), 'BadTerms')
})

test('names_of_contracts_are_set_and_removed_and_lie_at_the_first_slot', async () => {
  const name = encodeBytes32String('Settlement')
  const where = key('some contract').address
  const { events } = await asOperator('setContract', name, where)
  assert.deepEqual([events[0].name, events[0].location.toLowerCase()], ['ContractSet', where])
  assert.equal((await world.view(registry, 'contractOf', [name])).toLowerCase(), where)
  const slot = keccak256(concat([name, '0x' + '00'.repeat(32)]))
  assert.equal(await world.chain.getStorage(registry.address, slot), BigInt(where))
  await asOperator('setContract', name, '0x' + '00'.repeat(20))
  assert.equal(BigInt(await world.view(registry, 'contractOf', [name])), 0n)
  await reverts(asOperator('setContract', '0x' + '00'.repeat(32), where), 'BadName')
})

test('check_ins_are_taken_in_batches_and_bad_ones_skipped_with_their_reason', async () => {
  const [a, b, suspended] = [await added(), await added(), await added()]
  const pending = await registered()
  await asOperator('suspend', suspended.id)
  const nonce = (1n << 32n) | 77n
  const good = world.checkInEntry(a.id, nonce, a.secret)
  const entries = [
    world.checkInEntry(suspended.id, nonce, suspended.secret),
    world.checkInEntry(pending.id, nonce, pending.secret),
    world.checkInEntry(999_999, nonce, a.secret),
    world.checkInEntry(b.id, nonce, a.secret),
    good,
    good,
    world.checkInEntry(a.id, nonce - 1n, a.secret),
    world.checkInEntry(b.id, nonce + 5n, b.secret),
    world.checkInEntry(b.id, 0n, b.secret),
    concat([getBytes(world.checkInEntry(b.id, nonce + 9n, b.secret)).subarray(0, 76), '0x1b']),
  ]
  const { events } = await asAnyone('checkIn', concat(entries))
  const happened = events.map((e) => (e.name === 'CheckedIn' ? 0 : Number(e.reason)))
  assert.deepEqual(happened, [1, 1, 1, 3, 0, 2, 2, 0, 2, 3])
  assert.equal(await world.view(registry, 'checkInOf', [a.id]), nonce)
  assert.equal(await world.view(registry, 'checkInOf', [b.id]), nonce + 5n)
})

test('a_batch_of_check_ins_that_is_cut_off_reverts', async () => {
  const d = await added()
  const entry = getBytes(world.checkInEntry(d.id, 5n, d.secret))
  await reverts(asAnyone('checkIn', entry.subarray(0, 76)), 'MalformedBatch')
  await reverts(asAnyone('checkIn', concat([entry, '0x00'])), 'MalformedBatch')
  const { events } = await asAnyone('checkIn', '0x')
  assert.equal(events.length, 0)
})

test('a_new_key_starts_its_check_ins_again_and_the_old_key_no_longer_counts', async () => {
  const d = await added()
  const fresh = key('replacement')
  await asAnyone('checkIn', world.checkInEntry(d.id, 900n << 32n, d.secret))
  const { events } = await asOperator('replaceKey', d.id, fresh.address)
  assert.equal(events[0].name, 'KeyReplaced')
  assert.equal(await world.view(registry, 'checkInOf', [d.id]), 0n)
  const batch = concat([world.checkInEntry(d.id, 901n << 32n, d.secret), world.checkInEntry(d.id, 1n << 32n, fresh.secret)])
  const after = await asAnyone('checkIn', batch)
  assert.deepEqual(
    after.events.map((e) => e.name),
    ['CheckInSkipped', 'CheckedIn'],
  )
})

test('the_admin_is_handed_over_in_two_steps_and_after_a_delay', async () => {
  const fresh = await World.create()
  const next = key('next admin')
  const send = (method, args, from) => fresh.send(fresh.registry, method, args, from)
  await reverts(send('beginDefaultAdminTransfer', [next.address], fresh.operator), 'AccessControlUnauthorizedAccount')
  await send('beginDefaultAdminTransfer', [next.address], fresh.admin)
  await reverts(send('acceptDefaultAdminTransfer', [], next), 'AccessControlEnforcedDefaultAdminDelay')
  fresh.pass(ADMIN_DELAY_SECONDS + 1)
  await reverts(send('acceptDefaultAdminTransfer', [], fresh.anyone), 'AccessControlInvalidDefaultAdmin')
  await send('acceptDefaultAdminTransfer', [], next)
  const role = await fresh.view(fresh.registry, 'OPERATOR_ROLE')
  await reverts(send('grantRole', [role, fresh.anyone.address], fresh.admin), 'AccessControlUnauthorizedAccount')
  await send('grantRole', [role, fresh.anyone.address], next)
  assert.equal(await fresh.view(fresh.registry, 'isOperator', [fresh.anyone.address]), true)
  await send('revokeRole', [role, fresh.operator.address], next)
  await reverts(send('add', [key('late').address, limits, fallback], fresh.operator), 'AccessControlUnauthorizedAccount')
})
