#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Starts the development chain and serves it on the loopback interface until it is told to stop.

import { parseArgs } from 'node:util'
import { toHex } from './bytes.js'
import { Devnet } from './chain.js'
import { FileClock, RealClock } from './clock.js'
import { serve } from './http.js'
import { Producer } from './producer.js'
import { createRpc } from './rpc.js'
import { engineNames } from './seals.js'

const usage = `usage: main.js [options]
  --port N                 port on 127.0.0.1; 0 (default) picks a free one
  --engine NAME            ${engineNames.join(', ')}; default qbft
  --validators N           1..32, default 4
  --chain-id N             default 1337
  --period S               seconds of real time between blocks, default 1; 0 makes a block for each transaction
  --empty-block-period S   seconds of real time between blocks while no transaction waits; default: the period
  --gas-limit N            of a block, default 30000000
  --epoch-length N         blocks after which pending validator votes lapse, default 30000
  --clock FILE             chain time from this shared file; made if it does not exist
  --fault NAME[=VALUE]     switches a fault on; may be repeated
  --no-verify              do not check each header by the independent verifier
Prints one line of JSON when it is ready. Keeps nothing on disk.`

const options = {
  port: { type: 'string', default: '0' },
  engine: { type: 'string', default: 'qbft' },
  validators: { type: 'string', default: '4' },
  'chain-id': { type: 'string', default: '1337' },
  period: { type: 'string', default: '1' },
  'empty-block-period': { type: 'string' },
  'gas-limit': { type: 'string', default: '30000000' },
  'epoch-length': { type: 'string', default: '30000' },
  clock: { type: 'string' },
  fault: { type: 'string', multiple: true, default: [] },
  'no-verify': { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}

function number(name, text, { min = 0, max = Number.MAX_SAFE_INTEGER, whole = true }) {
  const value = Number(text)
  if (!/^[0-9]+(\.[0-9]+)?$/.test(text) || value < min || value > max || (whole && !Number.isInteger(value))) {
    throw new RangeError(`--${name} ${text}: not a ${whole ? 'whole ' : ''}number from ${min} to ${max}`)
  }
  return value
}

function faultsOf(values) {
  const faults = {}
  for (const item of values['fault']) {
    const [name, value = 'true'] = item.split('=', 2)
    try {
      faults[name] = JSON.parse(value)
    } catch {
      throw new RangeError(`--fault ${item}: the value is neither true, false nor a number`)
    }
  }
  const period = values['empty-block-period']
  if (period !== undefined) {
    faults.empty_block_period_s = number('empty-block-period', period, { max: 86_400, whole: false })
  }
  return faults
}

async function start(values) {
  const periodMs = number('period', values.period, { max: 86_400, whole: false }) * 1000
  const clock = values.clock === undefined ? undefined : new FileClock(values.clock)
  const chain = await Devnet.create({
    engine: values.engine,
    validators: number('validators', values.validators, { min: 1, max: 32 }),
    chainId: number('chain-id', values['chain-id'], { min: 1, max: 0xffff_ffff }),
    gasLimit: number('gas-limit', values['gas-limit'], { min: 100_000 }),
    epochLength: number('epoch-length', values['epoch-length'], { min: 1 }),
    clock: clock ?? new RealClock(),
    automine: periodMs === 0,
    verify: !values['no-verify'],
    faults: faultsOf(values),
    log: (line) => console.error(`devnet: ${line}`),
  })
  const server = await serve(createRpc({ chain, clock }), number('port', values.port, { max: 65_535 }))
  const fail = (error) => {
    console.error(`devnet: ${error.message}`)
    process.exit(1)
  }
  const producer = new Producer(chain, { periodMs, onError: fail })
  if (periodMs > 0) producer.start()
  const stop = async () => {
    await producer.stop()
    await server.close()
    process.exit(0)
  }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  const ready = {
    port: server.port,
    url: `http://127.0.0.1:${server.port}`,
    chainId: chain.chainId,
    engine: values.engine,
    validators: chain.validators.list.map(toHex),
    genesisHash: toHex(chain.head.hash),
    genesisTimestamp: Number(chain.block('earliest').header.timestamp),
  }
  console.log(JSON.stringify(ready))
}

try {
  const { values } = parseArgs({ options, strict: true })
  if (values.help) console.log(usage)
  else await start(values)
} catch (error) {
  console.error(`devnet: ${error.message}`)
  if (error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS')) console.error(usage)
  process.exit(2)
}
