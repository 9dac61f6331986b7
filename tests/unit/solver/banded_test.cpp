// SPDX-License-Identifier: Apache-2.0
#include "solver/banded.hpp"

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, 16'000> workspace;

// Every limit once more, in floating point and without a line of the library.
void check_limits(const reference::Problem& problem, std::span<const std::int32_t> x) {
  const reference::QuadraticProgram program =
      reference::program_of(problem.device, problem.grid, problem.target_w, problem.cost);
  for (std::size_t t = 0; t < x.size(); ++t) {
    ASSERT_GE(x[t], program.low[t]);
    ASSERT_LE(x[t], program.high[t]);
  }
  for (const reference::Row& row : program.rows) {
    double sum = 0;
    double watt = 0;
    for (std::size_t t = 0; t < x.size(); ++t) {
      sum += row.coefficients[t] * x[t];
      watt = std::max(watt, std::abs(row.coefficients[t]));
    }
    // Where a band leaves less room than one watt in one slot makes, it counts as that wide.
    const double slack = std::max(0.0, watt - (row.high - row.low)) + 0.01;
    ASSERT_GE(sum, row.low - slack);
    ASSERT_LE(sum, row.high + slack);
  }
}

TEST(banded, keeps_every_limit_within_its_certificate_of_the_reference) {
  std::mt19937_64 random(131);
  std::uint64_t solved = 0;
  std::uint64_t refused = 0;
  std::uint64_t undecided = 0;
  for (std::uint64_t i = 0; i < case_count(); ++i) {
    SCOPED_TRACE(i);
    reference::Problem problem;
    reference::draw(random, DeviceKind::banded, draw_slots(random), false, problem);
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    const Error error = solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, x, report);
    if (error == Error::out_of_range) continue;
    const reference::Solution best =
        reference::minimise(reference::program_of(problem.device, problem.grid, problem.target_w, problem.cost));
    if (!ok(error)) {
      ASSERT_NE(report.limit, Limit::none);
      const bool is_proof = error != Error::not_converged;
      ASSERT_TRUE(!is_proof || is_verdict_infeasible(error)) << error_name(error);
      if (is_proof) {
        ASSERT_FALSE(best.converged && best.worst_violation < 1e-6 &&
                     reference::minimise(reference::tightened(problem.device, problem.grid, problem.target_w, problem.cost, 0.01)).converged);
      }
      (is_proof ? refused : undecided) += 1;
      continue;
    }
    ++solved;
    check_limits(problem, x);
    if (HasFatalFailure()) return;
    ASSERT_EQ(check_profile(problem.device, problem.grid, x), Error::none);
    ASSERT_EQ(report.kind, CertificateKind::bound);
    if (!best.converged) continue;
    const std::vector<double> powers(x.begin(), x.end());
    const double cost = reference::cost_of(problem.device, problem.grid, problem.target_w, problem.cost, powers);
    const double weight = double(problem.cost.weight) + problem.cost.wear;
    ASSERT_GE(static_cast<double>(report.gap) / weight, (cost - best.objective) / weight - 1e-6 * std::abs(cost / weight) - 1);
  }
  EXPECT_GT(solved, case_count() / 3);
  EXPECT_GT(refused, 0u);
  EXPECT_LT(undecided, case_count() / 300);
}

TEST(banded, without_states_and_ramps_is_a_clip_in_each_slot) {
  const Device device{.kind = DeviceKind::banded, .power_min_w = -10, .power_max_w = 30};
  const std::array<std::int32_t, 3> target{-50, 7, 90};
  std::array<std::int32_t, 3> x{};
  Report report;
  ASSERT_EQ(solve(device, {3, 3600}, target, {}, workspace, x, report), Error::none);
  EXPECT_EQ(x, (std::array<std::int32_t, 3>{-10, 7, 30}));
  EXPECT_LE(report.gap, 1u);
}

TEST(banded, spreads_what_a_ramp_forbids) {
  const Device device{.kind = DeviceKind::banded, .power_min_w = 0, .power_max_w = 1000, .ramp_up_w = 100};
  const std::array<std::int32_t, 3> target{0, 300, 300};
  std::array<std::int32_t, 3> x{};
  Report report;
  ASSERT_EQ(solve(device, {3, 3600}, target, {}, workspace, x, report), Error::none);
  EXPECT_EQ(x, (std::array<std::int32_t, 3>{100, 200, 300}));
}

