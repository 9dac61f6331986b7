// SPDX-License-Identifier: Apache-2.0
#include "solver/store.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t far_temperature_bits = 46;  // beyond every temperature, small enough to multiply
constexpr std::uint32_t unreached_bits = 49;        // beyond twice every temperature, also of slots of a second

}  // namespace

Store::Store(const Device& device, const Grid& grid)
    : device_(device),
      is_leaking_(is_thermal(device)),
      is_soft_(is_leaking_ && device.soft),
      by_charge_(device.kind == DeviceKind::battery ? device.charge_efficiency_permille : 1000),
      by_discharge_(device.kind == DeviceKind::battery ? device.discharge_efficiency_permille : 1000),
      by_both_(static_cast<std::uint32_t>(1'000'000 + charge_permille() * discharge_permille())),
      by_keep_(static_cast<std::uint32_t>(permyriad - (is_leaking() ? device.leak_permyriad_per_slot : 0))),
      by_whole_(is_leaking() ? permyriad : 1000),
      problem_(storage_problem(device, grid)) {
  if (is_leaking()) {
    report_unit_ = unit_ = std::int64_t{problem_.wh} << 16;
    start_ = device.start_mc * unit_;
    if (device.gain_mk_per_wh < 0) sign_ = -1;
    charge_watt_ = discharge_watt_ = std::int64_t{device.gain_mk_per_wh * sign_} << 16;
    slack_ = tolerance_ = unit_ >> 1;
    if (is_soft_ && charge_watt_ > slack_) tolerance_ = charge_watt_;
    return;
  }
  unit_ = 1000 * discharge_permille();
  report_unit_ = unit_ * problem_.wh;
  start_ = problem_.start * unit_;
  charge_watt_ = charge_permille() * discharge_permille();
  discharge_watt_ = 1'000'000;
  // Without losses a watt is the unit of the limits, which can then be met exactly.
  if (!is_without_losses()) least_room_ = discharge_watt_;
  if (device.kind == DeviceKind::battery) loss_w_ = device.standing_loss_w;
  loss_ = loss_w_ * unit_;
}

std::int64_t Store::leaked(std::int64_t before, std::uint32_t slot) const {
  if (!is_leaking()) return before - loss_;
  const std::int64_t ambient = device_.ambient_mc.at(slot) * unit_;
  return ambient + by_whole_.floor(limited(before - ambient, unreached_bits) * keep_permyriad());
}

std::int64_t Store::unleaked(std::int64_t after, std::uint32_t slot, std::int32_t excess) const {
  if (!is_leaking()) return after + loss_;
  const std::int64_t ambient = device_.ambient_mc.at(slot) * unit_;
  const std::int64_t needed = limited(after - ambient, far_temperature_bits);
  return ambient + by_keep_.floor(needed * permyriad + excess);
}

void Store::limits(std::uint32_t slot, std::size_t& next, EnergyLimits& limits) const {
  limits = is_leaking() ? EnergyLimits{device_.min_mc.at(slot), device_.max_mc.at(slot)} : limits_after(problem_, slot, next);
  limits.low *= unit_;
  limits.high *= unit_;
}

void Store::widen(EnergyLimits& limits) const {
  const std::int64_t missing = least_room_ - (limits.high - limits.low);
  if (missing <= 0 || missing > least_room_) return;
  limits.low -= (missing + 1) >> 1;
  limits.high += (missing + 1) >> 1;
}

Reach::Reach(const Store& store)
    : store_(store),
      reached_{store.start(), store.start()} {
  if (is_for_size) return;
  regular_ = {store.problem().energy_min * store.unit(), store.problem().energy_max * store.unit()};
  store.widen(regular_);
}

Reach::Verdict Reach::advance(std::uint32_t slot) {
  reached_.low = store_.drift(reached_.low, slot) + store_.effect_low(slot);
  reached_.high = store_.drift(reached_.high, slot) + store_.effect_high(slot);
  if (is_for_size || store_.is_leaking() || is_event(store_.problem(), slot, next_)) {
    store_.limits(slot, next_, wished);
    store_.widen(wished);
  } else {
    wished = regular_;
  }
  limits = wished;
  if (wished.low > wished.high) return Verdict::contradictory;
  Verdict verdict = Verdict::below;
  if (reached_.high < wished.low - store_.slack()) {
    reached_.low = reached_.high;
  } else if (reached_.low > wished.high + store_.slack()) {
    reached_.high = reached_.low;
    verdict = Verdict::above;
  } else {
    reached_ = {within(reached_, wished.low), within(reached_, wished.high)};
    return Verdict::within;
  }
  limits = reached_;
  return store_.is_soft() ? Verdict::within : verdict;
}

Error refuse(Report& report, Error error, const Shortfall& shortfall) {
  report.limit = shortfall.limit;
  report.slot = shortfall.slot;
  report.needed = shortfall.needed;
  report.possible = shortfall.possible;
  return error;
}

Error find_limits(const Store& store, EnergyLimits* limits, Report& report) {
  Reach reach(store);
  for (std::uint32_t t = store.problem().first; t < store.problem().last; ++t) {
    const std::int32_t low_w = store.low_w(t);
    const std::int32_t high_w = store.high_w(t);
    if (low_w > high_w) return refuse(report, Error::infeasible, {Limit::power, t, low_w, high_w});
    const Reach::Verdict verdict = reach.advance(t);
    if (limits != nullptr) limits[t] = reach.limits;
    if (verdict == Reach::Verdict::within) continue;
    // What is needed is rounded towards the limit's far side, what is possible to the other.
    const bool is_below = verdict == Reach::Verdict::below;
    const std::int32_t sign = is_below ? -1 : 1;
    const std::int64_t missed = is_below ? reach.wished.low : reach.wished.high;
    const Limit least = store.is_leaking() ? Limit::comfort_min : Limit::energy_min;
    const Limit most = store.is_leaking() ? Limit::comfort_max : Limit::energy_max;
    return refuse(report, is_below ? Error::infeasible_below : Error::infeasible_above,
                  {is_below ? least : most, t + 1, sign * wide_floor_div(sign * missed, store.report_unit()),
                   -sign * wide_floor_div(-sign * reach.limits.low, store.report_unit())});
  }
  return Error::none;
}

Error feasible_store(const Device& device, const Grid& grid, Report& report) {
  return find_limits(Store(device, grid), nullptr, report);
}

Error check_store(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const Store store(device, grid);
  const std::int64_t forgiven = store.tolerance();
  Reach reach(store);
  std::int64_t now = store.start();
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int32_t power_w = profile_w[t];
    if (t < store.problem().first || t >= store.problem().last) {
      if (power_w != 0) return Error::infeasible;
      continue;
    }
    if (power_w < store.low_w(t) || power_w > store.high_w(t)) return Error::infeasible;
    if (reach.advance(t) != Reach::Verdict::within) return Error::infeasible;
    now = store.drift(now, t) + store.effect(power_w);
    if (!contains({reach.limits.low - forgiven, reach.limits.high + forgiven}, now)) return Error::infeasible;
  }
  return Error::none;
}

}  // namespace wattproof::solver
