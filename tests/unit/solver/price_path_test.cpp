// SPDX-License-Identifier: Apache-2.0
#include "solver/price_path.hpp"

#include <gtest/gtest.h>

#include "price_days.hpp"

namespace wattproof::solver {
namespace {

TEST(price_path, slots_that_jump_charge_until_the_limit_is_reached) {
  // Full at first, so one has to discharge before any can charge; back to full at the end.
  Day day;
  day.loss = Loss::charging;
  day.rate = 810'000;
  day.wish.assign(6, 1000 * 64);
  day.low_w.assign(6, -500);
  day.high_w.assign(6, 500);
  day.limits.assign(6, {-1'000'000, 0});
  day.limits[5].low = 0;
  const PriceProblem problem = day.problem();
  (void)find_prices(problem);
  std::int32_t sum = 0;
  for (std::uint32_t t = 0; t < 6; ++t) {
    sum = sum_after<AnyPath>(problem, sum, day.power[t]);
    EXPECT_LE(sum, 0);
  }
  EXPECT_LT(day.power[0], 0);
  EXPECT_GT(day.power[5], 0);
  EXPECT_NEAR(sum, 0, 1);
}

}  // namespace
}  // namespace wattproof::solver
