// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addressOfKey,
  fromHex,
  integerBytes,
  keccak,
  namedKey,
  quantity,
  sign,
  toHex,
  toInteger,
  utf8,
} from '../src/bytes.js'
import { recover } from '../src/raw_header.js'

test('hexadecimal_text_is_read_strictly', () => {
  assert.deepEqual(fromHex('0x00Ff'), Uint8Array.of(0, 255))
  assert.deepEqual(fromHex('0x'), new Uint8Array(0))
  for (const bad of ['', '00', '0x0', '0xzz', '0x00 ', 5, null, undefined, {}]) {
    assert.throws(() => fromHex(bad), TypeError)
  }
  assert.throws(() => fromHex('0x0011', 3), /2 bytes where 3 belong/)
  assert.throws(() => fromHex(new Uint8Array(2), 3), TypeError)
})

test('integers_are_minimal', () => {
  assert.deepEqual(integerBytes(0), new Uint8Array(0))
  assert.deepEqual(integerBytes(255n), Uint8Array.of(255))
  assert.deepEqual(integerBytes(256), Uint8Array.of(1, 0))
  for (const value of [0n, 1n, 2n ** 64n, 2n ** 256n - 1n]) assert.equal(toInteger(integerBytes(value)), value)
  assert.deepEqual([quantity(0), quantity(255n)], ['0x0', '0xff'])
})

test('keccak_gives_the_known_answers', () => {
  assert.equal(toHex(keccak(utf8(''))), '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470')
  assert.equal(toHex(keccak(utf8('abc'))), '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45')
})

test('the_named_keys_are_those_that_everybody_knows', () => {
  const addresses = [0, 1, 2, 3].map((i) => toHex(addressOfKey(namedKey(`signer${i}`)))).sort()
  assert.deepEqual(addresses, [
    '0x11a5669986b1fcbfce54be4c543975b33d89856d',
    '0x1f9759ec4395317027cd99242bd506b4a0ebb457',
    '0x7c8913d493892928d19f932fb1893404b6f1ce73',
    '0xa40fa48886d3d845ac4bba792e694a936a3afc00',
  ])
})

test('a_signature_recovers_its_signer_and_has_low_s', () => {
  for (let i = 0; i < 50; i++) {
    const key = namedKey(`key ${i}`)
    const hash = keccak(Uint8Array.of(i))
    const seal = sign(hash, key)
    assert.ok(seal[64] <= 1)
    assert.equal('0x' + recover(hash, seal), toHex(addressOfKey(key)))
  }
})
