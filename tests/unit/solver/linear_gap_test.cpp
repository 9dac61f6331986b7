// SPDX-License-Identifier: Apache-2.0
#include "solver/linear_gap.hpp"

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, 16'000> workspace;

// The least cost of a device at linear prices, by the reference: its program with the squares of its own cost alone.
double least(const reference::Problem& problem, std::span<const std::int64_t> prices, std::int64_t weight) {
  reference::QuadraticProgram program = reference::program_of(problem.device, problem.grid, problem.target_w, {});
  for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
    const bool is_generator = problem.device.kind == DeviceKind::generator;
    program.curvature[t] = 2.0 * problem.device.cost_quadratic;
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
    if (i % 2 == 0 && kinds[i % 5] != DeviceKind::generator) problem.device.cost_quadratic = 1 << random() % 24;
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    if (!ok(optimise(problem.device, problem.grid, problem.target_w, {}, workspace, x, report))) continue;
    const std::vector<std::int32_t> dual(report.dual.begin(), report.dual.end());
    std::vector<std::int64_t> prices(problem.grid.slots);
    for (std::int64_t& price : prices) price = static_cast<std::int64_t>(random() % 2'000'001) - 1'000'000;
    const std::int64_t weight = (1 + static_cast<std::int64_t>(random() % 5)) << (i % 3 == 0 ? random() % 24 : 0);
    Gap gap{linear_gap_bits};
    std::vector<std::int32_t> scratch(problem.grid.slots);
    ASSERT_EQ(add_linear_gap(problem.device, problem.grid, prices, weight, x, dual, report.guard_bits, workspace, scratch, gap),
              Error::none);
    double cost = 0;
    for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
      cost += 2.0 * double(weight) * double(prices[t]) / 1024 * x[t] + double(problem.device.cost_quadratic) * x[t] * x[t];
      if (problem.device.kind == DeviceKind::generator) cost -= 2.0 * double(problem.device.cost_linear) * x[t];
    }
    const double saving = cost - least(problem, prices, weight);
    ASSERT_GE(static_cast<double>(gap.total(static_cast<std::uint64_t>(weight))), saving - 1e-6 * std::abs(cost) - 1);
    ++checked;
  }
  EXPECT_GT(checked, 600);
}

// Every profile of a battery of a few watts, since no program holds one with losses.
TEST(linear_gap, is_never_less_than_what_a_battery_with_losses_and_wear_could_save) {
  std::mt19937_64 random(113);
  constexpr std::int32_t power_w = 12;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(i);
    const Grid grid{3, 3600};
    const Device device{.kind = DeviceKind::battery, .power_min_w = -power_w, .power_max_w = power_w, .energy_max_wh = 30,
                        .energy_start_wh = static_cast<std::int32_t>(random() % 31), .energy_end_max_wh = 30,
                        .charge_efficiency_permille = 900, .discharge_efficiency_permille = 850,
                        .cost_quadratic = 1 << random() % 12};
    std::array<std::int32_t, 3> target{}, x{}, scratch{}, other{};
    for (std::int32_t& v : target) v = static_cast<std::int32_t>(random() % 41) - 20;
    Report report;
    if (!ok(optimise(device, grid, target, {}, workspace, x, report))) continue;
    const std::vector<std::int32_t> dual(report.dual.begin(), report.dual.end());
    std::array<std::int64_t, 3> prices{};
    for (std::int64_t& price : prices) price = static_cast<std::int64_t>(random() % 80'001) - 40'000;
    const std::int64_t weight = 1 + static_cast<std::int64_t>(random() % 500);
    Gap gap{linear_gap_bits};
    ASSERT_EQ(add_linear_gap(device, grid, prices, weight, x, dual, report.guard_bits, workspace, scratch, gap), Error::none);
    const auto cost_of = [&](const std::array<std::int32_t, 3>& powers) {
      double cost = 0;
      for (std::size_t t = 0; t < 3; ++t) {
        cost += 2.0 * double(weight) * double(prices[t]) / 1024 * powers[t] + double(device.cost_quadratic) * powers[t] * powers[t];
      }
      return cost;
    };
    double least = cost_of(x);
    for (other[0] = -power_w; other[0] <= power_w; ++other[0]) {
      for (other[1] = -power_w; other[1] <= power_w; ++other[1]) {
        for (other[2] = -power_w; other[2] <= power_w; ++other[2]) {
          if (cost_of(other) < least && ok(check_profile(device, grid, other))) least = cost_of(other);
        }
      }
    }
    ASSERT_GE(static_cast<double>(gap.total(static_cast<std::uint64_t>(weight))), cost_of(x) - least);
  }
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

TEST(linear_gap, a_battery_that_wears_is_content_at_a_lower_price_the_more_it_draws) {
  const Device device{.kind = DeviceKind::battery, .power_min_w = -100, .power_max_w = 100, .energy_max_wh = 1000,
                      .cost_quadratic = 2};
  const std::array<std::int32_t, 2> x{30, -30};
  const std::array<std::int32_t, 2> dual{0, 50 << 6};  // stored energy is worth 50 W of the sum
  std::array<std::int64_t, 2> prices{};
  std::array<bool, 2> is_set{};
  adopt_marginals(device, {2, 3600}, 1, x, dual, 6, prices, is_set);
  EXPECT_EQ(prices[0], (50 - 2 * 30) * 1024);
  EXPECT_EQ(prices[1], (50 + 2 * 30) * 1024);
}

}  // namespace
}  // namespace wattproof::solver
