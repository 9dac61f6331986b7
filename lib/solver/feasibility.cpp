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

// Whether a profile keeps the limits; without one, whether they can be kept.
WATTPROOF_ONCE_FOR_SIZE Error keep(const Device& device, const Grid& grid, const std::int32_t* profile_w, Report& report) {
  clear(report);
  WATTPROOF_TRY(validate_single(device, grid));
  if (is_banded(device)) return profile_w == nullptr ? feasible_banded(device, grid, report) : check_banded(device, grid, {profile_w, grid.slots});
  if (!is_for_size && device.kind == DeviceKind::fixed) {
    const bool is_kept = profile_w == nullptr || std::memcmp(profile_w, device.profile_w.data(), device.profile_w.size_bytes()) == 0;
    return is_kept ? Error::none : Error::infeasible;
  }
  return is_pattern(device) ? keep_pattern(device, grid, profile_w, report) : keep_store(device, grid, profile_w, report);
}

}  // namespace

Error WATTPROOF_SINGLE(feasible_single, feasible)(const Device& device, const Grid& grid, Report& report) {
  return keep(device, grid, nullptr, report);
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
  if (profile_w.size() != grid.slots) return Error::wrong_length;
  Report unmet;
  return keep(device, grid, profile_w.data(), unmet);
}

}  // namespace wattproof::solver
