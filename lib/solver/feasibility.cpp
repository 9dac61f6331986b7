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

Error WATTPROOF_SINGLE(feasible_single, feasible)(const Device& device, const Grid& grid, Report& report) {
  clear(report);
  WATTPROOF_TRY(validate_single(device, grid));
  if (is_banded(device)) return feasible_banded(device, grid, report);
  return is_pattern(device) ? feasible_pattern(device, grid, report) : feasible_store(device, grid, report);
}

#ifdef WATTPROOF_HOMES
Error feasible(const Device& device, const Grid& grid, Report& report) {
  if (!is_home(device)) return feasible_single(device, grid, report);
  clear(report);
  WATTPROOF_TRY(validate_home(device, grid));
  return feasible_home(device, grid, report);
}
#endif

Error check_profile(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  WATTPROOF_TRY(validate_single(device, grid));
  if (profile_w.size() != grid.slots) return Error::wrong_length;
  if (is_banded(device)) return check_banded(device, grid, profile_w);
  if (!is_for_size && device.kind == DeviceKind::fixed) {
    return std::memcmp(profile_w.data(), device.profile_w.data(), profile_w.size_bytes()) == 0 ? Error::none : Error::infeasible;
  }
  return is_pattern(device) ? check_pattern(device, grid, profile_w) : check_store(device, grid, profile_w);
}

}  // namespace wattproof::solver
