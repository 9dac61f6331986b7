// SPDX-License-Identifier: Apache-2.0
// The contracts on an embedded chain, and the gateway's part of the protocol: packing entries, showing witnesses, decoding
// what comes back. The only file that knows which chain it is.

import { readFileSync } from 'node:fs'
import { Interface, TypedDataEncoder, Wallet, concat, encodeBytes32String, getBytes, keccak256 } from 'ethers'
import { Devnet } from '../devnet/src/chain.js'
import { namedKey, sign, toHex } from '../devnet/src/bytes.js'
import { encodeFallback, encodeLimits, encodeProfile, integer } from './coordinator_model.js'

const artifact = (name) => JSON.parse(readFileSync(new URL(`../artifacts/${name}.json`, import.meta.url), 'utf8'))
const artifacts = { DeviceRegistry: artifact('DeviceRegistry'), Scheduler: artifact('Scheduler') }
export const layout = artifact('layout')

export const ADMIN_DELAY_SECONDS = 3600
const LOG_GAS = { base: 375, topic: 375, byte: 8 }

/** A transaction that reverted, by the name of its custom error. */
export class Revert extends Error {
  constructor(name, args) {
    super(`${name}(${args.join(', ')})`)
    this.error = name
    this.args = args
  }
}

export const updateTypes = {
  Update: [
    { name: 'epoch', type: 'uint64' },
    { name: 'round', type: 'uint32' },
    { name: 'profile', type: 'bytes' },
  ],
}
export const checkInTypes = { CheckIn: [{ name: 'nonce', type: 'uint64' }] }
export const registrationTypes = {
  Registration: [
    { name: 'limits', type: 'bytes' },
    { name: 'fallbackProfile', type: 'bytes' },
  ],
}

export function key(name) {
  const secret = namedKey(name)
  return { secret, address: new Wallet(toHex(secret)).address.toLowerCase() }
}

export class World {
  static async create({ verify = false, gasLimit = 200_000_000, validators = 4 } = {}) {
    const world = new World()
    /** Every event so far. */
    world.history = []
    world.chain = await Devnet.create({ verify, gasLimit, validators, automine: true })
    Object.assign(world, { admin: key('admin'), operator: key('operator'), anyone: key('anyone') })
    world.registry = await world.#deploy('DeviceRegistry', [world.admin.address, world.operator.address, ADMIN_DELAY_SECONDS])
    world.scheduler = await world.#deploy('Scheduler', [world.registry.address])
    await world.send(world.registry, 'setContract', [encodeBytes32String('Scheduler'), world.scheduler.address], world.operator)
    world.domains = {
      registry: world.#domain('wattproof DeviceRegistry', world.registry),
      scheduler: world.#domain('wattproof Scheduler', world.scheduler),
    }
    return world
  }

