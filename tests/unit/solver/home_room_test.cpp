// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <vector>

#include "solver/home.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, 10'000> workspace;

// Two appliances and a base load: all pairs of starts.
TEST(home_room, finds_room_under_the_breaker_where_any_pair_of_starts_has_it) {
  std::mt19937_64 random(151);
  int possible = 0;
  int impossible = 0;
  int missed = 0;
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE(i);
    const std::uint32_t slots = 3 + static_cast<std::uint32_t>(random() % 6);
    std::array<std::vector<std::int32_t>, 3> powers;
    for (std::size_t k = 0; k < 3; ++k) {
      powers[k].resize(k == 2 ? slots : 1 + random() % 3);
      for (std::int32_t& power_w : powers[k]) power_w = static_cast<std::int32_t>(random() % 2500);
    }
    const std::array<Device, 3> devices{{{.kind = DeviceKind::appliance, .profile_w = powers[0]},
                                         {.kind = DeviceKind::appliance, .profile_w = powers[1]},
                                         {.kind = DeviceKind::fixed, .profile_w = powers[2]}}};
    std::int32_t least_peak = std::numeric_limits<std::int32_t>::max();
    for (std::size_t a = 0; a + powers[0].size() <= slots; ++a) {
      for (std::size_t b = 0; b + powers[1].size() <= slots; ++b) {
        std::vector<std::int32_t> sum = powers[2];
        for (std::size_t k = 0; k < powers[0].size(); ++k) sum[a + k] += powers[0][k];
        for (std::size_t k = 0; k < powers[1].size(); ++k) sum[b + k] += powers[1][k];
        least_peak = std::min(least_peak, *std::max_element(sum.begin(), sum.end()));
      }
    }
    const std::int32_t limit_w = least_peak + static_cast<std::int32_t>(random() % 200) - 50;
    std::vector<std::int32_t> target(slots), total(slots), profiles(3 * slots);
    for (std::int32_t& v : target) v = static_cast<std::int32_t>(random() % 6000) - 1000;
    Report report;
    std::uint32_t index = 0;
    const Error error = solve_home({devices, limit_w}, {slots, 3600}, target, {}, workspace, total, profiles, report, index);
    if (limit_w < least_peak) {
      ASSERT_EQ(error, Error::infeasible);
      ++impossible;
    } else {
      ++possible;
      missed += ok(error) ? 0 : 1;
    }
  }
  EXPECT_GT(possible, 1000);
  EXPECT_GT(impossible, 500);
  EXPECT_EQ(missed, 0);
}

TEST(home_room, says_where_the_breaker_would_trip) {
  const std::array<std::int32_t, 2> load{500, 4000};
  const std::array<Device, 1> devices{{{.kind = DeviceKind::fixed, .profile_w = load}}};
  std::array<std::int32_t, 2> total{};
  std::array<std::int32_t, 2> profiles{};
  Report report;
  std::uint32_t index = 0;
  EXPECT_EQ(solve_home({devices, 3000}, {2, 3600}, std::array<std::int32_t, 2>{}, {}, workspace, total, profiles, report, index),
            Error::infeasible);
  EXPECT_EQ(report.limit, Limit::breaker);
  EXPECT_EQ(report.slot, 1u);
  EXPECT_EQ(report.needed, 4000);
  EXPECT_EQ(report.possible, 3000);
}

TEST(home_room, names_the_slot_that_is_furthest_over_the_breaker) {
  const std::array<std::int32_t, 5> load{500, 4000, -6500, 6500, 3001};
  const std::array<Device, 1> devices{{{.kind = DeviceKind::fixed, .profile_w = load}}};
  std::array<std::int32_t, 5> total{};
  std::array<std::int32_t, 5> profiles{};
  Report report;
  std::uint32_t index = 0;
  EXPECT_EQ(solve_home({devices, 3000}, {5, 3600}, std::array<std::int32_t, 5>{}, {}, workspace, total, profiles, report, index),
            Error::infeasible);
  EXPECT_EQ(report.limit, Limit::breaker);
  EXPECT_EQ(report.slot, 2u);
  EXPECT_EQ(report.needed, 6500);
  EXPECT_EQ(report.possible, 3000);
}

// The price in the negotiation grows without end there, to where a generator's cost would not fit beside it.
TEST(home_room, refuses_a_generator_that_must_feed_in_more_than_the_breaker_allows) {
  const std::array<Device, 1> devices{{{.kind = DeviceKind::generator, .power_min_w = -18'000, .power_max_w = -16'000, .cost_linear = 8586}}};
  std::array<std::int32_t, 2> total{};
  std::array<std::int32_t, 2> profiles{};
  Report report;
  std::uint32_t index = 0;
  EXPECT_EQ(solve_home({devices, 3900}, {2, 3600}, std::array<std::int32_t, 2>{}, {.weight = 2}, workspace, total, profiles, report, index),
            Error::infeasible);
  EXPECT_EQ(report.limit, Limit::breaker);
  EXPECT_EQ(report.needed, 16'000);
}

}  // namespace
}  // namespace wattproof::solver
