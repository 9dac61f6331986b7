// SPDX-License-Identifier: Apache-2.0
// A fixed cycle that may start anywhere in a window: every start is tried. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/device.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

// One uninterrupted run: the start with the largest sum of cycle power times wish, the earliest of equals.
//   infeasible    the window is shorter than the cycle
//   out_of_range  the sum could pass 62 bits
Error place_run(const Device& device, const Grid& grid, const Wish& wish, std::span<std::int32_t> profile_w);

}  // namespace wattproof::solver
