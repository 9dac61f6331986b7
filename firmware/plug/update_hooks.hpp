// SPDX-License-Identifier: Apache-2.0
// Where a vendor's updater meets the plug. The updater itself is the vendor's: it puts an image into flash and decides which one
// starts. What it needs of the running firmware is here; the store, and with it key and settings, lies outside the image.
#pragma once

#include <cstdint>

namespace wattproof::firmware {

// At a fixed place behind the vector table of every image, so that an updater can read it without running it.
struct ImageNote {
  std::uint32_t magic;            // "WPIM"
  std::uint32_t version;          // major << 16 | minor << 8 | patch
  std::uint32_t version_counter;  // never falls; raised when an older image must not come back
};
constexpr std::uint32_t image_note_magic = 0x4d495057;

// The image runs well: node started, every record written, the broker reached once, a minute without a fault.
bool healthy();

// Called once in a boot, as soon as healthy() is true and the image's counter is on record. The default does nothing; an updater
// confirms a trial image here (MCUboot: boot_set_confirmed).
void on_healthy();

// The highest counter of an image that was healthy. An image with a lower one is refused: the plug stays in safe mode.
std::uint32_t version_counter_min();

}  // namespace wattproof::firmware
