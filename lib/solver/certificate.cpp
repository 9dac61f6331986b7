// SPDX-License-Identifier: Apache-2.0
// The duality gap of a profile. With m_t the multiplier of the state's limit after slot t and l_t = m_t + (1 - leak) l_(t+1)
// the price of power in it, J(p) - D(m) is a sum of terms that are each >= 0: how far p_t is from the best power at price l_t,
// and |m_t| times the distance from the limit that m_t speaks for. Each is rounded up, so the sum is an upper bound.
#include "base/math.hpp"
#include "solver/banded.hpp"
#include "solver/clip_dp.hpp"
#include "solver/gap.hpp"
#include "solver/store.hpp"
#include "solver/solve.hpp"
#include "solver/wish.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

// The power that a slot would choose without limits at price 0, on the grid.
Range wish_range(const Wish& wish, std::uint32_t slot, std::uint32_t bits) {
  const std::int64_t numerator = wish.numerator(slot);
  return scaled({numerator, numerator}, std::int64_t{1} << bits, wish.curvature());
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

// Prices from the multipliers, last slot first: a leaking store passes on only what does not leak.
void add_regrets(Gap& gap, const Device& device, const Grid& grid, const Wish& wish, std::uint32_t first,
                 std::uint32_t last, std::span<const std::int32_t> profile_w, const Multipliers& dual) {
  constexpr std::int64_t fine = 256;
  const bool is_leaking = device.kind == DeviceKind::thermal;
  const Store lossy(device, grid);
  Range price;
  for (std::uint32_t t = last; t-- > first;) {
    if (is_leaking) price = scaled(price, 10'000 - device.leak_permyriad_per_slot, 10'000);
    price = sum(price, {dual.at(t) * fine, dual.at(t) * fine});
    const Range own = wish_range(wish, t, gap.bits);
    if (is_lossy(device)) {
      const std::int64_t energy_price = wide_floor_div(price.low, fine);
      add_lossy_regret(gap, lossy, t, profile_w[t], own, {energy_price, energy_price});
    } else {
      const Range best = sum(own, scaled(price, 1, fine));
      add_regret(gap, profile_w[t], device.power_min_w.at(t), device.power_max_w.at(t), best.low, best.high);
    }
  }
}

void add_banded(Gap& gap, const Device& device, const Grid& grid, const Wish& wish, std::span<const std::int32_t> profile_w,
                std::span<const std::int32_t> dual) {
  const BandedModel model(device, grid);
  const BandedMultipliers multipliers(dual.data(), 3);
  (void)add_banded_slacks(gap, model, grid, profile_w, multipliers, false);
  BandedPrices prices(model, multipliers, gap);
  for (std::uint32_t t = grid.slots; t-- > 0;) {
    const Range best = sum(wish_range(wish, t, gap.bits), scaled(prices.before(t), 1, 256));
    add_regret(gap, profile_w[t], device.power_min_w.at(t), device.power_max_w.at(t), best.low, best.high);
  }
}

}  // namespace

void add_lossy_regret(Gap& gap, const Store& model, std::uint32_t slot, std::int64_t p, const Range& wish, const Range& price) {
  const std::int64_t low = model.low_w(slot);
  const std::int64_t high = model.high_w(slot);
  const Range charge = sum(wish, scaled(price, model.charge_permille(), 1000));
  const Range discharge = sum(wish, scaled(price, 1000, model.discharge_permille()));
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
      gap.linear = saturating_add(gap.linear, regret);
      return;
    }
  }
  gap.linear = saturating_add(gap.linear, here.linear);
  gap.square = saturating_add(gap.square, here.square);
}

Error recheck(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
              std::span<const std::int32_t> profile_w, std::span<const std::int32_t> dual, std::uint32_t guard_bits,
              std::uint64_t& gap) {
  WATTPROOF_TRY(check_profile(device, grid, profile_w));
  Wish wish;
  WATTPROOF_TRY(Wish::make(device, grid, target_w, cost, wish));
  if (guard_bits > 16) return Error::out_of_range;
  if (device.kind == DeviceKind::fixed || device.kind == DeviceKind::appliance || device.kind == DeviceKind::switched) {
    gap = 0;  // one choice, or all tried
    return Error::none;
  }
  Gap total{guard_bits};
  if (is_built(DeviceKind::banded) && device.kind == DeviceKind::banded) {
    if (dual.size() != 3 * std::size_t{grid.slots}) return Error::wrong_length;
    add_banded(total, device, grid, wish, profile_w, dual);
    gap = total.total(static_cast<std::uint64_t>(wish.curvature()));
    return Error::none;
  }
  const bool is_shapeable = device.kind == DeviceKind::shapeable;
  const bool has_state = is_shapeable || device.kind == DeviceKind::battery || device.kind == DeviceKind::thermal;
  if (has_state && dual.size() != grid.slots && dual.size() != 1) return Error::wrong_length;
  const std::uint32_t first = is_shapeable ? device.start_slot : 0;
  const std::uint32_t last = is_shapeable ? end_slot(device, grid) : grid.slots;
  const Multipliers multipliers(has_state ? dual : std::span<const std::int32_t>(), last);
  add_slacks(total, device, grid, profile_w, multipliers);
  add_regrets(total, device, grid, wish, first, last, profile_w, multipliers);
  gap = total.total(static_cast<std::uint64_t>(wish.curvature()));
  return Error::none;
}

}  // namespace wattproof::solver
