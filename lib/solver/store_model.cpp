// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <utility>

#include "base/result.hpp"
#include "solver/store.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t fine_bits = 10;  // of a milli-degree
constexpr std::int32_t missed_max = std::int32_t{1} << 30;

}  // namespace

Store::Store(const Device& device, const Grid& grid) {
  std::memset(static_cast<void*>(this), 0, sizeof *this);
  fill_problem(device, grid, problem_);
  is_leaking_ = is_thermal(device);
  if (!is_for_size) by_permyriad_ = Divisor(permyriad);
  sign_ = 1;
  std::int32_t keep = permyriad;
  if (is_leaking()) {
    is_soft_ = device.soft;
    keep -= device.leak_permyriad_per_slot;
    ambient_mc_ = device.ambient_mc;
    unit_ = 1 << fine_bits;
    charge_watt_ = device.gain_mk_per_wh * unit_;
    if (charge_watt_ < 0) {
      charge_watt_ = -charge_watt_;
      sign_ = -1;
      std::swap(problem_.min, problem_.max);
    }
    discharge_watt_ = charge_watt_;
    slack_ = tolerance_ = problem_.wh << (fine_bits - 1);
    if (is_soft_ && charge_watt_ > slack_) tolerance_ = charge_watt_;
  } else {
    std::int32_t charge_permille = 1000;
    std::int32_t discharge_permille = 1000;
    if (device.kind == DeviceKind::battery) {
      charge_permille = device.charge_efficiency_permille;
      discharge_permille = device.discharge_efficiency_permille;
      loss_w_ = device.standing_loss_w;
    }
    unit_ = 1000 * discharge_permille;
    charge_watt_ = charge_permille * discharge_permille;
    discharge_watt_ = 1'000'000;
    // Without losses a watt is the unit of the limits, which can then be met exactly.
    if (charge_watt_ != discharge_watt_) least_room_ = discharge_watt_;
  }
  by_keep_ = Divisor(static_cast<std::uint32_t>(keep));
  report_unit_ = static_cast<std::uint32_t>(unit_) * static_cast<std::uint32_t>(problem_.wh);
}

void Store::go_back(std::int64_t& effect_now, std::int32_t power_w, std::int32_t excess) const {
  effect_now -= effect(power_w);
  if (is_leaking()) effect_now = by_keep_.floor(limited(effect_now, far_bits) * permyriad + excess);
}

WATTPROOF_ONCE_FOR_SIZE Error refuse(Report& report, Error error, const Shortfall& shortfall) {
  report.limit = shortfall.limit;
  report.slot = shortfall.slot;
  report.needed = shortfall.needed;
  report.possible = shortfall.possible;
  return error;
}

Error Reach::step(std::uint32_t slot, Report& report) {
  const Store& store = store_;
  const std::int32_t low_w = store.low_w(slot);
  const std::int32_t high_w = store.high_w(slot);
  if (low_w > high_w) return refuse(report, Error::infeasible, {Limit::power, slot, low_w, high_w});
  const EnergyLimits limits = wish(slot);
  store.pass(low_w, reached.low);
  store.pass(high_w, reached.high);
  const std::int64_t below = limits.low - reached.high;
  if (below > store.slack()) return miss(slot, true, below, limits, report);
  reached.low = within(reached, limits.low);
  const std::int64_t above = reached.low - limits.high;  // also of limits that contradict each other
  if (above > store.slack()) return miss(slot, false, above, limits, report);
  reached.high = within(reached, limits.high);
  return Error::none;
}

// Limits are missed `by` so much: the nearest effect takes their place if the band is soft.
WATTPROOF_ONCE_FOR_SIZE Error Reach::miss(std::uint32_t slot, bool is_short, std::int64_t by, const EnergyLimits& limits, Report& report) {
  const Store& store = store_;
  (is_short ? reached.low : reached.high) = is_short ? reached.high : reached.low;
  widen(reached, store.tolerance(), forgiven);
  if (store.is_soft() && limits.low <= limits.high) return Error::none;
  // A cooler is short of what is too warm. What is possible is rounded away from the limit.
  const bool is_below = is_short != store.is_cooler();
  const std::int32_t needed = is_short ? reported_.low : reported_.high;
  const std::int32_t missed = std::max(saturate(wide_floor_div(-by, store.report_unit())), -missed_max);
  const std::uint32_t lower = static_cast<std::uint32_t>(store.is_leaking() ? Limit::comfort_min : Limit::energy_min);
  return refuse(report, is_below ? Error::infeasible_below : Error::infeasible_above,
                {static_cast<Limit>(is_below ? lower : lower + 1), slot + 1, needed, is_below ? needed + missed : needed - missed});
}

Error keep_store(const Device& device, const Grid& grid, const std::int32_t* profile_w, Report& report) {
  const Store store(device, grid);
  const std::uint32_t first = store.problem().first;
  Reach reach(store, store.tolerance());
  std::int64_t now = 0;
  for (std::uint32_t t = first; t < store.problem().last; ++t) {
    WATTPROOF_TRY(reach.step(t, report));
    if (profile_w == nullptr) continue;
    const std::int32_t power_w = profile_w[t];
    if (power_w < store.low_w(t) || power_w > store.high_w(t)) return Error::infeasible;
    store.pass(power_w, now);
    if (!contains(reach.forgiven, now)) return Error::infeasible;
  }
  for (std::uint32_t t = 0; profile_w != nullptr && t < grid.slots; ++t) {
    if (t - first >= store.problem().count() && profile_w[t] != 0) return Error::infeasible;
  }
  return Error::none;
}

}  // namespace wattproof::solver