  #domain(name, contract) {
    return { name, version: '1', chainId: this.chain.chainId, verifyingContract: contract.address }
  }

  async #deploy(name, args) {
    const { abi, bytecode } = artifacts[name]
    const face = new Interface(abi)
    const address = await this.chain.deploy({
      key: this.admin.secret,
      data: concat([bytecode, face.encodeDeploy(args)]),
      gasLimit: 10_000_000,
    })
    return { name, address, face }
  }

  /** Deploys a contract a second time, to show what its constructor refuses. */
  deployAnother(name, args) {
    return this.#deploy(name, args)
  }

  /** Chain time: of the newest block, or what was passed since. */
  get now() {
    const clock = BigInt(Math.floor(this.chain.clock.nowMs() / 1000))
    return clock > this.blockTime ? clock : this.blockTime
  }

  /** Time of the newest block, which is what the last transaction saw. */
  get blockTime() {
    return BigInt(this.chain.head.header.timestamp)
  }

  /** Time that the next transaction will see. */
  get nextTime() {
    return this.now > this.blockTime ? this.now : this.blockTime + 1n
  }

  pass(seconds) {
    this.chain.clock.setSeconds(Number(this.now) + Number(seconds))
  }

  /** @returns {Promise<{gas: number, eventGas: number, events: object[], data: string}>} throws Revert */
  async send(contract, method, args, from = this.anyone) {
    const data = contract.face.encodeFunctionData(method, args)
    const receipt = await this.chain.sendTransaction({ key: from.secret, to: contract.address, data })
    if (receipt.status !== 1) throw revertOf(contract, receipt)
    const events = receipt.logs.map((log) => {
      const { name, args: values } = contract.face.parseLog(log)
      return { ...values.toObject(), name }
    })
    this.history.push(...events)
    const logGas = ({ topics, data: bytes }) =>
      LOG_GAS.base + LOG_GAS.topic * topics.length + LOG_GAS.byte * getBytes(bytes).length
    return { gas: receipt.gasUsed, eventGas: receipt.logs.reduce((gas, log) => gas + logGas(log), 0), events, data }
  }

  async view(contract, method, args = []) {
    const data = contract.face.encodeFunctionData(method, args)
    const values = contract.face.decodeFunctionResult(method, await this.chain.call({ to: contract.address, data }))
    return values.length === 1 ? values[0] : values.toObject()
  }

  /** Adds active devices to the registry. */
  async enrol(devices) {
    for (const device of devices) {
      const args = [device.signer, encodeLimits(device.limits), encodeFallback(device.fallback)]
      const { events } = await this.send(this.registry, 'add', args, this.operator)
      device.id = Number(events.find((e) => e.name === 'DeviceAdded').id)
    }
  }

  enterEntry(device) {
    return concat([integer(device.id, 4), encodeLimits(device.limits), encodeFallback(device.fallback)])
  }

  updateDigest(epoch, round, profileBytes) {
    return TypedDataEncoder.hash(this.domains.scheduler, updateTypes, { epoch, round, profile: profileBytes })
  }

  signUpdate(secret, epoch, round, profile) {
    return sign(getBytes(this.updateDigest(epoch, round, encodeProfile(profile))), secret)
  }

  checkInEntry(id, nonce, secret) {
    const digest = TypedDataEncoder.hash(this.domains.registry, checkInTypes, { nonce })
    return concat([integer(id, 4), integer(nonce, 8), sign(getBytes(digest), secret)])
  }

  signRegistration(secret, limits, fallbackProfile) {
    return sign(getBytes(TypedDataEncoder.hash(this.domains.registry, registrationTypes, { limits, fallbackProfile })), secret)
  }

  /**
   * An entry of `submit`.
   * @param {import('./coordinator_model.js').EpochModel} model gives the witness
   * @param {{id: number, secret: Uint8Array}} device @param {bigint[]} profile
   * @param {{secret?: Uint8Array, round?: bigint, signature?: Uint8Array, witness?: object}} [wrong] what is not as it should be
   */
  updateEntry(model, device, profile, { secret = device.secret, round = model.head.round, signature, witness } = {}) {
    const old = { ...model.records.get(device.id), ...witness }
    const { epoch } = model.rules
    const signed = signature ?? this.signUpdate(secret, epoch, round, profile)
    return concat([
      integer(device.id, 4),
      signed,
      integer(old.round, 4),
      integer(old.change2, 8),
      integer(old.change2Before, 8),
      old.limits,
      encodeProfile(old.profile),
      encodeProfile(profile),
    ])
  }

  freezeEntry(model, id, wrong = {}) {
    const r = { ...model.records.get(id), ...wrong }
    return concat([
      integer(r.id, 4),
      r.signer,
      integer(r.round, 4),
      integer(r.change2, 8),
      integer(r.change2Before, 8),
      wrong.limitsHash ?? keccak256(r.limits),
      encodeProfile(r.profile),
    ])
  }

  openParams(rules) {
    return [
      rules.epoch,
      rules.start,
      rules.slots,
      rules.slotSeconds,
      rules.rho0,
      rules.toleranceW,
      rules.roundSeconds,
      rules.graceSeconds,
      rules.enterSeconds,
      rules.roundsMax,
      rules.disputeSeconds,
      rules.warmEpoch,
    ]
  }
}

function revertOf(contract, { revertData, error }) {
  const parsed = revertData === '0x' ? null : contract.face.parseError(revertData)
  return parsed ? new Revert(parsed.name, [...parsed.args]) : new Revert('Error', [error])
}

/** Asserts that `promise` reverts with the custom error `name`; returns its arguments. */
export async function reverts(promise, name) {
  try {
    await promise
  } catch (error) {
    if (!(error instanceof Revert)) throw error
    if (error.error !== name) throw new Error(`expected ${name}, reverted with ${error.message}`)
    return error.args
  }
  throw new Error(`expected a revert with ${name}`)
}
