// SPDX-License-Identifier: Apache-2.0
// A fixed cycle that may start anywhere in a window, once or several times, whole or with pauses between its steps: all
// choices are compared. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

// Runs follow one another without overlap; of equally good choices the one that starts earliest, run by run and step
// by step. One whole run needs no workspace.
//   infeasible           the window is shorter than all runs together
//   out_of_range         sums of cycle power times wish could pass 62 bits
//   workspace_too_small  fewer than appliance_workspace_words
Error solve_appliance(const Task& task);

// Two rows of values and a bit for each part (run, or step of an interruptible run) and slot.
std::size_t appliance_workspace_words(const Device& device, const Grid& grid);

Error check_appliance(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

}  // namespace wattproof::solver
