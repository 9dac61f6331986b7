// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RLP } from '@ethereumjs/rlp'
import { createMPT } from '@ethereumjs/mpt'
import { createAccessList2930Tx, createFeeMarket1559Tx, createLegacyTx, createTxFromRPC } from '@ethereumjs/tx'
import { revertContract, storeContract, word } from '../fixtures/hand_assembled.js'
import { addressOfKey, fromHex, integerBytes, keccak, namedKey, sign, toHex } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'
import { encodeHeader, headerFromRpc } from '../src/headers.js'
import { createRpc } from '../src/rpc.js'

const key = namedKey('tester')
const sender = toHex(addressOfKey(key))
const slot = (n) => '0x' + word(n)

async function start(options = {}) {
  const chain = await Devnet.create({ automine: false, ...options })
  const rpc = createRpc({ chain })
  const call = (method, ...params) => rpc(method, params)
  const send = async (fields, make = createLegacyTx) => {
    const nonce = BigInt(await call('eth_getTransactionCount', sender, 'pending'))
    const price = make === createFeeMarket1559Tx ? { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n } : { gasPrice: 0n }
    const tx = make({ nonce, gasLimit: 200_000, chainId: 1337n, ...price, ...fields }, { common: chain.common }).sign(
      key,
    )
    return call('eth_sendRawTransaction', toHex(tx.serialize()))
  }
  const deploy = async (data) => {
    const hash = await send({ data })
    await call('evm_mine')
    return (await call('eth_getTransactionReceipt', hash)).contractAddress
  }
  return { chain, call, send, deploy }
}

test('a_client_rebuilds_the_header_and_its_hash_from_the_fields', async () => {
  for (const engine of ['qbft', 'ibft2', 'clique']) {
    const { call, deploy } = await start({ engine })
    await deploy(storeContract)
    const block = await call('eth_getBlockByNumber', 'latest', false)
    const rlp = encodeHeader(headerFromRpc(block))
    assert.equal(await call('debug_getRawHeader', 'latest'), toHex(rlp))
    assert.equal(toHex(keccak(rlp)) === block.hash, engine === 'clique')
    assert.deepEqual(await call('eth_getBlockByHash', block.hash, false), block)
  }
})

/** Root of the trie over RLP(index), built here from what the RPC answered. */
async function indexedRootOf(values) {
  const trie = await createMPT()
  for (const [i, value] of values.entries()) await trie.put(RLP.encode(integerBytes(i)), value)
  return toHex(trie.root())
}

function receiptBytes(receipt) {
  const logs = receipt.logs.map(({ address, topics, data }) => [
    fromHex(address),
    topics.map((t) => fromHex(t)),
    fromHex(data),
  ])
  const body = [
    integerBytes(BigInt(receipt.status)),
    integerBytes(BigInt(receipt.cumulativeGasUsed)),
    fromHex(receipt.logsBloom),
    logs,
  ]
  return receipt.type === '0x0' ? RLP.encode(body) : Uint8Array.of(Number(receipt.type), ...RLP.encode(body))
}

test('receipts_and_transactions_of_every_type_rebuild_the_roots_in_the_header', async () => {
  const { chain, call, send, deploy } = await start()
  const to = await deploy(storeContract)
  const reverting = await deploy(revertContract)
  await send({ to, data: slot(1) + word(2) })
  await send({ to, data: slot(2) + word(3) }, createAccessList2930Tx)
  await send({ to, data: slot(3) + word(4) }, createFeeMarket1559Tx)
  await send({ to: reverting })
  await call('evm_mine')
  const block = await call('eth_getBlockByNumber', 'latest', true)
  const receipts = await call('eth_getBlockReceipts', 'latest')
  assert.deepEqual(
    receipts.map((r) => r.type),
    ['0x0', '0x1', '0x2', '0x0'],
  )
  assert.deepEqual(
    receipts.map((r) => r.status),
    ['0x1', '0x1', '0x1', '0x0'],
  )
  assert.equal(await indexedRootOf(receipts.map(receiptBytes)), block.receiptsRoot)
  const decoded = await Promise.all(block.transactions.map((tx) => createTxFromRPC(tx, { common: chain.common })))
  assert.equal(await indexedRootOf(decoded.map((tx) => tx.serialize())), block.transactionsRoot)
  const body = decoded.map((tx) => (tx.type === 0 ? tx.raw() : tx.serialize()))
  const whole = RLP.encode([RLP.decode(encodeHeader(headerFromRpc(block))), body, []])
  assert.equal(Number(block.size), whole.length)
  assert.equal(block.gasUsed, receipts.at(-1).cumulativeGasUsed)
  for (const [i, receipt] of receipts.entries()) {
    assert.deepEqual(await call('eth_getTransactionReceipt', receipt.transactionHash), receipt)
    assert.deepEqual(await call('eth_getTransactionByHash', receipt.transactionHash), block.transactions[i])
  }
  assert.deepEqual(await call('eth_getBlockReceipts', block.hash), receipts)
})

