// SPDX-License-Identifier: Apache-2.0
// QBFT and IBFT2 (Hyperledger Besu; GoQuorum with ceil2Nby3Block = 0). One header whose seals come from a quorum of
// distinct trusted validators is final, so a device that slept goes from any trusted head to any newer header.
//
// The rule for a header with list L, from a trusted head with set T (docs/LIGHT_CLIENT.md has the argument):
//   1. more than a third of T is among the signers, so at least one honest member of T is;
//   2. at least two thirds of L are among the signers, all seals are by members of L, nobody sealed twice;
//   3. newer number, timestamp later by the minimum period for each block between, trusted head within its trusting
//      period, parent hash if it is the child;
//   4. then L is the trusted set.
// With validators from a contract the header's list is empty: L is T, and it changes by configuration alone.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "chain/engine.hpp"
#include "chain/head.hpp"
#include "chain/header.hpp"

namespace wattproof::chain {

enum class BftKind : std::uint8_t { qbft, ibft2 };

enum class ValidatorSource : std::uint8_t {
  header,         // extraData lists them
  configuration,  // Besu's "contract" mode, QBFT only: extraData's list and vote are empty
};

struct BftConfig {
  BftKind kind = BftKind::qbft;
  HeaderShape shape = HeaderShape::london;
  ValidatorSource source = ValidatorSource::header;
  std::uint32_t period_s_min = 1;                     // least seconds between a block and its child
  std::uint64_t trusting_period_s = 30 * 24 * 3600;   // how long removed validators are trusted not to rewrite history
};

// Verifies one header at a time; see chain/engine.hpp for the order of calls.
class BftVerifier {
 public:
  using Config = BftConfig;
  using State = TrustedHead;

  // Everything that needs no curve work, cheapest first.
  //   conflicting_final_headers the head is latched: nothing moves it any more
  //   what decode_header returns
  //   number_not_newer          below the head, or the head itself again
  //   header_field_invalid      mixHash, difficulty, gas used; with IBFT2 also ommers and nonce
  //   timestamp_too_early, timestamp_in_future, trusting_period_over
  //   parent_hash_mismatch      a child that does not name the head as its parent
  //   extra_data_invalid        not the five elements of the engine in their one encoding
  //   validators_empty, validators_too_many, validators_not_ascending, coinbase_not_validator
  //   seal_length, seals_too_many, seal_below_quorum, overlap_too_small
  //   bad_signature, signature_high_s   by the form of a seal alone
  // A header at the head's own height with another hash is verified on: its seals decide between rubbish and a conflict.
  Error begin(Bytes encoded, const TrustedHead& trusted, const BftConfig& config, TimeBounds time);

  // Recovers one seal.
  //   bad_signature, unknown_signer, duplicate_signer, overlap_too_small
  //   conflicting_final_headers  the header is final, and so was the trusted one at its height: latch it
  //   not_ready                  no header begun, or it was refused
  Result<Progress> step();

  // Only after `accepted`. Everything that the state takes over is copied; the header's bytes may go afterwards.
  void commit(TrustedHead& head) const;

  // Of the header last begun; block_hash only from the first step on.
  const Header& header() const { return header_; }
  const Hash32& block_hash() const { return block_hash_; }
  std::uint32_t seal_count() const { return seal_count_; }
  std::uint32_t validator_count() const { return validator_count_; }
  Bytes validator(std::uint32_t index) const;
  // Bit i: validator(i) has sealed. Complete after `accepted`.
  std::uint64_t signers() const { return signers_; }

 private:
  enum class Phase : std::uint8_t { idle, sealing, accepted };

  Error check_fields() const;
  Error check_against_head(TimeBounds time) const;
  Error read_extra_data();
  Error read_validators(Bytes list);
  Error read_seals(Bytes list);
  Error check_overlap() const;
  Error check_seal_forms() const;
  void hash_header();
  Error take_signer(const Address& signer);
  bool is_same_height() const;
  Bytes seal(std::uint32_t index) const;

  Header header_;
  const TrustedHead* trusted_ = nullptr;
  BftConfig config_;
  Bytes extra_before_round_;   // vanity, validators and vote, encoded
  Bytes extra_round_;          // encoded
  Bytes validators_;           // payload of the list: 21 bytes each, or empty with ValidatorSource::configuration
  Bytes seals_;                // payload of the list: 67 bytes each
  std::uint32_t validator_count_ = 0;
  std::uint32_t seal_count_ = 0;
  std::uint32_t next_seal_ = 0;
  std::uint64_t signers_ = 0;            // by place in the header's list
  std::uint32_t trusted_signer_count_ = 0;
  Hash32 seal_hash_{};
  Hash32 block_hash_{};
  Phase phase_ = Phase::idle;
};

static_assert(Engine<BftVerifier>);

}  // namespace wattproof::chain
