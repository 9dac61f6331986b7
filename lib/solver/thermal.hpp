// SPDX-License-Identifier: Apache-2.0
// Heat and cold stores: first-order leak towards the ambient, a comfort band. What their descriptions may hold;
// store.hpp solves them. Internal to solver/.
#pragma once

#include <cstdint>

#include "solver/device.hpp"

namespace wattproof::solver {

constexpr std::int32_t temperature_mc_max = 1'000'000;  // |start|, |ambient|, |band|
constexpr std::int32_t gain_mk_per_wh_max = 1'000'000;  // |gain|

constexpr bool is_thermal(const Device& device) {
  return is_built(DeviceKind::thermal) && device.kind == DeviceKind::thermal;
}

}  // namespace wattproof::solver
