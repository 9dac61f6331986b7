// SPDX-License-Identifier: Apache-2.0
// Heat and cold stores: first-order leak towards the ambient, a comfort band. What their descriptions may hold and what
// memory they need; store.hpp solves them. Internal to solver/.
#pragma once

#include <cstddef>
#include <cstdint>

#include "solver/device.hpp"

namespace wattproof::solver {

constexpr std::int32_t temperature_mc_max = 1'000'000;  // |start|, |ambient|, |band|
constexpr std::int32_t gain_mk_per_wh_max = 1'000'000;  // |gain|

constexpr std::size_t thermal_workspace_words(std::uint32_t slots) {
  return 2 * (2 * std::size_t{slots} + 8) + 2 * std::size_t{slots} + slots;
}

constexpr bool is_thermal(const Device& device) {
  return is_built(DeviceKind::thermal) && device.kind == DeviceKind::thermal;
}

}  // namespace wattproof::solver
