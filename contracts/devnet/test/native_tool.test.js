// SPDX-License-Identifier: Apache-2.0
// What this chain makes, judged by wattproofctl: another program, in another language, with another curve library.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { storeContract, word } from '../fixtures/hand_assembled.js'
import { rawHeader } from '../fixtures/raw_chain.js'
import { fromHex, namedKey, toHex } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'

const built = fileURLToPath(new URL('../../../build/host/tools/wattproofctl/wattproofctl', import.meta.url))
const tool = process.env.WATTPROOFCTL ?? built
const needsTool = { skip: existsSync(tool) ? false : 'wattproofctl is not built; build it or set WATTPROOFCTL' }
const EPOCH_LENGTH = 10
const FAULTS = {
  bft: { few_seals: 'seal_below_quorum', doubled_seal: 'duplicate_signer', outsider_seal: 'unknown_signer' },
  clique: {
    outsider_seal: 'unknown_signer',
    recent_signer: 'signed_recently',
    wrong_difficulty: 'wrong_difficulty',
  },
}

function judge(what, document) {
  const { status, stdout } = spawnSync(tool, ['verify', what, '-'], {
    input: JSON.stringify(document),
    encoding: 'utf8',
  })
  return { status, ...JSON.parse(stdout) }
}

function documentOf(chain, headers) {
  const { hash, header, validators } = chain.block(0)
  const clique = { epoch: EPOCH_LENGTH, period_s: 1 }
  const { engine } = chain.options
  return {
    engine,
    trusted: {
      number: 0,
      hash: toHex(hash),
      timestamp: Number(header.timestamp),
      validators: validators.map(toHex),
      ...(engine === 'clique' && clique),
    },
    headers: headers.map(toHex),
  }
}

const rawHeaders = (chain) => chain.ledger.blocks.slice(1).map(rawHeader)

/** Not every build of the tool has every engine: one that it lacks is bad input, of status 2. */
function optionsFor(engine) {
  if (needsTool.skip) return needsTool
  const epoch = engine === 'clique' && { epoch: EPOCH_LENGTH, period_s: 1 }
  const trusted = { number: 0, validators: ['0x' + '11'.repeat(20)], ...epoch }
  const { status } = judge('header', { engine, trusted, headers: ['0xc0'] })
  return { skip: status === 2 ? `this wattproofctl has no ${engine}` : false }
}

for (const engine of ['qbft', 'ibft2', 'clique']) {
  const options = optionsFor(engine)

  test(`the_tool_follows_a_${engine}_chain_through_rounds_and_set_changes`, options, async () => {
    for (const validators of [1, 4, 7]) {
      const chain = await Devnet.create({ engine, validators, epochLength: EPOCH_LENGTH })
      chain.faults.set(engine === 'clique' ? { out_of_turn: true } : { round: 2 })
      await chain.mine(3)
      chain.faults.set(engine === 'clique' ? { out_of_turn: false } : { round: 0 })
      chain.proposeValidator(toHex(chain.keyring.addresses[validators]), true)
      await chain.mine(3 * validators + 12)
      assert.equal(chain.head.validators.length, validators + 1)
      const verdict = judge('header', documentOf(chain, rawHeaders(chain)))
      assert.equal(verdict.error, undefined, JSON.stringify(verdict))
      assert.equal(verdict.accepted, Number(chain.head.header.number))
      assert.equal(verdict.head.hash, toHex(chain.head.hash))
    }
  })

  test(`the_tool_refuses_faulty_${engine}_headers_for_their_fault`, options, async () => {
    for (const [name, expected] of Object.entries(FAULTS[engine] ?? FAULTS.bft)) {
      const chain = await Devnet.create({ engine, epochLength: EPOCH_LENGTH })
      await chain.mine(5)
      chain.faults.set({ [name]: true })
      await chain.mine()
      const { error, index } = judge('header', documentOf(chain, rawHeaders(chain)))
      assert.equal(error, expected)
      assert.equal(index, 5)
    }
  })

  test(`the_tool_refuses_${engine}_headers_with_any_changed_byte`, options, async () => {
    const chain = await Devnet.create({ engine })
    const rlp = rawHeader(await chain.mine())
    const step = 7
    for (let i = 0; i < rlp.length; i += step) {
      const changed = Uint8Array.from(rlp)
      changed[i] ^= 1 << (i % 8)
      const { status, error } = judge('header', documentOf(chain, [changed]))
      assert.equal(status, 1, `byte ${i}: ${error}`)
    }
  })
}

test('the_tool_reads_what_the_proofs_say', needsTool, async () => {
  const chain = await Devnet.create({ automine: false })
  const key = namedKey('tester')
  await chain.sendTransaction({ key, data: storeContract, gasLimit: 200_000 })
  const { receipts } = await chain.mine()
  const to = receipts[0].contractAddress
  for (let i = 0; i < 60; i++)
    await chain.sendTransaction({ key, to, data: '0x' + word(i) + word(i + 1), gasLimit: 60_000 })
  await chain.mine()
  const slots = Array.from({ length: 70 }, (_, i) => '0x' + word(i))
  const proof = await chain.getProof(to, slots)
  const account = judge('proof', {
    root: toHex(chain.head.header.stateRoot),
    kind: 'account',
    key: to,
    nodes: proof.accountProof,
  })
  assert.equal(account.result, 'found')
  assert.ok(account.value.includes(proof.storageHash.slice(2)))
  for (const [i, { key: slot, proof: nodes }] of proof.storageProof.entries()) {
    const verdict = judge('proof', { root: proof.storageHash, kind: 'storage', key: slot, nodes })
    if (i < 60) assert.equal(fromHex(verdict.value).at(-1), i + 1)
    else assert.equal(verdict.result, 'absent')
  }
})
