// SPDX-License-Identifier: Apache-2.0
// The newest final header that a device has verified, how old it is, and how it survives a power cut.
//
// Time. Headers carry chain time, a device has boot time. Two anchors relate them:
//   late:   chain time c was not produced before boot time b   ->  now is at most  c + time passed since b
//   early:  chain time c had been produced by boot time b      ->  now is at least c + time passed since b
// The age of a head is at most (boot time passed - chain time passed) since the late anchor. Any verified header is an
// early anchor. A late anchor comes from a trusted clock; without one the device sends a message that only this boot can
// have produced and waits to see it under a final header, which then cannot be older than the message. Until then
// nothing is fresh, else yesterday's chain could be replayed to a plug that has just lost power.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "chain/engine.hpp"
#include "chain/validators.hpp"

namespace wattproof::chain {

struct TrustedHead {
  std::uint64_t number = 0;
  Hash32 hash{};
  ChainSeconds timestamp{};
  Hash32 state_root{};
  ValidatorSet validators;
  // False only for a provisioned checkpoint of which number and validators alone are known: then the first header is
  // not held against hash and timestamp.
  bool is_linked = false;
  // Two final headers were seen at one height. Set for good: only provisioning anew clears it.
  bool is_conflicting = false;

  bool operator==(const TrustedHead&) const = default;
};

struct FreshnessConfig {
  std::uint32_t age_s_max = 900;      // a head older than this proves nothing about now
  std::uint32_t skew_s_max = 15;      // how far the validators' clocks may be ahead of ours
  std::uint32_t drift_ppm_max = 200;  // how far the boot clock may run off, slow or fast
};

// Whether a head can be acted on now. Holds the anchors of this boot; it lives in RAM alone, since a reboot ends them.
class Freshness {
 public:
  Freshness() = default;
  explicit Freshness(const FreshnessConfig& config) : config_(config) {}

  // A trusted clock says that the chain time is `chain` at `now`. Call it again every day or so: an anchor ages by the
  // drift of the boot clock.
  void set_clock(ChainSeconds chain, BootMs now);

  // A message that nobody could have made before `now` is about to be sent for the first time. Not again when it is
  // resent: the copy sent first may be the one that is seen. A new message replaces the one before.
  void start_challenge(BootMs now);

  // The message was proved under a final header of time `chain`. Every own message proved is a new, better late anchor.
  //   not_ready  no challenge was started, or this one was proved already
  Error prove(ChainSeconds chain);

  // Call with the head restored at boot and with every head that is committed: early anchor, and a better late anchor
  // if the head is ahead of what the old one allows for.
  void observe(ChainSeconds head, BootMs now);

  bool is_proved() const { return has_late_; }

  // Upper bound of a head's age in seconds.
  //   head_not_proved_fresh  no late anchor in this boot yet
  Result<std::uint64_t> age_s(ChainSeconds head, BootMs now) const;

  // Error::none if the head may be acted on.
  //   conflicting_final_headers, head_not_proved_fresh, head_stale
  Error check(const TrustedHead& head, BootMs now) const;

  // What is known of the present chain time: at_least is what a schedule is followed by, at_most (skew included; without
  // a late anchor there is none) is what a header's timestamp is held against.
  TimeBounds bounds(BootMs now) const;

 private:
  struct Anchor {
    ChainSeconds chain{};
    BootMs boot{};
  };

  std::uint64_t drift_ms(std::uint64_t passed_ms) const;
  std::uint64_t latest_s(BootMs now) const;
  std::uint64_t earliest_s(BootMs now) const;

  FreshnessConfig config_;
  Anchor early_;
  Anchor late_;
  BootMs challenge_boot_{};
  bool has_early_ = false;
  bool has_late_ = false;
  bool is_challenged_ = false;
};

// A stored head must not be below what is known elsewhere: the board's monotonic counter, or the number that this boot
// has already reached. Restoring a backup of the store fails here.
//   head_rolled_back
Error check_not_rolled_back(const TrustedHead& head, std::uint64_t number_min);

// The record of a head, all integers big-endian:
//   0 version (1) | 1 flags (bit 0 linked, bit 1 conflicting) | 2 validator count u16 | 4 number u64 | 12 timestamp u64 |
//   20 hash | 52 state root | 84 validators, each 20 bytes, the rest zero
constexpr std::uint32_t head_record_size = 84 + 20 * validator_count_max;

void encode_head(const TrustedHead& head, std::span<std::uint8_t, head_record_size> out);

// Reads a record back; `out` is untouched unless Error::none.
//   wrong_length      not head_record_size bytes: written by a build for another number of validators
//   unknown_version
//   record_corrupt    unknown flags, more validators than there is room for, or bytes that should be zero and are not
Error decode_head(Bytes record, TrustedHead& out);

}  // namespace wattproof::chain
