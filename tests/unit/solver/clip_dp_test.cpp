// SPDX-License-Identifier: Apache-2.0
// Every battery and every charger with deadlines of 3 slots and 5 power levels, against a search of all integer
// profiles: the verdict must agree, limits must hold, and the answer must lie within a watt of a best one and within
// its own certificate.
#include "solver/clip_dp.hpp"

#include <limits>

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

constexpr std::int64_t none = std::numeric_limits<std::int64_t>::max();

std::int64_t cost_of(const std::array<std::int32_t, 3>& x, const std::array<std::int32_t, 3>& v) {
  std::int64_t sum = 0;
  for (std::size_t t = 0; t < 3; ++t) sum += std::int64_t{x[t] - v[t]} * (x[t] - v[t]);
  return sum;
}

// The least cost of any integer profile that check_profile lets pass.
std::int64_t search(const Device& device, const Grid& grid, const std::array<std::int32_t, 3>& v, std::int32_t low,
                    std::int32_t high) {
  std::int64_t best = none;
  std::array<std::int32_t, 3> x{};
  for (x[0] = low; x[0] <= high; ++x[0]) {
    for (x[1] = low; x[1] <= high; ++x[1]) {
      for (x[2] = low; x[2] <= high; ++x[2]) {
        if (check_profile(device, grid, x) != Error::none) continue;
        const std::int64_t cost = cost_of(x, v);
        if (cost < best) best = cost;
      }
    }
  }
  return best;
}

void compare(const Device& device, std::int32_t low, std::int32_t high, int& feasible_count) {
  constexpr Grid grid{3, 3600};
  Workspace<3> workspace;
  for (int code = 0; code < 125; ++code) {
    const std::array<std::int32_t, 3> v{3 * (code % 5) - 6, 3 * (code / 5 % 5) - 6, 3 * (code / 25) - 6};
    const std::int64_t best = search(device, grid, v, low, high);
    std::array<std::int32_t, 3> x{};
    Report report;
    const Error error = solve(device, grid, v, {}, workspace, x, report);
    if (best == none) {
      ASSERT_NE(error, Error::none);
      ASSERT_NE(report.limit, Limit::none);
      continue;
    }
    ++feasible_count;
    ASSERT_EQ(error, Error::none);
    ASSERT_EQ(check_profile(device, grid, x), Error::none);
    ASSERT_LE(cost_of(x, v) - best, static_cast<std::int64_t>(report.gap));
    ASSERT_LE(report.gap, 3u);
  }
}

TEST(clip_dp, agrees_with_a_search_of_all_small_batteries) {
  int feasible_count = 0;
  for (int low = -2; low <= 0; ++low) {
    for (int high = 0; high <= 2; ++high) {
      for (int code = 0; code < 3 * 4 * 4 * 4; ++code) {
        const std::int32_t end_min = code / 12 % 4;
        const Device device{.kind = DeviceKind::battery, .power_min_w = low, .power_max_w = high, .energy_min_wh = 0,
                            .energy_max_wh = 1 + code % 3, .energy_start_wh = code / 3 % 4,
                            .energy_end_min_wh = end_min, .energy_end_max_wh = end_min + code / 48};
        compare(device, low, high, feasible_count);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(feasible_count, 10'000);
}

TEST(clip_dp, agrees_with_a_search_of_all_small_chargers_with_deadlines) {
  int feasible_count = 0;
  for (int low = -2; low <= 0; ++low) {
    for (int high = 0; high <= 2; ++high) {
      for (int code = 0; code < 5 * 5 * 7; ++code) {
        const std::array<Milestone, 2> milestones{{{1, code % 5 - 2}, {2, code / 5 % 5 - 2}}};
        const Device device{.kind = DeviceKind::shapeable, .power_min_w = low, .power_max_w = high,
                            .energy_wh = code / 25 - 3, .milestones = milestones};
        compare(device, low, high, feasible_count);
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(feasible_count, 10'000);
}

TEST(clip_dp, agrees_with_the_reference_on_random_batteries) { compare_with_reference(DeviceKind::battery, 1, {}); }

TEST(clip_dp, agrees_with_the_reference_on_random_chargers) { compare_with_reference(DeviceKind::shapeable, 2, {}); }

}  // namespace
}  // namespace wattproof::solver
