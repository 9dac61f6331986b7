// SPDX-License-Identifier: Apache-2.0
// What a bare-metal board gives to the plug firmware. Free functions, one implementation linked into an image: the call graph
// stays closed and the stack has a bound. A new board writes these, a linker script and its pins; docs in boards/BOARD/README.md.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "store/flash.hpp"

namespace wattproof::board {

// Clocks and pins. The relay is open before anything else happens.
void start();

const char* name();

// Milliseconds since this boot.
std::uint64_t now_ms();
// Waits for the next interrupt, a millisecond at most.
void sleep();

void set_relay(bool on);
// The contact as its auxiliary line shows it.
bool sense_relay();
void set_led(bool on);
bool is_button_down();

// The provisioning and log line, 8N1. read gives -1 where nothing has come. write waits for room in the transmitter.
int read_console();
void write_console(char byte);

// A watchdog that resets the board when it was not fed for watchdog_ms.
constexpr std::uint32_t watchdog_ms = 8'000;
void start_watchdog();
void feed_watchdog();
[[noreturn]] void reset();

// Noise as its source gives it, unconditioned. False if the source does not answer. Health tests are crypto/drbg.hpp's.
bool draw_noise(MutableBytes into);

// The flash sectors that the record store owns, numbered from 0. See store/flash.hpp for the rules.
struct Flash {
  [[nodiscard]] store::FlashGeometry geometry() const;
  Error erase_sector(std::uint32_t sector);
  Error program(std::uint32_t offset, Bytes units);
  Error read(std::uint32_t offset, MutableBytes into);
};

// What must outlive a reset but not a power cut; in RAM that start-up leaves alone.
struct ResetNote {
  enum class Cause : std::uint32_t { power = 0, asked, check, fault, watchdog };
  std::uint32_t magic;
  Cause cause;             // of the reset that began this boot
  Cause next;              // of a reset that would come now
  std::uint32_t line;      // check: where; fault: the program counter
  const char* file;
  std::uint32_t failures;  // resets in a row that nobody asked for; the program clears it once it runs well
};
ResetNote& reset_note();

}  // namespace wattproof::board
