// SPDX-License-Identifier: Apache-2.0
#include "store/record_format.hpp"

#include <algorithm>

namespace wattproof::store {
namespace {

constexpr std::uint32_t bank_magic = 0x57505231;  // "WPR1"
constexpr std::uint8_t entry_magic = 0xe1;

bool all_are(Bytes bytes, std::uint8_t value) {
  return std::all_of(bytes.begin(), bytes.end(), [value](std::uint8_t byte) { return byte == value; });
}

}  // namespace

BankHeadBytes encode_bank_head(std::uint32_t generation) {
  BankHeadBytes bytes;
  bytes.fill(blank_byte);
  store_be32(bytes.data(), bank_magic);
  store_be32(bytes.data() + 4, generation);
  store_be32(bytes.data() + 8, crc32(Bytes(bytes).first(8)));
  return bytes;
}

Result<std::uint32_t> decode_bank_head(const BankHeadBytes& bytes) {
  const std::uint32_t generation = load_be32(bytes.data() + 4);
  if (bytes != encode_bank_head(generation)) return Error::record_corrupt;
  return generation;
}

EntryHeadBytes encode_entry_head(const EntryHead& head) {
  EntryHeadBytes bytes{};
  bytes[0] = entry_magic;
  bytes[1] = head.id;
  store_be16(bytes.data() + 2, head.size);
  store_be32(bytes.data() + 4, head.crc);
  return bytes;
}

Result<EntryHead> decode_entry_head(const EntryHeadBytes& bytes) {
  const EntryHead head = {.id = bytes[1], .size = load_be16(bytes.data() + 2), .crc = load_be32(bytes.data() + 4)};
  if (bytes[0] != entry_magic || head.id > record_id_max || head.size > record_size_max) return Error::record_corrupt;
  return head;
}

Crc32 begin_entry_crc(std::uint32_t generation, std::uint32_t offset_in_bank, std::uint8_t id, std::uint16_t size) {
  std::array<std::uint8_t, 12> bytes{};
  store_be32(bytes.data(), generation);
  store_be32(bytes.data() + 4, offset_in_bank);
  bytes[8] = entry_magic;
  bytes[9] = id;
  store_be16(bytes.data() + 10, size);
  Crc32 crc;
  crc.update(bytes);
  return crc;
}

bool is_blank(Bytes bytes) { return all_are(bytes, blank_byte); }

bool is_mark(Bytes bytes) { return all_are(bytes, mark_byte); }

}  // namespace wattproof::store
