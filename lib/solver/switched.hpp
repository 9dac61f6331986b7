// SPDX-License-Identifier: Apache-2.0
// A load of one power that is on for a given number of slots of its window, never shorter than min_on_slots at a time
// and with at least min_off_slots between: dynamic programming over slots, on-slots left and state. The load is off, and
// free to start, before the window, and off after it. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

//   out_of_range    a minimum time of 0 or above the slots, or energy of the other sign than the power
//   not_a_multiple  energy that is no whole number of slots
Error validate_switched(const Device& device, const Grid& grid);

// Slots that the load has to be on.
std::uint32_t on_slots(const Device& device, const Grid& grid);

// Rows of values for the longer of the two minimum times, and two bits for each slot and count.
std::size_t switched_workspace_words(const Device& device, const Grid& grid);

// Of equally good patterns the one that is on earliest.
//   infeasible, out_of_range, workspace_too_small  as for the appliance
Error solve_switched(const Task& task);

Error feasible_switched(const Device& device, const Grid& grid, Report& report);
Error check_switched(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

}  // namespace wattproof::solver
