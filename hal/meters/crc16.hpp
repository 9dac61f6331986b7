// SPDX-License-Identifier: Apache-2.0
// The two 16-bit checksums of meters, bit by bit: a telegram a second needs no table.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace wattproof::hal {

constexpr std::uint16_t crc16_step(std::uint16_t crc, std::uint8_t byte, std::uint16_t polynomial) {
  crc = static_cast<std::uint16_t>(crc ^ byte);
  for (int bit = 0; bit < 8; ++bit) crc = static_cast<std::uint16_t>((crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1);
  return crc;
}

constexpr std::uint16_t crc16(Bytes bytes, std::uint16_t polynomial, std::uint16_t start) {
  for (const std::uint8_t byte : bytes) start = crc16_step(start, byte, polynomial);
  return start;
}

constexpr std::uint16_t crc16_polynomial_a001 = 0xa001;  // CRC-16/ARC and Modbus
constexpr std::uint16_t crc16_polynomial_8408 = 0x8408;  // X.25

constexpr std::uint16_t crc16_arc(Bytes bytes) { return crc16(bytes, crc16_polynomial_a001, 0); }
constexpr std::uint16_t crc16_modbus(Bytes bytes) { return crc16(bytes, crc16_polynomial_a001, 0xffff); }

}  // namespace wattproof::hal
