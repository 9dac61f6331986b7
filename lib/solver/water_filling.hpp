// SPDX-License-Identifier: Apache-2.0
// Energy by one deadline: min sum (x_t - v_t)^2 with a box per slot and one sum, by searching the water level. Integer
// wishes and limits only, so the answer is the exact integer optimum; watts left over go to the earliest slots that
// can take one more. And the same without the sum. Internal to solver/.
#pragma once

#include <cstdint>

#include "solver/clip_dp.hpp"

namespace wattproof::solver {

// Compiled for size: each slot's wish, in whole watts, within its limits.
//   infeasible  a lower limit above the upper one
Error pour_wishes(const Task& task);

// Compiled for speed, the level moves by Newton steps from 0 W; from pass 9 on every second pass halves the bracket, so
// passes stay below 8 + 2 log2(bracket) + 2, whatever the data.
constexpr std::uint32_t water_pass_max = 72;

// `wish.plain()` must hold. Fills profile_w, and in the report the one multiplier, which lives in the workspace.
//   workspace_too_small  no word at all
//   infeasible           the sum is out of reach
//   out_of_range         a power above power_limit_w
Error water_filling(const StorageProblem& problem, const Task& task);

}  // namespace wattproof::solver
