// SPDX-License-Identifier: Apache-2.0
#include "base/math.hpp"
#include "solver/thermal.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t permyriad = 10'000;
constexpr std::int64_t far_away = std::int64_t{1} << 46;  // beyond every temperature, small enough to multiply

bool all_within(const Series& series, std::uint32_t count, std::int32_t limit) {
  for (std::uint32_t t = 0; t < count; ++t) {
    if (series.at(t) > limit || series.at(t) < -limit) return false;
  }
  return true;
}

bool has_length(const Series& series, const Grid& grid) {
  return series.per_slot.empty() || series.per_slot.size() == grid.slots;
}

}  // namespace

Error validate_thermal(const Device& device, const Grid& grid) {
  for (const Series* series : {&device.ambient_mc, &device.min_mc, &device.max_mc}) {
    if (!has_length(*series, grid)) return Error::wrong_length;
    if (!all_within(*series, grid.slots, temperature_mc_max)) return Error::out_of_range;
  }
  if (device.start_mc > temperature_mc_max || device.start_mc < -temperature_mc_max) return Error::out_of_range;
  if (device.gain_mk_per_wh > gain_mk_per_wh_max || device.gain_mk_per_wh < -gain_mk_per_wh_max) {
    return Error::out_of_range;
  }
  if (device.leak_permyriad_per_slot < 0 || device.leak_permyriad_per_slot >= permyriad) return Error::out_of_range;
  return Error::none;
}

ThermalModel::ThermalModel(const Device& device, const Grid& grid)
    : device_(device),
      unit_(std::int64_t{slots_per_hour(grid)} << 16),
      gain_(std::int64_t{device.gain_mk_per_wh} * (1 << 16)),
      keep_(permyriad - device.leak_permyriad_per_slot) {}

std::int64_t ThermalModel::drift(std::int64_t before, std::uint32_t slot) const {
  const std::int64_t ambient = device_.ambient_mc.at(slot) * unit_;
  return ambient + wide_floor_div((before - ambient) * keep_, permyriad);
}

std::int64_t ThermalModel::before_low(std::int64_t after, std::uint32_t slot) const {
  const std::int64_t ambient = device_.ambient_mc.at(slot) * unit_;
  const std::int64_t needed = clamp(after - ambient, -far_away, far_away);
  return ambient - wide_floor_div(-needed * permyriad, keep_);
}

std::int64_t ThermalModel::before_high(std::int64_t after, std::uint32_t slot) const {
  const std::int64_t ambient = device_.ambient_mc.at(slot) * unit_;
  const std::int64_t needed = clamp(after - ambient, -far_away, far_away);
  return ambient + wide_floor_div((needed + 1) * permyriad - 1, keep_);
}

std::int64_t ThermalModel::effect_low(std::uint32_t slot) const {
  return gain_ * (gain_ < 0 ? device_.power_max_w.at(slot) : device_.power_min_w.at(slot));
}

std::int64_t ThermalModel::effect_high(std::uint32_t slot) const {
  return gain_ * (gain_ < 0 ? device_.power_min_w.at(slot) : device_.power_max_w.at(slot));
}

bool ComfortBand::advance(std::uint32_t slot) {
  reach_low_ = model_.drift(reach_low_, slot) + model_.effect_low(slot);
  reach_high_ = model_.drift(reach_high_, slot) + model_.effect_high(slot);
  low = model_.low(slot);
  high = model_.high(slot);
  const std::int64_t tolerance = model_.unit() / 2;
  if (reach_high_ < low - tolerance) {
    low = high = reach_low_ = reach_high_;
    return false;
  }
  if (reach_low_ > high + tolerance) {
    low = high = reach_high_ = reach_low_;
    return false;
  }
  if (reach_low_ < low) reach_low_ = reach_high_ < low ? reach_high_ : low;
  if (reach_high_ > high) reach_high_ = reach_low_ > high ? reach_low_ : high;
  return true;
}

std::int64_t comfort_tolerance(const ThermalModel& model) {
  const std::int64_t half = model.unit() / 2;
  const std::int64_t watt = model.watt() < 0 ? -model.watt() : model.watt();
  return model.device().soft && watt > half ? watt : half;
}

bool has_band(const Device& device, std::uint32_t slot) { return device.min_mc.at(slot) <= device.max_mc.at(slot); }

Error feasible_thermal(const Device& device, const Grid& grid, Report& report) {
  const ThermalModel model(device, grid);
  ComfortBand band(model);
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (!has_band(device, t)) {
      report.limit = Limit::comfort_max;
      report.slot = t + 1;
      report.needed = device.max_mc.at(t);
      report.possible = device.min_mc.at(t);
      return Error::infeasible_above;
    }
    if (device.power_min_w.at(t) > device.power_max_w.at(t)) {
      report.limit = Limit::power;
      report.slot = t;
      report.needed = device.power_min_w.at(t);
      report.possible = device.power_max_w.at(t);
      return Error::infeasible;
    }
    if (band.advance(t) || device.soft) continue;
    const bool is_below = band.high < model.low(t);
    report.limit = is_below ? Limit::comfort_min : Limit::comfort_max;
    report.slot = t + 1;
    report.needed = is_below ? device.min_mc.at(t) : device.max_mc.at(t);
    report.possible = is_below ? wide_floor_div(band.high, model.unit()) : -wide_floor_div(-band.low, model.unit());
    return is_below ? Error::infeasible_below : Error::infeasible_above;
  }
  return Error::none;
}

Error check_thermal(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const ThermalModel model(device, grid);
  const std::int64_t tolerance = comfort_tolerance(model);
  ComfortBand band(model);
  std::int64_t now = model.start();
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (!has_band(device, t) || (!band.advance(t) && !device.soft)) return Error::infeasible;
    if (profile_w[t] < device.power_min_w.at(t) || profile_w[t] > device.power_max_w.at(t)) return Error::infeasible;
    now = model.drift(now, t) + model.watt() * profile_w[t];
    if (now < band.low - tolerance || now > band.high + tolerance) return Error::infeasible;
  }
  return Error::none;
}

}  // namespace wattproof::solver
