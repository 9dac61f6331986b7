// SPDX-License-Identifier: Apache-2.0
// What stands for the pins of a plug on Arm's MPS2 with the AN386 image. Data alone; the registers are in hal/mps2.
#pragma once

#include <cstdint>

namespace wattproof::board {

constexpr std::uint32_t clock_hz = 25'000'000;
constexpr std::uint32_t baud = 115'200;
constexpr std::uint32_t console_uart = 0x40004000;
constexpr std::uint32_t console_interrupt = 0;
constexpr std::uint32_t link_uart = 0x40005000;
constexpr std::uint32_t link_interrupt = 2;
constexpr std::uint32_t relay_lamp = 1;   // USERLED0
constexpr std::uint32_t status_lamp = 2;  // USERLED1

}  // namespace wattproof::board
