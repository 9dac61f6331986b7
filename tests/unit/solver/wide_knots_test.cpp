// SPDX-License-Identifier: Apache-2.0
#include "solver/wide_knots.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

namespace wattproof::solver {
namespace {

// The function by its definition: ramps, cut below and above in the order in which that happened.
struct Plain {
  struct Step {
    bool is_ramp;
    std::int64_t from, to, slope;  // ramp
    std::int64_t low, high;        // cut
  };
  std::vector<Step> steps;

  std::int64_t at(std::int64_t price) const {
    std::int64_t value = 0;
    for (const Step& step : steps) {
      if (step.is_ramp) {
        value += step.slope * (std::min(std::max(price, step.from), step.to) - step.from);
      } else {
        value = std::min(std::max(value, step.low), step.high);
      }
    }
    return value;
  }
};

TEST(wide_knots, clips_at_the_grid_price_where_the_function_passes_the_limit) {
  std::mt19937_64 random(71);
  for (int i = 0; i < 2000; ++i) {
    SCOPED_TRACE(i);
    std::array<WideKnot, 48> memory;
    WideKnots knots(memory.data(), memory.size());
    Plain plain;
    std::int64_t base = 0;
    std::int64_t top = 0;
    for (int slot = 0; slot < 8; ++slot) {
      if (knots.make_room()) top = base + knots.span();
      const std::int64_t from = static_cast<std::int64_t>(random() % 2001) - 1000;
      const std::int64_t to = from + 1 + static_cast<std::int64_t>(random() % 500);
      const std::int64_t slope = 1 + static_cast<std::int64_t>(random() % 9);
      knots.insert(static_cast<std::int32_t>(from), slope);
      knots.insert(static_cast<std::int32_t>(to), -slope);
      plain.steps.push_back({true, from, to, slope, 0, 0});
      top += slope * (to - from);
      ASSERT_EQ(knots.span(), top - base);
      if (random() % 2 == 0) continue;
      const std::int64_t low = base + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(top - base + 1));
      const std::int64_t high = low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(top - low + 1));
      if (base < low) {
        const std::int64_t price = knots.clip(static_cast<std::uint64_t>(low - base), 1);
        ASSERT_LE(plain.at(price), low);
        ASSERT_GE(plain.at(price + 1), low);
        base = low;
      }
      if (top > high) {
        const std::int64_t price = knots.clip(static_cast<std::uint64_t>(top - high), -1);
        ASSERT_GE(std::max(plain.at(price), low), high);
        ASSERT_LE(std::max(plain.at(price - 1), low), high);
        top = high;
      }
      plain.steps.push_back({false, 0, 0, 0, low, high});
    }
  }
}

TEST(wide_knots, rescaling_halves_the_function_and_doubles_its_prices) {
  std::array<WideKnot, 16> memory;
  WideKnots knots(memory.data(), memory.size());
  knots.insert(-100, 4000);
  knots.insert(100, -4000);
  EXPECT_EQ(knots.span(), 800'000);
  std::int64_t below = 0;
  std::int64_t beyond = 0;
  knots.rescale(below, beyond);
  EXPECT_EQ(below, 0);
  EXPECT_EQ(beyond, 0);
  EXPECT_EQ(knots.span(), 400'000);
  EXPECT_EQ(knots.clip(200'000, 1), 0);
}

TEST(wide_knots, what_rescaling_moves_beyond_32_bits_is_not_lost) {
  std::array<WideKnot, 16> memory;
  WideKnots knots(memory.data(), memory.size());
  knots.insert(-1'500'000'000, 16);
  knots.insert(1'400'000'000, -16);
  const std::int64_t span = knots.span();
  std::int64_t below = 0;
  std::int64_t beyond = 0;
  knots.rescale(below, beyond);
  EXPECT_EQ(below, 4 * (3'000'000'000 - (std::int64_t{1} << 31)));
  EXPECT_EQ(beyond, 4 * (2'800'000'000 - (std::int64_t{1} << 31) + 1));
  EXPECT_EQ(below + knots.span() + beyond, span / 2);
}

TEST(wide_knots, joins_the_halves_of_clips_when_the_memory_is_full) {
  std::array<WideKnot, 14> memory;
  WideKnots knots(memory.data(), memory.size());
  knots.insert(0, 7);
  knots.insert(1000, -7);
  std::int64_t top = 7000;
  bool was_full = false;
  for (int i = 0; i < 40; ++i) {
    knots.clip(3, 1);
    knots.clip(3, -1);
    top -= 6;
    was_full = knots.make_room() || was_full;
    EXPECT_EQ(knots.span(), top);
  }
  EXPECT_FALSE(was_full);  // a clip replaces the halves of the one before
}

}  // namespace
}  // namespace wattproof::solver