test('logs_are_found_by_address_topic_and_range', async () => {
  const { call, send, deploy } = await start()
  const to = await deploy(storeContract)
  const other = await deploy(storeContract)
  for (const name of [1, 2, 3]) {
    await send({ to, data: slot(name) + word(10 + name) })
    await send({ to: other, data: slot(name) + word(20 + name) })
    await call('evm_mine')
  }
  const count = async (filter) => (await call('eth_getLogs', filter)).length
  const all = { fromBlock: 'earliest', toBlock: 'latest' }
  assert.equal(await count(all), 6)
  assert.equal(await count({}), 2)
  assert.equal(await count({ ...all, address: to }), 3)
  assert.equal(await count({ ...all, address: [to, other], topics: [slot(2)] }), 2)
  assert.equal(await count({ ...all, topics: [[slot(1), slot(3)]] }), 4)
  assert.equal(await count({ ...all, topics: [null] }), 6)
  assert.equal(await count({ ...all, topics: [null, slot(1)] }), 0)
  assert.equal(await count({ ...all, fromBlock: '0x4', toBlock: '0x4' }), 2)
  assert.equal(await count({ ...all, fromBlock: '0x9', toBlock: '0x9' }), 0)
  const { hash } = await call('eth_getBlockByNumber', '0x5')
  const [log] = await call('eth_getLogs', { blockHash: hash, address: other })
  assert.deepEqual([log.data, log.topics, log.logIndex, log.blockNumber], [slot(23), [slot(3)], '0x1', '0x5'])
})

test('calls_see_the_block_that_they_name', async () => {
  const { call, send, deploy } = await start()
  const to = await deploy(storeContract)
  for (const value of [5, 6]) {
    await send({ to, data: slot(0) + word(value) })
    await call('evm_mine')
  }
  const { hash } = await call('eth_getBlockByNumber', '0x2')
  assert.equal(await call('eth_call', { to }, 'latest'), slot(6))
  assert.equal(await call('eth_call', { to }, '0x2'), slot(5))
  assert.equal(await call('eth_call', { to, input: '0x' }, { blockHash: hash }), slot(5))
  assert.equal(await call('eth_getStorageAt', to, '0x0', '0x2'), slot(5))
  assert.equal(await call('eth_getTransactionCount', sender, '0x1'), '0x1')
  assert.notEqual(await call('eth_getCode', to, 'latest'), '0x')
  assert.equal(await call('eth_getCode', to, '0x0'), '0x')
  assert.equal(await call('eth_getBalance', sender, 'latest'), '0x0')
})

test('proofs_take_full_and_short_slot_names', async () => {
  const { call, send, deploy } = await start()
  const to = await deploy(storeContract)
  await send({ to, data: slot(1) + word(255) })
  await call('evm_mine')
  const full = await call('eth_getProof', to, [slot(1)], '0x2')
  assert.equal(full.storageProof[0].value, '0xff')
  assert.deepEqual(await call('eth_getProof', to, ['0x1'], '0x2'), full)
  assert.equal((await call('eth_getProof', to, [slot(1)], '0x1')).storageProof[0].value, '0x0')
})

test('the_estimate_is_the_least_gas_that_succeeds', async () => {
  const { call, send, deploy } = await start()
  const to = await deploy(storeContract)
  const request = { from: sender, to, data: slot(9) + word(9) }
  const gas = BigInt(await call('eth_estimateGas', request))
  const enough = await send({ ...request, gasLimit: gas })
  await call('evm_mine')
  assert.equal((await call('eth_getTransactionReceipt', enough)).status, '0x1')
  const other = { ...request, data: slot(10) + word(9) }
  const starved = await send({ ...other, gasLimit: gas - 1n })
  await call('evm_mine')
  assert.equal((await call('eth_getTransactionReceipt', starved)).status, '0x0')
  assert.equal(await call('eth_estimateGas', { from: sender, to: '0x' + '11'.repeat(20) }), '0x5208')
  // Clearing a slot gives gas back at the end only, so more is needed than is used.
  const clearing = { from: sender, to, data: slot(9) + word(0) }
  const needed = BigInt(await call('eth_estimateGas', clearing))
  const cleared = await send({ ...clearing, gasLimit: needed })
  await call('evm_mine')
  const { status, gasUsed } = await call('eth_getTransactionReceipt', cleared)
  assert.equal(status, '0x1')
  assert.ok(BigInt(gasUsed) < needed)
  await assert.rejects(call('eth_estimateGas', { ...clearing, gas: '0x5208' }), {
    code: -32000,
    message: /intrinsic gas/,
  })
})

