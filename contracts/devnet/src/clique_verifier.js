// SPDX-License-Identifier: Apache-2.0
// Clique headers (EIP-225) as a distrustful client sees them. One seal is never final: this follows a chain, it does
// not choose between two.

import { HeaderError, hashOf, hashWithExtra, hexOf, recover } from './raw_header.js'

const VANITY_SIZE = 32
const SEAL_SIZE = 65
const NONCE_ADD = 'f'.repeat(16)
const NONCE_DROP = '0'.repeat(16)

const isEpoch = (header, epochLength) => header.number % BigInt(epochLength) === 0n
const limitOf = (count) => BigInt(Math.floor(count / 2) + 1)

function listOf(header) {
  const list = header.extraData.subarray(VANITY_SIZE, header.extraData.length - SEAL_SIZE)
  return hexOf(list).match(/.{40}/g) ?? []
}

function checkShape(header, epochLength) {
  const listSize = header.extraData.length - VANITY_SIZE - SEAL_SIZE
  const epoch = isEpoch(header, epochLength)
  if (listSize < 0) throw new HeaderError('extra_data_invalid', 'too short')
  if (epoch ? listSize === 0 || listSize % 20 !== 0 : listSize !== 0)
    throw new HeaderError('extra_data_invalid', 'signer list')
  if (hexOf(header.mixHash) !== '0'.repeat(64)) throw new HeaderError('mix_hash')
  const nonce = hexOf(header.nonce)
  if (nonce !== NONCE_DROP && (nonce !== NONCE_ADD || epoch)) throw new HeaderError('nonce')
  if (epoch && hexOf(header.coinbase) !== '0'.repeat(40)) throw new HeaderError('coinbase')
  if (header.difficulty !== 1n && header.difficulty !== 2n) throw new HeaderError('difficulty')
}

function signerOf(header) {
  const sealAt = header.extraData.length - SEAL_SIZE
  return recover(hashWithExtra(header, header.extraData.subarray(0, sealAt)), header.extraData.subarray(sealAt))
}

/** Recent signers that still may not sign `number`. */
const recentsAt = (recents, number, count) => recents.filter((r) => r.number > number - limitOf(count))

export const cliqueRules = {
  /** @param {string[]} validators */
  begin: (validators) => ({ validators: [...validators].sort(), votes: [], recents: [] }),

  hash: (header) => hexOf(hashOf(header)),

  /** The state after a refused header: its vote does not count, but its signer has just signed. */
  stepOver(header, state, epochLength) {
    const recents = [
      ...recentsAt(state.recents, header.number, state.validators.length),
      { number: header.number, signer: signerOf(header) },
    ]
    return { ...state, recents, votes: isEpoch(header, epochLength) ? [] : state.votes }
  },

  check(header, { validators, recents }, epochLength) {
    checkShape(header, epochLength)
    if (isEpoch(header, epochLength) && listOf(header).join() !== validators.join()) {
      throw new HeaderError('validators_mismatch')
    }
    const signer = signerOf(header)
    const index = validators.indexOf(signer)
    if (index < 0) throw new HeaderError('unknown_signer')
    if (recentsAt(recents, header.number, validators.length).some((r) => r.signer === signer)) {
      throw new HeaderError('signed_recently')
    }
    const inTurn = Number(header.number % BigInt(validators.length)) === index
    if (header.difficulty !== (inTurn ? 2n : 1n)) throw new HeaderError('wrong_difficulty')
    return [signer]
  },

  advance(header, state, epochLength, [signer]) {
    const { validators } = state
    const recents = [...recentsAt(state.recents, header.number, validators.length), { number: header.number, signer }]
    if (isEpoch(header, epochLength)) return { validators, votes: [], recents }
    const target = hexOf(header.coinbase)
    // The only change that votes on this target can make; the header may even ask for the other one, and still its
    // touch lets earlier votes take effect.
    const add = !validators.includes(target)
    const votes = state.votes.filter((v) => v.voter !== signer || v.target !== target)
    // A vote that would change nothing is no vote; the zero coinbase of most blocks is one of these.
    if ((hexOf(header.nonce) === NONCE_ADD) === add) votes.push({ voter: signer, target, add })
    const inFavour = votes.filter((v) => v.target === target).length
    if (2 * inFavour <= validators.length) return { validators, votes, recents }
    const others = validators.filter((v) => v !== target)
    return {
      validators: add ? [...others, target].sort() : others,
      votes: votes.filter((v) => v.target !== target && (add || v.voter !== target)),
      // With fewer signers the window is shorter, so the oldest may sign again at once.
      recents: add ? recents : recents.filter((r) => r.number !== header.number - limitOf(others.length)),
    }
  },
}
