// SPDX-License-Identifier: Apache-2.0
#include "node/records.hpp"

#include "crypto/keccak.hpp"
#include "message/typed_data.hpp"

namespace wattproof::node {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t update_fixed_size = 88;
constexpr std::size_t schedule_fixed_size = 72;

}  // namespace

Owner owner_of(std::uint64_t chain_id, const Address& registry, std::uint32_t device_id, const Address& device) {
  std::array<std::uint8_t, 12> numbers{};
  store_be64(numbers.data(), chain_id);
  store_be32(numbers.data() + 8, device_id);
  crypto::Keccak256 hash;
  hash.update(Bytes(numbers).first(8));
  hash.update(registry);
  hash.update(Bytes(numbers).subspan(8));
  hash.update(device);
  const Hash32 digest = hash.finish();
  return to_array<8>(Bytes(digest).first(8));
}

void encode_boot(std::uint32_t boot_count, std::span<std::uint8_t, boot_record_size> out) {
  out[0] = version;
  store_be32(out.data() + 1, boot_count);
}

Result<std::uint32_t> decode_boot(Bytes record) {
  if (record.size() != boot_record_size) return Error::wrong_length;
  if (record[0] != version) return Error::unknown_version;
  return load_be32(record.data() + 1);
}

Result<Bytes> encode_update(const SignedUpdate& update, MutableBytes into) {
  if (into.size() < update_fixed_size) return Error::capacity;
  std::uint8_t* at = into.data();
  at[0] = version;
  store_be64(at + 1, update.epoch);
  store_be32(at + 9, update.round);
  store_be16(at + 13, static_cast<std::uint16_t>(update.slots));
  std::memcpy(at + 15, update.signature.data(), update.signature.size());
  std::memcpy(at + 80, update.owner.data(), update.owner.size());
  const Result<Bytes> profile = message::encode_profile(update.profile(), into.subspan(update_fixed_size));
  if (!profile) return profile.error();
  return Bytes(into.first(update_fixed_size + profile->size()));
}

Error decode_update(Bytes record, SignedUpdate& out) {
  if (record.size() < update_fixed_size) return Error::wrong_length;
  if (record[0] != version) return Error::unknown_version;
  SignedUpdate read;
  read.epoch = load_be64(record.data() + 1);
  read.round = load_be32(record.data() + 9);
  read.slots = load_be16(record.data() + 13);
  read.signature = to_array<65>(record.subspan(15, 65));
  read.owner = to_array<8>(record.subspan(80, 8));
  if (read.slots < 1 || read.slots > slot_count_max || read.round == 0) return Error::out_of_range;
  WATTPROOF_TRY(message::decode_profile(record.subspan(update_fixed_size), std::span(read.profile_w).first(read.slots)));
  out = read;
  return Error::none;
}

Result<Bytes> encode_schedule(const Schedule& schedule, MutableBytes into) {
  if (into.size() < schedule_fixed_size) return Error::capacity;
  std::uint8_t* at = into.data();
  at[0] = version;
  at[1] = schedule.is_fallback ? 1 : 0;
  store_be16(at + 2, static_cast<std::uint16_t>(schedule.slots));
  store_be32(at + 4, schedule.slot_seconds);
  store_be64(at + 8, schedule.epoch);
  store_be64(at + 16, schedule.start.s);
  store_be64(at + 24, schedule.block_number);
  std::memcpy(at + 32, schedule.block_hash.data(), 32);
  std::memcpy(at + 64, schedule.owner.data(), schedule.owner.size());
  const Result<Bytes> profile = message::encode_profile(schedule.profile(), into.subspan(schedule_fixed_size));
  if (!profile) return profile.error();
  return Bytes(into.first(schedule_fixed_size + profile->size()));
}

Error decode_schedule(Bytes record, Schedule& out) {
  if (record.size() < schedule_fixed_size) return Error::wrong_length;
  if (record[0] != version) return Error::unknown_version;
  if (record[1] > 1) return Error::out_of_range;
  Schedule read;
  read.is_fallback = record[1] == 1;
  read.slots = load_be16(record.data() + 2);
  read.slot_seconds = load_be32(record.data() + 4);
  read.epoch = load_be64(record.data() + 8);
  read.start = {load_be64(record.data() + 16)};
  read.block_number = load_be64(record.data() + 24);
  read.block_hash = to_array<32>(record.subspan(32, 32));
  read.owner = to_array<8>(record.subspan(64, 8));
  if (read.slots < 1 || read.slots > slot_count_max || read.epoch == 0) return Error::out_of_range;
  if (read.slot_seconds < 1 || 3600 % read.slot_seconds != 0) return Error::out_of_range;
  if (read.start.s >= std::uint64_t{1} << 40) return Error::out_of_range;
  WATTPROOF_TRY(message::decode_profile(record.subspan(schedule_fixed_size), std::span(read.profile_w).first(read.slots)));
  out = read;
  return Error::none;
}

}  // namespace wattproof::node