test('a_revert_has_code_3_and_its_data', async () => {
  const { call, deploy } = await start()
  const to = await deploy(revertContract)
  for (const method of ['eth_call', 'eth_estimateGas']) {
    await assert.rejects(call(method, { to }), (error) => {
      assert.equal(error.code, 3)
      assert.equal(error.message, 'execution reverted: no')
      assert.ok(error.data.startsWith('0x08c379a0'))
      return true
    })
  }
})

test('transactions_that_can_never_run_are_refused_with_the_reason', async () => {
  const { chain, call, send } = await start({ poolCountMax: 3, poolPerSenderMax: 2 })
  const to = '0x' + '22'.repeat(20)
  const reject = (fields, message) => assert.rejects(send({ to, ...fields }), { code: -32000, message })
  await reject({ gasLimit: 20_999 }, /intrinsic gas too low/)
  await reject({ gasLimit: 30_000_001 }, /exceeds block gas limit/)
  await reject({ value: 1n }, /insufficient funds/)
  await reject({ gasPrice: 1n }, /insufficient funds/)
  const raw = (fields, options = { common: chain.common }) => {
    const tx = createLegacyTx({ nonce: 0n, gasLimit: 21_000, gasPrice: 0n, to, ...fields }, options)
    return toHex(tx.sign(fields.key ?? key).serialize())
  }
  const refuse = (data, message) => assert.rejects(call('eth_sendRawTransaction', data), { code: -32000, message })
  const elsewhere = (await Devnet.create({ chainId: 99 })).common
  await refuse(raw({}, { common: elsewhere }), /invalid transaction: .*chain id 1337/)
  await refuse('0x010203', /invalid transaction/)
  await refuse('0x', /invalid transaction/)
  const unprotected = [
    new Uint8Array(0),
    new Uint8Array(0),
    integerBytes(21000),
    fromHex(to),
    new Uint8Array(0),
    new Uint8Array(0),
  ]
  await refuse(preEip155(unprotected), /replay-protected/)
  const first = raw({})
  await call('eth_sendRawTransaction', first)
  await refuse(first, /already known/)
  await refuse(raw({ gasLimit: 22_000 }), /replacement transaction underpriced/)
  await call('eth_sendRawTransaction', raw({ nonce: 1n }))
  await refuse(raw({ nonce: 2n }), /of this sender/)
  await call('eth_sendRawTransaction', raw({ key: namedKey('second') }))
  await refuse(raw({ key: namedKey('third') }), /txpool is full/)
  await call('evm_mine')
  await refuse(first, /nonce too low/)
  assert.equal((await call('txpool_status')).pending, '0x0')
})

function preEip155(fields) {
  const seal = sign(keccak(RLP.encode(fields)), key)
  const number = (bytes) => integerBytes(BigInt(toHex(bytes)))
  return toHex(
    RLP.encode([...fields, Uint8Array.of(27 + seal[64]), number(seal.subarray(0, 32)), number(seal.subarray(32, 64))]),
  )
}

test('bad_parameters_are_named', async () => {
  const { call } = await start()
  const refuse = (message, method, ...params) => assert.rejects(call(method, ...params), { code: -32602, message })
  await refuse(/address/, 'eth_getBalance', '0x12')
  await refuse(/address/, 'eth_getProof', 12, [], 'latest')
  await refuse(/storage key/, 'eth_getProof', sender, ['0x' + '1'.repeat(65)], 'latest')
  await refuse(/storage keys/, 'eth_getProof', sender, undefined, 'latest')
  await refuse(/block: not a quantity/, 'eth_getBlockByNumber', '0x01', false)
  await refuse(/block: not a quantity/, 'eth_getBlockByNumber', 12, false)
  await refuse(/block hash/, 'eth_getBlockByHash', '0x1234', false)
  await refuse(/call: not an object/, 'eth_call', 'x', 'latest')
  await refuse(/topics/, 'eth_getLogs', { topics: [[], [], [], [], []] })
  await refuse(/count/, 'evm_mine', 0)
  await refuse(/no fault "fly"/, 'wp_faults', { fly: true })
  await assert.rejects(call('eth_call', { to: sender }, '0x99'), { code: -32000, message: 'header not found' })
  await assert.rejects(call('eth_doMagic'), { code: -32601 })
  await assert.rejects(call('constructor'), { code: -32601 })
  await assert.rejects(call('wp_clock', { rate_permille: 5 }), { code: -32000, message: /without a clock file/ })
  assert.equal(await call('eth_getBlockByNumber', '0x99', false), null)
  assert.equal(await call('eth_getTransactionReceipt', '0x' + '00'.repeat(32)), null)
})

