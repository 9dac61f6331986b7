// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Devnet } from '../src/chain.js'
import { addressOfKey, namedKey, toHex } from '../src/bytes.js'
import { ManualClock } from '../src/clock.js'
import { createRpc } from '../src/rpc.js'
import { environmentContract, revertContract, storeContract, word } from '../fixtures/hand_assembled.js'

const key = namedKey('tester')
const slot = (n) => '0x' + word(n)

test('a_transaction_is_mined_and_its_receipt_says_what_it_did', async () => {
  const chain = await Devnet.create()
  const to = await chain.deploy({ key, data: storeContract })
  const receipt = await chain.sendTransaction({ key, to, data: '0x' + word(5) + word(1234) })
  assert.equal(receipt.status, 1)
  assert.equal(receipt.blockNumber, 2)
  assert.equal(receipt.to, to)
  assert.ok(receipt.gasUsed > 21000)
  assert.deepEqual(receipt.logs[0].topics, [slot(5)])
  assert.equal(receipt.logs[0].data, slot(1234))
  assert.equal(await chain.getStorage(to, slot(5)), 1234n)
})

test('calls_and_storage_are_readable_at_past_blocks', async () => {
  const chain = await Devnet.create()
  const to = await chain.deploy({ key, data: storeContract })
  for (const value of [11, 22, 33]) await chain.sendTransaction({ key, to, data: '0x' + word(0) + word(value) })
  assert.equal(await chain.call({ to }), slot(33))
  assert.equal(await chain.call({ to }, 2), slot(11))
  assert.equal(await chain.getStorage(to, slot(0), 3), 22n)
})

test('a_revert_keeps_its_place_in_the_block_with_status_0', async () => {
  const chain = await Devnet.create()
  const to = await chain.deploy({ key, data: revertContract })
  const receipt = await chain.sendTransaction({ key, to })
  assert.equal(receipt.status, 0)
  assert.equal(receipt.error, 'no')
  assert.equal(receipt.blockNumber, 2)
  await assert.rejects(chain.call({ to }), { message: 'no', data: receipt.revertData })
})

test('contracts_see_the_block_that_they_run_in', async () => {
  const chain = await Devnet.create({ chainId: 4242 })
  const to = await chain.deploy({ key, data: environmentContract })
  await chain.mine(3)
  const out = (await chain.call({ to })).slice(2).match(/.{64}/g)
  const { header } = chain.head
  assert.equal(BigInt('0x' + out[0]), header.number)
  assert.equal(BigInt('0x' + out[1]), header.timestamp)
  assert.equal('0x' + out[2].slice(24), toHex(header.coinbase))
  assert.equal(BigInt('0x' + out[3]), 4242n)
  assert.equal('0x' + out[4], toHex(chain.block(3).hash))
})

test('without_automine_a_block_takes_what_waits_in_order_of_nonce', async () => {
  const chain = await Devnet.create({ automine: false })
  const other = namedKey('another tester')
  const to = '0x' + '22'.repeat(20)
  const send = (k, nonce) => chain.sendTransaction({ key: k, to, gasLimit: 30000, nonce })
  const late = await send(key, 1n)
  const first = await send(other, 0n)
  const early = await send(key, 0n)
  const gap = await send(other, 2n)
  const block = await chain.mine()
  assert.deepEqual(
    block.transactions.map((t) => t.hash),
    [first, early, late],
  )
  assert.equal(chain.receipt(gap), undefined)
  await send(other, 1n)
  assert.equal((await chain.mine()).transactions.length, 2)
  assert.equal(chain.receipt(gap).blockNumber, 2)
})

test('time_moves_only_as_told', async () => {
  const chain = await Devnet.create({ clock: new ManualClock(1000) })
  assert.equal((await chain.mine()).header.timestamp, 1001n)
  assert.equal((await chain.mine()).header.timestamp, 1002n)
  chain.clock.setSeconds(5000)
  assert.equal((await chain.mine()).header.timestamp, 5000n)
  chain.clock.advanceSeconds(60)
  assert.equal((await chain.mine()).header.timestamp, 5060n)
})

test('a_transaction_that_can_no_longer_be_paid_is_dropped_and_logged', async () => {
  const lines = []
  const balances = { [toHex(addressOfKey(key))]: 100n }
  const chain = await Devnet.create({ balances, automine: false, log: (line) => lines.push(line) })
  const to = toHex(addressOfKey(namedKey('payee')))
  const hashes = []
  for (let i = 0; i < 2; i++) hashes.push(await chain.sendTransaction({ key, to, value: 60n, gasLimit: 21000 }))
  const block = await chain.mine()
  assert.deepEqual(
    block.transactions.map(({ hash }) => hash),
    [hashes[0]],
  )
  assert.equal(lines.length, 1)
  assert.ok(lines[0].startsWith(`dropped transaction ${hashes[1]}: `))
  assert.equal(chain.pool.count, 0)
})

test('the_next_nonce_never_goes_back_while_a_block_is_made', async () => {
  const chain = await Devnet.create({ automine: false })
  const rpc = createRpc({ chain })
  const sender = toHex(addressOfKey(key))
  for (let i = 0; i < 20; i++) await chain.sendTransaction({ key, to: sender, gasLimit: 21_000 })
  let made = false
  const making = chain.mine().then(() => (made = true))
  let asked = 0
  for (; !made; asked++) assert.equal(await rpc('eth_getTransactionCount', [sender, 'pending']), '0x14')
  await making
  assert.ok(asked > 5)
})

test('what_does_not_fit_into_a_block_waits_for_the_next', async () => {
  const chain = await Devnet.create({ automine: false, gasLimit: 100_000 })
  const to = '0x' + '22'.repeat(20)
  for (const gasLimit of [60_000, 90_000, 30_000]) await chain.sendTransaction({ key, to, gasLimit })
  await chain.sendTransaction({ key: namedKey('another'), to, gasLimit: 21_000 })
  // The second of the first sender does not fit, so its third must wait as well.
  assert.equal((await chain.mine()).transactions.length, 2)
  assert.equal((await chain.mine()).transactions.length, 2)
})

test('after_an_error_of_its_own_the_chain_makes_no_more_blocks', async () => {
  const chain = await Devnet.create()
  const { inspect } = chain.maker.inspector
  chain.maker.inspector.inspect = () => {
    throw new Error('refused')
  }
  await assert.rejects(chain.mine(), /refused/)
  chain.maker.inspector.inspect = inspect
  await assert.rejects(chain.mine(), /refused/)
})

test('genesis_balances_can_be_spent', async () => {
  const chain = await Devnet.create({ balances: { [toHex(addressOfKey(key))]: 100n } })
  const to = toHex(addressOfKey(namedKey('payee')))
  assert.equal((await chain.sendTransaction({ key, to, value: 40n, gasLimit: 21000 })).status, 1)
  assert.equal(BigInt((await chain.getProof(to)).balance), 40n)
  assert.equal(BigInt((await chain.getProof(to, [], 0)).balance), 0n)
})
