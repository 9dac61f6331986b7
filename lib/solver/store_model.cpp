// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"
#include "solver/store.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t fine_bits = 10;             // of a milli-degree
constexpr std::uint32_t far_temperature_bits = 46;  // beyond every temperature, small enough to multiply
constexpr std::uint32_t unreached_bits = 49;        // beyond twice every temperature, also of slots of a second

}  // namespace

Store::Store(const Device& device, const Grid& grid)
    : is_leaking_(is_thermal(device)),
      is_soft_(is_leaking_ && device.soft),
      ambient_mc_(device.ambient_mc),
      min_mc_(device.min_mc),
      max_mc_(device.max_mc),
      charge_permille_(1000),
      discharge_permille_(1000),
      by_keep_(static_cast<std::uint32_t>(permyriad - (is_leaking() ? device.leak_permyriad_per_slot : 0))),
      by_permyriad_(permyriad),
      problem_(storage_problem(device, grid)) {
  if (is_leaking()) {
    unit_ = problem_.wh << fine_bits;
    report_unit_ = unit_;
    start_ = std::int64_t{device.start_mc} * unit_;
    charge_watt_ = device.gain_mk_per_wh * (1 << fine_bits);
    if (charge_watt_ < 0) {
      charge_watt_ = -charge_watt_;
      sign_ = -1;
    }
    discharge_watt_ = charge_watt_;
    slack_ = tolerance_ = unit_ >> 1;
    if (is_soft_ && charge_watt_ > slack_) tolerance_ = charge_watt_;
    return;
  }
  if (device.kind == DeviceKind::battery) {
    charge_permille_ = device.charge_efficiency_permille;
    discharge_permille_ = device.discharge_efficiency_permille;
    loss_w_ = device.standing_loss_w;
  }
  unit_ = 1000 * discharge_permille_;
  report_unit_ = std::int64_t{unit_} * problem_.wh;
  start_ = problem_.start * unit_;
  charge_watt_ = charge_permille_ * discharge_permille_;
  discharge_watt_ = 1'000'000;
  // Without losses a watt is the unit of the limits, which can then be met exactly.
  if (!is_without_losses()) least_room_ = discharge_watt_;
  loss_ = std::int64_t{loss_w_} * unit_;
}

std::int64_t Store::leaked(std::int64_t before, std::uint32_t slot) const {
  if (!is_leaking()) return before - loss_;
  const std::int64_t ambient = std::int64_t{ambient_mc_.at(slot)} * unit_;
  return ambient + by_permyriad_.floor(limited(before - ambient, unreached_bits) * keep_permyriad());
}

std::int64_t Store::unleaked(std::int64_t after, std::uint32_t slot, std::int32_t excess) const {
  if (!is_leaking()) return after + loss_;
  const std::int64_t ambient = std::int64_t{ambient_mc_.at(slot)} * unit_;
  const std::int64_t needed = limited(after - ambient, far_temperature_bits);
  return ambient + by_keep_.floor(needed * permyriad + excess);
}

void Store::limits(std::uint32_t slot, std::size_t& next, EnergyLimits& limits) const {
  limits = is_leaking() ? EnergyLimits{min_mc_.at(slot), max_mc_.at(slot)} : limits_after(problem_, slot, next);
  limits.low *= unit_;
  limits.high *= unit_;
}

void Store::widen(EnergyLimits& limits) const {
  const std::int64_t missing = least_room_ - (limits.high - limits.low);
  if (missing <= 0 || missing > least_room_) return;
  limits.low -= (missing + 1) >> 1;
  limits.high += (missing + 1) >> 1;
}

Error refuse(Report& report, Error error, const Shortfall& shortfall) {
  report.limit = shortfall.limit;
  report.slot = shortfall.slot;
  report.needed = shortfall.needed;
  report.possible = shortfall.possible;
  return error;
}

namespace {

std::int64_t in_report_units(const Store& store, std::int64_t state, bool is_up) {
  return is_up ? -wide_floor_div(-state, store.report_unit()) : wide_floor_div(state, store.report_unit());
}

}  // namespace

Error Reach::wish(std::uint32_t slot, Report& report) {
  const std::int32_t low_w = store_.low_w(slot);
  const std::int32_t high_w = store_.high_w(slot);
  if (low_w > high_w) return refuse(report, Error::infeasible, {Limit::power, slot, low_w, high_w});
  store_.limits(slot, next_, limits);
  store_.widen(limits);
  return Error::none;
}

Error Reach::step(std::uint32_t slot, Report& report) {
  WATTPROOF_TRY(wish(slot, report));
  reached_.low = store_.drift(reached_.low, slot) + store_.effect_low(slot);
  reached_.high = store_.drift(reached_.high, slot) + store_.effect_high(slot);
  const bool is_below = reached_.high < limits.low - store_.slack();
  const bool is_contradictory = limits.low > limits.high;
  is_wished = !is_below && reached_.low <= limits.high + store_.slack();
  if (is_wished && !is_contradictory) {
    reached_ = {within(reached_, limits.low), within(reached_, limits.high)};
    return Error::none;
  }
  const EnergyLimits wished = limits;
  // The nearest state; of a contradictory band the wished one.
  if (!is_contradictory) limits.low = limits.high = is_below ? reached_.high : reached_.low;
  reached_ = limits;
  if (store_.is_soft() && !is_contradictory) return Error::none;
  const bool is_low = is_below && !is_contradictory;
  const Limit kind = store_.is_leaking() ? (is_low ? Limit::comfort_min : Limit::comfort_max) : (is_low ? Limit::energy_min : Limit::energy_max);
  // What is needed is rounded towards the limit's far side, what is possible to the other.
  return refuse(report, is_low ? Error::infeasible_below : Error::infeasible_above,
                {kind, slot + 1, in_report_units(store_, is_low ? wished.low : wished.high, is_low), in_report_units(store_, limits.low, !is_low)});
}

Error feasible_store(const Device& device, const Grid& grid, Report& report) {
  const Store store(device, grid);
  Reach reach(store);
  for (std::uint32_t t = store.problem().first; t < store.problem().last; ++t) WATTPROOF_TRY(reach.step(t, report));
  return Error::none;
}

Error check_store(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const Store store(device, grid);
  const std::int64_t forgiven = store.tolerance();
  Reach reach(store);
  Report unmet;
  std::int64_t now = store.start();
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int32_t power_w = profile_w[t];
    if (t < store.problem().first || t >= store.problem().last) {
      if (power_w != 0) return Error::infeasible;
      continue;
    }
    if (power_w < store.low_w(t) || power_w > store.high_w(t) || !ok(reach.step(t, unmet))) return Error::infeasible;
    now = store.drift(now, t) + store.effect(power_w);
    if (!contains({reach.limits.low - forgiven, reach.limits.high + forgiven}, now)) return Error::infeasible;
  }
  return Error::none;
}

}  // namespace wattproof::solver
