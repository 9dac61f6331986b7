#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Measures what the contracts cost, in gas, in the steady state (every word written before), T = 24. "net" is without the price
// of the events' log operations (375 + 375 a topic + 8 a byte), which the targets do not count. `--json` prints JSON lines.

import { pathToFileURL } from 'node:url'
import { World } from './harness.js'
import { Negotiation, community, device, energyProx, flat, problem, rules } from './community.js'

const command = 'node contracts/test/gas.js --json'
export const TARGETS = {
  gas_update_per_device: 22_000,
  gas_update_per_device_slot_limits: 22_000,
  gas_update_alone: 100_000,
  gas_close: 200_000,
}
const slots = 24
const steadyRound = 4n

/** Devices whose bounds differ from slot to slot, so that their limits are T pairs and not one. */
function withSlotLimits(prefix, count) {
  return community(prefix, count, slots).map((d, i) => {
    const limits = { min: flat(slots, 0), max: flat(slots, 2000 + 10 * i).map((p, t) => p + BigInt(7 * t)) }
    const fallback = flat(slots, 400)
    return device(`${d.name}-slots`, { limits, fallback, prox: energyProx(limits, 9600n) })
  })
}

async function negotiation(devices) {
  const world = await World.create()
  await world.enrol(devices)
  const epochRules = rules(world, { slots: BigInt(slots), slotSeconds: 3600n })
  const n = new Negotiation(world, devices, epochRules, problem(slots, { devices: devices.length }))
  await n.open()
  await n.enter()
  await n.start()
  return n
}

/** Runs to the steady round; there the devices answer in batches of `batch`. @returns gas of the first batch and of closing */
async function measureRound(devices, batch) {
  const n = await negotiation(devices)
  while (n.model.head.round < steadyRound) {
    for (let i = 0; i < devices.length; i += 50) await n.answer(devices.slice(i, i + 50))
    await n.close()
  }
  const answers = []
  for (let i = 0; i < devices.length; i += batch) answers.push(await n.answer(devices.slice(i, i + batch)))
  return { answer: answers[Math.min(1, answers.length - 1)], close: await n.close() }
}

const net = (result) => result.gas - result.eventGas

export async function measureAll() {
  const figures = {}
  const batch = await measureRound(community('batch', 50, slots), 50)
  figures.gas_update_per_device = net(batch.answer) / 50
  figures.gas_update_per_device_with_event = batch.answer.gas / 50
  const perSlot = await measureRound(withSlotLimits('wide', 50), 50)
  figures.gas_update_per_device_slot_limits = net(perSlot.answer) / 50
  const alone = await measureRound(community('alone', 3, slots), 1)
  figures.gas_update_alone = net(alone.answer)
  figures.gas_update_alone_with_event = alone.answer.gas
  const closes = { 3: alone.close, 50: batch.close }
  closes[200] = (await measureRound(community('many', 200, slots), 50)).close
  for (const [count, close] of Object.entries(closes)) {
    figures[`gas_close_${count}`] = net(close)
    figures[`gas_close_${count}_with_event`] = close.gas
  }
  figures.gas_close = Math.max(...Object.values(closes).map(net))
  return figures
}

async function main() {
  const figures = await measureAll()
  const json = process.argv.includes('--json')
  let missed = 0
  for (const [name, value] of Object.entries(figures)) {
    const target = TARGETS[name] ?? null
    if (target !== null && value > target) ++missed
    const rounded = Math.round(value)
    if (json) console.log(JSON.stringify({ name, value: rounded, unit: 'gas', target, command }))
    else console.log(`${name.padEnd(40)} ${String(rounded).padStart(8)}${target === null ? '' : `  (at most ${target})`}`)
  }
  process.exitCode = missed ? 1 : 0
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await main()
