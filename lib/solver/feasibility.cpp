// SPDX-License-Identifier: Apache-2.0
// feasible() and check_profile(): the limits alone, without a target.
#include "base/math.hpp"
#include "solver/appliance.hpp"
#include "solver/banded.hpp"
#include "solver/clip_dp.hpp"
#include "solver/home.hpp"
#include "solver/lossy_battery.hpp"
#include "solver/single.hpp"
#include "solver/solve.hpp"
#include "solver/switched.hpp"
#include "solver/thermal.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

Error refuse(Report& report, Error error, Limit limit, std::uint32_t slot, std::int64_t needed, std::int64_t possible) {
  report.limit = limit;
  report.slot = slot;
  report.needed = needed;
  report.possible = possible;
  return error;
}

Error feasible_powers(const Device& device, const Grid& grid, Report& report) {
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int32_t low_w = device.power_min_w.at(t);
    const std::int32_t high_w = device.power_max_w.at(t);
    if (low_w > high_w) return refuse(report, Error::infeasible, Limit::power, t, low_w, high_w);
  }
  return Error::none;
}

Error feasible_storage(const StorageProblem& problem, Report& report) {
  const std::int64_t wh = problem.wh;
  std::int64_t low = problem.start;
  std::int64_t high = problem.start;
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    if (low_w > high_w) return refuse(report, Error::infeasible, Limit::power, t, low_w, high_w);
    low += low_w;
    high += high_w;
    const EnergyLimits limits = limits_after(problem, t, next);
    if (high < limits.low) {
      return refuse(report, Error::infeasible_below, Limit::energy_min, t + 1, -wide_floor_div(-limits.low, wh),
                    wide_floor_div(high, wh));
    }
    if (low > limits.high) {
      return refuse(report, Error::infeasible_above, Limit::energy_max, t + 1, wide_floor_div(limits.high, wh),
                    -wide_floor_div(-low, wh));
    }
    if (low < limits.low) low = limits.low;
    if (high > limits.high) high = limits.high;
    if (low > high) {
      return refuse(report, Error::infeasible, Limit::energy_max, t + 1, wide_floor_div(limits.high, wh),
                    -wide_floor_div(-low, wh));
    }
  }
  return Error::none;
}

Error check_storage(const StorageProblem& problem, const Grid& grid, std::span<const std::int32_t> profile_w) {
  std::int64_t energy = problem.start;
  std::size_t next = 0;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (t < problem.first || t >= problem.last) {
      if (profile_w[t] != 0) return Error::infeasible;
      continue;
    }
    if (profile_w[t] < problem.low_w.at(t) || profile_w[t] > problem.high_w.at(t)) return Error::infeasible;
    energy += profile_w[t];
    const EnergyLimits limits = limits_after(problem, t, next);
    if (energy < limits.low || energy > limits.high) return Error::infeasible;
  }
  return Error::none;
}

}  // namespace

Error feasible_single(const Device& device, const Grid& grid, Report& report) {
  report = Report{};
  WATTPROOF_TRY(validate_single(device, grid));
  switch (device.kind) {
    case DeviceKind::fixed: return Error::none;
    case DeviceKind::curtailable:
    case DeviceKind::generator: return feasible_powers(device, grid, report);
    case DeviceKind::shapeable: return feasible_storage(storage_problem(device, grid), report);
    case DeviceKind::battery:
      return is_lossy(device) ? feasible_lossy(device, grid, report)
                              : feasible_storage(storage_problem(device, grid), report);
    case DeviceKind::thermal:
      return is_built(DeviceKind::thermal) ? feasible_thermal(device, grid, report) : Error::unknown_kind;
    case DeviceKind::appliance: {
      const std::uint32_t window = end_slot(device, grid) - device.start_slot;
      const std::int64_t needed = static_cast<std::int64_t>(device.profile_w.size()) * device.runs;
      if (needed <= window) return Error::none;
      return refuse(report, Error::infeasible, Limit::window, device.start_slot, needed, window);
    }
    case DeviceKind::switched:
      return is_built(DeviceKind::switched) ? feasible_switched(device, grid, report) : Error::unknown_kind;
    case DeviceKind::banded:
      return is_built(DeviceKind::banded) ? feasible_banded(device, grid, report) : Error::unknown_kind;
    default: return Error::unknown_kind;
  }
}

Error feasible(const Device& device, const Grid& grid, Report& report) {
  if (!is_built(DeviceKind::home) || device.kind != DeviceKind::home) return feasible_single(device, grid, report);
  report = Report{};
  WATTPROOF_TRY(validate_home(device, grid));
  return feasible_home(device, grid, report);
}

Error check_profile(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  WATTPROOF_TRY(validate_single(device, grid));
  if (profile_w.size() != grid.slots) return Error::wrong_length;
  switch (device.kind) {
    case DeviceKind::fixed:
      for (std::uint32_t t = 0; t < grid.slots; ++t) {
        if (profile_w[t] != device.profile_w[t]) return Error::infeasible;
      }
      return Error::none;
    case DeviceKind::curtailable:
    case DeviceKind::generator:
      for (std::uint32_t t = 0; t < grid.slots; ++t) {
        if (profile_w[t] < device.power_min_w.at(t) || profile_w[t] > device.power_max_w.at(t)) return Error::infeasible;
      }
      return Error::none;
    case DeviceKind::shapeable: return check_storage(storage_problem(device, grid), grid, profile_w);
    case DeviceKind::battery:
      return is_lossy(device) ? check_lossy(device, grid, profile_w)
                              : check_storage(storage_problem(device, grid), grid, profile_w);
    case DeviceKind::thermal:
      return is_built(DeviceKind::thermal) ? check_thermal(device, grid, profile_w) : Error::unknown_kind;
    case DeviceKind::appliance:
      return is_built(DeviceKind::appliance) ? check_appliance(device, grid, profile_w) : Error::unknown_kind;
    case DeviceKind::switched:
      return is_built(DeviceKind::switched) ? check_switched(device, grid, profile_w) : Error::unknown_kind;
    case DeviceKind::banded:
      return is_built(DeviceKind::banded) ? check_banded(device, grid, profile_w) : Error::unknown_kind;
    default: return Error::unknown_kind;
  }
}

}  // namespace wattproof::solver
