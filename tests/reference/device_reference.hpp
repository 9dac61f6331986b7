// SPDX-License-Identifier: Apache-2.0
// The same device problems as quadratic programs and searches, for checking lib/solver.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "reference/quadratic_program.hpp"
#include "solver/solve.hpp"

namespace wattproof::reference {

// J of a profile as solve.hpp defines it.
double cost_of(const solver::Device& device, const solver::Grid& grid, std::span<const std::int32_t> target_w,
               const solver::Cost& cost, std::span<const double> x);

// The continuous problem of a convex kind (fixed, curtailable, shapeable, battery without losses, thermal, generator, banded),
// with J up to a constant as its objective.
QuadraticProgram program_of(const solver::Device& device, const solver::Grid& grid, std::span<const std::int32_t> target_w,
                            const solver::Cost& cost);

// A banded problem with every state limit and ramp moved inwards by so many watts of what each watt does at most.
QuadraticProgram tightened(const solver::Device& device, const solver::Grid& grid, std::span<const std::int32_t> target_w,
                           const solver::Cost& cost, double watts);

// Whether the continuous problem has a solution, by walking through what can be reached in long double. `margin` says
// how clear the verdict is, in W x slot (storage) or milli-degrees (thermal): below a rounding error it says nothing.
bool is_reachable(const solver::Device& device, const solver::Grid& grid, double& margin);

// A device with everything it refers to, so that random problems can be copied and kept.
struct Problem {
  solver::Grid grid;
  std::vector<std::int32_t> target_w;
  std::vector<std::int64_t> price;
  std::vector<std::int32_t> low_w, high_w, profile_w, ambient_mc, min_mc, max_mc;
  std::vector<solver::Milestone> milestones;
  std::array<std::vector<std::int32_t>, 6> state_series;  // banded: min, max, drift of each state
  std::vector<solver::LinearState> states;
  solver::Device device;
  solver::Cost cost;
};

// Draws a hard random problem of a kind with `slots` slots: tight limits, ties, powers at their edges, deadlines. The
// device and cost refer to the vectors of `problem`.
void draw(std::mt19937_64& random, solver::DeviceKind kind, std::uint32_t slots, bool is_lossy, Problem& problem);

}  // namespace wattproof::reference
