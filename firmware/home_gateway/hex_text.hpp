// SPDX-License-Identifier: Apache-2.0
// Hexadecimal text as Ethereum's JSON interfaces write it: DATA ("0x" and two digits a byte) and QUANTITY ("0x" and no
// leading zero). Reading is strict; every function gives nothing, never a guess, for text of another form.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "byte_vector.hpp"

namespace wattproof::ethereum {

std::string to_hex(Bytes bytes);              // "0x..", lower case
std::string to_hex_digits(Bytes bytes);       // the same without "0x", as in MQTT topics
std::string to_quantity(std::uint64_t value); // "0x0", "0x1f"

// "0x" and an even number of digits of either case.
std::optional<ByteVector> parse_hex(std::string_view text);

// The same of exactly `size` bytes.
template <std::size_t size>
std::optional<std::array<std::uint8_t, size>> parse_hex_array(std::string_view text) {
  const std::optional<ByteVector> bytes = parse_hex(text);
  if (!bytes || bytes->size() != size) return std::nullopt;
  return to_array<size>(*bytes);
}

// A quantity of at most 64 bits.
std::optional<std::uint64_t> parse_quantity(std::string_view text);

// A quantity of at most 32 bytes as minimal big-endian bytes; zero is empty.
std::optional<ByteVector> parse_big_quantity(std::string_view text);

}  // namespace wattproof::ethereum
