// SPDX-License-Identifier: Apache-2.0
// The Scheduler contract on a host: docs/SPEC.md sections 4 and 5 in exact integers, with nothing taken from the contracts
// and every state word as they keep it. Tests hold it against rounds that the contract itself ran; measurements use it to
// negotiate whole epochs without a chain. What needs a chain is given: who signed an update, and what time it is.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "schedule/epoch.hpp"

namespace wattproof::reference {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

// An unsigned integer of 256 bits, wide enough for every product of the stop and penalty rules. An overflow aborts.
class UInt256 {
 public:
  UInt256(UInt128 value = 0);
  UInt256 operator+(const UInt256& other) const;
  UInt256 operator*(const UInt256& other) const;
  auto operator<=>(const UInt256&) const = default;

 private:
  static constexpr std::size_t digits = 8;
  std::array<std::uint32_t, digits> digit_{};  // most significant first, so that the default comparison is the numeric one
};

using Profile = std::vector<std::int32_t>;

// What `open` takes beside the parameters.
struct Rules {
  std::uint64_t epoch = 1;
  std::uint64_t start_s = 0;
  std::uint32_t slots = 24;
  std::uint32_t slot_seconds = 3600;
  std::uint64_t rho0 = 1;
  std::uint32_t tolerance_w = 1;
  std::uint64_t round_seconds = 60;
  std::uint64_t grace_seconds = 20;
  std::uint64_t enter_seconds = 600;
  std::uint32_t rounds_max = 60;
};

struct Parameters {
  std::uint64_t gamma = 0;  // 2^-16 micro-units per kWh and W
  Profile price, base_w, cap_w;
  std::vector<std::uint8_t> encode() const;
};

struct Bounds {
  Profile min_w, max_w;  // one entry, or one a slot
  std::vector<std::uint8_t> encode() const;
};

struct RecordData {
  std::uint32_t id = 0;
  std::uint32_t round = 0;
  bool is_frozen = false;
  Address signer{};
  std::uint64_t change2 = 0;
  std::uint64_t change2_before = 0;
  Profile profile;
  bool operator==(const RecordData&) const = default;
};

// How an update fares; the numbers are those of UpdateSkipped.
enum class Outcome { counted = 0, wrong_record = 1, repeated = 2, outside_limits = 3, bad_signature = 4 };

class Coordinator {
 public:
  struct Vectors {
    std::vector<std::int64_t> z, u, mean, z_before, movers, moves;
  };

  Coordinator(const Rules& rules, const Parameters& parameters, std::uint64_t now_s);

  // `fallback`: one entry, or one a slot.
  void enter(std::uint32_t id, const Address& signer, const Bounds& bounds, const Profile& fallback);

  // `warm`: the epoch that the operator named, if it is in the ring; it is used only if it may be.
  void start(std::uint64_t now_s, const Coordinator* warm = nullptr);

  // `shown` is the witness, with the signer that the signature gives; without one the true record is shown.
  Outcome submit(std::uint32_t id, const Profile& profile, const std::optional<RecordData>& shown = {});

  bool may_close(std::uint64_t now_s) const;
  void close(std::uint64_t now_s);
  bool may_freeze(std::uint32_t id) const;
  void freeze(std::uint32_t id);
  void cancel(std::uint64_t now_s);

  const schedule::EpochHead& head() const { return head_; }
  const Vectors& vectors() const { return vectors_; }
  const RecordData& record(std::uint32_t id) const { return entries_.at(id).record; }
  const std::vector<std::int64_t>& sums_w() const { return sums_; }
  UInt128 movement_w2() const { return movement_; }
  UInt128 power2_w2() const { return power2_; }
  std::uint32_t answered() const { return answered_; }
  std::uint32_t frozen() const { return frozen_; }

  std::vector<std::uint8_t> head_bytes() const;
  std::vector<std::uint8_t> vector_bytes() const;
  std::vector<std::uint8_t> record_bytes(std::uint32_t id) const;
  std::int64_t worst_excess_w() const;  // the greatest S + base - cap

 private:
  struct Entry {
    RecordData record;
    Bounds bounds;
  };
  struct Plan {
    Int128 z = 0;
    bool is_at_cap = false;  // clipped there
    Int128 cap_cost = 0;     // then: the devices' price less the community's, 2^-20 micro-units per kWh
  };
  struct Measure {
    UInt256 gap2, short2, scale2;  // short2: of slots at the cap whose sum is below the plan
    UInt256 slackness;             // what these leave unused, 2^-24 micro-units per kWh times W
    UInt256 along, against, before2;  // gaps at the cap, times those of the round before
    UInt128 bill = 0;              // micro-units per kWh times W
    UInt128 dual2 = 0, u2 = 0;
    bool is_too_large = false;  // u out of its range; then the others mean nothing
  };

  // Both residuals, so that they can be compared without a division.
  struct Sides {
    UInt256 primal, dual;
  };

  void recount(std::size_t slot);
  Measure step();
  Plan plan_of(std::size_t slot, Int128 h) const;
  void judge(std::size_t slot, const Plan& plan, Int128 gap_before, Measure& measure) const;
  Sides sides(const Measure& measure) const;
  bool is_stalled(const Measure& measure) const;
  bool is_small(const Measure& measure) const;
  std::int32_t penalty_step(const Measure& measure) const;
  UInt128 absolute_tolerance2() const;
  RecordData advanced(const RecordData& record, const Profile& profile) const;
  bool keeps(const Bounds& bounds, const Profile& profile) const;
  void move_penalty(std::int32_t step);
  void open_round(std::uint64_t now_s);
  void fail(std::uint64_t now_s, schedule::FailReason reason);
  void set_vectors_hash();

  Rules rules_;
  Parameters parameters_;
  schedule::EpochHead head_;
  std::map<std::uint32_t, Entry> entries_;
  Vectors vectors_;
  std::vector<std::int64_t> sums_, moves_, second_steps_;
  UInt128 movement_ = 0, movement_before_ = 0, movement_before_that_ = 0, power2_ = 0;
  std::uint32_t answered_ = 0, frozen_ = 0, settled_before_ = 0;
};

}  // namespace wattproof::reference
