// SPDX-License-Identifier: Apache-2.0
// QBFT and IBFT2: how a header is drafted, sealed by a quorum, and named by its hash.
//
// Both engines put RLP([vanity, validators, vote, round, seals]) into extraData, and hash the header twice with parts
// of it left out: once for what the validators sign, once for the block hash. They differ only in the table `shapes`.

import { RLP } from '@ethereumjs/rlp'
import { EMPTY, equal, fromHex, integerBytes, keccak, sign } from './bytes.js'
import { ZERO_ADDRESS, ZERO_NONCE, encodeHeader } from './headers.js'

const MIX_HASH = fromHex('0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365')
const VANITY = new Uint8Array(32)

function fourBytes(round) {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, round)
  return out
}

const shapes = {
  qbft: {
    noVote: [],
    addMark: Uint8Array.of(0xff),
    dropMark: EMPTY,
    round: (round) => integerBytes(round),
    signed: (e) => [e.vanity, e.validators, e.vote, e.round, []],
    named: (e) => [e.vanity, e.validators, e.vote, EMPTY, []],
  },
  ibft2: {
    noVote: EMPTY,
    addMark: Uint8Array.of(0xff),
    dropMark: Uint8Array.of(0x00),
    round: fourBytes,
    signed: (e) => [e.vanity, e.validators, e.vote, e.round],
    named: (e) => [e.vanity, e.validators, e.vote],
  },
}

/** The error by which a header made under a fault must be refused. */
const refusals = { few_seals: 'seal_below_quorum', doubled_seal: 'duplicate_signer', outsider_seal: 'unknown_signer' }

/**
 * Seals that a final block needs.
 * @param {number} count validators
 */
export const quorumOf = (count) => Math.ceil((2 * count) / 3)

function decodeExtra(extraData) {
  const [vanity, validators, vote, round, seals] = RLP.decode(extraData)
  return { vanity, validators, vote, round, seals }
}

const withExtra = (header, parts) => ({ ...header, extraData: RLP.encode(parts) })

/**
 * @param {'qbft'|'ibft2'} name
 * @returns {import('./seals.js').Engine}
 */
export function bftEngine(name) {
  const shape = shapes[name]

  const hashOf = (header) =>
    header.number === 0n
      ? keccak(encodeHeader(header))
      : keccak(encodeHeader(withExtra(header, shape.named(decodeExtra(header.extraData)))))

  return {
    hash: hashOf,

    genesis: (validators) => ({
      coinbase: ZERO_ADDRESS,
      difficulty: 1n,
      mixHash: MIX_HASH,
      nonce: ZERO_NONCE,
      extraData: RLP.encode([VANITY, validators, shape.noVote, shape.round(0), []]),
    }),

    // The proposer moves on by one with each block, and by one more with each round that failed.
    draft({ number, validators, voteFor, fault }) {
      const round = fault.round
      const proposer = validators[(Number(number) - 1 + round) % validators.length]
      const refusedAs = Object.keys(refusals)
        .filter((name) => fault[name])
        .map((name) => refusals[name])
      const vote = refusedAs.length === 0 ? voteFor(proposer) : undefined
      const ballot = vote ? [vote.target, vote.add ? shape.addMark : shape.dropMark] : shape.noVote
      const extraData = RLP.encode([VANITY, validators, ballot, shape.round(round), []])
      const fields = { coinbase: proposer, difficulty: 1n, mixHash: MIX_HASH, nonce: ZERO_NONCE, extraData }
      return { author: proposer, vote, fields, refusedAs }
    },

    // As many seals as a quorum needs, the proposer's first. A fault replaces the last one.
    seal(header, { validators, outsider, keyOf, fault }) {
      const extra = decodeExtra(header.extraData)
      const hash = keccak(encodeHeader(withExtra(header, shape.signed(extra))))
      const start = validators.findIndex((v) => equal(v, header.coinbase))
      const inOrder = [...validators.slice(start), ...validators.slice(0, start)]
      const keys = inOrder.slice(0, quorumOf(validators.length)).map(keyOf)
      if (fault.few_seals || fault.doubled_seal || fault.outsider_seal) keys.pop()
      if (fault.doubled_seal) keys.push(...(keys.length > 0 ? [keys[0]] : [keyOf(inOrder[0]), keyOf(inOrder[0])]))
      if (fault.outsider_seal) keys.push(keyOf(outsider))
      const seals = keys.map((key) => sign(hash, key))
      return withExtra(header, [extra.vanity, extra.validators, extra.vote, extra.round, seals])
    },

    // Another block of the same height: a different vanity gives a different hash under the same state.
    twin(header) {
      const extra = decodeExtra(header.extraData)
      return withExtra(header, [new Uint8Array(32).fill(0x77), extra.validators, extra.vote, extra.round, []])
    },
  }
}
