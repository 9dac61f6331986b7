// SPDX-License-Identifier: Apache-2.0
#include "solver/store.hpp"

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

Device tank() {
  return {.kind = DeviceKind::thermal, .power_max_w = 2000, .gain_mk_per_wh = 5, .leak_permyriad_per_slot = 100,
          .ambient_mc = 20'000, .start_mc = 50'000, .min_mc = 45'000, .max_mc = 60'000};
}

TEST(thermal, agrees_with_the_reference_on_random_stores) {
  // Where the band leaves no choice between the two nearest watts, the profile is up to one watt further away.
  compare_with_reference(DeviceKind::thermal, 11, {.error_w = 1, .margin = 2});
}

TEST(thermal, keeps_the_true_temperature_within_a_milli_degree) {
  static std::array<std::uint64_t, 16'000> workspace;
  std::mt19937_64 random(12);
  int solved = 0;
  for (int i = 0; i < 2000; ++i) {
    reference::Problem problem;
    reference::draw(random, DeviceKind::thermal, 1 + static_cast<std::uint32_t>(random() % slot_count_max), false, problem);
    const Device& device = problem.device;
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    if (!ok(solve(device, problem.grid, problem.target_w, problem.cost, workspace, x, report))) continue;
    long double now = device.start_mc;
    for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
      const long double ambient = device.ambient_mc.at(t);
      now = ambient + (1 - device.leak_permyriad_per_slot / 1e4L) * (now - ambient) +
            static_cast<long double>(device.gain_mk_per_wh) * x[t] * problem.grid.slot_seconds / 3600;
      ASSERT_GE(now, device.min_mc.at(t) - 1);
      ASSERT_LE(now, device.max_mc.at(t) + 1);
    }
    ++solved;
  }
  EXPECT_GT(solved, 500);
}

TEST(thermal, heats_late_when_the_target_does_not_care) {
  const Device device = tank();
  Workspace<slot_count_max> small;
  std::array<std::uint64_t, store_workspace_words(4)> workspace;
  std::array<std::int32_t, 4> x{};
  const std::array<std::int32_t, 4> target{};
  Report report;
  EXPECT_EQ(solve(device, {4, 3600}, target, {}, WorkspaceView(small.words).first(4), x, report), Error::workspace_too_small);
  ASSERT_EQ(solve(device, {4, 3600}, target, {}, workspace, x, report), Error::none);
  EXPECT_EQ(x, (std::array<std::int32_t, 4>{0, 0, 0, 0}));
  const Device cold = [] { Device d = tank(); d.min_mc = 49'900; return d; }();
  ASSERT_EQ(solve(cold, {4, 3600}, target, {}, workspace, x, report), Error::none);
  for (const std::int32_t power_w : x) EXPECT_NEAR(power_w, 60, 25);
}

TEST(thermal, says_how_far_the_band_is_out_of_reach_and_a_soft_band_takes_the_nearest) {
  Device device = tank();
  device.min_mc = 59'000;
  device.power_max_w = 1000;
  std::array<std::uint64_t, store_workspace_words(3)> workspace;
  std::array<std::int32_t, 3> x{};
  const std::array<std::int32_t, 3> target{};
  Report report;
  EXPECT_EQ(solve(device, {3, 3600}, target, {}, workspace, x, report), Error::infeasible_below);
  EXPECT_EQ(report.limit, Limit::comfort_min);
  EXPECT_EQ(report.slot, 1u);
  EXPECT_EQ(report.needed, 59'000);
  EXPECT_EQ(report.possible, 54'700);
  device.soft = true;
  ASSERT_EQ(solve(device, {3, 3600}, target, {}, workspace, x, report), Error::none);
  EXPECT_EQ(x[0], 1000);
  EXPECT_EQ(x[1], 930);  // 54.353 without power, 59 wished, 5 mK a watt: 929.4
  EXPECT_EQ(x[2], 78);   // 58.61 without power
}

TEST(thermal, a_soft_band_that_can_be_reached_is_kept_like_any_other) {
  // 8 mK a watt: one watt beyond the band would be more than a milli-degree.
  Device device{.kind = DeviceKind::thermal, .power_max_w = 1888, .gain_mk_per_wh = 16, .leak_permyriad_per_slot = 442,
                .ambient_mc = 16'272, .start_mc = 31'524, .min_mc = 31'020, .max_mc = 31'500, .soft = true};
  constexpr Grid grid{6, 1800};
  std::array<std::uint64_t, store_workspace_words(6)> workspace;
  std::array<std::int32_t, 6> soft{};
  std::array<std::int32_t, 6> hard{};
  const std::array<std::int32_t, 6> target{-5, 1888, -5, 1888, 0, 90};
  Report report;
  ASSERT_EQ(solve(device, grid, target, {}, workspace, soft, report), Error::none);
  device.soft = false;
  ASSERT_EQ(solve(device, grid, target, {}, workspace, hard, report), Error::none);
  EXPECT_EQ(soft, hard);
  EXPECT_EQ(check_profile(device, grid, soft), Error::none);
}

}  // namespace
}  // namespace wattproof::solver
