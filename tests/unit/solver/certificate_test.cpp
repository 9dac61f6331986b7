// SPDX-License-Identifier: Apache-2.0
#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, 16'000> workspace;

TEST(certificate, any_multipliers_give_a_valid_bound) {
  std::mt19937_64 random(101);
  int checked = 0;
  for (int i = 0; i < 1500; ++i) {
    SCOPED_TRACE(i);
    constexpr DeviceKind kinds[] = {DeviceKind::battery, DeviceKind::shapeable, DeviceKind::thermal};
    reference::Problem problem;
    reference::draw(random, kinds[i % 3], 1 + static_cast<std::uint32_t>(random() % 10), false, problem);
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    if (!ok(solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, x, report))) continue;
    std::uint64_t again = 0;
    ASSERT_EQ(recheck(problem.device, problem.grid, problem.target_w, problem.cost, x, report.dual, report.guard_bits, again),
              Error::none);
    ASSERT_EQ(again, report.gap);
    const reference::Solution best =
        reference::minimise(reference::program_of(problem.device, problem.grid, problem.target_w, problem.cost));
    if (!best.converged) continue;
    const std::vector<double> powers(x.begin(), x.end());
    const double excess = reference::cost_of(problem.device, problem.grid, problem.target_w, problem.cost, powers) - best.objective;
    std::vector<std::int32_t> wrong(problem.grid.slots);
    for (std::int32_t& m : wrong) m = static_cast<std::int32_t>(random() % 200'001) - 100'000;
    std::uint64_t loose = 0;
    ASSERT_EQ(recheck(problem.device, problem.grid, problem.target_w, problem.cost, x, wrong, report.guard_bits, loose), Error::none);
    ASSERT_GE(static_cast<double>(loose), excess - 1e-6 * std::abs(best.objective) - 1);
    ++checked;
  }
  EXPECT_GT(checked, 500);
}

TEST(certificate, refuses_a_profile_that_breaks_a_limit) {
  const Device device{.kind = DeviceKind::curtailable, .power_max_w = 10};
  const std::array<std::int32_t, 1> target{5};
  std::uint64_t gap = 0;
  EXPECT_EQ(recheck(device, {1, 3600}, target, {}, std::array<std::int32_t, 1>{11}, {}, 6, gap), Error::infeasible);
  EXPECT_EQ(recheck(device, {1, 3600}, target, {}, std::array<std::int32_t, 1>{9}, {}, 6, gap), Error::none);
  EXPECT_EQ(gap, 16u);
}

TEST(certificate, asks_for_as_many_multipliers_as_slots) {
  const Device device{.kind = DeviceKind::battery, .power_min_w = -1, .power_max_w = 1, .energy_max_wh = 9, .energy_end_max_wh = 9};
  const std::array<std::int32_t, 3> x{};
  const std::array<std::int32_t, 2> dual{};
  std::uint64_t gap = 0;
  EXPECT_EQ(recheck(device, {3, 3600}, x, {}, x, dual, 6, gap), Error::wrong_length);
}

}  // namespace
}  // namespace wattproof::solver
