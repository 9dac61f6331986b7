// SPDX-License-Identifier: Apache-2.0
// feasible() and check_profile(): the limits alone, without a target.
#include <cstring>

#include "solver/banded.hpp"
#include "solver/home.hpp"
#include "solver/pattern.hpp"
#include "solver/single.hpp"
#include "solver/solve.hpp"
#include "solver/store.hpp"

namespace wattproof::solver {

namespace {

// Never true where it is not built in.
constexpr bool is_banded(const Device& device) { return is_built(DeviceKind::banded) && device.kind == DeviceKind::banded; }

}  // namespace

Error begin_single(const Device& device, const Grid& grid, Report& report) {
  report = Report{};
  return validate_single(device, grid);
}

Error feasible_single(const Device& device, const Grid& grid, Report& report) {
  WATTPROOF_TRY(begin_single(device, grid, report));
  if (is_banded(device)) return feasible_banded(device, grid, report);
  switch (device.kind) {
    case DeviceKind::fixed: return Error::none;
    case DeviceKind::appliance:
    case DeviceKind::switched: return feasible_pattern(device, grid, report);
    default: return feasible_store(device, grid, report);  // validate_single() knows no other kinds
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
  if (is_banded(device)) return check_banded(device, grid, profile_w);
  switch (device.kind) {
    case DeviceKind::fixed:
      return std::memcmp(profile_w.data(), device.profile_w.data(), profile_w.size_bytes()) == 0 ? Error::none : Error::infeasible;
    case DeviceKind::appliance:
    case DeviceKind::switched: return check_pattern(device, grid, profile_w);
    default: return check_store(device, grid, profile_w);
  }
}

}  // namespace wattproof::solver
