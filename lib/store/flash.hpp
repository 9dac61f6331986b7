// SPDX-License-Identifier: Apache-2.0
// What the store needs of a board's flash. A flash is any type with these members; there is no base class.
//
// Rules that a driver must keep, which are those of NOR flash in microcontrollers and on SPI:
//   1. An erased sector reads 0xff. Programming can only clear bits.
//   2. A unit (program_size bytes, aligned) is programmed as a whole, once after each erase, with one exception: any unit
//      may be programmed to all zeros at any time, whatever it holds. (Chips with an error code per unit permit just that.)
//   3. program and erase return after the cells are done, not when the command was accepted.
//   4. A power cut leaves the unit or sector in work in any state, also one that reads differently from boot to boot. No
//      other unit changes.
#pragma once

#include <concepts>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::store {

constexpr std::uint32_t program_size_max = 16;
constexpr std::uint32_t sector_size_max = 1U << 18;

struct FlashGeometry {
  std::uint32_t sector_size = 0;   // bytes erased at once; a multiple of program_size, 256 to sector_size_max
  std::uint32_t sector_count = 0;
  std::uint32_t program_size = 0;  // bytes programmed at once: 1, 2, 4, 8 or 16
};

constexpr bool is_valid(const FlashGeometry& geometry) {
  const bool is_unit = geometry.program_size != 0 && geometry.program_size <= program_size_max &&
                       (geometry.program_size & (geometry.program_size - 1)) == 0;
  return is_unit && geometry.sector_size >= 256 && geometry.sector_size <= sector_size_max &&
         geometry.sector_size % geometry.program_size == 0 && geometry.sector_count <= 1U << 14;
}

// Offsets count from the first sector. All three fail with storage_failed only, and only if the chip says so.
template <class T>
concept Flash = requires(T& flash, const T& constant, std::uint32_t offset, Bytes bytes, MutableBytes into) {
  { constant.geometry() } -> std::same_as<FlashGeometry>;
  { flash.erase_sector(offset) } -> std::same_as<Error>;    // here the sector's index
  { flash.program(offset, bytes) } -> std::same_as<Error>;  // whole units, in ascending order
  { flash.read(offset, into) } -> std::same_as<Error>;      // any offset, any length
};

}  // namespace wattproof::store
