// SPDX-License-Identifier: Apache-2.0
// Clique for a device that slept: not every header since the trusted block, but a run of linked headers at the end,
// sealed by more than half of the trusted signers, each by another. At least one honest signer, if fewer than half of the
// trusted ones are dishonest, has then built on the first header of the run; that header is what is settled.
//
// This is weaker than to replay: votes are not counted, so it holds only while the set is the trusted one. A signer from
// outside (unknown_signer) or an epoch block with another list (validators_mismatch) says that it is not, and the caller
// replays with CliqueVerifier or provisions anew. As ever with Clique the result is probable, not final.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "chain/clique.hpp"
#include "chain/engine.hpp"
#include "chain/head.hpp"

namespace wattproof::chain {

class CliqueSuffix {
 public:
  // Begins a run above `trusted`, which stays alive and unchanged until commit.
  void start(const CliqueState& trusted, const CliqueConfig& config);
  // The same above the head of a device that counts no votes: its validators are the signers.
  void start(const TrustedHead& trusted, const CliqueConfig& config);

  // The next header of the run, oldest first; all that needs no curve work. A refusal ends the run.
  //   what decode_clique_header returns
  //   validators_empty
  //   number_not_newer, timestamp_too_early, timestamp_in_future, trusting_period_over, parent_hash_mismatch
  //   number_not_contiguous   a gap within the run
  //   validators_mismatch     an epoch block with another list than the trusted set
  //   not_ready               before start, or after an error
  Error begin(Bytes encoded, TimeBounds time);

  // The one recovery of the header begun. `more`: feed the next header; `accepted`: the run settles its first block.
  //   bad_signature, unknown_signer, wrong_difficulty
  //   signed_recently   this signer has sealed another header of the run
  //   not_ready
  Result<Progress> step();

  // The first block of the run.
  //   not_final  not yet sealed by more than half
  Result<CliqueBlock> settled() const;

  // Only when settled: the state goes on from the first block of the run. What was voted in between is not known.
  void commit(CliqueState& state) const;
  void commit(TrustedHead& head) const;

 private:
  enum class Phase : std::uint8_t { idle, between, sealing };

  Error check_link(const CliqueHeader& header, TimeBounds time) const;

  struct Trusted {
    const ValidatorSet* signers = nullptr;
    std::uint64_t number = 0;
    Hash32 hash{};
    ChainSeconds timestamp{};
    bool is_linked = false;
  };
  Trusted trusted_;
  CliqueConfig config_;
  CliqueBlock first_;
  CliqueBlock last_;
  std::uint64_t signers_ = 0;
  std::uint32_t signer_count_ = 0;
  std::uint8_t difficulty_ = 0;
  Hash32 seal_hash_{};
  std::array<std::uint8_t, 65> seal_{};
  Phase phase_ = Phase::idle;
};

}  // namespace wattproof::chain
