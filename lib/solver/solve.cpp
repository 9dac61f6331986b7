// SPDX-License-Identifier: Apache-2.0
#include "solver/solve.hpp"

#include <cstring>

#include "base/math.hpp"
#include "solver/banded.hpp"
#include "solver/clip_dp.hpp"
#include "solver/gap.hpp"
#include "solver/home.hpp"
#include "solver/pattern.hpp"
#include "solver/single.hpp"
#include "solver/store.hpp"
#include "solver/water_filling.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

namespace {

constexpr bool has_energy(const Device& device) { return device.kind == DeviceKind::shapeable || device.kind == DeviceKind::battery; }

// Of a well-formed device: whether it may take the program of stores that are not exact.
constexpr bool may_be_wide(const Device& device) {
  constexpr std::uint32_t with_energy = 1u << static_cast<int>(DeviceKind::shapeable) | 1u << static_cast<int>(DeviceKind::battery);
  constexpr std::uint32_t kinds = 1u << static_cast<int>(DeviceKind::thermal) | (is_lossy_built() ? with_energy : 0);
  return (kinds >> static_cast<std::uint32_t>(device.kind) & 1) != 0;
}

Error clip_each_slot(const Task& task) {
  if (is_one_program) return solve_store(task);
  if (is_for_size) return pour_wishes(task);
  const Device& device = task.device;
  for (std::uint32_t t = 0; t < task.grid.slots; ++t) {
    const std::int32_t low_w = device.power_min_w.at(t);
    const std::int32_t high_w = device.power_max_w.at(t);
    if (low_w > high_w) return Error::infeasible;
    task.profile_w[t] = clamp(task.wish.at(t, 0), low_w, high_w);
  }
  return Error::none;
}

// One deadline and whole watts: water-filling. Milestones, a priced wish or limits in every slot: the clip program. Its grid
// holds all but very large stores; those take the program of stores with losses, which needs a larger workspace.
Error solve_lossless(const Task& task) {
  if (is_one_program) return solve_store(task);
  const StorageProblem problem = storage_problem(task.device, task.grid);
  if (task.device.kind != DeviceKind::shapeable || !task.wish.plain() || !problem.milestones.empty()) {
    const Error error = clip_dp(problem, task);
    return error != Error::out_of_range || !is_lossy_built() ? error : solve_store(task);
  }
  return water_filling(problem, task);
}

Error dispatch(const Task& task) {
  const Device& device = task.device;
  if (is_banded(device)) return solve_banded(device, task.grid, task.wish, task.workspace, task.profile_w, task.report);
  if (is_pattern(device)) {
    task.report.kind = CertificateKind::enumerated;
    return solve_pattern(task);
  }
  if (!is_one_program && device.kind == DeviceKind::fixed) {
    std::memcpy(task.profile_w.data(), device.profile_w.data(), device.profile_w.size_bytes());
    return Error::none;
  }
  if (is_one_program || is_thermal(device) || is_lossy(device)) return solve_store(task);
  return has_energy(device) ? solve_lossless(task) : clip_each_slot(task);
}

}  // namespace

static_assert(banded_workspace_words(slot_count_max) <= full_workspace_words(slot_count_max));
static_assert(store_workspace_words(slot_count_max) <= full_workspace_words(slot_count_max));

std::size_t WATTPROOF_SINGLE(single_workspace_words, workspace_words)(const Device& device, const Grid& grid) {
  if (is_banded(device)) return banded_workspace_words(grid.slots);
  if (is_pattern(device)) return pattern_workspace_words(device, grid);
  // An ill-formed device needs none; its error is found before the workspace is.
  const bool is_wide = ok(validate_single(device, grid)) && (is_for_size || may_be_wide(device)) && !is_exact_store(device, grid);
  return is_wide ? store_workspace_words(grid.slots) : workspace_words(grid.slots);
}

Error WATTPROOF_SINGLE(optimise_single, optimise)(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w,
                                                  const Cost& cost, WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report) {
  if (!is_for_size) clear(report);
  WATTPROOF_TRY(validate_single(device, grid));
  if (profile_w.size() != grid.slots) return Error::wrong_length;
  Wish wish;
  WATTPROOF_TRY(Wish::make(device, grid, target_w, cost, wish));
  if (is_for_size) WATTPROOF_TRY(feasible_single(device, grid, report));
  if (!is_one_program) report.guard_bits = wish.guard_bits();
  report.kind = CertificateKind::dual;
  const Error error = dispatch({device, grid, wish, workspace, profile_w, report});
  if (is_for_size) return error;
  if (error != Error::infeasible || report.limit != Limit::none) return error;
  // Some solvers only find that it cannot be; what is missing is worked out once it is known to be missing.
  const Error cause = feasible_single(device, grid, report);
  return ok(cause) ? error : cause;
}

#ifdef WATTPROOF_HOMES
std::size_t workspace_words(const Device& device, const Grid& grid) {
  return is_home(device) ? home_device_words(device, grid) : single_workspace_words(device, grid);
}

Error optimise(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
               WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report) {
  if (is_home(device)) return solve_home_device(device, grid, target_w, cost, workspace, profile_w, report, false);
  return optimise_single(device, grid, target_w, cost, workspace, profile_w, report);
}
#endif

Error solve(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
            WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report) {
#ifdef WATTPROOF_HOMES
  if (is_home(device)) return solve_home_device(device, grid, target_w, cost, workspace, profile_w, report, true);
#endif
  WATTPROOF_TRY(optimise_single(device, grid, target_w, cost, workspace, profile_w, report));
  to_multipliers(device, grid, report);
  WATTPROOF_TRY(recheck(device, grid, target_w, cost, profile_w, report.dual, report.guard_bits, report.gap));
  return Error::none;
}

}  // namespace wattproof::solver
