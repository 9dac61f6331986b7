// SPDX-License-Identifier: Apache-2.0
#include "solver/pattern.hpp"

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, 4096> workspace;

struct Search {
  const Device& device;
  const Grid& grid;
  std::span<const std::int32_t> target;
  std::int64_t best_cost = 0;
  std::vector<std::int32_t> best{};

  // Tries every slot from `from` on for part `part`; the first of equals has the earliest starts.
  void place(std::uint32_t part, std::uint32_t from, std::vector<std::int32_t>& x) {
    const auto length = static_cast<std::uint32_t>(device.profile_w.size());
    const std::uint32_t parts = device.interruptible ? device.runs * length : device.runs;
    const std::uint32_t size = device.interruptible ? 1 : length;
    if (part == parts) {
      std::int64_t cost = 0;
      for (std::uint32_t t = 0; t < grid.slots; ++t) cost += std::int64_t{x[t] - target[t]} * (x[t] - target[t]);
      if (best.empty() || cost < best_cost) {
        best_cost = cost;
        best = x;
      }
      return;
    }
    for (std::uint32_t start = from; start + size <= end_slot(device, grid); ++start) {
      std::vector<std::int32_t> next = x;
      for (std::uint32_t i = 0; i < size; ++i) next[start + i] = device.profile_w[device.interruptible ? part % length : i];
      place(part + 1, start + size, next);
    }
  }
};

TEST(appliance, finds_the_best_placement_of_all) {
  std::mt19937_64 random(41);
  std::uint64_t feasible_count = 0;
  for (std::uint64_t i = 0; i < case_count(); ++i) {
    SCOPED_TRACE(i);
    const Grid grid{1 + static_cast<std::uint32_t>(random() % 9), 3600};
    std::vector<std::int32_t> cycle(1 + random() % std::min(3u, grid.slots));
    for (std::int32_t& power_w : cycle) power_w = static_cast<std::int32_t>(random() % 4) * 300;
    Device device{.kind = DeviceKind::appliance, .profile_w = cycle};
    device.runs = 1 + static_cast<std::uint32_t>(random() % std::min(3u, grid.slots));
    device.interruptible = random() % 2 == 0;
    device.start_slot = static_cast<std::uint32_t>(random() % grid.slots);
    device.end_slot = device.start_slot + 1 + static_cast<std::uint32_t>(random() % (grid.slots - device.start_slot));
    std::vector<std::int32_t> target(grid.slots);
    for (std::int32_t& v : target) v = static_cast<std::int32_t>(random() % 5) * 200 - 200;
    Search search{device, grid, target};
    std::vector<std::int32_t> start(grid.slots, 0);
    search.place(0, device.start_slot, start);
    std::vector<std::int32_t> x(grid.slots);
    Report report;
    const Error error = solve(device, grid, target, {}, workspace, x, report);
    ASSERT_EQ(ok(error), !search.best.empty());
    if (!ok(error)) {
      ASSERT_EQ(report.limit, Limit::window);
      continue;
    }
    ++feasible_count;
    ASSERT_EQ(x, search.best);
    ASSERT_EQ(check_profile(device, grid, x), Error::none);
    ASSERT_EQ(report.kind, CertificateKind::enumerated);
  }
  EXPECT_GT(feasible_count, case_count() / 3);
}

TEST(appliance, check_refuses_a_changed_run) {
  const std::array<std::int32_t, 3> cycle{0, 500, 200};
  const Device device{.kind = DeviceKind::appliance, .profile_w = cycle, .start_slot = 1, .runs = 1};
  const Grid grid{6, 3600};
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 6>{0, 0, 500, 200, 0, 0}), Error::none);
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 6>{0, 500, 200, 0, 0, 0}), Error::infeasible);
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 6>{0, 0, 500, 0, 200, 0}), Error::infeasible);
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 6>{0, 0, 500, 200, 0, 7}), Error::infeasible);
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 6>{0, 0, 0, 0, 0, 0}), Error::infeasible);
}

TEST(appliance, one_whole_run_needs_no_workspace) {
  const std::array<std::int32_t, 2> cycle{500, 200};
  const Device device{.kind = DeviceKind::appliance, .profile_w = cycle};
  std::array<std::int32_t, 4> x{};
  Report report;
  EXPECT_EQ(solve(device, {4, 900}, std::array<std::int32_t, 4>{0, 0, 100, 100}, {}, {}, x, report), Error::none);
  EXPECT_EQ(x, (std::array<std::int32_t, 4>{0, 0, 500, 200}));
}

}  // namespace
}  // namespace wattproof::solver
