// SPDX-License-Identifier: Apache-2.0
#include "codec/abi.hpp"

#include <algorithm>

namespace wattproof::codec {
namespace {

constexpr std::size_t word_size = 32;
constexpr std::size_t low_begin = word_size - 8;  // where the low 64 bits of a word begin
constexpr std::size_t address_begin = word_size - 20;

}  // namespace

Hash32 abi_uint(std::uint64_t value) {
  Hash32 word{};
  store_be64(word.data() + low_begin, value);
  return word;
}

Hash32 abi_int(std::int64_t value) {
  Hash32 word;
  word.fill(value < 0 ? 0xff : 0x00);
  store_be64(word.data() + low_begin, static_cast<std::uint64_t>(value));
  return word;
}

Hash32 abi_address(const Address& address) {
  Hash32 word{};
  std::copy(address.begin(), address.end(), word.begin() + address_begin);
  return word;
}

Result<Hash32> abi_left_aligned(Bytes value) {
  if (value.size() > word_size) return Error::too_large;
  Hash32 word{};
  std::copy(value.begin(), value.end(), word.begin());
  return word;
}

Result<std::uint64_t> uint_from_abi(const Hash32& word, std::uint64_t max) {
  if (!is_zero(Bytes(word).first(low_begin))) return Error::out_of_range;
  const std::uint64_t value = load_be64(word.data() + low_begin);
  if (value > max) return Error::out_of_range;
  return value;
}

Result<std::int64_t> int_from_abi(const Hash32& word) {
  const std::int64_t value = static_cast<std::int64_t>(load_be64(word.data() + low_begin));
  // One encoding: everything above the 64 bits repeats the sign.
  if (abi_int(value) != word) return Error::out_of_range;
  return value;
}

Result<Address> address_from_abi(const Hash32& word) {
  if (!is_zero(Bytes(word).first(address_begin))) return Error::out_of_range;
  return to_array<20>(Bytes(word).subspan(address_begin));
}

Result<std::uint64_t> packed_uint(const Hash32& word, std::uint32_t offset, std::uint32_t size) {
  if (size == 0 || size > 8 || offset > word_size - size) return Error::out_of_range;
  std::uint64_t value = 0;
  for (const std::uint8_t byte : Bytes(word).subspan(word_size - size - offset, size)) value = value << 8 | byte;
  return value;
}

std::array<std::uint8_t, 64> mapping_slot_preimage(const Hash32& key, const Hash32& base) {
  std::array<std::uint8_t, 64> bytes{};
  std::copy(key.begin(), key.end(), bytes.begin());
  std::copy(base.begin(), base.end(), bytes.begin() + word_size);
  return bytes;
}

Hash32 slot_plus(const Hash32& base, std::uint64_t index) {
  Hash32 sum = base;
  std::uint64_t carry = index;
  for (std::size_t i = word_size; i-- > 0 && carry != 0;) {
    // At most 2^64 - 1 + 255 would overflow, so the low byte is added apart.
    const std::uint32_t low = static_cast<std::uint32_t>(carry & 0xff) + sum[i];
    sum[i] = static_cast<std::uint8_t>(low);
    carry = (carry >> 8) + (low >> 8);
  }
  return sum;
}

}  // namespace wattproof::codec
