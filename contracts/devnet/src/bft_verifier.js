// SPDX-License-Identifier: Apache-2.0
// QBFT and IBFT2 headers as a distrustful client sees them: one header with a quorum of seals is final.

import { RLP } from '@ethereumjs/rlp'
import { HeaderError, decodeStrict, hashOf, hashWithExtra, hexOf, recover } from './raw_header.js'

const MIX_HASH = Buffer.from('ctical byzantine fault tolerance', 'ascii').toString('hex')
const isString = (item, size) => item instanceof Uint8Array && item.length === size

/** Splits extraData into its five parts, each of exact size. */
function parseExtra(extraData, isQbft) {
  const parts = decodeStrict(extraData)
  if (!Array.isArray(parts) || parts.length !== 5) throw new HeaderError('extra_data_invalid', 'not a list of five')
  const [vanity, validators, vote, round, seals] = parts
  if (!isString(vanity, 32)) throw new HeaderError('extra_data_invalid', 'vanity')
  if (!Array.isArray(validators) || !validators.every((v) => isString(v, 20))) {
    throw new HeaderError('extra_data_invalid', 'validators')
  }
  if (!Array.isArray(seals) || !seals.every((s) => isString(s, 65)))
    throw new HeaderError('extra_data_invalid', 'seals')
  if (!(round instanceof Uint8Array)) throw new HeaderError('extra_data_invalid', 'round')
  if (isQbft ? round.length > 4 || round[0] === 0 : round.length !== 4)
    throw new HeaderError('extra_data_invalid', 'round')
  return { vanity, validators, vote, round, seals, ballot: parseVote(vote, isQbft) }
}

function parseVote(vote, isQbft) {
  if (isQbft ? Array.isArray(vote) && vote.length === 0 : isString(vote, 0)) return undefined
  if (!Array.isArray(vote) || vote.length !== 2 || !isString(vote[0], 20) || !(vote[1] instanceof Uint8Array)) {
    throw new HeaderError('extra_data_invalid', 'vote')
  }
  const mark = hexOf(vote[1])
  if (mark !== 'ff' && mark !== (isQbft ? '' : '00')) throw new HeaderError('extra_data_invalid', 'vote mark')
  return { target: hexOf(vote[0]), add: mark === 'ff' }
}

function hashes(header, extra, isQbft) {
  const { vanity, validators, vote, round } = extra
  const none = new Uint8Array(0)
  const signed = isQbft ? [vanity, validators, vote, round, []] : [vanity, validators, vote, round]
  const named = isQbft ? [vanity, validators, vote, none, []] : [vanity, validators, vote]
  const block = header.number === 0n ? hashOf(header) : hashWithExtra(header, RLP.encode(named))
  return { signed: hashWithExtra(header, RLP.encode(signed)), block: hexOf(block) }
}

/** @param {'qbft'|'ibft2'} name */
export function bftRules(name) {
  const isQbft = name === 'qbft'
  return {
    /** @param {string[]} validators */
    begin: (validators) => ({ validators: [...validators].sort(), votes: [] }),

    hash: (header) => hashes(header, parseExtra(header.extraData, isQbft), isQbft).block,

    /** Throws HeaderError, or gives the signers. The cheap checks come before any curve arithmetic. */
    check(header, { validators }) {
      const extra = parseExtra(header.extraData, isQbft)
      if (hexOf(header.mixHash) !== MIX_HASH) throw new HeaderError('mix_hash')
      if (header.difficulty !== 1n) throw new HeaderError('difficulty')
      if (!isQbft && hexOf(header.nonce) !== '0'.repeat(16)) throw new HeaderError('nonce')
      const listed = extra.validators.map(hexOf)
      if (listed.length === 0 || listed.some((v, i) => i > 0 && listed[i - 1] >= v)) {
        throw new HeaderError('validators_not_ascending')
      }
      if (listed.join() !== validators.join()) throw new HeaderError('validators_mismatch')
      if (!validators.includes(hexOf(header.coinbase))) throw new HeaderError('coinbase_not_validator')
      const { signed } = hashes(header, extra, isQbft)
      const signers = []
      for (const seal of extra.seals) {
        const signer = recover(signed, seal)
        if (signers.includes(signer)) throw new HeaderError('duplicate_signer')
        if (!validators.includes(signer)) throw new HeaderError('unknown_signer')
        signers.push(signer)
      }
      if (3 * signers.length < 2 * validators.length) throw new HeaderError('seal_below_quorum')
      return signers
    },

    /** The state after a refused header, whose vote does not count. */
    stepOver: (header, state, epochLength) =>
      header.number % BigInt(epochLength) === 0n ? { ...state, votes: [] } : state,

    /** The set after this header: a majority of votes cast since the last epoch block changes it. */
    advance(header, { validators, votes }, epochLength) {
      if (header.number % BigInt(epochLength) === 0n) return { validators, votes: [] }
      const { ballot } = parseExtra(header.extraData, isQbft)
      if (!ballot) return { validators, votes }
      const voter = hexOf(header.coinbase)
      const all = [...votes.filter((v) => v.voter !== voter || v.target !== ballot.target), { ...ballot, voter }]
      const inFavour = all.filter((v) => v.target === ballot.target && v.add === ballot.add).length
      if (2 * inFavour <= validators.length) return { validators, votes: all }
      const others = validators.filter((v) => v !== ballot.target)
      const rest = all.filter((v) => v.target !== ballot.target && (ballot.add || v.voter !== ballot.target))
      return { validators: ballot.add ? [...others, ballot.target].sort() : others, votes: rest }
    },
  }
}
