// SPDX-License-Identifier: Apache-2.0
// Registers of the LM3S6965 that the drivers use (Texas Instruments, LM3S6965 data sheet; PL011 and PL061 are Arm's).
#pragma once

#include <cstdint>

#include "boards/lm3s6965evb/lm3s6965evb_pins.hpp"
#include "hal/cortex_m/cortex_m.hpp"

namespace wattproof::lm3s {

using cortex_m::reg;

// System control.
constexpr std::uint32_t raw_interrupts = 0x400fe050;  // bit 6: PLL locked
constexpr std::uint32_t clock_config = 0x400fe060;    // RCC
constexpr std::uint32_t clock_gates_0 = 0x400fe100;   // bit 3: watchdog, 16: ADC
constexpr std::uint32_t clock_gates_1 = 0x400fe104;   // bit 0: UART0
constexpr std::uint32_t clock_gates_2 = 0x400fe108;   // bits 0 to 6: GPIO A to G, 28: Ethernet MAC, 30: PHY

// GPIO ports A to G do not lie in a row.
constexpr std::uint32_t gpio_base(char port) {
  switch (port) {
    case 'A': return 0x40004000;
    case 'B': return 0x40005000;
    case 'C': return 0x40006000;
    case 'D': return 0x40007000;
    case 'E': return 0x40024000;
    case 'F': return 0x40025000;
    default: return 0x40026000;
  }
}
constexpr std::uint32_t gpio_direction = 0x400, gpio_alternate = 0x420, gpio_pull_up = 0x510, gpio_pull_down = 0x514, gpio_digital = 0x51c;

// Data of one line: the address carries the mask, so that no other line is touched.
inline volatile std::uint32_t& gpio_data(const board::Pin& pin) { return reg(gpio_base(pin.port) + (4u << pin.line)); }

constexpr std::uint32_t uart0 = 0x4000c000;
constexpr std::uint32_t uart_data = 0x00, uart_flags = 0x18, uart_divisor = 0x24, uart_fraction = 0x28, uart_line = 0x2c, uart_control = 0x30;

constexpr std::uint32_t watchdog0 = 0x40000000;
constexpr std::uint32_t watchdog_load = 0x00, watchdog_control = 0x08, watchdog_clear = 0x0c, watchdog_lock = 0xc00;
constexpr std::uint32_t watchdog_key = 0x1acce551;

constexpr std::uint32_t adc = 0x40038000;

constexpr std::uint32_t ethernet = 0x40048000;

constexpr std::uint32_t flash_address = 0x400fd000, flash_data = 0x400fd004, flash_control = 0x400fd008, flash_status = 0x400fd00c;
constexpr std::uint32_t flash_key = 0xa4420000;

}  // namespace wattproof::lm3s
