// SPDX-License-Identifier: Apache-2.0
// Arm's MPS2 board with the AN386 image as a plug: two CMSDK serial ports (console and link), two LEDs of which one stands for the
// relay, the CMSDK watchdog. There is no GPIO, no button that QEMU models, and no contact.
#include "boards/mps2_an386/mps2_an386_pins.hpp"
#include "hal/cortex_m/board.hpp"
#include "hal/cortex_m/cortex_m.hpp"
#include "hal/serial/serial_link.hpp"

namespace wattproof {

using cortex_m::reg;

namespace {

constexpr std::uint32_t uart_data = 0x00, uart_state = 0x04, uart_control = 0x08, uart_interrupt = 0x0c, uart_divisor = 0x10;
constexpr std::uint32_t leds = 0x40028000, buttons = 0x40028008;
constexpr std::uint32_t watchdog_load = 0x40008000, watchdog_control = 0x40008008, watchdog_clear = 0x4000800c, watchdog_lock = 0x40008c00;
constexpr std::uint32_t watchdog_key = 0x1acce551;
constexpr std::uint32_t watchdog_count = board::clock_hz / 1000 * (board::watchdog_ms / 2);  // bites at the second time-out
constexpr std::uint32_t interrupt_enable = 0xe000e100;
constexpr std::uint32_t transmit_tries_max = 100'000;

cortex_m::ByteQueue<256> console_in;
cortex_m::ByteQueue<2048> link_in;

template <class Queue>
void receive(std::uint32_t uart, Queue& queue) {
  while ((reg(uart + uart_state) & 2) != 0) queue.push(static_cast<std::uint8_t>(reg(uart + uart_data)));
  reg(uart + uart_interrupt) = 2;
}

void start_uart(std::uint32_t uart) {
  reg(uart + uart_divisor) = board::clock_hz / board::baud;
  reg(uart + uart_control) = 1 | 2 | 8;  // transmitter, receiver, interrupt of the receiver: it holds one byte alone
}

void set_lamp(std::uint32_t bit, bool on) {
  const std::uint32_t others = reg(leds) & ~bit;
  reg(leds) = on ? others | bit : others;
}

}  // namespace

void cortex_m::on_tick() {
  receive(board::console_uart, console_in);
  receive(board::link_uart, link_in);
}

namespace board {

void start() {
  reg(leds) = 0;
  start_uart(console_uart);
  start_uart(link_uart);
  reg(interrupt_enable) = 1u << console_interrupt | 1u << link_interrupt;
  cortex_m::start_tick(clock_hz);
}

const char* name() { return "mps2_an386"; }

void set_relay(bool on) { set_lamp(relay_lamp, on); }
bool sense_relay() { return (reg(leds) & relay_lamp) != 0; }
void set_led(bool on) { set_lamp(status_lamp, on); }
bool is_button_down() { return (reg(buttons) & 1) != 0; }

int read_console() { return console_in.pop(); }
int read_link() { return link_in.pop(); }

void write_console(char byte) {
  for (std::uint32_t tries = 0; tries < transmit_tries_max && (reg(console_uart + uart_state) & 1) != 0; ++tries) {
  }
  reg(console_uart + uart_data) = static_cast<std::uint8_t>(byte);
}

bool write_link(std::uint8_t byte) {
  if ((reg(link_uart + uart_state) & 1) != 0) return false;
  reg(link_uart + uart_data) = byte;
  return true;
}

void start_watchdog() {
  reg(watchdog_lock) = watchdog_key;
  reg(watchdog_load) = watchdog_count;
  reg(watchdog_control) = 3;
  reg(watchdog_lock) = 1;
}

void feed_watchdog() {
  reg(watchdog_lock) = watchdog_key;
  reg(watchdog_load) = watchdog_count;
  reg(watchdog_clear) = 1;
  reg(watchdog_lock) = 1;
}

}  // namespace board
}  // namespace wattproof
