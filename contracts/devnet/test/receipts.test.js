// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '../src/bytes.js'
import { storeContract, word } from '../fixtures/hand_assembled.js'
import { namedKey } from '../src/bytes.js'
import { Devnet } from '../src/chain.js'
import { EMPTY_TRIE_ROOT, ZERO_BLOOM } from '../src/headers.js'
import { indexedRoot, mayContain, revertReason, unionOf } from '../src/receipts.js'

test('the_root_of_nothing_is_the_empty_root', async () => {
  assert.equal(toHex(await indexedRoot([])), '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421')
  assert.deepEqual(await indexedRoot([]), EMPTY_TRIE_ROOT)
})

test('the_bloom_of_a_block_holds_its_logs_and_little_else', async () => {
  const chain = await Devnet.create({ verify: false })
  const key = namedKey('tester')
  const to = await chain.deploy({ key, data: storeContract })
  await chain.sendTransaction({ key, to, data: '0x' + word(77) + word(1) })
  const { logsBloom } = chain.head.header
  assert.ok(mayContain(logsBloom, fromHex(to)))
  assert.ok(mayContain(logsBloom, fromHex('0x' + word(77))))
  const strangers = Array.from({ length: 1000 }, (_, i) => fromHex('0x' + word(1000 + i)))
  assert.ok(strangers.filter((value) => mayContain(logsBloom, value)).length < 5)
  assert.ok(!mayContain(ZERO_BLOOM, fromHex(to)))
})

test('a_union_has_the_bits_of_all', () => {
  const one = Uint8Array.from(ZERO_BLOOM)
  const other = Uint8Array.from(ZERO_BLOOM)
  one[3] = 0b0110
  other[3] = 0b0011
  assert.equal(unionOf([one, other])[3], 0b0111)
  assert.deepEqual(unionOf([]), ZERO_BLOOM)
})

test('a_reason_is_read_only_from_a_whole_error_string', () => {
  const text = '0x08c379a0' + word(32) + word(2) + '6e6f' + '0'.repeat(60)
  assert.equal(revertReason(fromHex(text)), 'no')
  assert.equal(revertReason(fromHex(text.slice(0, -64))), undefined)
  assert.equal(revertReason(fromHex('0x08c379a0' + word(32) + 'f'.repeat(64))), undefined)
  assert.equal(revertReason(fromHex('0x')), undefined)
  assert.equal(revertReason(fromHex('0xdeadbeef' + word(32) + word(0))), undefined)
})
