// SPDX-License-Identifier: Apache-2.0
// From reset to main on a Cortex-M3 or M4 without an operating system; and what remains when something has gone wrong: the
// relay is opened, the cause noted where a reset leaves it, and the board reset. The stack is painted, so that its high-water
// mark can be read later (stack_free).
#include <cstdint>

#include "base/check.hpp"
#include "hal/cortex_m/board.hpp"
#include "hal/cortex_m/cortex_m.hpp"

extern "C" {
extern std::uint32_t __data_start, __data_end, __data_load, __bss_start, __bss_end, __stack_start, __stack;
extern void (*__init_array_start[])();
extern void (*__init_array_end[])();
int program() asm("main");  // C++ lets nobody call main by its name
[[noreturn]] void reset_handler();
[[noreturn, gnu::used]] void fault_handler(std::uint32_t program_counter);  // called from assembly alone
void fault_entry();
void tick_handler();
void device_handler();
[[noreturn]] void other_handler();
}

namespace wattproof::board {
namespace {

constexpr std::uint32_t note_magic = 0x57504e54;  // "WPNT"
constexpr std::uint32_t paint = 0xa5a5a5a5;

// Survives a reset; holds rubbish after power came.
[[gnu::section(".noinit")]] ResetNote note;

volatile std::uint64_t tick_ms;

// Whoever resets on purpose or notices a mistake says so before; a watchdog cannot.
void open_note() {
  using Cause = ResetNote::Cause;
  if (note.magic != note_magic || note.next > Cause::watchdog) note = {note_magic, Cause::power, Cause::power, 0, nullptr, 0};
  note.cause = note.next;
  note.next = Cause::watchdog;
  if (note.cause >= Cause::check) ++note.failures;
}

[[noreturn]] void give_up(ResetNote::Cause cause, std::uint32_t line, const char* file) {
  set_relay(false);
  note.next = cause;
  note.line = line;
  note.file = file;
  cortex_m::system_reset();
}

}  // namespace

ResetNote& reset_note() { return note; }

// The tick handler may come between the two halves; the same number twice is a whole one.
std::uint64_t now_ms() {
  for (;;) {
    const std::uint64_t first = tick_ms;
    if (tick_ms == first) return first;
  }
}

void sleep() { cortex_m::wait_for_interrupt(); }

void reset() { give_up(ResetNote::Cause::asked, 0, nullptr); }

std::uint32_t stack_size() { return static_cast<std::uint32_t>(&__stack - &__stack_start) * 4; }

std::uint32_t stack_free() {
  const std::uint32_t* word = &__stack_start;
  while (word != &__stack && *word == paint) ++word;
  return static_cast<std::uint32_t>(word - &__stack_start) * 4;
}

}  // namespace wattproof::board

void wattproof::check_failed(const char* file, int line) {
  board::give_up(board::ResetNote::Cause::check, static_cast<std::uint32_t>(line), file);
}

void fault_handler(std::uint32_t program_counter) {
  wattproof::board::give_up(wattproof::board::ResetNote::Cause::fault, program_counter, nullptr);
}

void other_handler() { fault_handler(0); }

// The stack pointer may be what is broken: it is only read from if it lies in the stack.
[[gnu::naked]] void fault_entry() {
  asm volatile(
      "mov r0, sp\n movw r1, #:lower16:__stack_start\n movt r1, #:upper16:__stack_start\n cmp r0, r1\n blo 1f\n"
      "movw r1, #:lower16:__stack\n movt r1, #:upper16:__stack\n sub r1, #32\n cmp r0, r1\n bhi 1f\n"
      "ldr r0, [r0, #24]\n b 2f\n 1: mov r0, #0\n"
      "2: movw r1, #:lower16:__stack\n movt r1, #:upper16:__stack\n mov sp, r1\n b fault_handler\n");
}

void tick_handler() {
  wattproof::board::tick_ms = wattproof::board::tick_ms + 1;
  wattproof::cortex_m::on_tick();
}

void device_handler() { wattproof::cortex_m::on_tick(); }

void reset_handler() {
  const std::uint32_t* from = &__data_load;
  for (std::uint32_t* to = &__data_start; to != &__data_end; ++to, ++from) *to = *from;
  for (std::uint32_t* to = &__bss_start; to != &__bss_end; ++to) *to = 0;
  // All but what this function itself stands on.
  for (std::uint32_t* to = &__stack_start; to < static_cast<std::uint32_t*>(__builtin_frame_address(0)) - 32; ++to) *to = wattproof::board::paint;
  for (auto* initialise = __init_array_start; initialise != __init_array_end; ++initialise) (*initialise)();
  wattproof::board::start();
  wattproof::board::open_note();
  program();
  wattproof::board::reset();
}

// Initial stack pointer, reset, the system exceptions, and the first devices' interrupts, which a board may enable: whichever comes,
// the board takes what its receivers hold.
[[gnu::section(".isr_vector"), gnu::used]] static void (*const vectors[16 + 8])() = {
    reinterpret_cast<void (*)()>(&__stack), reset_handler, other_handler, fault_entry,
    fault_entry, fault_entry, fault_entry, other_handler,
    other_handler, other_handler, other_handler, other_handler,
    other_handler, other_handler, other_handler, tick_handler,
    device_handler, device_handler, device_handler, device_handler,
    device_handler, device_handler, device_handler, device_handler,
};
