// SPDX-License-Identifier: Apache-2.0
#include "schedule/epoch.hpp"

#include "crypto/keccak.hpp"

namespace wattproof::schedule {
namespace {

constexpr std::uint64_t time_bound_s = std::uint64_t{1} << 40;  // far beyond any calendar, far below an overflow

Error check_head(const EpochHead& head) {
  if (head.slots < 1 || head.slots > slot_count_max) return Error::out_of_range;
  if (head.slot_seconds < 1 || 3600 % head.slot_seconds != 0) return Error::out_of_range;
  if (head.start.s >= time_bound_s || head.start.s % head.slot_seconds != 0) return Error::out_of_range;
  if (head.worst_slot >= head.slots) return Error::out_of_range;
  if (head.rho0 < 1 || head.rho0 >= penalty_bound) return Error::out_of_range;
  const bool is_exponent_known =
      head.penalty_exponent >= -penalty_exponent_max && head.penalty_exponent <= penalty_exponent_max;
  return is_exponent_known ? Error::none : Error::out_of_range;
}

Hash32 word_of(std::uint64_t value) {
  Hash32 word{};
  store_be64(word.data() + 24, value);
  return word;
}

// Where a Solidity mapping keeps the value of `key`: keccak256(key, base slot).
Hash32 mapping_slot(const Hash32& key, std::uint64_t base_slot) {
  crypto::Keccak256 hash;
  hash.update(key);
  hash.update(word_of(base_slot));
  return hash.finish();
}

}  // namespace

Error decode_head(Bytes bytes, EpochHead& head) {
  if (bytes.size() != head_size) return Error::wrong_length;
  const std::uint8_t* at = bytes.data();
  if (at[0] != 1) return Error::unknown_version;
  if (at[1] < 1 || at[1] > 4 || at[2] > 4) return Error::out_of_range;
  EpochHead read;
  read.status = static_cast<EpochStatus>(at[1]);
  read.reason = static_cast<FailReason>(at[2]);
  read.penalty_exponent = static_cast<std::int8_t>(at[3]);
  read.slots = load_be16(at + 4);
  read.worst_slot = load_be16(at + 6);
  read.slot_seconds = load_be32(at + 8);
  read.round = load_be32(at + 12);
  read.epoch = load_be64(at + 16);
  read.start = {load_be64(at + 24)};
  read.deadline = {load_be64(at + 32)};
  read.changed = {load_be64(at + 40)};
  read.participants = load_be32(at + 48);
  read.excess_w = load_be32(at + 52);
  read.rho0 = load_be64(at + 56);
  read.parameters_hash = to_array<32>(bytes.subspan(64, 32));
  read.vectors_hash = to_array<32>(bytes.subspan(96, 32));
  WATTPROOF_TRY(check_head(read));
  head = read;
  return Error::none;
}

void encode_head(const EpochHead& head, std::span<std::uint8_t, head_size> out) {
  std::uint8_t* at = out.data();
  at[0] = 1;
  at[1] = static_cast<std::uint8_t>(head.status);
  at[2] = static_cast<std::uint8_t>(head.reason);
  at[3] = static_cast<std::uint8_t>(head.penalty_exponent);
  store_be16(at + 4, static_cast<std::uint16_t>(head.slots));
  store_be16(at + 6, static_cast<std::uint16_t>(head.worst_slot));
  store_be32(at + 8, head.slot_seconds);
  store_be32(at + 12, head.round);
  store_be64(at + 16, head.epoch);
  store_be64(at + 24, head.start.s);
  store_be64(at + 32, head.deadline.s);
  store_be64(at + 40, head.changed.s);
  store_be32(at + 48, head.participants);
  store_be32(at + 52, head.excess_w);
  store_be64(at + 56, head.rho0);
  std::memcpy(at + 64, head.parameters_hash.data(), 32);
  std::memcpy(at + 96, head.vectors_hash.data(), 32);
}

std::uint64_t penalty(const EpochHead& head) {
  if (head.penalty_exponent >= 0) return head.rho0 << head.penalty_exponent;  // below 2^64: 40 + 24 bits
  const std::uint64_t shifted = head.rho0 >> -head.penalty_exponent;
  return shifted == 0 ? 1 : shifted;
}

Error Vectors::decode(Bytes bytes, std::uint32_t slots, Vectors& out) {
  if (slots > slot_count_max || bytes.size() != vectors_slot_size * std::size_t{slots}) return Error::wrong_length;
  for (std::uint32_t i = 0; i < 4 * slots; ++i) {
    const auto value = static_cast<std::int64_t>(load_be64(bytes.data() + 8 * std::size_t{i}));
    if (value <= -vector_bound || value >= vector_bound) return Error::out_of_range;
  }
  out.bytes_ = bytes;
  out.slots_ = slots;
  return Error::none;
}

Error decode_record(Bytes bytes, std::uint32_t slots, Record& record) {
  if (slots > slot_count_max || bytes.size() != record_fixed_size + 4 * std::size_t{slots}) return Error::wrong_length;
  const std::uint8_t* at = bytes.data();
  if (at[16] > 1) return Error::out_of_range;
  record.epoch = load_be64(at);
  record.id = load_be32(at + 8);
  record.round = load_be32(at + 12);
  record.is_frozen = at[16] == 1;
  record.signer = to_array<20>(bytes.subspan(17, 20));
  record.limits_hash = to_array<32>(bytes.subspan(37, 32));
  record.change2 = load_be64(at + 69);
  record.change2_before = load_be64(at + 77);
  record.profile = bytes.subspan(record_fixed_size);
  return Error::none;
}

Hash32 epoch_word_slot(std::uint64_t epoch) { return word_of(epoch_word_base_slot + epoch % ring_size); }

Hash32 record_slot(std::uint64_t epoch, std::uint32_t id) {
  return mapping_slot(word_of((epoch % ring_size) << 32 | id), record_base_slot);
}

Hash32 check_in_slot(std::uint32_t id) { return mapping_slot(word_of(id), check_in_base_slot); }

Hash32 contract_slot(const char* name) {
  Hash32 key{};
  for (std::size_t i = 0; i < key.size() && name[i] != '\0'; ++i) key[i] = static_cast<std::uint8_t>(name[i]);
  return mapping_slot(key, contract_base_slot);
}

}  // namespace wattproof::schedule
