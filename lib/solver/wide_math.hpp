// SPDX-License-Identifier: Apache-2.0
// 64-bit arithmetic that several solvers share, and the grid of 2^-10 W.
// Internal to solver/.
#pragma once

#include <cstdint>
#include <limits>

#include "solver/for_size.hpp"

namespace wattproof::solver {

constexpr std::uint32_t wide_price_bits = 10;

// floor_div of base/math.hpp, compiled once: on a CPU without 64-bit division each inlined copy costs dozens of bytes;
// and round_div.
std::int64_t wide_floor_div(std::int64_t a, std::int64_t b);
inline std::int64_t wide_round_div(std::int64_t a, std::int64_t b) { return wide_floor_div(a + (b >> 1), b); }

// Both ends included.
struct EnergyLimits {
  std::int64_t low;
  std::int64_t high;
};

// The nearest price of 32 bits; its two ends stand for no price at all.
constexpr std::int32_t price_low = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t price_high = std::numeric_limits<std::int32_t>::max();

namespace inlined {

constexpr std::int64_t within(const EnergyLimits& limits, std::int64_t value) {
  if (value < limits.low) return limits.low;
  return value > limits.high ? limits.high : value;
}
constexpr void widen(const EnergyLimits& limits, std::int32_t by, EnergyLimits& wider) { wider = {limits.low - by, limits.high + by}; }
constexpr std::int64_t limited(std::int64_t value, std::uint32_t bits) {
  const std::int32_t limit = std::int32_t{1} << (bits - 32);
  const std::int32_t upper = static_cast<std::int32_t>(value >> 32);
  if (-limit <= upper && upper < limit) return value;
  return std::int64_t{upper < 0 ? -limit : limit} << 32;
}
constexpr std::int32_t saturate(std::int64_t value) {
  const std::int32_t kept = static_cast<std::int32_t>(value);
  if (kept == value) return kept;
  return value < 0 ? price_low : price_high;
}

}  // namespace inlined

// limited(): within +-2^bits, for 32 <= bits < 63. Compiled for size, each of these is one function for all.
#ifdef __OPTIMIZE_SIZE__
std::int64_t within(const EnergyLimits& limits, std::int64_t value);
void widen(const EnergyLimits& limits, std::int32_t by, EnergyLimits& wider);
std::int64_t limited(std::int64_t value, std::uint32_t bits);
std::int32_t saturate(std::int64_t value);
#else
using inlined::limited;
using inlined::saturate;
using inlined::widen;
using inlined::within;
#endif

inline bool contains(const EnergyLimits& limits, std::int64_t value) {
  return is_for_size ? within(limits, value) == value : limits.low <= value && value <= limits.high;
}

}  // namespace wattproof::solver
