// SPDX-License-Identifier: Apache-2.0
// From reset to main on a Cortex-M under QEMU. A fault ends the run with a text and a status of its own, since a crash
// would otherwise look like a hang.
#include <cstdint>

#include "base/check.hpp"
#include "semihosting.hpp"

extern "C" {
extern std::uint32_t __data_start, __data_end, __data_load, __bss_start, __bss_end, __stack;
extern void (*__init_array_start[])();
extern void (*__init_array_end[])();
int program() asm("main");  // C++ lets nobody call main by its name
[[noreturn]] void reset_handler();
[[noreturn]] void fault_handler();
}

namespace wattproof::qemu {
namespace {

constexpr int sys_write0 = 0x04;
constexpr int sys_exit_extended = 0x20;
constexpr std::uint32_t application_exit = 0x20026;

int semihosting_call(int operation, const void* argument) {
  register int r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

}  // namespace

void write(const char* text) { semihosting_call(sys_write0, text); }

void leave(int status) {
  const std::uint32_t block[2] = {application_exit, static_cast<std::uint32_t>(status)};
  semihosting_call(sys_exit_extended, block);
  for (;;) {
  }
}

}  // namespace wattproof::qemu

void wattproof::check_failed(const char* file, int) {
  qemu::write("CHECK failed in ");
  qemu::write(file);
  qemu::write("\n");
  qemu::leave(3);
}

void fault_handler() {
  wattproof::qemu::write("fault\n");
  wattproof::qemu::leave(2);
}

void reset_handler() {
  const std::uint32_t* from = &__data_load;
  for (std::uint32_t* to = &__data_start; to != &__data_end; ++to, ++from) *to = *from;
  for (std::uint32_t* to = &__bss_start; to != &__bss_end; ++to) *to = 0;
  for (auto* initialise = __init_array_start; initialise != __init_array_end; ++initialise) (*initialise)();
  wattproof::qemu::leave(program());
}

// Initial stack pointer, reset, and the fourteen system exceptions.
[[gnu::section(".isr_vector"), gnu::used]] static void (*const vectors[16])() = {
    reinterpret_cast<void (*)()>(&__stack), reset_handler, fault_handler, fault_handler,
    fault_handler, fault_handler, fault_handler, fault_handler,
    fault_handler, fault_handler, fault_handler, fault_handler,
    fault_handler, fault_handler, fault_handler, fault_handler,
};
