// SPDX-License-Identifier: Apache-2.0
#include "solver/wide_math.hpp"

#include <gtest/gtest.h>

namespace wattproof::solver {
namespace {

TEST(wide_math, limits_to_a_power_of_two_on_both_sides) {
  for (const std::uint32_t bits : {32u, 46u, 62u}) {
    const std::int64_t limit = std::int64_t{1} << bits;
    EXPECT_EQ(limited(limit - 1, bits), limit - 1);
    EXPECT_EQ(limited(limit, bits), limit);
    EXPECT_EQ(limited(limit + 1, bits), limit);
    EXPECT_EQ(limited(-limit, bits), -limit);
    EXPECT_EQ(limited(-limit - 1, bits), -limit);
    EXPECT_EQ(limited(-7, bits), -7);
  }
  EXPECT_EQ(limited(std::numeric_limits<std::int64_t>::min(), 46), -(std::int64_t{1} << 46));
  EXPECT_EQ(limited(std::numeric_limits<std::int64_t>::max(), 46), std::int64_t{1} << 46);
}

TEST(wide_math, saturates_to_the_nearest_number_of_32_bits) {
  EXPECT_EQ(saturate(std::int64_t{price_high} + 1), price_high);
  EXPECT_EQ(saturate(std::int64_t{price_low} - 1), price_low);
  EXPECT_EQ(saturate(-7), -7);
}

TEST(wide_math, keeps_within_both_ends) {
  EXPECT_EQ(within({-3, 5}, 6), 5);
  EXPECT_EQ(within({-3, 5}, -4), -3);
  EXPECT_EQ(within({-3, 5}, 0), 0);
  EXPECT_TRUE(contains({-3, 5}, 5));
  EXPECT_FALSE(contains({-3, 5}, 6));
}

TEST(wide_math, divides_towards_minus_infinity) {
  EXPECT_EQ(wide_floor_div(-7, 2), -4);
  EXPECT_EQ(wide_round_div(-5, 2), -2);
  EXPECT_EQ(wide_round_div(5, 2), 3);
}

}  // namespace
}  // namespace wattproof::solver
