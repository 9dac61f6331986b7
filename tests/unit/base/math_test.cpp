// SPDX-License-Identifier: Apache-2.0
#include "base/math.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace wattproof {
namespace {

TEST(math, floor_div_rounds_toward_minus_infinity) {
  EXPECT_EQ(floor_div<std::int64_t>(7, 5), 1);
  EXPECT_EQ(floor_div<std::int64_t>(-7, 5), -2);
  EXPECT_EQ(floor_div<std::int64_t>(-10, 5), -2);
  EXPECT_EQ(floor_div<std::int64_t>(0, 5), 0);
  EXPECT_EQ(floor_div(std::numeric_limits<std::int64_t>::min(), std::int64_t{1}),
            std::numeric_limits<std::int64_t>::min());
}

TEST(math, round_div_rounds_halves_up) {
  EXPECT_EQ(round_div<std::int64_t>(8, 16), 1);
  EXPECT_EQ(round_div<std::int64_t>(7, 16), 0);
  EXPECT_EQ(round_div<std::int64_t>(-8, 16), 0);
  EXPECT_EQ(round_div<std::int64_t>(-9, 16), -1);
}

TEST(math, checked_arithmetic_refuses_what_would_wrap) {
  EXPECT_EQ(checked_add<std::int32_t>(2147483647, 1).error(), Error::overflow);
  EXPECT_EQ(checked_sub<std::uint32_t>(0, 1).error(), Error::overflow);
  EXPECT_EQ(checked_mul<std::int64_t>(std::int64_t{1} << 40, std::int64_t{1} << 40).error(), Error::overflow);
  EXPECT_EQ(*checked_add<std::int32_t>(2147483646, 1), 2147483647);
}

}  // namespace
}  // namespace wattproof
