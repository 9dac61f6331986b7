// SPDX-License-Identifier: Apache-2.0
#include "community.hpp"

#include <gtest/gtest.h>

namespace wattproof::reference {
namespace {

// One device of up to 3 kW in a community that pays in slots 0 and 2 what it gets in slot 1.
Community one_device() {
  Community community;
  community.slots = 3;
  community.slot_seconds = 3600;
  community.price = {50'000, -50'000, 50'000};
  community.base_w.assign(3, 0);
  community.cap_w.assign(3, 1e6);
  ConvexDevice device;
  device.low_w.assign(3, 0);
  device.high_w.assign(3, 3000);
  device.own_quadratic = 1;
  community.convex.push_back(device);
  return community;
}

void expect_totals(const Optimum& optimum, const std::vector<double>& expected_w) {
  ASSERT_TRUE(optimum.is_feasible);
  ASSERT_EQ(optimum.aggregate_w.size(), expected_w.size());
  for (std::size_t t = 0; t < expected_w.size(); ++t) EXPECT_NEAR(optimum.aggregate_w[t], expected_w[t], 1) << "slot " << t;
}

TEST(community_optimum, follows_the_price_where_nothing_holds_it) {
  expect_totals(solve_fixed(one_device(), {}), {0, 3000, 0});
}

TEST(community_optimum, rises_and_falls_no_faster_than_allowed) {
  Community community = one_device();
  community.convex[0].rise_w = 1000;
  expect_totals(solve_fixed(community, {}), {0, 1000, 0});
  // Falling slowly costs as much in slot 2 as rising gains in slot 1, and the device's own cost comes on top.
  community.convex[0].rise_w = 2000;
  community.convex[0].fall_w = 500;
  expect_totals(solve_fixed(community, {}), {0, 500, 0});
}

TEST(community_optimum, weighs_a_linear_cost_of_its_own) {
  Community community = one_device();
  community.convex[0].own_linear = 48'000;
  const Optimum optimum = solve_fixed(community, {});
  expect_totals(optimum, {0, 2000, 0});  // where 48,000 + 1 x is what the price gives
  const double objective = 2.0 * (48'000 - 50'000) + 1000.0 * 2.0 * 2.0 / 2;
  EXPECT_NEAR(optimum.objective, objective, 1);
  EXPECT_NEAR(objective_of(community, {{0, 2000, 0}}), objective, 1e-6);
}

}  // namespace
}  // namespace wattproof::reference
