// SPDX-License-Identifier: Apache-2.0
// Two clocks that must never be mixed, so two types. Neither converts to the other; what relates them is an anchor that
// the light client proves (chain/head.hpp).
#pragma once

#include <compare>
#include <cstdint>

namespace wattproof {

// Milliseconds since this boot: monotonic, 64 bits, never wraps in practice, unknown relation to any calendar.
struct BootMs {
  std::uint64_t ms = 0;
  constexpr auto operator<=>(const BootMs&) const = default;
  constexpr std::uint64_t since(BootMs earlier) const { return ms - earlier.ms; }
  constexpr BootMs plus(std::uint64_t delta_ms) const { return {ms + delta_ms}; }
};

// Seconds since 1970 as block headers state them: data from the chain, not a clock.
struct ChainSeconds {
  std::uint64_t s = 0;
  constexpr auto operator<=>(const ChainSeconds&) const = default;
};

}  // namespace wattproof
