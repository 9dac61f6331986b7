// SPDX-License-Identifier: Apache-2.0
// Days of stores on a grid, for the tests of their prices.
#pragma once

#include <random>
#include <vector>

#include "solver/price_slot.hpp"

namespace wattproof::solver {

enum class Loss { none, charging, leak };

// A day on a grid of 2^-bits W, with all that a PriceProblem refers to.
struct Day {
  std::vector<std::int32_t> wish;
  std::vector<SumLimits> limits;
  std::vector<std::int32_t> price;
  std::vector<std::int32_t> power;
  std::vector<std::int32_t> low_w;
  std::vector<std::int32_t> high_w;
  StorageProblem storage;
  std::uint32_t bits = 6;
  Loss loss = Loss::none;
  std::int32_t rate = 0;  // round trip in ppm, or the leak

  PriceProblem problem() {
    storage.first = 0;
    storage.last = static_cast<std::uint32_t>(wish.size());
    storage.low_w = Series(low_w);
    storage.high_w = Series(high_w);
    const auto fraction = [](std::int64_t value, std::int64_t whole) { return static_cast<std::uint32_t>((value << 32) / whole); };
    price.resize(wish.size());
    power.resize(wish.size());
    return {storage, wish.data(), limits.data(), price.data(), power.data(), bits, loss == Loss::charging ? fraction(rate, 1'000'000) : 0,
            loss == Loss::leak ? fraction(10'000 - rate, 10'000) : 0};
  }
};

inline std::int32_t draw(std::mt19937_64& random, std::int32_t low, std::int32_t high) {
  return low + static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

// Limits around a path that some powers make, so that the day is possible; narrow ones are often reached.
inline Day draw_day(std::mt19937_64& random, Loss loss) {
  Day day;
  day.loss = loss;
  day.rate = loss == Loss::charging ? draw(random, 300'000, 999'999) : loss == Loss::leak ? draw(random, 1, random() % 4 == 0 ? 9000 : 500) : 0;
  const PriceProblem any = day.problem();
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

}  // namespace wattproof::solver
