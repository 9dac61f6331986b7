// SPDX-License-Identifier: Apache-2.0
#include "solver/price_path.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "base/math.hpp"
#include "solver/price_probe.hpp"

namespace wattproof::solver {
namespace {

enum class Loss { none, charging, leak };

// A day on a grid of 2^-bits W, with all that a PriceProblem refers to.
struct Day {
  std::vector<std::int32_t> wish;
  std::vector<SumLimits> limits;
  std::vector<std::int32_t> low_w;
  std::vector<std::int32_t> high_w;
  StorageProblem storage;
  std::uint32_t bits = 6;
  Loss loss = Loss::none;
  std::int32_t rate = 0;  // round trip in ppm, or the leak

  PriceProblem problem(bool is_guided) {
    storage.first = 0;
    storage.last = static_cast<std::uint32_t>(wish.size());
    storage.low_w = Series(low_w);
    storage.high_w = Series(high_w);
    PriceProblem result{storage, wish.data(), limits.data(), bits, 0, 0, 0, 0, is_guided};
    set_losses(result, loss == Loss::charging ? rate : 1'000'000, loss == Loss::leak ? rate : 0);
    return result;
  }
};

std::int32_t draw(std::mt19937_64& random, std::int32_t low, std::int32_t high) {
  return low + static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

// Limits around a path that some powers make, so that the day is possible; narrow ones are often reached.
Day draw_day(std::mt19937_64& random, Loss loss) {
  Day day;
  day.loss = loss;
  day.rate = loss == Loss::charging ? draw(random, 300'000, 999'999) : loss == Loss::leak ? draw(random, 1, random() % 4 == 0 ? 9000 : 500) : 0;
  const PriceProblem any = day.problem(false);
  std::int32_t sum = 0;
  const std::int32_t slots = draw(random, 1, 12);
  const std::int32_t width = 64 * draw(random, 0, 300);
  for (std::int32_t t = 0; t < slots; ++t) {
    day.low_w.push_back(draw(random, -100, 20));
    day.high_w.push_back(draw(random, day.low_w.back(), 100));
    day.wish.push_back(draw(random, -20'000, 20'000));
    sum = sum_after<AnyPath>(any, sum, 64 * draw(random, day.low_w.back(), day.high_w.back()));
    day.limits.push_back({sum - draw(random, 0, width), sum + draw(random, 0, width)});
  }
  return day;
}

// S after slot t, before its own limits, if the price of slot t is `price`: by the definition, from the first slot on.
std::int32_t sum_at(const PriceProblem& problem, std::uint32_t slot, std::int32_t price) {
  std::vector<std::int32_t> prices(slot + 1);
  for (std::uint32_t t = slot + 1; t-- > 0; price = price_before(problem, price)) prices[t] = price;
  std::int32_t sum = 0;
  for (std::uint32_t t = 0; t <= slot; ++t) {
    if (t > 0) sum = clamp(sum, problem.limits[t - 1].low, problem.limits[t - 1].high);
    PathPoint point{prices[t], sum};
    advance<AnyPath>(problem, t, point);
    sum = point.sum;
  }
  return sum;
}

// Where S_t reaches the limit: the exact price nearest to where it is missed, or the last one that misses it. What is below the lower
// limit has been lifted to it when the upper one is looked at.
std::int32_t cut(const PriceProblem& problem, std::uint32_t slot, bool is_lower) {
  const std::int32_t lower = problem.limits[slot].low;
  const std::int32_t limit = is_lower ? lower : problem.limits[slot].high;
  const auto sum_of = [&](std::int64_t price) {
    const std::int32_t sum = sum_at(problem, slot, static_cast<std::int32_t>(price));
    return !is_lower && sum < lower ? lower : sum;
  };
  std::int64_t low = -price_unlimited;
  std::int64_t high = price_unlimited;
  while (high - low > 1) {
    const std::int64_t middle = low + (high - low) / 2;
    const std::int32_t sum = sum_of(middle);
    (sum < limit || (!is_lower && sum == limit) ? low : high) = middle;
  }
  const bool is_exact = sum_of(is_lower ? high : low) == limit;
  return static_cast<std::int32_t>(is_exact == is_lower ? high : low);
}

std::vector<std::int32_t> defined_prices(const PriceProblem& problem) {
  std::vector<std::int32_t> prices(problem.last());
  std::int32_t price = 0;
  for (std::uint32_t t = problem.last(); t-- > 0;) {
    const std::int32_t sum = sum_at(problem, t, price);
    if (sum < problem.limits[t].low) price = cut(problem, t, true);
    if (sum > problem.limits[t].high) price = cut(problem, t, false);
    prices[t] = price;
    price = price_before(problem, price);
  }
  return prices;
}

TEST(price_path, finds_the_prices_of_the_definition_whatever_it_tries_on_the_way) {
  std::mt19937_64 random(71);
  for (const Loss loss : {Loss::none, Loss::charging, Loss::leak}) {
    int limited = 0;
    for (int i = 0; i < 3000; ++i) {
      SCOPED_TRACE(i);
      Day day = draw_day(random, loss);
      std::vector<std::int32_t> guided(day.wish.size());
      std::vector<std::int32_t> halved(day.wish.size());
      std::vector<std::int32_t> power(day.wish.size());
      (void)find_prices(day.problem(true), guided.data(), power.data());
      (void)find_prices(day.problem(false), halved.data(), power.data());
      const std::vector<std::int32_t> expected = defined_prices(day.problem(false));
      ASSERT_EQ(guided, expected);
      ASSERT_EQ(halved, expected);
      if (expected[0] != 0) ++limited;
    }
    EXPECT_GT(limited, 1000);
  }
}

TEST(price_path, a_price_before_grows_to_no_more_than_the_price_and_the_next_one_to_more) {
  std::mt19937_64 random(72);
  Day day;
  day.loss = Loss::leak;
  for (int i = 0; i < 20'000; ++i) {
    day.rate = draw(random, 1, 9999);
    const PriceProblem problem = day.problem(true);
    const std::int32_t price = draw(random, -price_unlimited + 1, price_unlimited - 1) >> (random() % 30);
    const std::int32_t before = price_before(problem, price);
    ASSERT_LE(price_after<AnyPath>(problem, before), price) << price << " leak " << day.rate;
    ASSERT_GT(price_after<AnyPath>(problem, before + 1), price) << price << " leak " << day.rate;
  }
}

TEST(price_path, the_first_of_slots_that_jump_charge_until_the_limit_is_reached) {
  // Full at first, so one has to discharge before any can charge; back to full at the end.
  Day day;
  day.loss = Loss::charging;
  day.rate = 810'000;
  day.wish.assign(6, 1000 * 64);
  day.low_w.assign(6, -500);
  day.high_w.assign(6, 500);
  day.limits.assign(6, {-1'000'000, 0});
  day.limits[5].low = 0;
  std::vector<std::int32_t> price(6);
  std::vector<std::int32_t> power(6);
  const PriceProblem problem = day.problem(true);
  (void)find_prices(problem, price.data(), power.data());
  std::int32_t sum = 0;
  for (std::uint32_t t = 0; t < 6; ++t) {
    sum = sum_after<AnyPath>(problem, sum, power[t]);
    EXPECT_LE(sum, 0);
  }
  EXPECT_LT(power[0], 0);
  EXPECT_GT(power[1], 0);
  EXPECT_NEAR(sum, 0, 1);
}

TEST(price_path, a_limit_out_of_reach_becomes_the_nearest_that_is_within) {
  Day day;
  day.wish.assign(3, 0);
  day.low_w.assign(3, 0);
  day.high_w.assign(3, 10);
  day.limits.assign(3, {0, 10'000});
  day.limits[1].low = 2 * 640 + 3;
  std::vector<std::int32_t> price(3);
  std::vector<std::int32_t> power(3);
  (void)find_prices(day.problem(true), price.data(), power.data());
  EXPECT_EQ(day.limits[1].low, 2 * 640);
  EXPECT_EQ(power, (std::vector<std::int32_t>{640, 640, 0}));
  EXPECT_EQ(price[1], 640);  // the least that does it, not the largest there is
}

}  // namespace
}  // namespace wattproof::solver
