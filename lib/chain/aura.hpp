// SPDX-License-Identifier: Apache-2.0
// AuRa (OpenEthereum's authority round; Energy Web Chain, Gnosis before its merge), header by header: step, score, author,
// finality by distinct signers, and sets that a validator contract changes.
//
// The oldest open block is final when the distinct signers of it and of its descendants are more than two thirds of the
// set (more than half before two_thirds_from). Signers are a block's author and those whose empty steps in the *next*
// header approve it. Counting blocks instead would let one key make finality by itself.
//
// A header whose bloom filter admits the contract's InitiateChange may change the set: nothing more is accepted until its
// receipts have been looked at (chain/aura_signal.hpp). Chains with immediateTransitions give no proof of a change and
// are not supported; nor are blocks from before validateStepTransition and validateScoreTransition.
// Like Clique's, seals are inside the block hash, so a high s is accepted as nodes do.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "chain/engine.hpp"
#include "chain/header.hpp"
#include "chain/validators.hpp"

namespace wattproof::chain {

// Open blocks that are remembered, three times what finality takes with everybody awake. Beyond it the two oldest are
// merged: the older becomes final when it would have, the other only with its descendants.
constexpr std::uint32_t aura_window_max = 2 * validator_count_max;

constexpr std::uint32_t aura_pending_max = 3;       // announced sets that are not in force yet
constexpr std::uint32_t aura_empty_steps_max = 32;  // of one header

struct AuraConfig {
  HeaderShape shape = HeaderShape::aura;
  std::uint32_t step_s = 5;              // duration of a step; 0: not held against the timestamp
  std::uint64_t two_thirds_from = 0;     // block from which two thirds are asked for, else one half
  Address validator_contract{};          // zero: the set never changes
};

struct AuraBlock {
  std::uint64_t number = 0;
  Hash32 hash{};
  ChainSeconds timestamp{};
  Hash32 state_root{};
  std::uint64_t signers = 0;  // by place in the set

  bool operator==(const AuraBlock&) const = default;
};

struct AuraPending {
  std::uint64_t signal_number = 0;  // the block that announced the set
  ValidatorSet validators;

  bool operator==(const AuraPending&) const = default;
};

struct AuraState {
  std::uint64_t number = 0;
  Hash32 hash{};
  ChainSeconds timestamp{};
  bool is_linked = false;   // false for a checkpoint without hash, time and step
  std::uint64_t step = 0;
  ValidatorSet validators;  // in the order of the contract, never sorted

  AuraBlock final_block;    // newest final one; number 0 and no hash if there is none yet
  bool has_final = false;
  std::array<AuraBlock, aura_window_max> window{};  // open blocks, oldest first
  std::uint32_t window_count = 0;

  std::array<AuraPending, aura_pending_max> pending{};  // oldest first
  std::uint32_t pending_count = 0;

  // The last block may have announced a set: its receipts are due.
  bool is_signal_due = false;
  Hash32 signal_receipts_root{};
  Hash32 signal_parent_hash{};

  bool operator==(const AuraState&) const = default;
};

// Verifies the child of the state's block; see chain/engine.hpp for the order of calls.
class AuraVerifier {
 public:
  using Config = AuraConfig;
  using State = AuraState;

  //   what decode_header returns
  //   validator_set_pending  the receipts of the block before are due
  //   validators_empty
  //   number_not_newer, number_not_contiguous, parent_hash_mismatch
  //   timestamp_too_early, timestamp_in_future
  //   header_field_invalid   a shape that is not AuRa's, gas used, empty steps not in form
  //   extra_data_invalid     more than 32 bytes
  //   wrong_step             not above its parent's, a step or more off the timestamp, or an empty step that is not
  //                          between the two or not above the one before
  //   wrong_author           the step belongs to another validator
  //   wrong_difficulty
  //   too_large              more empty steps than aura_empty_steps_max
  //   bad_signature          r, s or v out of range
  Error begin(Bytes encoded, const AuraState& trusted, const AuraConfig& config, TimeBounds time);

  // Recovers the author's signature, then that of one empty step a call.
  //   bad_signature
  //   unknown_signer  no validator at all
  //   wrong_author    a validator, but not the one whose step it is
  //   not_ready
  Result<Progress> step();

  // Only after `accepted`: takes over the block, then what has become final by it.
  void commit(AuraState& state) const;

  const Header& header() const { return header_; }
  const Hash32& block_hash() const { return block_hash_; }

 private:
  enum class Phase : std::uint8_t { idle, sealing, accepted };

  Error check_against_parent(TimeBounds time) const;
  Error check_step() const;
  Error read_empty_steps();
  Error check_difficulty() const;
  void hash_header();
  Error check_signer(const Hash32& digest, Bytes signature, std::uint64_t step) const;
  const Address& validator_of(std::uint64_t step) const;

  Header header_;
  const AuraState* trusted_ = nullptr;
  AuraConfig config_;
  Bytes empty_steps_;  // items not recovered yet
  std::uint32_t empty_step_count_ = 0;
  std::uint64_t empty_step_signers_ = 0;
  bool is_author_known_ = false;
  Hash32 seal_hash_{};
  Hash32 block_hash_{};
  Phase phase_ = Phase::idle;
};

static_assert(Engine<AuraVerifier>);

// Puts the oldest announced sets in force whose blocks are final. For chain/aura_signal.hpp; commit does it by itself.
void apply_pending_sets(AuraState& state);

}  // namespace wattproof::chain
