// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
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

// Whether runs of ones and the pauses between them are long enough.
bool keeps_times(std::uint32_t mask, std::uint32_t slots, std::uint32_t min_on, std::uint32_t min_off) {
  std::uint32_t length = 0;
  bool was_on = false;
  bool has_run = false;
  for (std::uint32_t t = 0; t <= slots; ++t) {
    const bool on = t < slots && (mask >> t & 1) != 0;
    if (t > 0 && on != was_on) {
      if (was_on ? length < min_on : has_run && length < min_off) return false;
      has_run = has_run || was_on;
      length = 0;
    }
    was_on = on;
    ++length;
  }
  return true;
}

// A switched load, or an appliance of several runs of one slot, beside a device that may do anything between its limits.
TEST(home_room, finds_the_pattern_that_leaves_room_for_the_other_device) {
  std::mt19937_64 random(152);
  int possible = 0;
  int missed = 0;
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE(i);
    const std::uint32_t slots = 2 + static_cast<std::uint32_t>(random() % 6);
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(random() % slots);
    const std::uint32_t min_on = i % 2 == 0 ? 1 + static_cast<std::uint32_t>(random() % 2) : 1;
    const std::uint32_t min_off = i % 2 == 0 ? 1 + static_cast<std::uint32_t>(random() % 2) : 1;
    const std::int32_t power_w = (random() % 3 == 0 ? -1 : 1) * (1 + static_cast<std::int32_t>(random() % 2000));
    std::vector<std::int32_t> low(slots), high(slots);
    for (std::uint32_t t = 0; t < slots; ++t) {
      low[t] = static_cast<std::int32_t>(random() % 2000) - 1500;
      high[t] = low[t] + static_cast<std::int32_t>(random() % 1000);
    }
    const std::array<std::int32_t, 1> step{power_w};
    std::array<Device, 2> devices{};
    devices[0].kind = i % 2 == 0 ? DeviceKind::switched : DeviceKind::appliance;
    devices[0].energy_wh = power_w * static_cast<std::int32_t>(count);
    devices[0].power_w = power_w;  // which an appliance does not look at
    devices[0].min_on_slots = min_on;
    devices[0].min_off_slots = min_off;
    devices[0].profile_w = i % 2 == 0 ? std::span<const std::int32_t>() : step;
    devices[0].runs = i % 2 == 0 ? 1 : count;
    devices[0].interruptible = i % 4 == 1;
    devices[1].kind = DeviceKind::curtailable;
    devices[1].power_min_w = Series(low);
    devices[1].power_max_w = Series(high);
    std::int32_t least_peak = std::numeric_limits<std::int32_t>::max();
    for (std::uint32_t mask = 0; mask < 1u << slots; ++mask) {
      if (static_cast<std::uint32_t>(std::popcount(mask)) != count || !keeps_times(mask, slots, min_on, min_off)) continue;
      std::int32_t peak = 0;
      for (std::uint32_t t = 0; t < slots; ++t) {
        const std::int32_t own = (mask >> t & 1) != 0 ? power_w : 0;
        peak = std::max({peak, own + low[t], -(own + high[t])});
      }
      least_peak = std::min(least_peak, peak);
    }
    if (least_peak == std::numeric_limits<std::int32_t>::max()) continue;  // no pattern has so many slots
    const std::int32_t limit_w = least_peak + static_cast<std::int32_t>(random() % 20);
    std::vector<std::int32_t> target(slots), total(slots), profiles(2 * slots);
    for (std::int32_t& v : target) v = static_cast<std::int32_t>(random() % 6000) - 1000;
    Report report;
    std::uint32_t index = 0;
    const Error error = solve_home({devices, limit_w}, {slots, 3600}, target, {}, workspace, total, profiles, report, index);
    ASSERT_TRUE(ok(error) || error == Error::infeasible) << error_name(error);
    ++possible;
    missed += ok(error) ? 0 : 1;
  }
  EXPECT_GT(possible, 2000);
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
