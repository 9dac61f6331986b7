// SPDX-License-Identifier: Apache-2.0
// What the descriptions of random devices are drawn and shaped with.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>

#include "solver/device.hpp"

namespace wattproof::bench {

inline std::int32_t between(std::mt19937& random, std::int32_t low, std::int32_t high) {
  return std::uniform_int_distribution<std::int32_t>(low, high)(random);
}

// In slots.
inline std::uint32_t hours(std::mt19937& random, const solver::Grid& grid, std::int32_t low, std::int32_t high) {
  return static_cast<std::uint32_t>(between(random, low, high)) * grid.slots / 24;
}

inline double bump(double hour, double at, double width) { return std::exp(-(hour - at) * (hour - at) / (width * width)); }

inline std::int32_t rounded(double value) { return static_cast<std::int32_t>(std::lround(value)); }

}  // namespace wattproof::bench
