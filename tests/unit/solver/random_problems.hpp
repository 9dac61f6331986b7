// SPDX-License-Identifier: Apache-2.0
// Random problems of one kind against the interior point reference: usually 10^4 (support/effort.hpp).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "reference/device_reference.hpp"
#include "support/effort.hpp"

namespace wattproof::solver {

inline std::uint64_t case_count() { return testing::case_count(10'000); }

// Most are short, since every slot count goes through the same code; some are of a whole day.
inline std::uint32_t draw_slots(std::mt19937_64& random) {
  const std::uint64_t die = random() % 1000;
  return 1 + static_cast<std::uint32_t>(random() % (die == 0 ? slot_count_max : die < 20 ? 24 : 8));
}

struct Tolerance {
  double error_w = 0;    // beyond 1 + 2 slots / 2^guard_bits
  double margin = 1e-6;  // below which a verdict of feasibility is a matter of rounding
};

inline bool is_verdict_infeasible(Error error) {
  return error == Error::infeasible || error == Error::infeasible_below || error == Error::infeasible_above;
}

inline void compare_solved(const reference::Problem& problem, std::span<const std::int32_t> x, const Report& report,
                           const Tolerance& tolerance) {
  const Grid& grid = problem.grid;
  ASSERT_EQ(check_profile(problem.device, grid, x), Error::none);
  ASSERT_EQ(report.kind, CertificateKind::dual);
  const reference::Solution best =
      reference::minimise(reference::program_of(problem.device, grid, problem.target_w, problem.cost));
  if (!best.converged) return;
  const std::vector<double> powers(x.begin(), x.end());
  const double cost = reference::cost_of(problem.device, grid, problem.target_w, problem.cost, powers);
  const double weight = double(problem.cost.weight) + problem.cost.wear + problem.device.cost_quadratic;
  if (problem.device.kind != DeviceKind::thermal) {
    // The certificate really is an upper bound, and never more than rounding.
    ASSERT_GE(static_cast<double>(report.gap) / weight, (cost - best.objective) / weight - 1e-6 * std::abs(cost / weight) - 1);
    ASSERT_LE(static_cast<double>(report.gap) / weight, grid.slots + 1);
  }
  const double limit = 1 + 2.0 * grid.slots / double(1u << report.guard_bits) + tolerance.error_w;
  // The reference knows a minimum only to about the square root of its own accuracy.
  if (best.objective > cost + 1e-3 * weight) return;
  for (std::uint32_t t = 0; t < grid.slots; ++t) ASSERT_LE(std::abs(best.x[t] - x[t]), limit) << "slot " << t;
}

inline void compare_with_reference(DeviceKind kind, std::uint64_t seed, const Tolerance& tolerance) {
  static std::array<std::uint64_t, 16'000> workspace;
  std::mt19937_64 random(seed);
  std::uint64_t solved = 0;
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < case_count(); ++i) {
    SCOPED_TRACE(i);
    reference::Problem problem;
    reference::draw(random, kind, draw_slots(random), false, problem);
    double margin = 0;
    const bool is_reachable = reference::is_reachable(problem.device, problem.grid, margin);
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    const Error error = solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, x, report);
    if (!ok(error)) {
      ASSERT_TRUE(is_verdict_infeasible(error)) << error_name(error);
      ASSERT_NE(report.limit, Limit::none);
      ASSERT_TRUE(!is_reachable || margin < tolerance.margin || report.limit == Limit::whole_watts);
      ++refused;
      continue;
    }
    ASSERT_TRUE(is_reachable || margin < tolerance.margin);
    if (is_reachable) compare_solved(problem, x, report, tolerance);
    if (::testing::Test::HasFatalFailure()) return;
    ++solved;
  }
  EXPECT_GT(solved, case_count() / 3);
  EXPECT_TRUE(refused > 0 || kind == DeviceKind::curtailable || kind == DeviceKind::generator);
}

}  // namespace wattproof::solver
