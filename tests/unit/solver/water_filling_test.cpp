// SPDX-License-Identifier: Apache-2.0
#include "solver/water_filling.hpp"

#include <numeric>

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

std::vector<std::int32_t> fill(const Device& device, const Grid& grid, const std::vector<std::int32_t>& target, Error& error) {
  Wish wish;
  error = Wish::make(device, grid, target, {}, wish);
  std::vector<std::int32_t> x(grid.slots);
  std::array<std::uint64_t, 1> workspace;
  Report report;
  if (ok(error)) error = water_filling(storage_problem(device, grid), {device, grid, wish, workspace, x, report});
  return x;
}

// With whole watts the best profile is the one that a greedy hand would pour: always the slot that gains most, the
// earliest of equals.
std::vector<std::int32_t> pour(const Device& device, const Grid& grid, const std::vector<std::int32_t>& target) {
  std::vector<std::int32_t> x(grid.slots, 0);
  std::int64_t sum = 0;
  for (std::uint32_t t = device.start_slot; t < device.end_slot; ++t) sum += x[t] = device.power_min_w.at(t);
  for (; sum < device.energy_wh; ++sum) {
    std::uint32_t best = grid.slots;
    for (std::uint32_t t = device.start_slot; t < device.end_slot; ++t) {
      if (x[t] == device.power_max_w.at(t)) continue;
      if (best == grid.slots || target[t] - x[t] > target[best] - x[best]) best = t;
    }
    ++x[best];
  }
  return x;
}

TEST(water_filling, gives_the_best_whole_watts_and_ties_to_the_earliest) {
  std::mt19937_64 random(61);
  int solved = 0;
  for (int i = 0; i < 5000; ++i) {
    SCOPED_TRACE(i);
    const Grid grid{1 + static_cast<std::uint32_t>(random() % 8), 3600};
    std::vector<std::int32_t> low(grid.slots), high(grid.slots), target(grid.slots);
    for (std::uint32_t t = 0; t < grid.slots; ++t) {
      low[t] = static_cast<std::int32_t>(random() % 7) - 5;
      high[t] = low[t] + static_cast<std::int32_t>(random() % 9);
      target[t] = static_cast<std::int32_t>(random() % 21) - 10;
    }
    Device device{.kind = DeviceKind::shapeable};
    const bool varies = random() % 2 == 0;
    device.power_min_w = varies ? Series(std::span<const std::int32_t>(low)) : Series(low[0]);
    device.power_max_w = varies ? Series(std::span<const std::int32_t>(high)) : Series(high[0]);
    device.start_slot = static_cast<std::uint32_t>(random() % grid.slots);
    device.end_slot = device.start_slot + 1 + static_cast<std::uint32_t>(random() % (grid.slots - device.start_slot));
    device.energy_wh = static_cast<std::int32_t>(random() % 41) - 20;
    double margin = 0;
    Error error = Error::none;
    const std::vector<std::int32_t> x = fill(device, grid, target, error);
    ASSERT_EQ(ok(error), reference::is_reachable(device, grid, margin));
    if (!ok(error)) continue;
    ++solved;
    ASSERT_EQ(x, pour(device, grid, target));
  }
  EXPECT_GT(solved, 1000);
}

TEST(water_filling, meets_the_energy_within_its_passes_however_far_apart_the_wishes_are) {
  std::mt19937_64 random(62);
  for (int i = 0; i < 20'000; ++i) {
    const Grid grid{1 + static_cast<std::uint32_t>(random() % 96), 3600};
    std::vector<std::int32_t> target(grid.slots);
    const std::int32_t reach = power_limit_w(96) >> (random() % 20);
    for (std::int32_t& v : target) v = random() % 2 == 0 ? reach : -reach + static_cast<std::int32_t>(random() % 3);
    Device device{.kind = DeviceKind::shapeable, .power_max_w = 1 + static_cast<std::int32_t>(random() % 7000)};
    device.end_slot = grid.slots;
    device.energy_wh = static_cast<std::int32_t>(random() % (static_cast<std::uint64_t>(device.power_max_w.constant) * grid.slots + 1));
    Error error = Error::none;
    const std::vector<std::int32_t> x = fill(device, grid, target, error);  // aborts beyond water_pass_max
    ASSERT_EQ(error, Error::none);
    ASSERT_EQ(std::accumulate(x.begin(), x.end(), 0), device.energy_wh);
  }
}

}  // namespace
}  // namespace wattproof::solver
