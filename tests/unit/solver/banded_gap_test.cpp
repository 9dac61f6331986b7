// SPDX-License-Identifier: Apache-2.0
#include "random_problems.hpp"
#include "solver/banded.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, 16'000> workspace;

TEST(banded_gap, any_multipliers_give_a_valid_bound) {
  std::mt19937_64 random(141);
  int checked = 0;
  for (int i = 0; i < 1500; ++i) {
    SCOPED_TRACE(i);
    reference::Problem problem;
    reference::draw(random, DeviceKind::banded, 1 + static_cast<std::uint32_t>(random() % 8), false, problem);
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    if (!ok(solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, x, report))) continue;
    const reference::Solution best =
        reference::minimise(reference::program_of(problem.device, problem.grid, problem.target_w, problem.cost));
    if (!best.converged) continue;
    const std::vector<double> powers(x.begin(), x.end());
    const double excess = reference::cost_of(problem.device, problem.grid, problem.target_w, problem.cost, powers) - best.objective;
    std::vector<std::int32_t> wrong(3 * problem.grid.slots);
    for (std::int32_t& m : wrong) m = static_cast<std::int32_t>(random() % 200'001) - 100'000;
    std::uint64_t loose = 0;
    ASSERT_EQ(recheck(problem.device, problem.grid, problem.target_w, problem.cost, x, wrong, report.guard_bits, loose), Error::none);
    ASSERT_GE(static_cast<double>(loose), excess - 1e-6 * std::abs(best.objective) - 1);
    ++checked;
  }
  EXPECT_GT(checked, 500);
}

TEST(banded_gap, no_multipliers_refute_what_can_be_met) {
  std::mt19937_64 random(142);
  int checked = 0;
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE(i);
    reference::Problem problem;
    reference::draw(random, DeviceKind::banded, 1 + static_cast<std::uint32_t>(random() % 8), false, problem);
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    if (!ok(solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, x, report))) continue;
    std::vector<std::int32_t> any(3 * problem.grid.slots);
    for (std::int32_t& m : any) m = static_cast<std::int32_t>(random() % 2'000'001) - 1'000'000;
    const BandedModel model(problem.device, problem.grid);
    ASSERT_FALSE(is_refuted(model, problem.grid, x, BandedMultipliers(any.data(), 3)));
    ++checked;
  }
  EXPECT_GT(checked, 1000);
}

TEST(banded_gap, the_right_multipliers_refute_what_cannot_be_met) {
  const std::array<LinearState, 1> states{{{.start = 0, .min = 200, .max = 500, .keep_ppm = {1'000'000, 0}, .gain_milli_per_wh = 1000}}};
  const Device device{.kind = DeviceKind::banded, .power_min_w = 0, .power_max_w = 100, .states = states};
  const BandedModel model(device, {1, 3600});
  const std::array<std::int32_t, 1> x{100};
  const std::array<std::int32_t, 3> up{1000, 0, 0};
  const std::array<std::int32_t, 3> down{-1000, 0, 0};
  EXPECT_TRUE(is_refuted(model, {1, 3600}, x, BandedMultipliers(up.data(), 3)));
  EXPECT_FALSE(is_refuted(model, {1, 3600}, x, BandedMultipliers(down.data(), 3)));
}

TEST(banded_gap, recheck_asks_for_three_multipliers_a_slot) {
  const Device device{.kind = DeviceKind::banded, .power_max_w = 10};
  const std::array<std::int32_t, 2> x{5, 5};
  const std::array<std::int32_t, 6> dual{};
  std::uint64_t gap = 0;
  EXPECT_EQ(recheck(device, {2, 3600}, x, {}, x, std::span(dual).first(2), 6, gap), Error::wrong_length);
  EXPECT_EQ(recheck(device, {2, 3600}, x, {}, x, dual, 6, gap), Error::none);
  EXPECT_EQ(gap, 0u);
}

}  // namespace
}  // namespace wattproof::solver
