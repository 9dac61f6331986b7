// SPDX-License-Identifier: Apache-2.0
#include <bit>

#include "base/math.hpp"
#include "solver/banded.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t million = 1'000'000;

bool is_series(const Series& series, const Grid& grid, std::int32_t limit) {
  const std::uint32_t count = series.per_slot.empty() ? 1 : grid.slots;
  for (std::uint32_t t = 0; t < count; ++t) {
    if (series.at(t) > limit || series.at(t) < -limit) return false;
  }
  return true;
}

bool has_length(const Series& series, const Grid& grid) {
  return series.per_slot.empty() || series.per_slot.size() == grid.slots;
}

std::int64_t size_of(std::int64_t value) { return value < 0 ? -value : value; }

Error validate_state(const LinearState& state, const Grid& grid) {
  if (!has_length(state.min, grid) || !has_length(state.max, grid) || !has_length(state.drift_milli, grid)) {
    return Error::wrong_length;
  }
  if (!is_series(state.min, grid, banded_level_max) || !is_series(state.max, grid, banded_level_max)) return Error::out_of_range;
  if (!is_series(state.drift_milli, grid, banded_drift_milli_max)) return Error::out_of_range;
  if (size_of(state.start) > banded_level_max || size_of(state.gain_milli_per_wh) > banded_gain_milli_max) {
    return Error::out_of_range;
  }
  return size_of(state.keep_ppm[0]) + size_of(state.keep_ppm[1]) > million ? Error::out_of_range : Error::none;
}

// Rows of keep_ppm never enlarge a level, so a day adds up to this at most: it must stay where products fit 63 bits.
bool is_bounded(const Device& device, const Grid& grid) {
  const BandedModel model(device, grid);
  std::int64_t reach = 0;
  for (std::uint32_t i = 0; i < model.count(); ++i) {
    const LinearState& state = device.states[i];
    std::int64_t most = size_of(state.start) * model.unit();
    for (std::uint32_t t = 0; t < grid.slots; ++t) {
      const std::int64_t low = size_of(device.power_min_w.at(t));
      const std::int64_t high = size_of(device.power_max_w.at(t));
      most += size_of(model.watt(i)) * (low > high ? low : high) + size_of(state.drift_milli.at(t)) * (model.unit() / 1000);
    }
    if (most > reach) reach = most;
  }
  return reach < std::int64_t{1} << 42;
}

Error refuse(Report& report, Limit limit, std::uint32_t state, std::uint32_t slot, std::int64_t needed, std::int64_t possible) {
  report.limit = limit;
  report.state = state;
  report.slot = slot;
  report.needed = needed;
  report.possible = possible;
  return limit == Limit::state_min ? Error::infeasible_below
                                   : limit == Limit::state_max ? Error::infeasible_above : Error::infeasible;
}

struct Interval {
  std::int64_t low;
  std::int64_t high;
};

// The powers of a slot that the ramps allow after those of the slot before.
Interval ramped(const BandedModel& model, std::uint32_t slot, const Interval& before) {
  const Device& device = model.device();
  Interval powers{device.power_min_w.at(slot), device.power_max_w.at(slot)};
  if (!model.is_ramped(slot)) return powers;
  if (powers.low < before.low - device.ramp_down_w) powers.low = before.low - device.ramp_down_w;
  if (powers.high > before.high + device.ramp_up_w) powers.high = before.high + device.ramp_up_w;
  return powers;
}

std::array<Interval, banded_state_count_max> reach_after(const BandedModel& model,
                                                         const std::array<Interval, banded_state_count_max>& before,
                                                         std::uint32_t slot, const Interval& powers) {
  std::array<Interval, banded_state_count_max> after{};
  for (std::uint32_t i = 0; i < model.count(); ++i) {
    Interval sum{0, 0};
    for (std::uint32_t j = 0; j < model.count(); ++j) {
      const std::int64_t keep = model.keep_ppm(i, j);
      sum.low += keep * (keep < 0 ? before[j].high : before[j].low);
      sum.high += keep * (keep < 0 ? before[j].low : before[j].high);
    }
    const std::int64_t watt = model.watt(i);
    const std::int64_t drift = model.device().states[i].drift_milli.at(slot) * (model.unit() / 1000);
    after[i].low = wide_floor_div(sum.low, million) + drift + watt * (watt < 0 ? powers.high : powers.low);
    after[i].high = wide_floor_div(sum.high, million) + drift + watt * (watt < 0 ? powers.low : powers.high);
  }
  return after;
}

}  // namespace

BandedModel::BandedModel(const Device& device, const Grid& grid) : device_(device), wh_(slots_per_hour(grid)) {
  constexpr std::uint32_t sharp_bits = 10;
  constexpr std::uint32_t memory_bits = banded_memory_bits / 2;
  Levels effect{};
  Levels before{};
  Levels peak{};
  for (std::uint32_t i = 0; i < count(); ++i) effect[i] = watt(i) * (1 << sharp_bits);
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    for (std::uint32_t i = 0; i < count(); ++i) {
      if (size_of(effect[i]) > peak[i]) peak[i] = size_of(effect[i]);
      variation_[i] += size_of(effect[i] - before[i]);
    }
    before = effect;
    effect = decayed(effect);
  }
  for (std::uint32_t i = 0; i < count(); ++i) effect[i] = watt(i) * (1 << sharp_bits);
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    for (std::uint32_t i = 0; i < count(); ++i) {
      if (peak[i] == 0) continue;
      const std::int64_t part = wide_floor_div(effect[i] * (1 << memory_bits), peak[i]);
      memory_[i] += part * part;
    }
    effect = decayed(effect);
  }
  for (std::uint32_t i = 0; i < count(); ++i) {
    peak_bits_[i] = static_cast<std::int32_t>(std::bit_width(static_cast<std::uint64_t>(peak[i]))) - static_cast<std::int32_t>(sharp_bits);
    peak_[i] = (peak[i] >> sharp_bits) + (peak[i] != 0 ? 1 : 0);
    variation_[i] = (variation_[i] >> sharp_bits) + (peak[i] != 0 ? 1 : 0);
  }
}

