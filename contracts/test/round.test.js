// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from './harness.js'
import { Negotiation, community, problem, rules } from './community.js'
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
