// SPDX-License-Identifier: Apache-2.0
#include "solver/linear_gap.hpp"

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, 16'000> workspace;

// The least cost of a device at linear prices, by the reference: its program without the squares.
double least(const reference::Problem& problem, std::span<const std::int64_t> prices, std::int64_t weight) {
  reference::QuadraticProgram program = reference::program_of(problem.device, problem.grid, problem.target_w, {});
  for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
    const bool is_generator = problem.device.kind == DeviceKind::generator;
    program.curvature[t] = is_generator ? 2.0 * problem.device.cost_quadratic : 0;
    program.linear[t] = 2.0 * double(weight) * double(prices[t]) / 1024 - (is_generator ? 2.0 * double(problem.device.cost_linear) : 0);
  }
  return reference::minimise(program).objective;
}

TEST(linear_gap, is_never_less_than_what_the_device_could_save) {
  std::mt19937_64 random(111);
  int checked = 0;
  for (int i = 0; i < 1200; ++i) {
    SCOPED_TRACE(i);
    constexpr DeviceKind kinds[] = {DeviceKind::battery, DeviceKind::shapeable, DeviceKind::curtailable, DeviceKind::generator,
                                    DeviceKind::thermal};
    reference::Problem problem;
    reference::draw(random, kinds[i % 5], 1 + static_cast<std::uint32_t>(random() % 8), false, problem);
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    if (!ok(optimise(problem.device, problem.grid, problem.target_w, {}, workspace, x, report))) continue;
    const std::vector<std::int32_t> dual(report.dual.begin(), report.dual.end());
    std::vector<std::int64_t> prices(problem.grid.slots);
    for (std::int64_t& price : prices) price = static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000;
    const std::int64_t weight = 1 + static_cast<std::int64_t>(random() % 5);
    Gap gap{linear_gap_bits};
    std::vector<std::int32_t> scratch(problem.grid.slots);
    ASSERT_EQ(add_linear_gap(problem.device, problem.grid, prices, weight, x, dual, report.guard_bits, workspace, scratch, gap),
              Error::none);
    double cost = 0;
    for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
      cost += 2.0 * double(weight) * double(prices[t]) / 1024 * x[t];
      if (problem.device.kind == DeviceKind::generator) {
        cost += double(problem.device.cost_quadratic) * x[t] * x[t] - 2.0 * double(problem.device.cost_linear) * x[t];
      }
    }
    const double saving = cost - least(problem, prices, weight);
    ASSERT_GE(static_cast<double>(gap.total(static_cast<std::uint64_t>(weight))), saving - 1e-6 * std::abs(cost) - 1);
    ++checked;
  }
  EXPECT_GT(checked, 600);
}

TEST(linear_gap, an_appliance_is_compared_with_its_cheapest_place) {
  const std::array<std::int32_t, 2> cycle{100, 300};
  const Device device{.kind = DeviceKind::appliance, .profile_w = cycle};
  const Grid grid{4, 3600};
  const std::array<std::int64_t, 4> prices{5 * 1024, 5 * 1024, 1024, 1024};
  std::array<std::int32_t, 4> scratch{};
  Gap gap{linear_gap_bits};
  ASSERT_EQ(add_linear_gap(device, grid, prices, 1, std::array<std::int32_t, 4>{100, 300, 0, 0}, {}, 6, workspace, scratch, gap),
            Error::none);
  EXPECT_EQ(gap.total(1), 2u * 4 * 400);
}

TEST(linear_gap, a_free_device_sets_the_price_at_which_it_is_content) {
  const Device device{.kind = DeviceKind::generator, .power_min_w = -100, .power_max_w = 0, .cost_linear = -40, .cost_quadratic = 2};
  const Grid grid{2, 3600};
  const std::array<std::int32_t, 2> x{-30, -100};
  std::array<std::int64_t, 2> prices{7, 7};
  std::array<bool, 2> is_set{};
  adopt_marginals(device, grid, 1, x, {}, 6, prices, is_set);
  EXPECT_EQ(prices[0], 20 * 1024);  // -40 + 2 x 30
  EXPECT_EQ(prices[1], 7);          // at its limit it has no say
}

}  // namespace
}  // namespace wattproof::solver
