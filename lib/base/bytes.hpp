// SPDX-License-Identifier: Apache-2.0
// Views of bytes, fixed-size byte values, and big-endian access. Lengths come from the view, never from what it holds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace wattproof {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

using Address = std::array<std::uint8_t, 20>;  // last 20 bytes of keccak256(public key)
using Hash32 = std::array<std::uint8_t, 32>;   // Keccak-256 digest, or a 256-bit big-endian word

inline bool equal(Bytes a, Bytes b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// True if every byte is zero; an empty view is zero too.
constexpr bool is_zero(Bytes bytes) {
  for (const std::uint8_t byte : bytes) {
    if (byte != 0) return false;
  }
  return true;
}

constexpr std::uint16_t load_be16(const std::uint8_t* from) {
  return static_cast<std::uint16_t>(from[0] << 8 | from[1]);
}

constexpr std::uint32_t load_be32(const std::uint8_t* from) {
  return std::uint32_t{from[0]} << 24 | std::uint32_t{from[1]} << 16 | std::uint32_t{from[2]} << 8 | from[3];
}

constexpr std::uint64_t load_be64(const std::uint8_t* from) {
  return std::uint64_t{load_be32(from)} << 32 | load_be32(from + 4);
}

constexpr void store_be16(std::uint8_t* to, std::uint16_t value) {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}

constexpr void store_be32(std::uint8_t* to, std::uint32_t value) {
  store_be16(to, static_cast<std::uint16_t>(value >> 16));
  store_be16(to + 2, static_cast<std::uint16_t>(value));
}

constexpr void store_be64(std::uint8_t* to, std::uint64_t value) {
  store_be32(to, static_cast<std::uint32_t>(value >> 32));
  store_be32(to + 4, static_cast<std::uint32_t>(value));
}

// Copies a view into a fixed-size value. The caller has checked the length.
template <std::size_t size>
constexpr std::array<std::uint8_t, size> to_array(Bytes bytes) {
  std::array<std::uint8_t, size> value{};
  for (std::size_t i = 0; i < size; ++i) value[i] = bytes[i];
  return value;
}

}  // namespace wattproof