std::int64_t BandedModel::slack(std::uint32_t state, std::uint32_t slot) const {
  const std::int64_t missing = peak_[state] - (high(state, slot) - low(state, slot));
  return missing > 0 ? (missing + 1) / 2 : 0;
}

bool BandedModel::is_coupled_mildly(std::uint32_t to, std::uint32_t from) const {
  const std::int32_t shift = peak_bits_[from] - peak_bits_[to];
  return shift <= 0 || size_of(keep_ppm(to, from)) < (8 * million) >> (shift < 62 ? shift : 62);
}

Levels BandedModel::start() const {
  Levels levels{};
  for (std::uint32_t i = 0; i < count(); ++i) levels[i] = device_.states[i].start * unit();
  return levels;
}

Levels BandedModel::decayed(const Levels& effect) const {
  Levels after{};
  for (std::uint32_t i = 0; i < count(); ++i) {
    after[i] = wide_floor_div(keep_ppm(i, 0) * effect[0] + keep_ppm(i, 1) * effect[1], million);
  }
  return after;
}

Levels BandedModel::after(const Levels& before, std::uint32_t slot, std::int64_t power_w) const {
  Levels levels = decayed(before);
  for (std::uint32_t i = 0; i < count(); ++i) {
    levels[i] += device_.states[i].drift_milli.at(slot) * (unit() / 1000) + watt(i) * power_w;
  }
  return levels;
}

Error validate_banded(const Device& device, const Grid& grid) {
  if (device.states.size() > banded_state_count_max) return Error::out_of_range;
  if (device.ramp_up_w < 0 || device.ramp_down_w < 0) return Error::out_of_range;
  if (device.is_ramped_from_before && size_of(device.power_before_w) > power_w_max) return Error::out_of_range;
  for (const LinearState& state : device.states) {
    WATTPROOF_TRY(validate_state(state, grid));
    if (device.states.size() == 1 && state.keep_ppm[1] != 0) return Error::out_of_range;
  }
  if (!is_bounded(device, grid)) return Error::out_of_range;
  const BandedModel model(device, grid);
  for (std::uint32_t i = 0; i < model.count(); ++i) {
    for (std::uint32_t j = 0; j < model.count(); ++j) {
      if (model.is_moved(i) && model.is_moved(j) && !model.is_coupled_mildly(i, j)) return Error::out_of_range;
    }
  }
  return Error::none;
}

Error feasible_banded(const Device& device, const Grid& grid, Report& report) {
  const BandedModel model(device, grid);
  const std::int64_t unit = model.unit();
  Interval powers{device.power_before_w, device.power_before_w};
  const Levels start = model.start();
  std::array<Interval, banded_state_count_max> reach{Interval{start[0], start[0]}, Interval{start[1], start[1]}};
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int64_t low_w = device.power_min_w.at(t);
    const std::int64_t high_w = device.power_max_w.at(t);
    if (low_w > high_w) return refuse(report, Limit::power, 0, t, low_w, high_w);
    powers = ramped(model, t, powers);
    if (powers.low > powers.high) {
      const bool is_rise = powers.low == low_w;
      return refuse(report, Limit::ramp, 0, t, is_rise ? low_w : high_w, is_rise ? powers.high : powers.low);
    }
    reach = reach_after(model, reach, t, powers);
    for (std::uint32_t i = 0; i < model.count(); ++i) {
      const std::int64_t low = model.low(i, t) - model.slack(i, t);
      const std::int64_t high = model.high(i, t) + model.slack(i, t);
      if (reach[i].high < low) {
        return refuse(report, Limit::state_min, i, t + 1, device.states[i].min.at(t), wide_floor_div(reach[i].high, unit));
      }
      if (reach[i].low > high || low > high) {
        return refuse(report, Limit::state_max, i, t + 1, device.states[i].max.at(t), -wide_floor_div(-reach[i].low, unit));
      }
      if (reach[i].low < low) reach[i].low = low;
      if (reach[i].high > high) reach[i].high = high;
    }
  }
  return Error::none;
}

Error check_banded(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const BandedModel model(device, grid);
  Levels now = model.start();
  std::int64_t before_w = device.power_before_w;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int64_t power_w = profile_w[t];
    if (power_w < device.power_min_w.at(t) || power_w > device.power_max_w.at(t)) return Error::infeasible;
    const std::int64_t rise = power_w - before_w;
    if (model.is_ramped(t) && (rise > device.ramp_up_w || -rise > device.ramp_down_w)) return Error::infeasible;
    before_w = power_w;
    now = model.after(now, t, power_w);
    for (std::uint32_t i = 0; i < model.count(); ++i) {
      if (now[i] < model.low(i, t) - model.slack(i, t) || now[i] > model.high(i, t) + model.slack(i, t)) return Error::infeasible;
    }
  }
  return Error::none;
}

}  // namespace wattproof::solver
