// SPDX-License-Identifier: Apache-2.0
#include "solver/wide_math.hpp"

#include "base/math.hpp"

namespace wattproof::solver {

std::int64_t wide_floor_div(std::int64_t a, std::int64_t b) { return floor_div(a, b); }

#ifdef __OPTIMIZE_SIZE__
std::int64_t within(const EnergyLimits& limits, std::int64_t value) { return inlined::within(limits, value); }
EnergyLimits widened(const EnergyLimits& limits, std::int32_t by) { return inlined::widened(limits, by); }
bool contains(const EnergyLimits& limits, std::int64_t value) { return inlined::contains(limits, value); }
std::int64_t limited(std::int64_t value, std::uint32_t bits) {
  const std::int64_t limit = std::int64_t{1} << bits;
  return within({-limit, limit}, value);
}
std::int32_t saturate(std::int64_t value) { return inlined::saturate(value); }
#endif

}  // namespace wattproof::solver
