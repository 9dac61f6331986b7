// SPDX-License-Identifier: Apache-2.0
#include "solver/price_search.hpp"

#include <gtest/gtest.h>

#include "price_days.hpp"
#include "solver/price_probe.hpp"

namespace wattproof::solver {
namespace {

TEST(price_search, finds_the_prices_and_powers_of_the_definition) {
  std::mt19937_64 random(71);
  for (const Loss loss : {Loss::none, Loss::charging, Loss::leak}) {
    int limited = 0;
    int between = 0;
    for (int i = 0; i < 6000; ++i) {
      SCOPED_TRACE(i);
      Day day = draw_day(random, loss);
      const bool is_between = search_prices(day.problem());
      const std::vector<std::int32_t> searched = day.price;
      const std::vector<std::int32_t> search_power = day.power;
      ASSERT_EQ(find_prices(day.problem()), is_between);
      ASSERT_EQ(searched, day.price);
      ASSERT_EQ(search_power, day.power);
      if (day.price[0] != 0) ++limited;
      if (is_between) ++between;
    }
    EXPECT_GT(limited, 2000);
    EXPECT_EQ(between > 100, loss == Loss::charging);
  }
}

TEST(price_search, a_price_grows_to_the_least_that_goes_back_to_no_less) {
  std::mt19937_64 random(72);
  Day day;
  day.loss = Loss::leak;
  for (int i = 0; i < 20'000; ++i) {
    day.rate = draw(random, 1, 9999);
    const PriceProblem problem = day.problem();
    const SearchProblem search(problem);
    const std::int32_t price = draw(random, search.price_low, search.price_high) >> (random() % 30);
    const std::int32_t after = price_after<LeakingPath>(search, price);
    ASSERT_GE(price_before(problem, after), price) << price << " leak " << day.rate;
    ASSERT_LT(price_before(problem, after - 1), price) << price << " leak " << day.rate;
    EXPECT_LE(after, price_unlimited);
    EXPECT_GE(after, -price_unlimited);
  }
}

}  // namespace
}  // namespace wattproof::solver
