// SPDX-License-Identifier: Apache-2.0
// Clique (EIP-225), header by header with its votes, as geth and Besu do it. Seals are inside the block hash and nodes do
// not demand low s there, so neither do we: refusing could stall a device on a hostile signer's block, never deceive it.
//
// Nothing is final here. A block counts as settled when more than half of the signers, all distinct, have sealed it or
// its descendants; a network that is split, as a device behind one gateway is, can still see it rewritten (arXiv
// 1902.10244). A caller that follows forks keeps one state at the settled block and a second at the tip, verifies a
// heavier fork from the first, and compares difficulty_sum.
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

// Blocks that are remembered: as many as can hold off a signer, or be needed to settle one.
constexpr std::uint32_t clique_recent_max = majority(validator_count_max);

// Votes that are pending between two epoch blocks. The protocol has no limit, so a hostile signer can stall a device
// until the next epoch block by voting on ever new addresses; it cannot deceive it.
constexpr std::uint32_t clique_vote_count_max = 2 * validator_count_max;

struct CliqueConfig {
  HeaderShape shape = HeaderShape::frontier;  // frontier or london; later fields do not exist under Clique
  std::uint64_t epoch_length = 30'000;        // blocks between two checkpoints
  std::uint32_t period_s_min = 15;
  std::uint64_t trusting_period_s = 30 * 24 * 3600;  // only for a suffix (chain/clique_suffix.hpp)
};

struct CliqueBlock {
  std::uint64_t number = 0;
  Hash32 hash{};
  ChainSeconds timestamp{};
  Hash32 state_root{};
  Address signer{};

  bool operator==(const CliqueBlock&) const = default;
};

struct CliqueVote {
  Address signer{};
  Address target{};
  bool is_add = false;

  bool operator==(const CliqueVote&) const = default;
};

// What is trusted: the last verified block, who may sign, who just did, and what was voted.
struct CliqueState {
  std::uint64_t number = 0;
  Hash32 hash{};
  ChainSeconds timestamp{};
  bool is_linked = false;  // false for a checkpoint without hash and time, as in TrustedHead
  ValidatorSet signers;    // ascending
  std::uint64_t difficulty_sum = 0;  // since the checkpoint: of two forks from it, the heavier is the chain
  std::array<CliqueBlock, clique_recent_max> recent{};  // oldest first; they survive epoch blocks
  std::uint32_t recent_count = 0;
  std::array<CliqueVote, clique_vote_count_max> votes{};  // oldest first
  std::uint32_t vote_count = 0;

  bool operator==(const CliqueState&) const = default;
};

// The newest block that floor(n/2) + 1 distinct signers of the present set have sealed, itself or by its descendants.
//   not_final  there is none yet
Result<CliqueBlock> settled_block(const CliqueState& state);

// A header in the form of Clique; views into its bytes.
struct CliqueHeader {
  Header header;
  Bytes signers;  // 20 bytes each, on epoch blocks; else empty
  Bytes seal;     // 65 bytes
  bool is_epoch = false;
  bool is_add = false;  // direction of the vote, if its target makes it one
};

// All checks that need neither parent nor signature.
//   what decode_header returns
//   header_field_invalid      mixHash, ommers, nonce, gas used; a vote on an epoch block; a shape that Clique has not
//   wrong_difficulty          neither 1 nor 2
//   extra_data_invalid        not vanity, list (on epoch blocks alone) and seal
//   validators_empty, validators_too_many, validators_not_ascending
//   bad_signature             r, s or v out of range
Error decode_clique_header(Bytes encoded, const CliqueConfig& config, CliqueHeader& out);

// Keccak of the header without the seal in its extraData.
Hash32 clique_seal_hash(const CliqueHeader& header);

// Whether an epoch block's list holds exactly this set, in its order.
bool is_clique_list_of(Bytes list, const ValidatorSet& set);

// 2 for the signer whose turn it is, 1 for another.
std::uint8_t clique_difficulty(std::uint64_t number, std::uint32_t signer_index, std::uint32_t signer_count);

// Verifies the child of the state's block; see chain/engine.hpp for the order of calls.
class CliqueVerifier {
 public:
  using Config = CliqueConfig;
  using State = CliqueState;

  //   what decode_clique_header returns
  //   validators_empty       nobody is left who may sign
  //   number_not_newer, number_not_contiguous, parent_hash_mismatch
  //   timestamp_too_early, timestamp_in_future
  //   validators_mismatch    an epoch block lists another set than the votes have led to
  Error begin(Bytes encoded, const CliqueState& trusted, const CliqueConfig& config, TimeBounds time);

  // The one recovery and what follows from it.
  //   bad_signature, unknown_signer, signed_recently, wrong_difficulty
  //   votes_too_many, validators_too_many   above the named limits: not followed any further
  //   not_ready
  Result<Progress> step();

  // Only after `accepted`: takes over the block, and the vote that it carries.
  void commit(CliqueState& state) const;

  const CliqueHeader& header() const { return header_; }
  const Hash32& block_hash() const { return block_hash_; }
  const Address& signer() const { return signer_; }

 private:
  enum class Phase : std::uint8_t { idle, sealing, accepted };

  Error check_against_parent(TimeBounds time) const;
  Error check_vote() const;

  CliqueHeader header_;
  const CliqueState* trusted_ = nullptr;
  Hash32 seal_hash_{};
  Hash32 block_hash_{};
  Address signer_{};
  Phase phase_ = Phase::idle;
};

static_assert(Engine<CliqueVerifier>);

}  // namespace wattproof::chain
