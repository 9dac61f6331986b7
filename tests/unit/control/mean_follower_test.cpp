// SPDX-License-Identifier: Apache-2.0
#include "control/mean_follower.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "control/relay_guard.hpp"
#include "guard_simulation.hpp"

namespace wattproof::control {
namespace {

BootMs at(std::uint64_t ms) { return {ms}; }

TEST(mean_follower, wishes_nothing_for_a_mean_of_zero) {
  MeanFollower follower({.rated_w = 2000, .hysteresis_wh = 0, .carry_wh_max = 1000});
  for (std::uint64_t ms = 0; ms < 10'000'000; ms += 1000) EXPECT_FALSE(*follower.step(at(ms), 0, false));
}

TEST(mean_follower, stays_on_for_the_rated_power) {
  MeanFollower follower({.rated_w = 2000, .hysteresis_wh = 0, .carry_wh_max = 1000});
  bool on = *follower.step(at(0), 2000, false);
  EXPECT_FALSE(on);
  on = *follower.step(at(1000), 2000, on);
  EXPECT_TRUE(on);
  for (std::uint64_t ms = 2000; ms < 10'000'000; ms += 1000) {
    on = *follower.step(at(ms), 2000, on);
    EXPECT_TRUE(on);
  }
}

TEST(mean_follower, refuses_a_mean_that_the_load_cannot_draw) {
  MeanFollower follower({.rated_w = 2000, .hysteresis_wh = 0, .carry_wh_max = 1000});
  EXPECT_EQ(follower.step(at(0), -1, false).error(), Error::out_of_range);
  EXPECT_EQ(follower.step(at(0), 2001, false).error(), Error::out_of_range);
}

TEST(mean_follower, counts_debt_in_watt_hours) {
  MeanFollower follower({.rated_w = 2000, .hysteresis_wh = 500, .carry_wh_max = 1000});
  (void)follower.step(at(0), 600, false);
  for (std::uint64_t minute = 1; minute <= 60; ++minute) (void)follower.step(at(minute * 60'000), 600, false);
  EXPECT_EQ(follower.debt_wh(), 600);
  follower.reset();
  EXPECT_EQ(follower.debt_wh(), 0);
  (void)follower.step(at(0), 0, true);
  (void)follower.step(at(1), 0, true);
  EXPECT_EQ(follower.debt_wh(), -1);  // floor
}

TEST(mean_follower, carries_no_more_than_it_was_allowed) {
  MeanFollower follower({.rated_w = 2000, .hysteresis_wh = 50, .carry_wh_max = 200});
  for (std::uint64_t minute = 0; minute <= 600; ++minute) (void)follower.step(at(minute * 60'000), 1000, false);
  EXPECT_EQ(follower.debt_wh(), 200);
  for (std::uint64_t minute = 601; minute <= 1200; ++minute) (void)follower.step(at(minute * 60'000), 1000, true);
  EXPECT_EQ(follower.debt_wh(), -200);
}

TEST(mean_follower, counts_a_long_gap_as_the_longest_step) {
  MeanFollower follower({.rated_w = 3600, .hysteresis_wh = 50, .carry_wh_max = 1'000'000});
  (void)follower.step(at(0), 3600, false);
  (void)follower.step(at(100 * follower_step_ms_max), 3600, false);
  EXPECT_EQ(follower.debt_wh(), 60);
  // A clock that runs backwards counts nothing.
  (void)follower.step(at(0), 3600, false);
  EXPECT_EQ(follower.debt_wh(), 60);
}

TEST(mean_follower, announces_when_its_wish_changes) {
  MeanFollower follower({.rated_w = 3600, .hysteresis_wh = 1, .carry_wh_max = 1000});
  EXPECT_FALSE(*follower.step(at(0), 1800, false));
  const BootMs wake = follower.next_wake(at(0));
  EXPECT_EQ(wake.ms, 2001U);  // 1 Wh at 1,800 W takes 2 s
  EXPECT_FALSE(*follower.step(at(2000), 1800, false));
  EXPECT_EQ(follower.next_wake(at(2000)).ms, 2001U);
  EXPECT_TRUE(*follower.step(at(2001), 1800, true));
  EXPECT_EQ(follower.next_wake(at(2001)).ms, 2001U + 4002U);
  EXPECT_TRUE(*follower.step(at(6002), 1800, true));
  EXPECT_FALSE(*follower.step(at(6003), 1800, true));
  EXPECT_EQ(follower.next_wake(at(6003)).ms, 6003U + follower_step_ms_max);  // still on: falls further, no change ahead
}

TEST(mean_follower, refuses_impossible_limits) {
  EXPECT_EQ(check_mean_follower_limits({.rated_w = 1, .hysteresis_wh = 0, .carry_wh_max = 0}), Error::none);
  EXPECT_EQ(check_mean_follower_limits({.rated_w = 0, .hysteresis_wh = 0, .carry_wh_max = 9}),
            Error::configuration_invalid);
  EXPECT_EQ(check_mean_follower_limits({.rated_w = 2'000'001, .hysteresis_wh = 0, .carry_wh_max = 9}),
            Error::configuration_invalid);
  EXPECT_EQ(check_mean_follower_limits({.rated_w = 5, .hysteresis_wh = 10, .carry_wh_max = 9}),
            Error::configuration_invalid);
  EXPECT_EQ(check_mean_follower_limits({.rated_w = 5, .hysteresis_wh = 0, .carry_wh_max = energy_wh_max + 1}),
            Error::configuration_invalid);
}

// The bound of the header, with a real guard between wish and contact, random profiles and random steps. The energy is
// counted here from the contact, in W ms, not taken from the follower.
TEST(mean_follower, keeps_the_energy_within_the_stated_bound) {
  Splitmix64 random{99};
  std::int64_t worst_share_permille = 0;
  for (int run = 0; run < 200; ++run) {
    const std::int32_t rated = 100 + static_cast<std::int32_t>(random.below(20'000));
    RelayLimits limits;
    limits.on_ms_min = static_cast<std::uint32_t>(random.below(600'000));
    limits.off_ms_min = static_cast<std::uint32_t>(random.below(600'000));
    limits.start_spread_ms_max = 0;
    const std::uint32_t hysteresis_wh = static_cast<std::uint32_t>(random.below(500));
    const std::uint64_t step_max = 1 + random.below(follower_step_ms_max);
    const std::int64_t h = std::int64_t{hysteresis_wh} * 3'600'000;
    const std::int64_t upper = h + rated * static_cast<std::int64_t>(limits.off_ms_min + step_max);
    const std::int64_t lower = -h - rated * static_cast<std::int64_t>(limits.on_ms_min + step_max);

    std::uint64_t now = 0;
    RelayGuard guard(limits, at(now), 1);
    MeanFollower follower({.rated_w = rated, .hysteresis_wh = hysteresis_wh, .carry_wh_max = energy_wh_max});
    std::int64_t debt = 0;
    std::int32_t mean = 0;
    bool on = false;
    for (int i = 0; i < 20'000; ++i) {
      if (random.one_in(200)) mean = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(rated) + 1));
      const auto wish = follower.step(at(now), mean, on);
      ASSERT_TRUE(wish);
      guard.instruct(at(now), *wish);
      on = guard.step(at(now)).on;
      // The contact follows now, so the follower is told of the new state from here on.
      ASSERT_TRUE(follower.step(at(now), mean, on));
      const std::uint64_t passed = 1 + random.below(step_max);
      debt += (mean - (on ? rated : 0)) * static_cast<std::int64_t>(passed);
      now += passed;
      ASSERT_LE(debt, upper) << "run " << run << " step " << i;
      ASSERT_GE(debt, lower) << "run " << run << " step " << i;
      worst_share_permille = std::max(worst_share_permille, debt > 0 ? debt * 1000 / upper : debt * 1000 / lower);
    }
  }
  // A bound that nothing comes near would say little.
  EXPECT_GT(worst_share_permille, 800);
}

}  // namespace
}  // namespace wattproof::control
