// SPDX-License-Identifier: Apache-2.0
// Pins of a plug on the Stellaris LM3S6965 evaluation board. Data alone; the registers are in hal/lm3s.
#pragma once

#include <cstdint>

namespace wattproof::board {

struct Pin {
  char port;           // A to G
  std::uint8_t line;   // 0 to 7
  bool active_low;
};

constexpr Pin relay_pin{'B', 0, false};   // drives a transistor; a 10 kOhm pull-down keeps the coil off while nobody drives
constexpr Pin sense_pin{'B', 1, false};   // auxiliary contact, high while the relay is closed
constexpr Pin led_pin{'F', 0, false};     // the board's STATUS LED
constexpr Pin button_pin{'F', 1, true};   // the board's SELECT button, to ground

constexpr std::uint32_t crystal_field = 0xe;      // 8 MHz, as RCC.XTAL wants it
constexpr std::uint32_t clock_hz = 50'000'000;    // 200 MHz PLL divided by 4
constexpr std::uint32_t console_baud = 115'200;

// The last 16 kB of flash belong to the record store, the two kilobytes before them to nobody.
constexpr std::uint32_t store_base = 0x3c000;
constexpr std::uint32_t store_sector_size = 1024;
constexpr std::uint32_t store_sector_count = 16;

}  // namespace wattproof::board
