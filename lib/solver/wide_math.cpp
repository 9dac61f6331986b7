// SPDX-License-Identifier: Apache-2.0
#include "solver/wide_math.hpp"

#include "base/math.hpp"

namespace wattproof::solver {

std::int64_t wide_floor_div(std::int64_t a, std::int64_t b) { return floor_div(a, b); }

#ifdef __OPTIMIZE_SIZE__
std::int64_t within(const EnergyLimits& limits, std::int64_t value) { return inlined::within(limits, value); }
void widen(const EnergyLimits& limits, std::int32_t by, EnergyLimits& wider) { inlined::widen(limits, by, wider); }
std::int64_t limited(std::int64_t value, std::uint32_t bits) { return inlined::limited(value, bits); }
std::int32_t saturate(std::int64_t value) { return inlined::saturate(value); }
#endif

}  // namespace wattproof::solver
