// SPDX-License-Identifier: Apache-2.0
// The duality gap of a profile. With l_t the price of slot t and m_t = l_t - l_(t+1) the multiplier of the energy
// limit after it, J(p) - D(l) is a sum of terms that are each >= 0: how far p_t is from the best power at price l_t,
// and |m_t| times the distance from the limit that m_t speaks for. Each is rounded up, so the sum is an upper bound.
#include "solver/clip_dp.hpp"
#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint64_t saturated = ~std::uint64_t{0};

std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? saturated : sum;
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? saturated : product;
}

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

// Collects a gap in units of curvature x 2^-bits: `square` holds what is in curvature x 2^-2bits.
struct Gap {
  std::uint32_t bits;
  std::uint64_t square = 0;
  std::uint64_t linear = 0;

  std::uint64_t total(std::uint64_t curvature) const {
    if (square == saturated || linear == saturated) return saturated;
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    const std::uint64_t units = add(linear, (square >> bits) + ((square & mask) != 0 ? 1 : 0));
    const std::uint64_t product = multiply(units, curvature);
    if (units == saturated || product == saturated) return saturated;
    return (product >> bits) + ((product & mask) != 0 ? 1 : 0);
  }
};

// What power p costs above the best power in [low, high] at price l: (p - x0)^2 - (x - x0)^2 with x0 = v + l.
// `wish_low` and `wish_high` enclose x0 on the grid, since v may be no whole number of grid steps.
void add_regret(Gap& gap, std::int64_t p, std::int64_t low, std::int64_t high, std::int64_t wish_low,
                std::int64_t wish_high) {
  const std::int64_t one = std::int64_t{1} << gap.bits;
  const std::int64_t above = p * one - wish_low;   // an upper bound of p - x0
  const std::int64_t below = wish_high - p * one;  // an upper bound of x0 - p
  if (wish_high < low * one) {
    gap.linear = add(gap.linear, multiply(magnitude(p - low), magnitude((p + low) * one - 2 * wish_low)));
  } else if (wish_low > high * one) {
    gap.linear = add(gap.linear, multiply(magnitude(high - p), magnitude(2 * wish_high - (p + high) * one)));
  } else {
    const std::uint64_t distance = magnitude(above > below ? above : below);
    gap.square = add(gap.square, multiply(distance, distance));
  }
}

// floor and ceiling of the wish of a slot on the grid, plus the price.
void add_slot(Gap& gap, const Wish& wish, std::uint32_t slot, std::int64_t p, std::int64_t low, std::int64_t high,
              std::int64_t price) {
  const std::int64_t scaled = wish.numerator(slot) * (std::int64_t{1} << gap.bits);
  const std::int64_t floor = floor_div(scaled, wish.curvature());
  const std::int64_t ceiling = -floor_div(-scaled, wish.curvature());
  add_regret(gap, p, low, high, floor + price, ceiling + price);
}

void storage_gap(Gap& gap, const StorageProblem& problem, const Wish& wish, std::span<const std::int32_t> profile_w,
                 std::span<const std::int32_t> dual) {
  std::int64_t energy = problem.start;
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    add_slot(gap, wish, t, profile_w[t], problem.low_w.at(t), problem.high_w.at(t), dual[t]);
    energy += profile_w[t];
    const EnergyLimits limits = limits_after(problem, t, next);
    const std::int64_t price = std::int64_t{dual[t]} - (t + 1 == problem.last ? 0 : dual[t + 1]);
    if (price == 0) continue;
    const std::uint64_t slack = price > 0 ? magnitude(energy - limits.low) : magnitude(limits.high - energy);
    gap.linear = add(gap.linear, multiply(multiply(2, magnitude(price)), slack));
  }
}

}  // namespace

Error recheck(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
              std::span<const std::int32_t> profile_w, std::span<const std::int32_t> dual, std::uint32_t guard_bits,
              std::uint64_t& gap) {
  WATTPROOF_TRY(check_profile(device, grid, profile_w));
  Wish wish;
  WATTPROOF_TRY(Wish::make(device, grid, target_w, cost, wish));
  if (guard_bits > 16) return Error::out_of_range;
  if (!dual.empty() && dual.size() != grid.slots) return Error::wrong_length;
  Gap sum{guard_bits};
  switch (device.kind) {
    case DeviceKind::curtailable:
    case DeviceKind::generator:
      for (std::uint32_t t = 0; t < grid.slots; ++t) {
        add_slot(sum, wish, t, profile_w[t], device.power_min_w.at(t), device.power_max_w.at(t), 0);
      }
      break;
    case DeviceKind::shapeable:
    case DeviceKind::battery:
      if (dual.empty()) return Error::wrong_length;
      storage_gap(sum, storage_problem(device, grid), wish, profile_w, dual);
      break;
    default: break;  // one choice, or all tried: nothing to add
  }
  gap = sum.total(static_cast<std::uint64_t>(wish.curvature()));
  return Error::none;
}

}  // namespace wattproof::solver
