// SPDX-License-Identifier: Apache-2.0
// The node's own records, as bytes that its board keeps. Integrity against power cuts is the store's business
// (lib/store/FORMAT.md); here a record is only read strictly. The head's record is its owner and then chain/head.hpp's.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::node {

// Whose a record is: the first bytes of Keccak-256(chain id u64 | registry | device id u32 | device address). A store that moved
// to another device, or a device that was provisioned for another community, must not act on what stands in it. The boot
// count belongs to nobody: going on from a stranger's does no harm.
using Owner = std::array<std::uint8_t, 8>;
Owner owner_of(std::uint64_t chain_id, const Address& registry, std::uint32_t device_id, const Address& device);

// version 1 | count u32
constexpr std::uint32_t boot_record_size = 5;

void encode_boot(std::uint32_t boot_count, std::span<std::uint8_t, boot_record_size> out);
//   wrong_length, unknown_version
Result<std::uint32_t> decode_boot(Bytes record);

// The signed update of a round. Only these bytes are ever sent for it: two profiles for one round would let a relay choose.
// version 1 | epoch u64 | round u32 | slots u16 | signature 65 | owner 8 | profile 4 bytes a slot
struct SignedUpdate {
  std::uint64_t epoch = 0;
  std::uint32_t round = 0;
  std::uint32_t slots = 0;
  crypto::Signature signature{};
  Owner owner{};
  std::array<std::int32_t, slot_count_max> profile_w{};

  std::span<const std::int32_t> profile() const { return std::span(profile_w).first(slots); }
};

//   capacity
Result<Bytes> encode_update(const SignedUpdate& update, MutableBytes into);
//   wrong_length, unknown_version, out_of_range; `out` is then untouched
Error decode_update(Bytes record, SignedUpdate& out);

// What a settled epoch asks of this device, slot by slot, and the header under which that was proved.
// version 1 | flags (bit 0: the epoch failed, the profile is the fallback) | slots u16 | slot seconds u32 | epoch u64 |
// start u64 | block u64 | block hash 32 | owner 8 | profile 4 bytes a slot
struct Schedule {
  std::uint64_t epoch = 0;         // 0 = none
  ChainSeconds start{};
  std::uint32_t slots = 0;
  std::uint32_t slot_seconds = 0;
  bool is_fallback = false;
  std::uint64_t block_number = 0;
  Hash32 block_hash{};
  Owner owner{};
  std::array<std::int32_t, slot_count_max> profile_w{};

  std::span<const std::int32_t> profile() const { return std::span(profile_w).first(slots); }
  ChainSeconds end() const { return {start.s + std::uint64_t{slots} * slot_seconds}; }
  bool covers(ChainSeconds now) const { return epoch != 0 && now >= start && now < end(); }
  std::uint32_t slot_at(ChainSeconds now) const { return static_cast<std::uint32_t>((now.s - start.s) / slot_seconds); }
};

//   capacity
Result<Bytes> encode_schedule(const Schedule& schedule, MutableBytes into);
//   wrong_length, unknown_version, out_of_range; `out` is then untouched
Error decode_schedule(Bytes record, Schedule& out);

}  // namespace wattproof::node
