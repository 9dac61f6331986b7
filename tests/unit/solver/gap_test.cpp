// SPDX-License-Identifier: Apache-2.0
#include "solver/gap.hpp"

#include <gtest/gtest.h>

#include <array>

namespace wattproof::solver {
namespace {

TEST(gap, rounds_up_and_saturates) {
  EXPECT_EQ((Gap{4, 0, 1}.total(1)), 1u);
  EXPECT_EQ((Gap{4, 1, 0}.total(1)), 1u);
  EXPECT_EQ((Gap{4, 0, 32}.total(3)), 6u);
  EXPECT_EQ((Gap{4, 0, gap_saturated}.total(1)), gap_saturated);
  EXPECT_EQ((Gap{4, 0, gap_saturated / 2}.total(3)), gap_saturated);
  EXPECT_EQ(saturating_add(gap_saturated, 1), gap_saturated);
  EXPECT_EQ(saturating_multiply(std::uint64_t{1} << 40, std::uint64_t{1} << 40), gap_saturated);
}

TEST(gap, regret_is_the_distance_squared_inside_and_a_difference_of_squares_at_a_limit) {
  Gap inside{4};
  add_regret(inside, 10, 0, 20, 7 * 16, 7 * 16);
  EXPECT_EQ(inside.total(1), 9u);
  Gap below{4};
  add_regret(below, 3, 1, 20, -2 * 16, -2 * 16);  // best is 1: 25 - 9
  EXPECT_EQ(below.total(1), 16u);
  Gap above{4};
  add_regret(above, 18, 0, 20, 21 * 16, 21 * 16);  // best is 20: 9 - 1
  EXPECT_EQ(above.total(2), 16u);
}

TEST(gap, multipliers_are_one_a_slot_or_one_at_the_end) {
  const std::array<std::int32_t, 3> each{1, 2, 3};
  EXPECT_EQ(Multipliers(each, 3).at(1), 2);
  EXPECT_EQ(Multipliers(std::span(each).first(1), 3, 8).at(2), 8);
  EXPECT_EQ(Multipliers(std::span(each).first(1), 3).at(1), 0);
  EXPECT_EQ(Multipliers({}, 3).at(2), 0);
}

TEST(gap, slack_counts_only_towards_the_limit_that_the_multiplier_speaks_for) {
  const Device device{.kind = DeviceKind::battery, .power_min_w = -9, .power_max_w = 9, .energy_max_wh = 10, .energy_start_wh = 5,
                      .energy_end_max_wh = 10};
  const std::array<std::int32_t, 2> x{1, 0};
  const std::array<std::int32_t, 2> low{16, 0};    // one watt, lower limit: 6 Wh away
  const std::array<std::int32_t, 2> high{-16, 0};  // upper limit: 4 Wh away
  Gap a{4};
  add_slacks(a, device, {2, 3600}, x, Multipliers(low, 2));
  EXPECT_EQ(a.total(1), 12u);
  Gap b{4};
  add_slacks(b, device, {2, 3600}, x, Multipliers(high, 2));
  EXPECT_EQ(b.total(1), 8u);
}

}  // namespace
}  // namespace wattproof::solver
