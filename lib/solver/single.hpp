// SPDX-License-Identifier: Apache-2.0
// validate(), workspace_words(), feasible() and optimise() for every kind but the home, whose parts go through these. Two
// layers instead of a recursion, so that the stack has a bound. Internal to solver/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "solver/solve.hpp"

namespace wattproof::solver {

// Clears the report and validates.
Error begin_single(const Device& device, const Grid& grid, Report& report);
Error validate_single(const Device& device, const Grid& grid);
std::size_t single_workspace_words(const Device& device, const Grid& grid);
Error feasible_single(const Device& device, const Grid& grid, Report& report);
Error optimise_single(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                      WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report);

}  // namespace wattproof::solver
