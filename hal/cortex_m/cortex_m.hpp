// SPDX-License-Identifier: Apache-2.0
// Registers that every Cortex-M3 and M4 has (Arm DDI 0403, B3), and how a driver reaches a register.
#pragma once

#include <cstdint>

namespace wattproof::cortex_m {

inline volatile std::uint32_t& reg(std::uint32_t address) { return *reinterpret_cast<volatile std::uint32_t*>(address); }

constexpr std::uint32_t systick_control = 0xe000e010;
constexpr std::uint32_t systick_reload = 0xe000e014;
constexpr std::uint32_t systick_value = 0xe000e018;
constexpr std::uint32_t reset_control = 0xe000ed0c;  // AIRCR

// One tick a millisecond from the processor's own clock.
inline void start_tick(std::uint32_t clock_hz) {
  reg(systick_reload) = clock_hz / 1000 - 1;
  reg(systick_value) = 0;
  reg(systick_control) = 7;  // processor clock, interrupt, on
}

// The board's part of an interrupt, the tick's or a device's: takes what its receivers hold.
void on_tick();

inline void wait_for_interrupt() { asm volatile("wfi" ::: "memory"); }

[[noreturn]] inline void system_reset() {
  asm volatile("dsb" ::: "memory");
  reg(reset_control) = 0x05fa0004;
  for (;;) {
  }
}

// Bytes from an interrupt to the program, one writer and one reader, no lock. A full queue drops the newest.
template <std::uint32_t size>
class ByteQueue {
  static_assert((size & (size - 1)) == 0, "a power of two");

 public:
  void push(std::uint8_t byte) {
    if (in_ - out_ == size) return;
    bytes_[in_ & (size - 1)] = byte;
    in_ = in_ + 1;
  }
  int pop() {
    if (in_ == out_) return -1;
    const std::uint8_t byte = bytes_[out_ & (size - 1)];
    out_ = out_ + 1;
    return byte;
  }

 private:
  volatile std::uint8_t bytes_[size] = {};
  volatile std::uint32_t in_ = 0;
  volatile std::uint32_t out_ = 0;
};

}  // namespace wattproof::cortex_m

namespace wattproof::board {

std::uint32_t stack_size();
// Bytes of the stack that nothing has touched since the boot.
std::uint32_t stack_free();

}  // namespace wattproof::board
