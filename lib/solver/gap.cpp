// SPDX-License-Identifier: Apache-2.0
#include "solver/gap.hpp"
#include "solver/wide_math.hpp"

#include "base/math.hpp"
#include "solver/price_path.hpp"
#include "solver/store.hpp"

namespace wattproof::solver {

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? gap_saturated : sum;
}

std::uint64_t saturating_multiply(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? gap_saturated : product;
}

std::uint64_t Gap::total(std::uint64_t curvature) const {
  if (square == gap_saturated || linear == gap_saturated) return gap_saturated;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  const std::uint64_t units = saturating_add(linear, (square >> bits) + ((square & mask) != 0 ? 1 : 0));
  const std::uint64_t product = saturating_multiply(units, curvature);
  if (units == gap_saturated || product == gap_saturated) return gap_saturated;
  return (product >> bits) + ((product & mask) != 0 ? 1 : 0);
}

Range scaled(const Range& range, std::int64_t numerator, std::int64_t denominator) {
  return {wide_floor_div(range.low * numerator, denominator), -wide_floor_div(-range.high * numerator, denominator)};
}

void add_regret(Gap& gap, std::int64_t p, std::int64_t low, std::int64_t high, std::int64_t wish_low,
                std::int64_t wish_high) {
  const std::int64_t one = std::int64_t{1} << gap.bits;
  const std::int64_t above = p * one - wish_low;   // an upper bound of p - x0
  const std::int64_t below = wish_high - p * one;  // an upper bound of x0 - p
  if (wish_high < low * one) {
    gap.linear = saturating_add(gap.linear, saturating_multiply(magnitude(p - low), magnitude((p + low) * one - 2 * wish_low)));
  } else if (wish_low > high * one) {
    gap.linear = saturating_add(gap.linear, saturating_multiply(magnitude(high - p), magnitude(2 * wish_high - (p + high) * one)));
  } else {
    const std::uint64_t distance = magnitude(above > below ? above : below);
    gap.square = saturating_add(gap.square, saturating_multiply(distance, distance));
  }
}

namespace {

// 2 |multiplier| x distance, with the distance a fraction of W x slot; a distance on the wrong side counts as none.
void add_slack(Gap& gap, std::int64_t multiplier, std::int64_t above_low, std::int64_t below_high, std::uint64_t unit) {
  const std::int64_t slack = multiplier > 0 ? above_low : below_high;
  if (multiplier == 0 || slack <= 0) return;
  const std::uint64_t product = saturating_multiply(2 * magnitude(multiplier), static_cast<std::uint64_t>(slack));
  gap.linear = saturating_add(gap.linear, product == gap_saturated ? gap_saturated : product / unit + (product % unit != 0 ? 1 : 0));
}

// In W x slot. A multiplier of a limit that there is not makes the bound wide.
std::int64_t energy_limit(const StorageProblem& problem, std::int32_t limit_wh) {
  constexpr std::int64_t unlimited = std::int64_t{1} << 40;
  if (limit_wh == -energy_unlimited_wh) return -unlimited;
  return limit_wh == energy_unlimited_wh ? unlimited : std::int64_t{limit_wh} * problem.wh;
}

void storage_slack(Gap& gap, const StorageProblem& problem, std::span<const std::int32_t> profile_w,
                   const Multipliers& dual) {
  std::int64_t energy = energy_limit(problem, problem.start);
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    energy += profile_w[t];
    const StateLimits limits = limits_after(problem, t, next);
    if (dual.at(t) == 0) continue;
    add_slack(gap, dual.at(t), energy - energy_limit(problem, limits.low), energy_limit(problem, limits.high) - energy, 1);
  }
}

void store_slack(Gap& gap, const Store& store, std::span<const std::int32_t> profile_w, const Multipliers& dual) {
  const StorageProblem& problem = store.problem();
  Reach reach(store, 0);
  Report unmet;
  std::int64_t now = 0;
  std::size_t next = 0;
  // The leak is rounded to nearest, of the effect and of what it is compared with: together off by at most a unit a slot.
  const std::uint32_t rounding = store.is_leaking() ? problem.last : 0;
  const std::int64_t unit = store.is_leaking() ? store.charge_watt() : store.unit();
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    (void)reach.step(t, unmet);
    EnergyLimits limits = reach.reached;
    if (!store.is_leaking()) limits = store.limits(limits_after(problem, t, next), reach.idle);
    now = store.kept(now) + store.effect(profile_w[t]);
    if (dual.at(t) == 0) continue;
    add_slack(gap, dual.at(t), now + rounding - limits.low, limits.high - now + rounding, magnitude(unit));
  }
}

}  // namespace

void add_slacks(Gap& gap, const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w,
                const Multipliers& multipliers) {
  if (is_thermal(device) || is_lossy(device)) {
    store_slack(gap, Store(device, grid), profile_w, multipliers);
  } else if (device.kind == DeviceKind::battery || device.kind == DeviceKind::shapeable) {
    storage_slack(gap, storage_problem(device, grid), profile_w, multipliers);
  }
}

namespace {

// The multiplier's unit: a price of what is stored, while the solver's prices are of what can be discharged.
std::int32_t energy_price(const Store& store, std::int32_t price) {
  if (store.discharge_permille() == 1000) return price;
  return static_cast<std::int32_t>(wide_floor_div(std::int64_t{price} * store.discharge_permille(), 1000));
}

}  // namespace

void to_multipliers(const Device& device, const Grid& grid, Report& report) {
  if (device.kind == DeviceKind::curtailable || device.kind == DeviceKind::generator) report.guard_bits = guard_bits(grid.slots);
  const bool has_state = device.kind == DeviceKind::shapeable || device.kind == DeviceKind::battery || device.kind == DeviceKind::thermal;
  if (!has_state || report.dual.size() != grid.slots) return;
  const Store store(device, grid);
  const std::uint32_t keep = fraction(store.keep_permyriad(), Store::permyriad);
  std::int32_t* const price = const_cast<std::int32_t*>(report.dual.data());  // in the caller's workspace
  clear_outside(store.problem(), grid.slots, price);
  std::int32_t next = 0;
  for (std::uint32_t t = store.problem().last; t-- > store.problem().first;) {
    const std::int32_t own = price[t];
    price[t] = own == next ? 0 : energy_price(store, own) - energy_price(store, next);
    next = portion(own, keep);
  }
}

}  // namespace wattproof::solver
