// SPDX-License-Identifier: Apache-2.0
// The LM3S6965 evaluation board as a plug: clock, pins, console, watchdog, and noise from the converter.
#include "hal/cortex_m/board.hpp"
#include "hal/lm3s/lm3s_registers.hpp"

namespace wattproof {

using lm3s::reg;

namespace {

constexpr std::uint32_t pll_tries_max = 100'000;
constexpr std::uint32_t transmit_tries_max = 100'000;
constexpr std::uint32_t watchdog_count = board::clock_hz / 1000 * (board::watchdog_ms / 2);

cortex_m::ByteQueue<256> console_in;

void set_pin(const board::Pin& pin, bool active) { lm3s::gpio_data(pin) = active != pin.active_low ? 0xffu : 0u; }

bool is_active(const board::Pin& pin) { return (lm3s::gpio_data(pin) != 0) != pin.active_low; }

void open_output(const board::Pin& pin) {
  const std::uint32_t base = lm3s::gpio_base(pin.port), bit = 1u << pin.line;
  reg(base + lm3s::gpio_alternate) &= ~bit;
  reg(base + lm3s::gpio_digital) |= bit;
  reg(base + lm3s::gpio_direction) |= bit;
  set_pin(pin, false);
}

// An input rests at its inactive level.
void open_input(const board::Pin& pin) {
  const std::uint32_t base = lm3s::gpio_base(pin.port), bit = 1u << pin.line;
  reg(base + lm3s::gpio_alternate) &= ~bit;
  reg(base + lm3s::gpio_direction) &= ~bit;
  reg(base + (pin.active_low ? lm3s::gpio_pull_up : lm3s::gpio_pull_down)) |= bit;
  reg(base + lm3s::gpio_digital) |= bit;
}

void start_clock() {
  // 200 MHz PLL from the crystal, divided by 4; the processor runs from the bypass until the PLL has locked.
  constexpr std::uint32_t use_divider = 1u << 22, bypass = 1u << 11, divide_by_4 = 3u << 23;
  constexpr std::uint32_t setting = divide_by_4 | use_divider | board::crystal_field << 6;
  reg(lm3s::clock_config) = setting | bypass;
  for (std::uint32_t tries = 0; tries < pll_tries_max && (reg(lm3s::raw_interrupts) & 1u << 6) == 0; ++tries) {
  }
  reg(lm3s::clock_config) = setting;
}

void start_console() {
  constexpr std::uint32_t divisor_64 = (board::clock_hz * 4 + board::console_baud / 2) / board::console_baud;
  reg(lm3s::gpio_base('A') + lm3s::gpio_alternate) |= 3;  // PA0, PA1
  reg(lm3s::gpio_base('A') + lm3s::gpio_digital) |= 3;
  reg(lm3s::uart0 + lm3s::uart_control) = 0;
  reg(lm3s::uart0 + lm3s::uart_divisor) = divisor_64 >> 6;
  reg(lm3s::uart0 + lm3s::uart_fraction) = divisor_64 & 63;
  reg(lm3s::uart0 + lm3s::uart_line) = 0x70;     // 8 bits, FIFOs: 16 bytes, of which a millisecond brings 12
  reg(lm3s::uart0 + lm3s::uart_control) = 0x301;
}

}  // namespace

void cortex_m::on_tick() {
  while ((reg(lm3s::uart0 + lm3s::uart_flags) & 0x10) == 0) console_in.push(static_cast<std::uint8_t>(reg(lm3s::uart0 + lm3s::uart_data)));
}

namespace board {

void start() {
  reg(lm3s::clock_gates_2) |= 0x7f | 1u << 28 | 1u << 30;
  reg(lm3s::clock_gates_0) |= 1u << 3 | 1u << 16;
  reg(lm3s::clock_gates_1) |= 1;
  open_output(relay_pin);
  open_output(led_pin);
  open_input(sense_pin);
  open_input(button_pin);
  start_clock();
  start_console();
  cortex_m::start_tick(clock_hz);
}

const char* name() { return "lm3s6965evb"; }

void set_relay(bool on) { set_pin(relay_pin, on); }
bool sense_relay() { return is_active(sense_pin); }
void set_led(bool on) { set_pin(led_pin, on); }
bool is_button_down() { return is_active(button_pin); }

int read_console() { return console_in.pop(); }

// Bounded, in case that the transmitter is stuck: a log must not stop a plug.
void write_console(char byte) {
  for (std::uint32_t tries = 0; tries < transmit_tries_max && (reg(lm3s::uart0 + lm3s::uart_flags) & 0x20) != 0; ++tries) {
  }
  reg(lm3s::uart0 + lm3s::uart_data) = static_cast<std::uint8_t>(byte);
}

// Bites when it has run out twice; the first time only raises an interrupt that nobody takes.
void start_watchdog() {
  reg(lm3s::watchdog0 + lm3s::watchdog_lock) = lm3s::watchdog_key;
  reg(lm3s::watchdog0 + lm3s::watchdog_load) = watchdog_count;
  reg(lm3s::watchdog0 + lm3s::watchdog_control) = 3;  // interrupt, reset
  reg(lm3s::watchdog0 + lm3s::watchdog_lock) = 1;
}

void feed_watchdog() {
  reg(lm3s::watchdog0 + lm3s::watchdog_lock) = lm3s::watchdog_key;
  reg(lm3s::watchdog0 + lm3s::watchdog_load) = watchdog_count;
  reg(lm3s::watchdog0 + lm3s::watchdog_clear) = 1;
  reg(lm3s::watchdog0 + lm3s::watchdog_lock) = 1;
}

}  // namespace board
}  // namespace wattproof
