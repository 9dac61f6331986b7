// SPDX-License-Identifier: Apache-2.0
// Clique (EIP-225): one signer a block, taking turns. Finality is only probable, and this maker never forks, so the
// chain is kinder than a real Clique network.

import { concat, equal, keccak, sign } from './bytes.js'
import { ZERO_ADDRESS, ZERO_HASH, ZERO_NONCE, encodeHeader } from './headers.js'

const VANITY = new Uint8Array(32)
const SEAL_SIZE = 65
const NO_SEAL = new Uint8Array(SEAL_SIZE)
const NONCE_ADD = new Uint8Array(8).fill(0xff)
const IN_TURN = 2n
const OUT_OF_TURN = 1n

const unsealed = (header) => header.extraData.subarray(0, header.extraData.length - SEAL_SIZE)

/** Who may sign next, the one in turn first: nobody signs twice within floor(n/2) + 1 blocks. */
function eligible({ number, validators, authorOf }) {
  const turn = Number(number) % validators.length
  const recents = []
  for (let back = 1; back <= Math.floor(validators.length / 2); back++) recents.push(authorOf(Number(number) - back))
  const inOrder = [...validators.slice(turn), ...validators.slice(0, turn)]
  return inOrder.filter((v) => !recents.some((recent) => recent && equal(recent, v)))
}

function chooseAuthor(plan) {
  const { number, validators, authorOf, fault } = plan
  const previous = authorOf(Number(number) - 1)
  if (fault.recent_signer && validators.length > 1 && previous && validators.some((v) => equal(v, previous))) {
    return { author: previous, refusedAs: ['signed_recently'] }
  }
  const candidates = eligible(plan)
  return { author: (fault.out_of_turn && candidates[1]) || candidates[0], refusedAs: [] }
}

/** @returns {import('./seals.js').Engine} */
export function cliqueEngine() {
  return {
    hash: (header) => keccak(encodeHeader(header)),

    genesis: (validators) => ({
      coinbase: ZERO_ADDRESS,
      difficulty: 1n,
      mixHash: ZERO_HASH,
      nonce: ZERO_NONCE,
      extraData: concat(VANITY, ...validators, NO_SEAL),
    }),

    draft(plan) {
      const { number, validators, isEpoch, voteFor, fault } = plan
      const { author, refusedAs } = fault.outsider_seal
        ? { author: plan.outsider, refusedAs: ['unknown_signer'] }
        : chooseAuthor(plan)
      if (fault.wrong_difficulty) refusedAs.push('wrong_difficulty')
      const inTurn = equal(validators[Number(number) % validators.length], author)
      const difficulty = inTurn !== Boolean(fault.wrong_difficulty) ? IN_TURN : OUT_OF_TURN
      const vote = refusedAs.length === 0 ? voteFor(author) : undefined
      const fields = {
        coinbase: vote?.target ?? ZERO_ADDRESS,
        difficulty,
        mixHash: ZERO_HASH,
        nonce: vote?.add ? NONCE_ADD : ZERO_NONCE,
        extraData: concat(VANITY, ...(isEpoch ? validators : []), NO_SEAL),
      }
      return { author, vote, fields, refusedAs }
    },

    seal(header, { author, keyOf }) {
      const hash = keccak(encodeHeader({ ...header, extraData: unsealed(header) }))
      const seal = sign(hash, keyOf(author))
      return { ...header, extraData: concat(unsealed(header), seal) }
    },

    twin(header) {
      const extraData = Uint8Array.from(header.extraData)
      extraData.fill(0x77, 0, VANITY.length)
      return { ...header, extraData }
    },
  }
}
