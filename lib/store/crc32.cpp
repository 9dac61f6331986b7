// SPDX-License-Identifier: Apache-2.0
#include "store/crc32.hpp"

namespace wattproof::store {
namespace {

// Four bits at a time: 64 bytes of table in place of 1 kB, twice the steps.
constexpr std::array<std::uint32_t, 16> make_table() {
  std::array<std::uint32_t, 16> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 4; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320 : value >> 1;
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 16> table = make_table();

}  // namespace

void Crc32::update(Bytes bytes) {
  for (const std::uint8_t byte : bytes) {
    state_ ^= byte;
    state_ = state_ >> 4 ^ table[state_ & 15];
    state_ = state_ >> 4 ^ table[state_ & 15];
  }
}

std::uint32_t crc32(Bytes bytes) {
  Crc32 crc;
  crc.update(bytes);
  return crc.value();
}

}  // namespace wattproof::store
