// SPDX-License-Identifier: Apache-2.0
// Devices that choose among patterns: a fixed cycle that may start anywhere in a window, once or several times, whole or
// with pauses between its steps (appliance); and a load of one power that is on for a number of slots, never shorter than
// min_on_slots at a time and with at least min_off_slots between (switched). Both place equal parts one after another: one
// dynamic program over slots and parts left serves them. Internal to solver/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

// Rows of values for as many slots as one choice reaches ahead, and a bit for each slot, count of parts left and state. None
// if there is but one stretch to place, as with one whole run of an appliance; compiled for size, fewer than
// workspace_words(grid.slots) for such a run.
std::size_t pattern_workspace_words(const Device& device, const Grid& grid);

// Of equally good patterns the one whose parts come earliest, first to last.
//   infeasible           as keep_pattern, which has to be asked before where this is compiled for size
//   out_of_range         sums of powers times wish could pass 2^61
//   workspace_too_small  fewer than pattern_workspace_words
Error solve_pattern(const Task& task);

// Whether a profile keeps to a pattern; without one, whether there is any.
Error keep_pattern(const Device& device, const Grid& grid, const std::int32_t* profile_w, Report& report);

}  // namespace wattproof::solver
