// SPDX-License-Identifier: Apache-2.0
#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

TEST(feasibility, agrees_with_what_can_be_reached) {
  std::mt19937_64 random(121);
  int feasible_count = 0;
  int infeasible_count = 0;
  for (std::uint64_t i = 0; i < case_count(); ++i) {
    SCOPED_TRACE(i);
    constexpr DeviceKind kinds[] = {DeviceKind::battery, DeviceKind::shapeable, DeviceKind::curtailable};
    reference::Problem problem;
    reference::draw(random, kinds[i % 3], draw_slots(random), false, problem);
    double margin = 0;
    const bool expected = reference::is_reachable(problem.device, problem.grid, margin);
    Report report;
    const Error error = feasible(problem.device, problem.grid, report);
    ASSERT_EQ(ok(error), expected);
    ++(expected ? feasible_count : infeasible_count);
    if (expected) continue;
    ASSERT_NE(report.limit, Limit::none);
    if (error == Error::infeasible_below) {
      ASSERT_GE(report.needed, report.possible);
    }
    if (error == Error::infeasible_above) {
      ASSERT_LE(report.needed, report.possible);
    }
  }
  EXPECT_GT(feasible_count, 0);
  EXPECT_GT(infeasible_count, 0);
}

TEST(feasibility, names_the_slot_whose_powers_contradict_each_other) {
  const std::array<std::int32_t, 3> low{0, 5, 0};
  const Device device{.kind = DeviceKind::curtailable, .power_min_w = std::span<const std::int32_t>(low), .power_max_w = 4};
  Report report;
  EXPECT_EQ(feasible(device, {3, 3600}, report), Error::infeasible);
  EXPECT_EQ(report.limit, Limit::power);
  EXPECT_EQ(report.slot, 1u);
  EXPECT_EQ(report.needed, 5);
  EXPECT_EQ(report.possible, 4);
}

TEST(feasibility, tells_the_window_that_cycles_need) {
  const std::array<std::int32_t, 3> cycle{1, 1, 1};
  const Device device{.kind = DeviceKind::appliance, .profile_w = cycle, .runs = 2};
  Report report;
  EXPECT_EQ(feasible(device, {5, 3600}, report), Error::infeasible);
  EXPECT_EQ(report.limit, Limit::window);
  EXPECT_EQ(report.needed, 6);
  EXPECT_EQ(report.possible, 5);
}

TEST(feasibility, an_upper_energy_limit_is_reported_with_the_least_that_is_possible) {
  const Device device{.kind = DeviceKind::battery, .power_min_w = -100, .power_max_w = 100, .energy_max_wh = 500, .energy_start_wh = 700,
                      .energy_end_max_wh = 500};
  Report report;
  EXPECT_EQ(feasible(device, {2, 3600}, report), Error::infeasible_above);
  EXPECT_EQ(report.limit, Limit::energy_max);
  EXPECT_EQ(report.slot, 1u);
  EXPECT_EQ(report.needed, 500);
  EXPECT_EQ(report.possible, 600);
}

TEST(feasibility, a_fixed_device_follows_its_profile_whatever_else_it_holds) {
  const std::array<std::int32_t, slot_count_max> strong = [] {
    std::array<std::int32_t, slot_count_max> powers{};
    powers.fill(power_w_max);
    return powers;
  }();
  const Grid grid{slot_count_max, 900};
  Device device{.kind = DeviceKind::fixed, .profile_w = strong};
  device.power_min_w = 5;
  device.power_max_w = 4;
  Report report;
  EXPECT_EQ(feasible(device, grid, report), Error::none);
  std::array<std::int32_t, slot_count_max> x{};
  Workspace<slot_count_max> workspace;
  EXPECT_EQ(solve(device, grid, std::array<std::int32_t, slot_count_max>{}, {}, workspace, x, report), Error::none);
  EXPECT_EQ(x, strong);
  EXPECT_EQ(report.kind, CertificateKind::dual);
  EXPECT_EQ(report.gap, 0u);
  EXPECT_EQ(check_profile(device, grid, x), Error::none);
}

TEST(feasibility, checks_profiles_of_every_simple_kind) {
  const Grid grid{2, 3600};
  const std::array<std::int32_t, 2> load{3, 4};
  EXPECT_EQ(check_profile({.kind = DeviceKind::fixed, .profile_w = load}, grid, load), Error::none);
  EXPECT_EQ(check_profile({.kind = DeviceKind::fixed, .profile_w = load}, grid, std::array<std::int32_t, 2>{3, 5}), Error::infeasible);
  const Device charger{.kind = DeviceKind::shapeable, .power_max_w = 10, .start_slot = 1, .end_slot = 2, .energy_wh = 4};
  EXPECT_EQ(check_profile(charger, grid, std::array<std::int32_t, 2>{0, 4}), Error::none);
  EXPECT_EQ(check_profile(charger, grid, std::array<std::int32_t, 2>{1, 3}), Error::infeasible);
  EXPECT_EQ(check_profile(charger, grid, std::array<std::int32_t, 1>{4}), Error::wrong_length);
}

}  // namespace
}  // namespace wattproof::solver
