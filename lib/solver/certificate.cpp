// SPDX-License-Identifier: Apache-2.0
// The duality gap of a profile. With m_t the multiplier of the state's limit after slot t and l_t = m_t + (1 - leak) l_(t+1)
// the price of power in it, J(p) - D(m) is a sum of terms that are each >= 0: how far p_t is from the best power at price l_t,
// and |m_t| times the distance from the limit that m_t speaks for. Each is rounded up, so the sum is an upper bound.
#include "solver/clip_dp.hpp"
#include "solver/lossy_battery.hpp"
#include "solver/solve.hpp"
#include "solver/thermal.hpp"
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

// The multiplier of a slot.
class Multipliers {
 public:
  Multipliers(std::span<const std::int32_t> dual, std::uint32_t last) : dual_(dual), last_(last) {}
  std::int64_t at(std::uint32_t slot) const {
    if (dual_.size() == 1) return slot + 1 == last_ ? dual_[0] : 0;
    return dual_.empty() ? 0 : dual_[slot];
  }

 private:
  std::span<const std::int32_t> dual_;
  std::uint32_t last_;
};

// Encloses a number that the grid does not hold.
struct Range {
  std::int64_t low = 0;
  std::int64_t high = 0;
};

Range scaled(const Range& range, std::int64_t numerator, std::int64_t denominator) {
  return {floor_div(range.low * numerator, denominator), -floor_div(-range.high * numerator, denominator)};
}

Range sum(const Range& a, const Range& b) { return {a.low + b.low, a.high + b.high}; }

// The power that a slot would choose without limits at price 0, on the grid.
Range wish_range(const Wish& wish, std::uint32_t slot, std::uint32_t bits) {
  const std::int64_t numerator = wish.numerator(slot);
  return scaled({numerator, numerator}, std::int64_t{1} << bits, wish.curvature());
}

// 2 |multiplier| x distance, with the distance a fraction of W x slot; a distance on the wrong side counts as none.
void add_slack(Gap& gap, std::int64_t multiplier, std::int64_t above_low, std::int64_t below_high, std::uint64_t unit) {
  const std::int64_t slack = multiplier > 0 ? above_low : below_high;
  if (multiplier == 0 || slack <= 0) return;
  const std::uint64_t product = multiply(2 * magnitude(multiplier), static_cast<std::uint64_t>(slack));
  gap.linear = add(gap.linear, product == saturated ? saturated : product / unit + (product % unit != 0 ? 1 : 0));
}

void storage_slack(Gap& gap, const StorageProblem& problem, std::span<const std::int32_t> profile_w,
                   const Multipliers& dual) {
  std::int64_t energy = problem.start;
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    energy += profile_w[t];
    const EnergyLimits limits = limits_after(problem, t, next);
    if (dual.at(t) != 0) add_slack(gap, dual.at(t), energy - limits.low, limits.high - energy, 1);
  }
}

void lossy_slack(Gap& gap, const LossyModel& model, std::span<const std::int32_t> profile_w,
                 const Multipliers& dual) {
  const StorageProblem& problem = model.problem();
  std::int64_t energy = model.start();
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    energy += model.effect(profile_w[t]) - model.loss();
    const EnergyLimits limits = limits_after(problem, t, next);
    if (dual.at(t) == 0) continue;
    add_slack(gap, dual.at(t), energy - limits.low * model.unit(), limits.high * model.unit() - energy,
              static_cast<std::uint64_t>(model.unit()));
  }
}

void thermal_slack(Gap& gap, const ThermalModel& model, const Grid& grid, std::span<const std::int32_t> profile_w,
                   const Multipliers& dual) {
  ComfortBand band(model);
  std::int64_t now = model.start();
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    band.advance(t);
    now = model.drift(now, t) + model.watt() * profile_w[t];
    if (dual.at(t) == 0 || model.watt() == 0) continue;
    // `now` may be below the true temperature by a unit a slot.
    const std::int64_t above_low = now + grid.slots - band.low;
    const std::int64_t below_high = band.high - now;
    if (model.watt() > 0) {
      add_slack(gap, dual.at(t), above_low, below_high, magnitude(model.watt()));
    } else {
      add_slack(gap, dual.at(t), below_high, above_low, magnitude(model.watt()));
    }
  }
}

