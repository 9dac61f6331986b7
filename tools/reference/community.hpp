// SPDX-License-Identifier: Apache-2.0
// The community's whole problem, solved centrally in double precision by a primal-dual interior point method, to hold the
// devices' agreement against. It shares no idea with lib/solver and none with the ADMM: all private data in one place, one
// Newton system (block diagonal by device, coupled by the slots' sums, solved by a Schur complement).
//
//   min  sum_t price_t y_t + gamma/2 y_t^2  +  sum_i own_i/2 |x_i|^2 + linear_i sum_t x_it      y = base + sum_i x_i <= cap
//
// with x_i within device i's limits. The unit of the objective is micro-units; powers are W.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace wattproof::reference {

// One convex device: power within [low, high] in each slot, energy drawn so far (W x slot) within [sum_low, sum_high] after
// each slot. A slot with low = high is fixed; sum_low = sum_high is an equation and allowed after the last slot alone.
struct ConvexDevice {
  std::vector<double> low_w, high_w;
  std::vector<double> sum_low, sum_high;  // infinite where there is none
  double own_quadratic = 0;               // micro-units per kWh and W
  double own_linear = 0;                  // micro-units per kWh
  double rise_w = std::numeric_limits<double>::infinity();  // from one slot to the next, where neither is fixed
  double fall_w = std::numeric_limits<double>::infinity();
};

// A device that chooses one of several profiles: an appliance with its starts.
struct ChoiceDevice {
  std::vector<std::vector<double>> profiles_w;
  double own_quadratic = 0;
};

struct Community {
  std::uint32_t slots = 0;
  std::uint32_t slot_seconds = 0;
  double gamma = 0;                     // micro-units per kWh and W
  std::vector<double> price;            // micro-units per kWh
  std::vector<double> base_w, cap_w;
  std::vector<ConvexDevice> convex;
  std::vector<ChoiceDevice> choices;
};

struct Optimum {
  bool is_feasible = false;
  double objective = 0;                 // micro-units
  double lower_bound = 0;               // by duality: nothing below this is possible
  std::vector<double> shadow_price;     // of one more W in a slot, micro-units per kWh
  std::vector<double> aggregate_w;      // base and all devices
  std::vector<std::size_t> chosen;      // profile of each choice device
  std::uint32_t iterations = 0;
  bool is_complete = false;             // solve_free: every combination was solved or ruled out
};

// With the choices as given (one index a choice device).
Optimum solve_fixed(const Community& community, const std::vector<std::size_t>& chosen);

// With the choices relaxed to any mixture of their profiles: a lower bound of every combination.
Optimum solve_relaxed(const Community& community);

// Over all combinations: enumerated, leaving out those whose Lagrangian bound at the relaxed shadow prices cannot beat the
// best one found. `solved` counts the combinations that were solved. With very many appliances the enumeration is cut
// short (is_complete false); then lower_bound, which no combination can beat, is what to compare with.
Optimum solve_free(const Community& community, std::uint64_t& combinations, std::uint64_t& solved);

// The objective of given profiles (one a device, convex ones first), in micro-units; nothing is checked.
double objective_of(const Community& community, const std::vector<std::vector<double>>& profiles_w);

}  // namespace wattproof::reference
