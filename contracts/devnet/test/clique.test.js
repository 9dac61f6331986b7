// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXTRA_DATA_INDEX, altered, rawHeader, verifierOf } from '../fixtures/raw_chain.js'
import { skipUnless, vectors } from '../fixtures/vectors.js'
import { addressOfKey, concat, fromHex, keccak, namedKey, sign, toHex } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'
import { EMPTY_LIST_HASH, encodeHeader } from '../src/headers.js'
import { Verifier } from '../src/verifier.js'

const rinkeby = vectors('clique/rinkeby_headers.json')
const besu = vectors('clique/besu_clique_blocks.json')
const scenarios = vectors('clique/eip225_vote_table_geth.json')

for (const validators of [1, 2, 3, 4, 7]) {
  test(`clique_headers_of_${validators}_signers_pass_the_independent_check`, async () => {
    const chain = await Devnet.create({ engine: 'clique', validators, epochLength: 5, verify: false })
    await chain.mine(3 * validators + 5)
    const verifier = verifierOf(chain)
    for (const block of chain.ledger.blocks.slice(1)) {
      assert.equal('0x' + verifier.accept(rawHeader(block)).hash, toHex(block.hash))
      assert.equal(block.header.difficulty, 2n)
    }
  })
}

test('an_out_of_turn_block_is_valid_with_difficulty_1', async () => {
  const chain = await Devnet.create({ engine: 'clique', validators: 4, faults: { out_of_turn: true } })
  for (let i = 0; i < 8; i++) assert.equal((await chain.mine()).header.difficulty, 1n)
  assert.equal(chain.head.totalDifficulty, 9n)
})

test('clique_votes_change_the_set_and_dropped_signers_stop_signing', async () => {
  const chain = await Devnet.create({ engine: 'clique', validators: 3 })
  const [first, , , added] = chain.keyring.addresses.map(toHex)
  chain.proposeValidator(added, true)
  chain.proposeValidator(first, false)
  await chain.mine(12)
  const members = chain.head.validators.map(toHex)
  assert.equal(members.length, 3)
  assert.ok(members.includes(added) && !members.includes(first))
})

test('clique_headers_of_any_other_shape_are_refused', async () => {
  const chain = await Devnet.create({ engine: 'clique', validators: 3, epochLength: 4, verify: false })
  await chain.mine(4)
  const verifier = verifierOf(chain)
  for (const block of chain.ledger.blocks.slice(1, 4)) {
    const rlp = rawHeader(block)
    const extra = block.header.extraData
    const cases = [
      [altered(rlp, (items) => (items[EXTRA_DATA_INDEX] = extra.subarray(1))), 'extra_data_invalid'],
      [altered(rlp, (items) => (items[EXTRA_DATA_INDEX] = concat(extra, new Uint8Array(20)))), 'extra_data_invalid'],
      [altered(rlp, (items) => (items[13] = new Uint8Array(32).fill(1))), 'mix_hash'],
      [altered(rlp, (items) => (items[14] = new Uint8Array(8).fill(1))), 'nonce'],
      [altered(rlp, (items) => (items[7] = Uint8Array.of(3))), 'difficulty'],
      [altered(rlp, (items) => (items[7] = Uint8Array.of(1))), 'unknown_signer'],
    ]
    for (const [i, [forged, code]] of cases.entries()) {
      assert.throws(() => verifier.check(forged), { code }, `case ${i}`)
    }
    verifier.accept(rlp)
  }
  const epoch = rawHeader(chain.block(4))
  assert.throws(() => verifier.check(altered(epoch, (items) => items[2].fill(1))), { code: 'coinbase' })
  assert.throws(() => verifier.check(altered(epoch, (items) => items[14].fill(0xff))), { code: 'nonce' })
  assert.throws(() => verifier.check(altered(epoch, (items) => (items[EXTRA_DATA_INDEX][32] ^= 1))), {
    code: 'validators_mismatch',
  })
  verifier.accept(epoch)
})

