// SPDX-License-Identifier: Apache-2.0
#include "solver/solve.hpp"

#include "base/math.hpp"
#include "solver/appliance.hpp"
#include "solver/banded.hpp"
#include "solver/clip_dp.hpp"
#include "solver/home.hpp"
#include "solver/single.hpp"
#include "solver/store.hpp"
#include "solver/switched.hpp"
#include "solver/water_filling.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

namespace {

Error clip_each_slot(const Device& device, const Grid& grid, const Wish& wish, std::span<std::int32_t> profile_w) {
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int32_t low_w = device.power_min_w.at(t);
    const std::int32_t high_w = device.power_max_w.at(t);
    if (low_w > high_w) return Error::infeasible;
    profile_w[t] = clamp(wish.at(t, 0), low_w, high_w);
  }
  return Error::none;
}

// 31 bits hold all but very large stores; those take the 64-bit program, which needs a larger workspace.
Error solve_lossless(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                     std::span<std::int32_t> profile_w, Report& report) {
  const Error error =
      clip_dp(storage_problem(device, grid), grid, wish, workspace, profile_w, report.dual);
  if (error != Error::out_of_range || !is_lossy_built()) return error;
  return solve_store(device, grid, wish, workspace, profile_w, report);
}

// One deadline and whole watts: water-filling. Milestones or a priced wish: the clip program.
Error solve_shapeable(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                      std::span<std::int32_t> profile_w, Report& report) {
  const StorageProblem problem = storage_problem(device, grid);
  if (!wish.plain() || !problem.milestones.empty()) {
    return solve_lossless(device, grid, wish, workspace, profile_w, report);
  }
  if (workspace.empty()) return Error::workspace_too_small;
  std::int32_t level_w = 0;
  std::uint32_t passes = 0;
  WATTPROOF_TRY(water_filling(problem, grid, wish, profile_w, level_w, passes));
  std::int32_t* const dual = reinterpret_cast<std::int32_t*>(workspace.data());
  *dual = level_w * (std::int32_t{1} << report.guard_bits);
  report.dual = {dual, 1};
  return Error::none;
}

Error dispatch(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
               std::span<std::int32_t> profile_w, Report& report) {
  report.guard_bits = guard_bits(grid.slots);
  switch (device.kind) {
    case DeviceKind::fixed:
      for (std::uint32_t t = 0; t < grid.slots; ++t) profile_w[t] = device.profile_w[t];
      return Error::none;
    case DeviceKind::curtailable:
    case DeviceKind::generator: return clip_each_slot(device, grid, wish, profile_w);
    case DeviceKind::shapeable:
      return is_built(DeviceKind::shapeable) ? solve_shapeable(device, grid, wish, workspace, profile_w, report) : Error::unknown_kind;
    case DeviceKind::battery:
      if (!is_built(DeviceKind::battery)) return Error::unknown_kind;
      if (is_lossy(device)) return solve_store(device, grid, wish, workspace, profile_w, report);
      return solve_lossless(device, grid, wish, workspace, profile_w, report);
    case DeviceKind::thermal:
      return is_built(DeviceKind::thermal) ? solve_store(device, grid, wish, workspace, profile_w, report) : Error::unknown_kind;
    case DeviceKind::appliance:
      return is_built(DeviceKind::appliance) ? solve_appliance(device, grid, wish, workspace, profile_w) : Error::unknown_kind;
    case DeviceKind::switched:
      return is_built(DeviceKind::switched) ? solve_switched(device, grid, wish, workspace, profile_w) : Error::unknown_kind;
    case DeviceKind::banded:
      return is_built(DeviceKind::banded) ? solve_banded(device, grid, wish, workspace, profile_w, report) : Error::unknown_kind;
    default: return Error::unknown_kind;
  }
}

}  // namespace

static_assert(lossy_workspace_words(slot_count_max) <= full_workspace_words(slot_count_max));
static_assert(banded_workspace_words(slot_count_max) <= full_workspace_words(slot_count_max));
static_assert(thermal_workspace_words(slot_count_max) <= full_workspace_words(slot_count_max));

std::size_t single_workspace_words(const Device& device, const Grid& grid) {
  if (device.kind == DeviceKind::thermal) return thermal_workspace_words(grid.slots);
  if (device.kind == DeviceKind::banded) return banded_workspace_words(grid.slots);
  if (is_lossy(device)) return lossy_workspace_words(grid.slots);
  if (device.kind == DeviceKind::appliance) return appliance_workspace_words(device, grid);
  if (device.kind == DeviceKind::switched) return switched_workspace_words(device, grid);
  return workspace_words(grid.slots);
}

Error optimise_single(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                      WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report) {
  report = Report{};
  WATTPROOF_TRY(validate_single(device, grid));
  if (profile_w.size() != grid.slots) return Error::wrong_length;
  Wish wish;
  WATTPROOF_TRY(Wish::make(device, grid, target_w, cost, wish));
  const Error error = dispatch(device, grid, wish, workspace, profile_w, report);
  if (ok(error) && report.kind == CertificateKind::none) {
    const bool is_enumerated = device.kind == DeviceKind::appliance || device.kind == DeviceKind::switched;
    report.kind = is_enumerated ? CertificateKind::enumerated : CertificateKind::dual;
  }
  if (error != Error::infeasible) return error;
  // The solvers only find that it cannot be; what is missing is worked out once it is known to be missing.
  Report reason;
  const Error cause = feasible_single(device, grid, reason);
  if (ok(cause)) return error;
  report = reason;
  return cause;
}

namespace {

constexpr bool is_home(const Device& device) { return is_built(DeviceKind::home) && device.kind == DeviceKind::home; }

}  // namespace

std::size_t workspace_words(const Device& device, const Grid& grid) {
  return is_home(device) ? home_device_words(device, grid) : single_workspace_words(device, grid);
}

Error optimise(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
               WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report) {
  if (is_home(device)) return solve_home_device(device, grid, target_w, cost, workspace, profile_w, report, false);
  return optimise_single(device, grid, target_w, cost, workspace, profile_w, report);
}

Error solve(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
            WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report) {
  if (is_home(device)) return solve_home_device(device, grid, target_w, cost, workspace, profile_w, report, true);
  WATTPROOF_TRY(optimise_single(device, grid, target_w, cost, workspace, profile_w, report));
  WATTPROOF_TRY(recheck(device, grid, target_w, cost, profile_w, report.dual, report.guard_bits, report.gap));
  return Error::none;
}

}  // namespace wattproof::solver