test('no_parameters_whatever_cause_an_internal_error', async () => {
  let random = 99
  const next = (below) => (random = (random * 48271) % 2147483647) % below
  const hash = '0x' + '12'.repeat(32)
  const atoms = [null, true, 0, -1, 1.5, 1e300, '', '0x', '0x0', '0x1', '0x00', 'latest', 'x', sender, hash, [], {}]
  const names = [
    'to',
    'from',
    'data',
    'gas',
    'value',
    'blockHash',
    'blockNumber',
    'topics',
    'address',
    'fromBlock',
    'round',
  ]
  const value = (depth) => {
    const kind = depth > 2 ? 0 : next(4)
    if (kind === 1) return Array.from({ length: next(4) }, () => value(depth + 1))
    if (kind === 2)
      return Object.fromEntries(Array.from({ length: next(4) }, () => [names[next(names.length)], value(depth + 1)]))
    return atoms[next(atoms.length)]
  }
  for (const engine of ['qbft', 'clique']) {
    const chain = await Devnet.create({ engine, automine: false, verify: false })
    const rpc = createRpc({ chain })
    let refused = 0
    for (let i = 0; i < 2000; i++) {
      const method = rpc.methods[next(rpc.methods.length)]
      const params = method === 'evm_mine' ? [] : Array.from({ length: next(4) }, () => value(0))
      await rpc(method, params).catch((error) => {
        assert.ok([-32602, -32000, 3].includes(error.code), `${method} ${JSON.stringify(params)}: ${error.stack}`)
        refused++
      })
    }
    assert.ok(refused > 250)
  }
})

test('the_node_says_who_it_is', async () => {
  const { call } = await start({ chainId: 4711 })
  assert.equal(await call('eth_chainId'), '0x1267')
  assert.equal(await call('net_version'), '4711')
  assert.equal(await call('eth_gasPrice'), '0x0')
  assert.equal(await call('eth_blockNumber'), '0x0')
  assert.match(await call('web3_clientVersion'), /^wattproof-devnet\//)
})

test('validators_are_read_and_voted_on_by_the_names_of_each_engine', async () => {
  const names = {
    qbft: [
      'qbft_getValidatorsByBlockNumber',
      'qbft_proposeValidatorVote',
      'qbft_getPendingVotes',
      'qbft_discardValidatorVote',
    ],
    ibft2: [
      'ibft_getValidatorsByBlockNumber',
      'ibft_proposeValidatorVote',
      'ibft_getPendingVotes',
      'ibft_discardValidatorVote',
    ],
    clique: ['clique_getSigners', 'clique_propose', 'clique_proposals', 'clique_discard'],
  }
  for (const [engine, [list, propose, pending, discard]] of Object.entries(names)) {
    const { chain, call } = await start({ engine, validators: 3 })
    const added = toHex(chain.keyring.addresses[3])
    assert.equal((await call(list, 'latest')).length, 3)
    assert.equal(await call(propose, added, true), true)
    assert.deepEqual(await call(pending), { [added]: true })
    await call('evm_mine', 3)
    assert.ok((await call(list, 'latest')).includes(added))
    assert.equal((await call(list, '0x1')).length, 3)
    assert.equal(await call(propose, added, false), true)
    assert.equal(await call(discard, added), true)
    assert.equal(await call(discard, added), false)
    await assert.rejects(call(propose, '0x' + '12'.repeat(20), true), { code: -32602, message: /key/ })
  }
})

test('an_equivocating_chain_shows_its_other_block_on_demand', async () => {
  const { call } = await start()
  await call('wp_faults', { equivocate: true })
  await call('evm_mine')
  const block = await call('eth_getBlockByNumber', '0x1', false)
  const twin = await call('wp_getTwinByNumber', '0x1', false)
  assert.notEqual(block.hash, twin.hash)
  assert.equal(block.stateRoot, twin.stateRoot)
  assert.deepEqual(await call('eth_getBlockByHash', twin.hash, false), twin)
  await call('wp_faults', { serve_twin: true })
  assert.deepEqual(await call('eth_getBlockByNumber', '0x1', false), twin)
  await call('wp_faults', { serve_twin: false, equivocate: false })
  assert.deepEqual(await call('eth_getBlockByNumber', '0x1', false), block)
  await call('evm_mine')
  assert.equal(await call('wp_getTwinByNumber', '0x2', false), null)
})