// x (x - 2 x0) of the best x in [low, high], rounded down, in grid units; all of it for one branch of a lossy battery.
std::int64_t branch_minimum(const Range& best, std::int64_t low, std::int64_t high, std::uint32_t bits) {
  const std::int64_t one = std::int64_t{1} << bits;
  if (best.high <= low * one) return low * (low * one - 2 * (low > 0 ? best.high : best.low));
  if (best.low >= high * one) return high * (high * one - 2 * (high > 0 ? best.high : best.low));
  const std::int64_t far = magnitude(best.low) > magnitude(best.high) ? best.low : best.high;
  const std::int64_t size = far < 0 ? -far : far;
  const std::int64_t whole = size >> bits;
  const std::int64_t part = size & (one - 1);
  return -(whole * whole * one + 2 * whole * part + ((part * part) >> bits) + 1);
}

// Regret against the own branch, and against the other one if that is better.
void add_lossy_slot(Gap& gap, const LossyModel& model, std::uint32_t slot, std::int64_t p, const Range& wish,
                    std::int64_t price) {
  const std::int64_t low = model.problem().low_w.at(slot);
  const std::int64_t high = model.problem().high_w.at(slot);
  const Range charge = sum(wish, scaled({price, price}, model.charge_permille(), 1000));
  const Range discharge = sum(wish, scaled({price, price}, 1000, model.discharge_permille()));
  const bool is_charging = p > 0 || (p == 0 && low >= 0);
  const Range& own = is_charging ? charge : discharge;
  Gap here{gap.bits};
  add_regret(here, p, is_charging ? (low > 0 ? low : 0) : low, is_charging ? high : (high < 0 ? high : 0), own.low, own.high);
  if (low < 0 && high > 0) {
    const std::int64_t value = p * ((p << gap.bits) - 2 * (p > 0 ? own.low : own.high));
    const std::int64_t other = is_charging ? branch_minimum(discharge, low, 0, gap.bits)
                                           : branch_minimum(charge, 0, high, gap.bits);
    const std::uint64_t regret = value > other ? magnitude(value - other) : 0;
    if (regret > here.linear + (here.square >> gap.bits)) {
      gap.linear = add(gap.linear, regret);
      return;
    }
  }
  gap.linear = add(gap.linear, here.linear);
  gap.square = add(gap.square, here.square);
}

// Prices from the multipliers, last slot first: a leaking store passes on only what does not leak.
void add_regrets(Gap& gap, const Device& device, const Grid& grid, const Wish& wish, std::uint32_t first,
                 std::uint32_t last, std::span<const std::int32_t> profile_w, const Multipliers& dual) {
  constexpr std::int64_t fine = 256;
  const bool is_leaking = device.kind == DeviceKind::thermal;
  const LossyModel lossy(device, grid);
  Range price;
  for (std::uint32_t t = last; t-- > first;) {
    if (is_leaking) price = scaled(price, 10'000 - device.leak_permyriad_per_slot, 10'000);
    price = sum(price, {dual.at(t) * fine, dual.at(t) * fine});
    const Range own = wish_range(wish, t, gap.bits);
    if (is_lossy(device)) {
      add_lossy_slot(gap, lossy, t, profile_w[t], own, floor_div(price.low, fine));
    } else {
      const Range best = sum(own, scaled(price, 1, fine));
      add_regret(gap, profile_w[t], device.power_min_w.at(t), device.power_max_w.at(t), best.low, best.high);
    }
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
  const bool has_state = device.kind == DeviceKind::shapeable || device.kind == DeviceKind::battery ||
                         device.kind == DeviceKind::thermal;
  if (has_state && dual.size() != grid.slots && dual.size() != 1) return Error::wrong_length;
  Gap total{guard_bits};
  std::uint32_t first = 0;
  std::uint32_t last = grid.slots;
  if (device.kind == DeviceKind::shapeable) {
    first = device.start_slot;
    last = end_slot(device, grid);
  }
  const Multipliers multipliers(has_state ? dual : std::span<const std::int32_t>(), last);
  switch (device.kind) {
    case DeviceKind::curtailable:
    case DeviceKind::generator: break;
    case DeviceKind::shapeable:
    case DeviceKind::battery:
      if (is_lossy(device)) {
        lossy_slack(total, LossyModel(device, grid), profile_w, multipliers);
      } else {
        storage_slack(total, storage_problem(device, grid), profile_w, multipliers);
      }
      break;
    case DeviceKind::thermal:
      thermal_slack(total, ThermalModel(device, grid), grid, profile_w, multipliers);
      break;
    default:  // one choice, or all tried: nothing to add
      gap = 0;
      return Error::none;
  }
  add_regrets(total, device, grid, wish, first, last, profile_w, multipliers);
  gap = total.total(static_cast<std::uint64_t>(wish.curvature()));
  return Error::none;
}

}  // namespace wattproof::solver
