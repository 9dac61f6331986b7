// SPDX-License-Identifier: Apache-2.0
// Sums of nonnegative parts of a duality gap, each rounded up, saturating instead of wrapping. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/solve.hpp"

namespace wattproof::solver {

class Store;

constexpr std::uint64_t gap_saturated = ~std::uint64_t{0};

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b);
std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b);

constexpr std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

// Collects a gap in units of curvature x 2^-bits: `square` holds what is in curvature x 2^-2bits.
struct Gap {
  std::uint32_t bits;
  std::uint64_t square = 0;
  std::uint64_t linear = 0;

  // The gap in units of J / curvature x curvature, rounded up.
  std::uint64_t total(std::uint64_t curvature) const;
};

// The multiplier of a slot.
class Multipliers {
 public:
  // `scale` brings them to the unit of the gap.
  Multipliers(std::span<const std::int32_t> dual, std::uint32_t last, std::int64_t scale = 1)
      : dual_(dual), last_(last), scale_(scale) {}
  std::int64_t at(std::uint32_t slot) const {
    if (dual_.size() == 1) return slot + 1 == last_ ? dual_[0] * scale_ : 0;
    return dual_.empty() ? 0 : dual_[slot] * scale_;
  }

 private:
  std::span<const std::int32_t> dual_;
  std::uint32_t last_;
  std::int64_t scale_;
};

// Encloses a number that the grid does not hold.
struct Range {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

// range x numerator / denominator, rounded outwards, for numerator >= 0.
Range scaled(const Range& range, std::int64_t numerator, std::int64_t denominator);
constexpr Range sum(const Range& a, const Range& b) { return {a.low + b.low, a.high + b.high}; }

// What power p costs above the best power in [low, high] at price l: (p - x0)^2 - (x - x0)^2 with x0 = v + l.
// `wish_low` and `wish_high` enclose x0 on the grid, since v may be no whole number of grid steps.
void add_regret(Gap& gap, std::int64_t p, std::int64_t low, std::int64_t high, std::int64_t wish_low,
                std::int64_t wish_high);

// The same for a battery with losses at a price of stored energy, in grid units: against the best of the branch that p lies on, and
// of the other one if that is better.
void add_lossy_regret(Gap& gap, const Store& model, std::uint32_t slot, std::int64_t p, const Range& wish, const Range& price);

// The prices of the slots that the solvers of stores leave in Report::dual become the multipliers of the limits after each slot: what a
// price is more than that which goes with the next slot's. One number alone is both already.
void to_multipliers(const Device& device, const Grid& grid, Report& report);

// What the state's limits contribute: 2 |multiplier| x how far the state is from the limit that the multiplier speaks for.
// Nothing for kinds without a state.
void add_slacks(Gap& gap, const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w,
                const Multipliers& multipliers);

}  // namespace wattproof::solver
