// SPDX-License-Identifier: Apache-2.0
#include "base/math.hpp"
#include "solver/lossy_battery.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t one_w = std::int64_t{1} << wide_price_bits;

// What a slot gains by `power` at `price`, both in 2^-8 W; the efficiency as a fraction of permilles.
std::int64_t gain(std::int64_t power, std::int64_t wish, std::int64_t price, std::int64_t numerator,
                  std::int64_t denominator) {
  return 2 * wide_floor_div(price * numerator, denominator) * power - (power - wish) * (power - wish);
}

}  // namespace

LossyModel::LossyModel(const Device& device, const Grid& grid)
    : problem_(storage_problem(device, grid)),
      charge_permille_(device.kind == DeviceKind::battery ? device.charge_efficiency_permille : 1000),
      discharge_permille_(device.kind == DeviceKind::battery ? device.discharge_efficiency_permille : 1000),
      unit_(1000 * discharge_permille_),
      charge_(charge_permille_ * discharge_permille_),
      discharge_(1'000'000),
      loss_(device.kind == DeviceKind::battery ? device.standing_loss_w * unit_ : 0) {}

EnergyLimits LossyModel::limits(std::uint32_t slot, std::size_t& next) const {
  constexpr std::int64_t far_away = std::int64_t{1} << 40;  // W x slot, beyond every sum
  EnergyLimits limits = limits_after(problem_, slot, next);
  limits.low = clamp(limits.low, -far_away, far_away) * unit_;
  limits.high = clamp(limits.high, -far_away, far_away) * unit_;
  // Without losses a watt is the unit of the limits, which can then be met exactly.
  const std::int64_t room = charge_ == unit_ && discharge_ == unit_ ? 0 : discharge_;
  const std::int64_t width = limits.high - limits.low;
  if (width >= 0 && width < room) {
    limits.low -= (room - width + 1) / 2;
    limits.high += (room - width + 1) / 2;
  }
  return limits;
}

std::int64_t jump_price(const LossyModel& model, std::int64_t low_w, std::int64_t high_w, std::int64_t wish) {
  const std::int64_t charge = model.charge_permille();
  const std::int64_t discharge = model.discharge_permille();
  const std::int64_t both = charge * discharge;
  // Where neither branch meets its limit, both powers are +-wish (1 - ec ed) / (1 + ec ed).
  const std::int64_t power = wide_floor_div(wish * (1'000'000 - both), 1'000'000 + both);
  if (power <= high_w * one_w && power <= -low_w * one_w) {
    return -wide_floor_div(2000 * discharge * wish, both + 1'000'000);
  }
  // Else the price at which both branches gain the same; the gain of charging grows faster with the price.
  constexpr std::uint32_t shift_bits = wide_price_bits - 8;  // from the grid to 2^-8 W, so that squares fit
  constexpr std::int64_t shift = std::int64_t{1} << shift_bits;
  const std::int64_t v = wide_floor_div(wish, shift);
  std::int64_t low = wide_floor_div((low_w * one_w - wish) * 1000, charge) - one_w;
  std::int64_t high = 0;
  while (high - low > 1) {
    const std::int64_t price = (low + high) >> 1;
    const std::int64_t charging =
        clamp<std::int64_t>(v + wide_floor_div(price * charge, 1000 * shift), 0, high_w * (one_w >> shift_bits));
    const std::int64_t discharging =
        clamp<std::int64_t>(v + wide_floor_div(price * 1000, discharge * shift), low_w * (one_w >> shift_bits), 0);
    const bool is_charging = gain(charging, v, price >> shift_bits, charge, 1000) >
                             gain(discharging, v, price >> shift_bits, 1000, discharge);
    (is_charging ? high : low) = price;
  }
  return low;
}

SlotChoice choose(const LossyModel& model, std::int64_t low_w, std::int64_t high_w, std::int64_t wish, std::int64_t price) {
  const std::int64_t low = low_w * one_w;
  const std::int64_t high = high_w * one_w;
  const std::int64_t charging = wish + wide_floor_div(price * model.charge_permille(), std::int64_t{1000});
  const std::int64_t discharging = wish + wide_floor_div(price * 1000, model.discharge_permille());
  if (low >= 0) {
    const std::int64_t power = clamp(charging, low, high);
    return {power, power};
  }
  if (high <= 0) {
    const std::int64_t power = clamp(discharging, low, high);
    return {power, power};
  }
  const std::int64_t up = clamp<std::int64_t>(charging, 0, high);
  const std::int64_t down = clamp<std::int64_t>(discharging, low, 0);
  if (wish <= 0) return up > 0 ? SlotChoice{up, up} : SlotChoice{down, down};
  const std::int64_t jump = jump_price(model, low_w, high_w, wish);
  if (price < jump) return {down, down};
  if (price > jump + 1) return {up, up};
  return {down, up};
}

Error feasible_lossy(const Device& device, const Grid& grid, Report& report) {
  const LossyModel model(device, grid);
  const StorageProblem& problem = model.problem();
  const std::int64_t wh = problem.wh * model.unit();
  std::int64_t low = model.start();
  std::int64_t high = low;
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    if (problem.low_w.at(t) > problem.high_w.at(t)) {
      report.limit = Limit::power;
      report.slot = t;
      report.needed = problem.low_w.at(t);
      report.possible = problem.high_w.at(t);
      return Error::infeasible;
    }
    low += model.effect(problem.low_w.at(t)) - model.loss();
    high += model.effect(problem.high_w.at(t)) - model.loss();
    const EnergyLimits limits = model.limits(t, next);
    const bool is_below = high < limits.low;
    if (is_below || low > limits.high || limits.low > limits.high) {
      report.limit = is_below ? Limit::energy_min : Limit::energy_max;
      report.slot = t + 1;
      report.needed = is_below ? -wide_floor_div(-limits.low, wh) : wide_floor_div(limits.high, wh);
      report.possible = is_below ? wide_floor_div(high, wh) : -wide_floor_div(-low, wh);
      return is_below ? Error::infeasible_below : Error::infeasible_above;
    }
    if (low < limits.low) low = limits.low;
    if (high > limits.high) high = limits.high;
  }
  return Error::none;
}

Error check_lossy(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const LossyModel model(device, grid);
  const StorageProblem& problem = model.problem();
  std::int64_t energy = model.start();
  std::size_t next = 0;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (profile_w[t] < problem.low_w.at(t) || profile_w[t] > problem.high_w.at(t)) return Error::infeasible;
    energy += model.effect(profile_w[t]) - model.loss();
    const EnergyLimits limits = model.limits(t, next);
    if (energy < limits.low || energy > limits.high) return Error::infeasible;
  }
  return Error::none;
}

}  // namespace wattproof::solver