TEST(banded, one_store_without_ramps_is_near_the_exact_battery) {
  constexpr Grid grid{24, 3600};
  std::mt19937_64 random(132);
  for (int i = 0; i < 200; ++i) {
    SCOPED_TRACE(i);
    std::array<std::int32_t, 24> low{};
    std::array<std::int32_t, 24> high{};
    low.fill(1000);
    high.fill(9000);
    low[23] = high[23] = 5000;
    const std::array<LinearState, 1> states{{{.start = 4000, .min = std::span<const std::int32_t>(low),
                                              .max = std::span<const std::int32_t>(high), .keep_ppm = {1'000'000, 0},
                                              .gain_milli_per_wh = 1000}}};
    const Device banded{.kind = DeviceKind::banded, .power_min_w = -3000, .power_max_w = 3000, .states = states};
    const Device battery{.kind = DeviceKind::battery, .power_min_w = -3000, .power_max_w = 3000, .energy_min_wh = 1000,
                         .energy_max_wh = 9000, .energy_start_wh = 4000, .energy_end_min_wh = 5000, .energy_end_max_wh = 5000};
    std::array<std::int32_t, 24> target{};
    for (std::int32_t& v : target) v = static_cast<std::int32_t>(random() % 6001) - 3000;
    std::array<std::int32_t, 24> x{};
    std::array<std::int32_t, 24> exact{};
    Report report;
    ASSERT_EQ(solve(banded, grid, target, {}, workspace, x, report), Error::none);
    ASSERT_EQ(check_profile(banded, grid, x), Error::none);
    ASSERT_EQ(solve(battery, grid, target, {}, workspace, exact, report), Error::none);
    for (std::size_t t = 0; t < 24; ++t) ASSERT_NEAR(x[t], exact[t], 4) << t;
  }
}

TEST(banded, proves_that_two_states_cannot_both_be_met) {
  // One power warms both; the first must stay cold, the second get warm. Each alone could be met.
  const std::array<std::int32_t, 4> first_max{900, 900, 900, 900};
  const std::array<std::int32_t, 4> second_min{-9000, -9000, -9000, 2000};
  const std::array<LinearState, 2> states{{{.min = -9000, .max = std::span<const std::int32_t>(first_max), .keep_ppm = {500'000, 0},
                                            .gain_milli_per_wh = 1000},
                                           {.min = std::span<const std::int32_t>(second_min), .max = 9000,
                                            .keep_ppm = {0, 1'000'000}, .gain_milli_per_wh = 1000}}};
  Device device{.kind = DeviceKind::banded, .power_min_w = 0, .power_max_w = 1000, .states = states};
  const std::array<std::int32_t, 4> target{};
  std::array<std::int32_t, 4> x{};
  Report report;
  ASSERT_EQ(solve(device, {4, 3600}, target, {}, workspace, x, report), Error::none);  // 900, 450, 450, 450
  std::array<std::int32_t, 4> more = second_min;
  more[3] = 2400;
  std::array<LinearState, 2> warmer = states;
  warmer[1].min = std::span<const std::int32_t>(more);
  device.states = warmer;
  EXPECT_EQ(feasible(device, {4, 3600}, report), Error::none);  // which looks at one state at a time
  EXPECT_EQ(solve(device, {4, 3600}, target, {}, workspace, x, report), Error::infeasible);
  EXPECT_TRUE(report.limit == Limit::state_min || report.limit == Limit::state_max);
}

TEST(banded, asks_for_its_workspace) {
  const Device device{.kind = DeviceKind::banded, .power_max_w = 1};
  const std::array<std::int32_t, 2> target{};
  std::array<std::int32_t, 2> x{};
  Report report;
  EXPECT_EQ(workspace_words(device, {2, 3600}), 18u);
  EXPECT_EQ(solve(device, {2, 3600}, target, {}, std::span(workspace).first(17), x, report), Error::workspace_too_small);
  EXPECT_EQ(solve(device, {2, 3600}, target, {}, std::span(workspace).first(18), x, report), Error::none);
}

}  // namespace
}  // namespace wattproof::solver
