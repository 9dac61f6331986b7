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
      by_keep_(static_cast<std::uint32_t>(permyriad - (is_leaking() ? device.leak_permyriad_per_slot : 0))),
      by_permyriad_(permyriad),
      problem_(storage_problem(device, grid)) {
  if (is_leaking()) {
    ambient_mc_ = device.ambient_mc;
    unit_ = 1 << fine_bits;
    charge_watt_ = device.gain_mk_per_wh * unit_;
    if (charge_watt_ < 0) {
      charge_watt_ = -charge_watt_;
      sign_ = -1;
    }
    discharge_watt_ = charge_watt_;
    slack_ = tolerance_ = problem_.wh << (fine_bits - 1);
    if (is_soft_ && charge_watt_ > slack_) tolerance_ = charge_watt_;
  } else {
    if (device.kind == DeviceKind::battery) {
      charge_permille_ = device.charge_efficiency_permille;
      discharge_permille_ = device.discharge_efficiency_permille;
      loss_w_ = device.standing_loss_w;
    }
    unit_ = 1000 * discharge_permille_;
    charge_watt_ = charge_permille_ * discharge_permille_;
    discharge_watt_ = 1'000'000;
    // Without losses a watt is the unit of the limits, which can then be met exactly.
    if (!is_without_losses()) least_room_ = discharge_watt_;
    loss_ = std::int64_t{loss_w_} * unit_;
  }
  report_unit_ = static_cast<std::uint32_t>(unit_) * static_cast<std::uint32_t>(problem_.wh);
  start_ = std::int64_t{problem_.start} * report_unit_;
}

std::int64_t Store::leaked(std::uint32_t slot, std::int64_t before) const {
  if (!is_leaking()) return before - loss_;
  const std::int64_t ambient = std::int64_t{ambient_mc_.at(slot)} * report_unit_;
  return ambient + by_permyriad_.floor(limited(before - ambient, unreached_bits) * keep_permyriad());
}

std::int64_t Store::unleaked(std::uint32_t slot, std::int64_t after, std::int32_t excess) const {
  if (!is_leaking()) return after + loss_;
  const std::int64_t ambient = std::int64_t{ambient_mc_.at(slot)} * report_unit_;
  const std::int64_t needed = limited(after - ambient, far_temperature_bits);
  return ambient + by_keep_.floor(needed * permyriad + excess);
}

Error refuse(Report& report, Error error, const Shortfall& shortfall) {
  report.limit = shortfall.limit;
  report.slot = shortfall.slot;
  report.needed = shortfall.needed;
  report.possible = shortfall.possible;
  return error;
}

namespace {

std::int64_t in_report_units(const Store& store, bool is_up, std::int64_t state) {
  if (is_up) state += store.report_unit() - 1;
  return wide_floor_div(state, store.report_unit());
}

}  // namespace

Error Reach::step(std::uint32_t slot, Report& report) {
  WATTPROOF_TRY(wish(slot, report));
  const Store& store = store_;
  reached_.low = store.drift(reached_.low, slot) + store.effect_low(slot);
  reached_.high = store.drift(reached_.high, slot) + store.effect_high(slot);
  bool is_below = false;
  if (!is_contradictory_) {
    const EnergyLimits forgiven = widened(limits, store.slack());
    is_below = reached_.high < forgiven.low;
    is_wished = !is_below && reached_.low <= forgiven.high;
    if (is_wished) {
      reached_ = {within(reached_, limits.low), within(reached_, limits.high)};
      return Error::none;
    }
  }
  const std::int64_t wished = is_below ? limits.low : limits.high;
  // The nearest state; of a contradictory band the wished one.
  if (!is_contradictory_) limits.low = limits.high = is_below ? reached_.high : reached_.low;
  reached_ = limits;
  if (store.is_soft() && !is_contradictory_) return Error::none;
  const Limit kind = store.is_leaking() ? (is_below ? Limit::comfort_min : Limit::comfort_max) : (is_below ? Limit::energy_min : Limit::energy_max);
  // What is needed is rounded towards the limit's far side, what is possible to the other.
  return refuse(report, is_below ? Error::infeasible_below : Error::infeasible_above,
                {kind, slot + 1, in_report_units(store, is_below, wished), in_report_units(store, !is_below, limits.low)});
}

namespace {

// Whether a profile keeps the limits; without one, whether they can be kept.
Error keep_limits(const Store& store, const std::int32_t* profile_w, Report& report) {
  Reach reach(store);
  std::int64_t now = store.start();
  for (std::uint32_t t = store.problem().first; t < store.problem().last; ++t) {
    WATTPROOF_TRY(reach.step(t, report));
    if (profile_w == nullptr) continue;
    const std::int32_t power_w = profile_w[t];
    if (power_w < store.low_w(t) || power_w > store.high_w(t)) return Error::infeasible;
    now = store.drift(now, t) + store.effect(power_w);
    if (!contains(widened(reach.limits, store.tolerance()), now)) return Error::infeasible;
  }
  return Error::none;
}

}  // namespace

Error feasible_store(const Device& device, const Grid& grid, Report& report) {
  return keep_limits(Store(device, grid), nullptr, report);
}

Error check_store(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const Store store(device, grid);
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const bool is_outside = t < store.problem().first || t >= store.problem().last;
    if (is_outside && profile_w[t] != 0) return Error::infeasible;
  }
  Report unmet;
  return ok(keep_limits(store, profile_w.data(), unmet)) ? Error::none : Error::infeasible;
}

}  // namespace wattproof::solver