test('rinkeby_headers_verify_and_hash_as_published', skipUnless(rinkeby), () => {
  const [genesis, ...headers] = rinkeby.headers
  const start = {
    number: 0n,
    hash: genesis.hash,
    timestamp: BigInt(genesis.timestamp),
    validators: genesis.signers_in_extra,
  }
  const verifier = new Verifier({ engine: 'clique', start, fieldCount: 15, period: 15 })
  for (const vector of headers) {
    const { hash, signers } = verifier.accept(fromHex('0x' + vector.header_rlp))
    assert.equal(hash, vector.hash)
    assert.deepEqual(signers, [vector.signer])
  }
  assert.equal(verifier.parent.number, 5n)
})

test('besu_clique_headers_with_a_base_fee_verify', skipUnless(besu), () => {
  const [genesis, ...blocks] = besu.blocks
  const start = {
    number: 0n,
    hash: genesis.block_hash,
    timestamp: BigInt(genesis.timestamp),
    validators: [blocks[0].signer],
  }
  const verifier = new Verifier({ engine: 'clique', start })
  for (const vector of blocks) {
    const { hash, signers } = verifier.accept(fromHex('0x' + vector.header_rlp))
    assert.equal(hash, vector.block_hash)
    assert.deepEqual(signers, [vector.signer])
  }
  assert.equal(verifier.parent.number, 4n)
})

const keyOf = (letter) => namedKey(`voter ${letter}`)
const addressOf = (letter) => addressOfKey(keyOf(letter))

/** The header that a scenario's step describes; the verifier tells by refusal which difficulty is right. */
function stepHeader(step, number, parentHash, difficulty) {
  const list = (step.checkpoint ?? []).map(addressOf).sort(Buffer.compare)
  const unsealed = concat(new Uint8Array(32), ...list)
  const header = {
    parentHash,
    ommersHash: EMPTY_LIST_HASH,
    coinbase: step.voted ? addressOf(step.voted) : new Uint8Array(20),
    stateRoot: new Uint8Array(32),
    transactionsRoot: new Uint8Array(32),
    receiptsRoot: new Uint8Array(32),
    logsBloom: new Uint8Array(256),
    difficulty,
    number: BigInt(number),
    gasLimit: 1n,
    gasUsed: 0n,
    timestamp: BigInt(number),
    extraData: unsealed,
    mixHash: new Uint8Array(32),
    nonce: new Uint8Array(8).fill(step.auth ? 0xff : 0),
    baseFeePerGas: 0n,
  }
  const seal = sign(keccak(encodeHeader(header)), keyOf(step.signer))
  return encodeHeader({ ...header, extraData: concat(unsealed, seal) })
}

function runScenario({ epoch, signers, votes }) {
  const validators = signers.map((letter) => toHex(addressOf(letter)).slice(2))
  const start = { number: 0n, hash: '00'.repeat(32), timestamp: 0n, validators }
  const verifier = new Verifier({ engine: 'clique', start, epochLength: epoch })
  let parentHash = new Uint8Array(32)
  votes.forEach((step, i) => {
    const attempt = (difficulty) => verifier.accept(stepHeader(step, i + 1, parentHash, difficulty))
    let accepted
    try {
      accepted = attempt(2n)
    } catch (error) {
      if (error.code !== 'wrong_difficulty') throw error
      accepted = attempt(1n)
    }
    parentHash = fromHex('0x' + accepted.hash)
  })
  return verifier.state.validators
}

test('the_voting_table_of_eip_225_gives_the_published_sets_and_errors', skipUnless(scenarios), () => {
  const codes = { errUnauthorizedSigner: 'unknown_signer', errRecentlySigned: 'signed_recently' }
  let count = 0
  for (const scenario of scenarios) {
    if (scenario.failure) {
      assert.throws(() => runScenario(scenario), { code: codes[scenario.failure] }, scenario.description)
    } else
      assert.deepEqual(
        runScenario(scenario),
        scenario.results.map((l) => toHex(addressOf(l)).slice(2)).sort(),
        scenario.description,
      )
    count++
  }
  assert.equal(count, 24)
})
