// SPDX-License-Identifier: Apache-2.0
// Every battery and every shapeable load of a small world, against all of its profiles: three slots, five levels of energy,
// five targets a slot. What random problems leave out by chance is here.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>

#include "solver/solve.hpp"

namespace wattproof::solver {
namespace {

constexpr Grid grid{3, 3600};
constexpr std::int32_t level_max = 4;  // Wh
using Day = std::array<std::int32_t, 3>;

std::int64_t cost_of(const Day& x, const Day& target) {
  std::int64_t sum = 0;
  for (std::size_t t = 0; t < 3; ++t) sum += std::int64_t{x[t] - target[t]} * (x[t] - target[t]);
  return sum;
}

// All profiles that a device allows, worked out from its limits alone.
struct World {
  std::array<Day, 128> profiles{};
  std::size_t count = 0;

  template <class Keeps>
  World(const Day& low, const Day& high, Keeps keeps) {
    for (std::int32_t a = low[0]; a <= high[0]; ++a) {
      for (std::int32_t b = low[1]; b <= high[1]; ++b) {
        for (std::int32_t c = low[2]; c <= high[2]; ++c) {
          if (keeps(Day{a, b, c})) profiles[count++] = {a, b, c};
        }
      }
    }
  }

  bool has(const Day& x) const {
    const auto end = profiles.begin() + static_cast<std::ptrdiff_t>(count);
    return std::find(profiles.begin(), end, x) != end;
  }

  std::int64_t least_cost(const Day& target) const {
    std::int64_t least = cost_of(profiles[0], target);
    for (std::size_t i = 1; i < count; ++i) least = std::min(least, cost_of(profiles[i], target));
    return least;
  }
};

template <class Visit>
void for_each_target(Visit visit) {
  for (std::int32_t code = 0; code < 125; ++code) visit(Day{code % 5 - 2, code / 5 % 5 - 2, code / 25 - 2});
}

struct Count {
  std::uint64_t solved = 0;
  std::uint64_t refused = 0;
};

void compare(const Device& device, const World& world, const Day& target, Count& counted) {
  static Workspace<3> workspace;
  Day x{};
  Report report;
  const Error error = solve(device, grid, target, {}, workspace, x, report);
  if (world.count == 0) {
    ASSERT_TRUE(error == Error::infeasible || error == Error::infeasible_below || error == Error::infeasible_above) << error_name(error);
    ASSERT_NE(report.limit, Limit::none);
    ++counted.refused;
    return;
  }
  ASSERT_EQ(error, Error::none) << error_name(error);
  ASSERT_TRUE(world.has(x)) << x[0] << ' ' << x[1] << ' ' << x[2];
  // With targets in whole watts the rounded answer is a best one of all.
  ASSERT_EQ(cost_of(x, target), world.least_cost(target));
  ASSERT_EQ(report.kind, CertificateKind::dual);
  ASSERT_LE(report.gap, 3u);
  ++counted.solved;
}

TEST(small_worlds, every_battery_is_solved_or_rightly_refused) {
  Count counted;
  // Powers, capacity, start (which is not tested, so any level) and end values.
  for (std::int32_t code = 0; code < 9 * 5 * 5 * 25; ++code) {
    SCOPED_TRACE(code);
    Device device{.kind = DeviceKind::battery};
    const std::int32_t low = -(code % 3);
    const std::int32_t high = code / 3 % 3;
    device.power_min_w = low;
    device.power_max_w = high;
    device.energy_max_wh = code / 9 % 5;
    device.energy_start_wh = code / 45 % 5;
    device.energy_end_min_wh = code / 225 % 5;
    device.energy_end_max_wh = code / 1125;
    const World world({low, low, low}, {high, high, high}, [&](const Day& x) {
      std::int32_t energy = device.energy_start_wh;
      for (const std::int32_t power_w : x) {
        energy += power_w;
        if (energy < 0 || energy > device.energy_max_wh) return false;
      }
      return energy >= device.energy_end_min_wh && energy <= device.energy_end_max_wh;
    });
    for_each_target([&](const Day& target) { compare(device, world, target, counted); });
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(counted.solved + counted.refused, 9u * 5 * 5 * 25 * 125);
  EXPECT_GT(counted.solved, 100'000u);
  EXPECT_GT(counted.refused, 100'000u);
}

void compare_shapeable(Device device, std::optional<Milestone> milestone, Count& counted) {
  if (milestone) device.milestones = std::span(&*milestone, 1);
  Day low{};
  Day high{};
  for (std::uint32_t t = device.start_slot; t < device.end_slot; ++t) {
    low[t] = device.power_min_w.at(t);
    high[t] = device.power_max_w.at(t);
  }
  const World world(low, high, [&](const Day& x) {
    std::int32_t energy = 0;
    for (std::uint32_t t = 0; t < 3; ++t) {
      if (milestone && milestone->slot == t && energy < milestone->energy_min_wh) return false;
      energy += x[t];
    }
    return energy == device.energy_wh && !(milestone && milestone->slot == 3 && energy < milestone->energy_min_wh);
  });
  for_each_target([&](const Day& target) { compare(device, world, target, counted); });
}

TEST(small_worlds, every_shapeable_load_is_solved_or_rightly_refused) {
  Count counted;
  for (std::int32_t code = 0; code < 3 * 3 * 6 * 5; ++code) {
    SCOPED_TRACE(code);
    constexpr std::array<std::array<std::uint32_t, 2>, 6> windows{{{0, 1}, {0, 2}, {0, 3}, {1, 2}, {1, 3}, {2, 3}}};
    Device device{.kind = DeviceKind::shapeable};
    device.power_min_w = code % 3 - 1;
    device.power_max_w = code / 3 % 3 + 1;
    const std::array<std::uint32_t, 2> window = windows[static_cast<std::size_t>(code / 9 % 6)];
    device.start_slot = window[0];
    device.end_slot = window[1];
    device.energy_wh = code / 54;
    compare_shapeable(device, std::nullopt, counted);
    for (std::uint32_t slot = window[0] + 1; slot <= window[1]; ++slot) {
      for (std::int32_t level = -1; level <= level_max; ++level) compare_shapeable(device, Milestone{slot, level}, counted);
    }
    if (HasFatalFailure()) return;
  }
  EXPECT_EQ(counted.solved + counted.refused, 5u * 9 * (6 + 6 * 10) * 125);
  EXPECT_GT(counted.solved, 150'000u);
  EXPECT_GT(counted.refused, 100'000u);
}

}  // namespace
}  // namespace wattproof::solver
