// SPDX-License-Identifier: Apache-2.0
#include "solver/wish.hpp"

#include <gtest/gtest.h>

#include <array>

namespace wattproof::solver {
namespace {

constexpr Grid grid{2, 3600};
const std::array<std::int32_t, 2> target{100, -100};

TEST(wish, guard_bits_keep_two_grid_steps_a_slot_below_a_watt) {
  EXPECT_EQ(guard_bits(24), 6u);
  EXPECT_EQ(guard_bits(48), 7u);
  EXPECT_EQ(guard_bits(96), 8u);
  EXPECT_EQ(guard_bits(288), 10u);
  EXPECT_GE(power_limit_w(96), power_w_max);
}

TEST(wish, is_the_target_if_nothing_else_counts) {
  Wish wish;
  const Cost cost;
  ASSERT_EQ(Wish::make({}, grid, target, cost, wish), Error::none);
  EXPECT_TRUE(wish.plain());
  EXPECT_EQ(wish.at(1, 6), -6400);
  EXPECT_EQ(wish.wide_at(1), -102'400);
}

TEST(wish, gathers_every_cost_into_one_quadratic) {
  const std::array<std::int64_t, 2> price{40, -40};
  const std::array<std::int32_t, 2> preferred{500, 500};
  const Device generator{.kind = DeviceKind::generator, .cost_linear = 30, .cost_quadratic = 4};
  const Cost cost{.weight = 2, .price = price, .wear = 3, .discomfort = 1, .preferred_w = preferred};
  Wish wish;
  ASSERT_EQ(Wish::make(generator, grid, target, cost, wish), Error::none);
  EXPECT_FALSE(wish.plain());
  EXPECT_EQ(wish.curvature(), 10);
  EXPECT_EQ(wish.numerator(0), 2 * 100 - 40 + 500 + 30);
  EXPECT_EQ(wish.numerator(1), -2 * 100 + 40 + 500 + 30);
}

TEST(wish, adds_the_own_cost_of_every_kind_in_the_unit_of_the_weights) {
  const Device battery{.kind = DeviceKind::battery, .cost_linear = 30, .cost_quadratic = 12};
  Wish wish;
  const Cost cost{.weight = 5, .wear = 1, .own_scale = {.linear_bits = 16, .shift = 2}};
  ASSERT_EQ(Wish::make(battery, grid, target, cost, wish), Error::none);
  EXPECT_EQ(wish.curvature(), 5 + 1 + 3);
  EXPECT_EQ(wish.numerator(0), 500);  // only a generator has a linear cost
  EXPECT_EQ(Wish::make(battery, grid, target, {.own_scale = {.shift = 64}}, wish), Error::out_of_range);
  EXPECT_EQ(Wish::make({}, grid, target, {.own_scale = {.linear_bits = 17}}, wish), Error::out_of_range);
}

TEST(wish, rounds_halves_up) {
  const std::array<std::int64_t, 2> price{1, 1};
  const std::array<std::int32_t, 2> zero{};
  Wish wish;
  const Cost cost{.weight = 2, .price = price};
  ASSERT_EQ(Wish::make({}, grid, zero, cost, wish), Error::none);
  EXPECT_EQ(wish.at(0, 0), 0);    // -1/2
  EXPECT_EQ(wish.at(0, 1), -1);
}

TEST(wish, refuses_what_its_integers_cannot_hold) {
  Wish wish;
  const std::array<std::int32_t, 2> far{0, 1 << 30};
  EXPECT_EQ(Wish::make({}, grid, far, {}, wish), Error::out_of_range);
  EXPECT_EQ(Wish::make({}, grid, target, {.weight = 0}, wish), Error::out_of_range);
  EXPECT_EQ(Wish::make({}, grid, target, {.weight = weight_max + 1}, wish), Error::out_of_range);
  const std::array<std::int64_t, 2> price{std::int64_t{1} << 40, 0};
  EXPECT_EQ(Wish::make({}, grid, target, {.price = price}, wish), Error::out_of_range);
  EXPECT_EQ(Wish::make({}, grid, target, {.price = std::span(price).first(1)}, wish), Error::wrong_length);
  EXPECT_EQ(Wish::make({}, {3, 3600}, target, {}, wish), Error::wrong_length);
  const std::array<std::int32_t, 2> preferred{0, 1 << 30};
  EXPECT_EQ(Wish::make({}, grid, target, {.wear = 1, .preferred_w = preferred}, wish), Error::out_of_range);
}

}  // namespace
}  // namespace wattproof::solver
