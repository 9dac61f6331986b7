// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RLP } from '@ethereumjs/rlp'
import { alteredExtra, altered, rawHeader, verifierOf, EXTRA_DATA_INDEX } from '../fixtures/raw_chain.js'
import { skipUnless, vectors } from '../fixtures/vectors.js'
import { fromHex, keccak, toHex } from '../src/bytes.js'
import { quorumOf } from '../src/bft.js'
import { Devnet } from '../src/chain.js'
import { parseHeader } from '../src/raw_header.js'
import { Verifier } from '../src/verifier.js'

const real = vectors('bft/ibft2_qbft_real_headers.json')
const ENGINES = ['qbft', 'ibft2']

test('the_quorum_is_two_thirds_rounded_up', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7, 32].map(quorumOf), [1, 2, 2, 3, 4, 4, 5, 22])
})

for (const engine of ENGINES) {
  for (const validators of [1, 2, 3, 4, 7, 21]) {
    test(`${engine}_headers_of_${validators}_validators_pass_the_independent_check`, async () => {
      const chain = await Devnet.create({ engine, validators, verify: false })
      await chain.mine(validators + 2)
      const verifier = verifierOf(chain)
      const proposers = new Set()
      for (const block of chain.ledger.blocks.slice(1)) {
        const { hash, signers } = verifier.accept(rawHeader(block))
        assert.equal('0x' + hash, toHex(block.hash))
        assert.equal(signers.length, quorumOf(validators))
        proposers.add(toHex(block.header.coinbase))
      }
      assert.equal(proposers.size, validators)
    })
  }

  test(`${engine}_hashes_of_round_3_ignore_the_round_but_the_seals_do_not`, async () => {
    const chain = await Devnet.create({ engine, verify: false, faults: { round: 3 } })
    const rlp = rawHeader(await chain.mine())
    const verifier = verifierOf(chain)
    const { hash } = verifier.check(rlp)
    const noRound = engine === 'qbft' ? new Uint8Array(0) : new Uint8Array(4)
    const other = alteredExtra(rlp, (extra) => (extra[3] = noRound))
    assert.equal(verifier.rules.hash(parseHeader(other, 16)), hash)
    assert.throws(() => verifier.check(other), { code: 'unknown_signer' })
    assert.notEqual(toHex(keccak(rlp)).slice(2), hash)
  })

  test(`${engine}_extra_data_of_any_other_shape_is_refused`, async () => {
    const chain = await Devnet.create({ engine, verify: false })
    const rlp = rawHeader(await chain.mine())
    const verifier = verifierOf(chain)
    const seal = (change) => alteredExtra(rlp, ([, , , , seals]) => change(seals))
    const cases = [
      [altered(rlp, (items) => (items[EXTRA_DATA_INDEX] = new Uint8Array(32))), 'malformed_rlp'],
      [alteredExtra(rlp, (extra) => extra.push([])), 'extra_data_invalid'],
      [alteredExtra(rlp, (extra) => (extra[0] = new Uint8Array(31))), 'extra_data_invalid'],
      [alteredExtra(rlp, (extra) => (extra[1] = extra[1].slice(1))), 'validators_mismatch'],
      [alteredExtra(rlp, (extra) => extra[1].reverse()), 'validators_not_ascending'],
      [alteredExtra(rlp, (extra) => (extra[1] = [])), 'validators_not_ascending'],
      [alteredExtra(rlp, (extra) => (extra[2] = engine === 'qbft' ? new Uint8Array(0) : [])), 'extra_data_invalid'],
      [alteredExtra(rlp, (extra) => (extra[2] = [extra[1][0], Uint8Array.of(1)])), 'extra_data_invalid'],
      [alteredExtra(rlp, (extra) => (extra[3] = Uint8Array.of(0, 0, 1))), 'extra_data_invalid'],
      [seal((seals) => (seals[0] = seals[0].subarray(1))), 'extra_data_invalid'],
      [seal((seals) => (seals[0][64] = 27)), 'seal_recovery_id'],
      [seal((seals) => (seals[0][64] ^= 1)), 'unknown_signer'],
      [seal((seals) => seals[0].fill(0, 0, 32)), 'seal_invalid'],
      [seal((seals) => seals[0].fill(0xff, 32, 64)), 'seal_invalid'],
      [seal((seals) => seals.pop()), 'seal_below_quorum'],
      [seal((seals) => (seals.length = 0)), 'seal_below_quorum'],
      [seal((seals) => (seals[2] = seals[0])), 'duplicate_signer'],
      [seal((seals) => (seals[2] = highTwin(seals[0]))), 'signature_high_s'],
      [altered(rlp, (items) => (items[2] = new Uint8Array(20))), 'coinbase_not_validator'],
      [altered(rlp, (items) => (items[7] = Uint8Array.of(2))), 'difficulty'],
      [altered(rlp, (items) => (items[13] = new Uint8Array(32))), 'mix_hash'],
    ]
    for (const [i, [forged, code]] of cases.entries()) {
      assert.throws(() => verifier.check(forged), { code }, `case ${i}`)
    }
  })

  test(`${engine}_headers_with_the_shape_of_the_other_engine_are_refused`, async () => {
    const other = ENGINES.find((name) => name !== engine)
    const chain = await Devnet.create({ engine, verify: false })
    const rlp = rawHeader(await chain.mine())
    const start = { validators: chain.validators.list.map((v) => toHex(v).slice(2)) }
    assert.throws(() => new Verifier({ engine: other, start }).check(rlp), { code: 'extra_data_invalid' })
  })

  test(`${engine}_votes_change_the_set_for_the_next_block`, async () => {
    const chain = await Devnet.create({ engine, validators: 4 })
    const added = toHex(chain.keyring.addresses[4])
    chain.proposeValidator(added, true)
    await chain.mine(2)
    assert.equal(chain.validators.list.length, 4)
    await chain.mine()
    assert.equal(chain.head.validators.length, 4)
    await chain.mine()
    assert.equal(chain.head.validators.length, 5)
    assert.ok(chain.head.validators.some((v) => toHex(v) === added))
    chain.proposeValidator(added, false)
    await chain.mine(4)
    assert.equal(chain.head.validators.length, 4)
  })

  test(`${engine}_epoch_blocks_clear_pending_votes`, async () => {
    const chain = await Devnet.create({ engine, validators: 4, epochLength: 3 })
    chain.proposeValidator(toHex(chain.keyring.addresses[4]), true)
    await chain.mine(9)
    assert.equal(chain.head.validators.length, 4)
  })
}

/** The other signature with which the same signer could have signed: (r, n - s, v ^ 1). */
function highTwin(seal) {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const s = order - BigInt(toHex(seal.subarray(32, 64)))
  return Uint8Array.of(...seal.subarray(0, 32), ...fromHex('0x' + s.toString(16).padStart(64, '0')), seal[64] ^ 1)
}

test('headers_of_real_networks_verify_and_hash_as_published', skipUnless(real), () => {
  let count = 0
  for (const [name, vector] of Object.entries(real)) {
    const rlp = fromHex('0x' + vector.header_rlp)
    const fieldCount = RLP.decode(rlp).length
    const verifier = new Verifier({ engine: vector.kind, start: { validators: vector.validators }, fieldCount })
    const { hash, signers } = verifier.accept(rlp)
    assert.equal(hash, vector.block_hash, name)
    assert.deepEqual(signers, vector.recovered, name)
    count++
  }
  assert.equal(count, 3)
})
