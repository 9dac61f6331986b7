// SPDX-License-Identifier: Apache-2.0
// How much stack a call uses: paints the memory below the stack pointer, and looks afterwards how far down the paint is
// gone. paint() and used() are called from the same function, the call that is measured between them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wattproof::bench {

constexpr std::size_t paint_span = 32 * 1024;  // far more than any call may use
constexpr std::size_t paint_margin = 64;       // not painted, counted as used: what paint() itself may keep there
constexpr std::uint8_t paint_colour = 0xa5;

inline std::uint8_t* paint_top = nullptr;  // where paint() was called

[[gnu::noinline]] inline void paint() {
  paint_top = static_cast<std::uint8_t*>(__builtin_frame_address(0));
  for (volatile std::uint8_t* at = paint_top - paint_span; at != paint_top - paint_margin; ++at) *at = paint_colour;
}

[[gnu::noinline]] inline std::size_t used() {
  const volatile std::uint8_t* at = paint_top - paint_span;
  while (at != paint_top - paint_margin && *at == paint_colour) ++at;
  return static_cast<std::size_t>(paint_top - at);
}

}  // namespace wattproof::bench
