// SPDX-License-Identifier: Apache-2.0
// What the Scheduler contract commits to, decoded: the head of an epoch, its vectors, and the record of one device; and
// where in the contracts' storage the commitments stand. Bytes: docs/SPEC.md sections 3 and 4. Every function here works
// on data that somebody claims; the caller compares the hash with a proven storage word before it believes anything.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

namespace wattproof::schedule {

constexpr std::uint32_t ring_size = 8;           // epochs that the contract keeps side by side
constexpr std::uint32_t head_size = 128;         // bytes of an epoch head
constexpr std::uint32_t record_fixed_size = 85;  // bytes of a record before its profile
constexpr std::uint32_t record_size_max = record_fixed_size + profile_size_max;
constexpr std::int64_t vector_bound = std::int64_t{1} << 45;  // |z|, |u|, |xb|, |zp| stay below (1/16 W)
constexpr std::int32_t penalty_exponent_max = 24;
constexpr std::uint64_t penalty_bound = std::uint64_t{1} << 40;  // rho0 < this, in 2^-16 micro-units per kWh and W

enum class EpochStatus : std::uint8_t { entering = 1, open = 2, final = 3, failed = 4 };
enum class FailReason : std::uint8_t { none = 0, rounds_used_up = 1, cap_cannot_be_met = 2, nobody_entered = 3, cancelled = 4 };

struct EpochHead {
  EpochStatus status = EpochStatus::entering;
  FailReason reason = FailReason::none;
  std::int32_t penalty_exponent = 0;  // k; the penalty is rho0 2^k
  std::uint32_t slots = 0;
  std::uint32_t slot_seconds = 0;
  std::uint32_t worst_slot = 0;       // of a failed epoch
  std::uint32_t excess_w = 0;         // of a failed epoch
  std::uint32_t round = 0;            // takes updates now; of a final or failed epoch the last one closed
  std::uint64_t epoch = 0;
  ChainSeconds start{};               // of slot 0
  ChainSeconds deadline{};            // of the round
  ChainSeconds changed{};
  std::uint32_t participants = 0;
  std::uint64_t rho0 = 0;             // 2^-16 micro-units per kWh and W
  Hash32 parameters_hash{};
  Hash32 vectors_hash{};
};

// The end of the last slot.
constexpr ChainSeconds end_of(const EpochHead& head) {
  return {head.start.s + std::uint64_t{head.slots} * head.slot_seconds};
}

//   wrong_length          not head_size bytes
//   unknown_version       another version than 1
//   out_of_range          a field outside what SPEC allows (slots above slot_count_max included)
Error decode_head(Bytes bytes, EpochHead& head);
void encode_head(const EpochHead& head, std::span<std::uint8_t, head_size> out);

// The penalty of the round, in 2^-16 micro-units per kWh and W: rho0 2^k, at least 1.
std::uint64_t penalty(const EpochHead& head);

// z[T], u[T], xb[T], zp[T] as they came, in 1/16 W: the plan, the scaled price, the sum and the plan before, each per mover of
// the slot. After them stand the two counts of movers that only the coordinator needs. A view: the bytes stay where they are.
class Vectors {
 public:
  Vectors() = default;
  //   wrong_length   not vectors_slot_size bytes a slot
  //   out_of_range   a value at or beyond vector_bound
  static Error decode(Bytes bytes, std::uint32_t slots, Vectors& out);

  std::int64_t z(std::uint32_t slot) const { return at(slot); }
  std::int64_t u(std::uint32_t slot) const { return at(slots_ + slot); }
  std::int64_t mean(std::uint32_t slot) const { return at(2 * slots_ + slot); }
  std::int64_t z_before(std::uint32_t slot) const { return at(3 * slots_ + slot); }
  // How many devices share what the slot is short of. A device does not need it; whoever watches a negotiation does.
  std::uint32_t movers(std::uint32_t slot) const { return load_be32(bytes_.data() + 32 * std::size_t{slots_} + 4 * slot); }

 private:
  std::int64_t at(std::uint32_t index) const {
    return static_cast<std::int64_t>(load_be64(bytes_.data() + 8 * std::size_t{index}));
  }
  Bytes bytes_;
  std::uint32_t slots_ = 0;
};

struct Record {
  std::uint64_t epoch = 0;
  std::uint32_t id = 0;
  std::uint32_t round = 0;  // of the last accepted update; 0 = the fallback profile of entering
  bool is_frozen = false;
  Address signer{};
  Hash32 limits_hash{};
  std::uint64_t change2 = 0;         // W^2
  std::uint64_t change2_before = 0;  // W^2
  Bytes profile;                     // 4 bytes a slot, a view
};

//   wrong_length   not record_fixed_size + 4 bytes a slot
//   out_of_range   unknown flags
Error decode_record(Bytes bytes, std::uint32_t slots, Record& record);

// Storage slots, for proofs. The base slots come from the compiler's storage layout (contracts/artifacts/layout.json);
// a test holds them against it.
Hash32 epoch_word_slot(std::uint64_t epoch);
Hash32 record_slot(std::uint64_t epoch, std::uint32_t id);
Hash32 check_in_slot(std::uint32_t id);
Hash32 contract_slot(const char* name);  // at most 32 characters

constexpr std::uint64_t epoch_word_base_slot = 0;   // Scheduler.epochWord, bytes32[8]
constexpr std::uint64_t record_base_slot = 8;       // Scheduler.recordOf
constexpr std::uint64_t contract_base_slot = 0;     // DeviceRegistry.contractOf
constexpr std::uint64_t check_in_base_slot = 1;     // DeviceRegistry.checkInOf

}  // namespace wattproof::schedule
