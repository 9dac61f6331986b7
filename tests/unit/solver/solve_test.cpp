// SPDX-License-Identifier: Apache-2.0
#include "solver/solve.hpp"

#include "random_problems.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace wattproof::solver {
namespace {

using Profile = std::vector<std::int32_t>;

struct Answer {
  Error error = Error::none;
  Profile profile_w;
  Report report;
};

Answer answer(const Device& device, const Grid& grid, const Profile& target_w, const Cost& cost = {}) {
  static Workspace<slot_count_max> workspace;
  Answer result;
  result.profile_w.resize(grid.slots);
  result.error = solve(device, grid, target_w, cost, workspace, result.profile_w, result.report);
  return result;
}

TEST(solve, a_fixed_load_draws_its_profile) {
  const Profile load{100, -20, 0, 7};
  const Device device{.kind = DeviceKind::fixed, .profile_w = load};
  const Answer got = answer(device, {4, 3600}, {0, 0, 0, 0});
  EXPECT_EQ(got.error, Error::none);
  EXPECT_EQ(got.profile_w, load);
}

TEST(solve, a_curtailable_device_is_clipped_in_each_slot) {
  const Profile low{-3000, -3000, -100, 0};
  const Device device{.kind = DeviceKind::curtailable, .power_min_w = std::span(low), .power_max_w = 0};
  EXPECT_EQ(answer(device, {4, 3600}, {-5000, -1000, -200, 40}).profile_w, (Profile{-3000, -1000, -100, 0}));
}

TEST(solve, a_price_moves_the_target_by_price_over_weight) {
  const Device device{.kind = DeviceKind::curtailable, .power_min_w = -1000, .power_max_w = 1000};
  const std::array<std::int64_t, 3> price{30, -30, 31};
  EXPECT_EQ(answer(device, {3, 3600}, {100, 100, 100}, {.weight = 2, .price = price}).profile_w,
            (Profile{85, 115, 85}));
}

TEST(solve, a_charger_fills_the_cheapest_slots_and_leaves_the_rest_watt_to_the_earliest) {
  const Device device{.kind = DeviceKind::shapeable, .power_max_w = 4000, .start_slot = 1, .end_slot = 4, .energy_wh = 1000};
  const Answer got = answer(device, {5, 3600}, {0, 0, 0, 0, 0});
  EXPECT_EQ(got.profile_w, (Profile{0, 334, 333, 333, 0}));
  EXPECT_EQ(got.report.kind, CertificateKind::dual);
  EXPECT_EQ(got.report.gap, 2u);  // at a price of 334 W, two of three draw a watt less
}

TEST(solve, says_which_energy_is_out_of_reach) {
  const Device device{.kind = DeviceKind::shapeable, .power_max_w = 460, .start_slot = 22, .end_slot = 28, .energy_wh = 3200};
  const Answer got = answer(device, {48, 3600}, Profile(48, 0));
  EXPECT_EQ(got.error, Error::infeasible_below);
  EXPECT_EQ(got.report.limit, Limit::energy_min);
  EXPECT_EQ(got.report.slot, 28u);
  EXPECT_EQ(got.report.needed, 3200);
  EXPECT_EQ(got.report.possible, 2760);
}

TEST(solve, a_milestone_is_kept_before_its_slot) {
  const std::array<Milestone, 1> milestones{{{2, 1500}}};
  const Device device{.kind = DeviceKind::shapeable, .power_max_w = 1000, .energy_wh = 2000, .milestones = milestones};
  EXPECT_EQ(answer(device, {4, 3600}, {0, 0, 0, 0}).profile_w, (Profile{750, 750, 250, 250}));
}

TEST(solve, a_battery_follows_its_target_until_it_is_full_or_empty) {
  const Device device{.kind = DeviceKind::battery, .power_min_w = -1000, .power_max_w = 1000, .energy_min_wh = 0,
                      .energy_max_wh = 1000, .energy_start_wh = 500, .energy_end_min_wh = 500, .energy_end_max_wh = 500};
  const Answer got = answer(device, {4, 3600}, {900, 900, -900, -900});
  EXPECT_EQ(got.profile_w, (Profile{250, 250, -250, -250}));
  EXPECT_EQ(got.report.kind, CertificateKind::dual);
}

TEST(solve, an_appliance_takes_the_earliest_of_equal_starts) {
  const Profile cycle{100, 300};
  const Device device{.kind = DeviceKind::appliance, .profile_w = cycle, .start_slot = 1, .end_slot = 6};
  const Answer got = answer(device, {6, 3600}, {900, 0, 50, 50, 50, 0});
  EXPECT_EQ(got.profile_w, (Profile{0, 0, 100, 300, 0, 0}));
  EXPECT_EQ(got.report.kind, CertificateKind::enumerated);
}

TEST(solve, asks_for_the_larger_workspace_of_a_store_beyond_31_bits) {
  constexpr Grid grid{96, 3600};
  const std::array<Milestone, 1> milestones{{{48, 4'000'000}}};
  const Device device{.kind = DeviceKind::shapeable, .power_max_w = 300'000, .energy_wh = 9'000'000, .milestones = milestones};
  EXPECT_GT(workspace_words(device, grid), workspace_words(grid.slots));
  std::vector<std::uint64_t> workspace(workspace_words(device, grid));
  const Profile target(96, 0);
  Profile profile_w(96);
  Report report;
  ASSERT_EQ(solve(device, grid, target, {}, workspace, profile_w, report), Error::none);
  EXPECT_EQ(profile_w, Profile(96, 93'750));
  EXPECT_EQ(report.gap, 0u);
}

TEST(solve, refuses_what_it_cannot_compute_with) {
  const Device device{.kind = DeviceKind::curtailable, .power_max_w = 10};
  const Profile far{1 << 30};
  EXPECT_EQ(answer(device, {1, 3600}, far).error, Error::out_of_range);
  EXPECT_EQ(answer(device, {1, 3601}, {0}).error, Error::slot_count_invalid);
  EXPECT_EQ(answer(device, {0, 3600}, {}).error, Error::slot_count_invalid);
  EXPECT_EQ(answer(device, {2, 3600}, {0}).error, Error::wrong_length);
}

TEST(solve, agrees_with_the_reference_on_random_curtailable_loads) { compare_with_reference(DeviceKind::curtailable, 161, {}); }

TEST(solve, agrees_with_the_reference_on_random_generators) { compare_with_reference(DeviceKind::generator, 162, {}); }

}  // namespace
}  // namespace wattproof::solver
