// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from './harness.js'
import { Negotiation, community, problem, rewarded, rules, still } from './community.js'
import { STATUS } from './coordinator_model.js'

test('three_devices_agree_on_a_schedule_that_meets_the_cap', async () => {
  const world = await World.create({ verify: true })
  const devices = community('agree', 3, 4)
  await world.enrol(devices)
  const negotiation = new Negotiation(world, devices, rules(world), problem(4, { cap: 2800n }))
  const head = await negotiation.all()
  assert.equal(head.status, STATUS.final)
  await negotiation.checkRecords()
  const answer = await world.view(world.scheduler, 'schedule', [1n])
  assert.equal(answer.status, BigInt(STATUS.final))
  assert.deepEqual([...answer.aggregate], negotiation.model.sums)
})

/** An epoch of two devices that cannot move, whose sum is `total`. */
async function twoThatCannotMove(total) {
  const world = await World.create({ verify: true })
  const devices = still([total - 785n, 785n])
  await world.enrol(devices)
  const n = new Negotiation(world, devices, rules(world, { slots: 1n, toleranceW: 0n }), rewarded)
  return { head: await n.all(), model: n.model }
}

test('a_sum_between_the_plan_and_the_cap_is_agreed', async () => {
  const { head, model } = await twoThatCannotMove(2795n) // the plan is 2,790 W
  assert.equal(head.status, STATUS.final)
  assert.equal(head.round, 2n)
  assert.equal(model.isBySlackness, false)
})

test('what_the_cap_leaves_unused_is_agreed_once_it_is_worth_a_thousandth_of_the_bill', async () => {
  const { head, model } = await twoThatCannotMove(2785n) // 5 W short of the plan, 0.18 %
  assert.equal(head.status, STATUS.final)
  assert.equal(model.isBySlackness, true)
  assert.ok(head.round > 2n, 'the cap costs more than a thousandth at first')
})

test('a_sum_above_the_cap_is_never_agreed', async () => {
  const { head } = await twoThatCannotMove(2801n)
  assert.equal(head.status, STATUS.failed)
  assert.equal(head.excess, 1n)
})
