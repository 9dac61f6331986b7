// SPDX-License-Identifier: Apache-2.0
#include "solver/pattern.hpp"

#include <set>

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
  std::set<std::vector<std::int32_t>> all{};

  // Tries every slot from `from` on for part `part`; the first of equals has the earliest starts.
  void place(std::uint32_t part, std::uint32_t from, std::vector<std::int32_t>& x) {
    const auto length = static_cast<std::uint32_t>(device.profile_w.size());
    const std::uint32_t parts = device.interruptible ? device.runs * length : device.runs;
    const std::uint32_t size = device.interruptible ? 1 : length;
    if (part == parts) {
      all.insert(x);
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
    for (int change = 0; change < 8; ++change) {
      x[random() % x.size()] = static_cast<std::int32_t>(random() % 4) * 300;
      ASSERT_EQ(ok(check_profile(device, grid, x)), search.all.contains(x));
    }
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

TEST(appliance, one_whole_run_is_solved_with_the_workspace_of_other_kinds) {
  const std::array<std::int32_t, 2> cycle{500, 200};
  const Device device{.kind = DeviceKind::appliance, .profile_w = cycle};
  std::array<std::int32_t, 4> x{};
  Workspace<4> memory;
  Report report;
  EXPECT_EQ(solve(device, {4, 900}, std::array<std::int32_t, 4>{0, 0, 100, 100}, {}, memory, x, report), Error::none);
  EXPECT_EQ(x, (std::array<std::int32_t, 4>{0, 0, 500, 200}));
  EXPECT_EQ(pattern_workspace_words(device, {4, 900}) == 0, !is_for_size);
  const std::vector<std::int32_t> cycles(slot_count_max, 100);
  for (std::uint32_t slots = 1; slots <= slot_count_max; ++slots) {
    for (std::uint32_t length = 1; length <= slots; ++length) {
      const Device run{.kind = DeviceKind::appliance, .profile_w = std::span(cycles).first(length)};
      ASSERT_LE(pattern_workspace_words(run, {slots, 300}), workspace_words(slots)) << slots << " " << length;
    }
  }
}

// The best of all on-off patterns that check_profile lets pass, preferring the one that is on earliest.
bool search(const Device& device, const Grid& grid, std::span<const std::int32_t> target, std::vector<std::int32_t>& best) {
  std::int64_t best_cost = 0;
  bool found = false;
  // Descending from the pattern that is on in the first slots, so that the earliest of equals is met first.
  for (std::uint32_t code = 1u << grid.slots; code-- > 0;) {
    std::vector<std::int32_t> x(grid.slots, 0);
    std::int64_t cost = 0;
    for (std::uint32_t t = 0; t < grid.slots; ++t) {
      if ((code >> (grid.slots - 1 - t) & 1) != 0) x[t] = device.power_w;
      cost += std::int64_t{x[t] - target[t]} * (x[t] - target[t]);
    }
    if (!ok(check_profile(device, grid, x)) || (found && cost >= best_cost)) continue;
    found = true;
    best_cost = cost;
    best = x;
  }
  return found;
}

TEST(switched, finds_the_best_pattern_of_all) {
  std::mt19937_64 random(31);
  std::uint64_t feasible_count = 0;
  for (std::uint64_t i = 0; i < case_count(); ++i) {
    SCOPED_TRACE(i);
    const Grid grid{1 + static_cast<std::uint32_t>(random() % 10), 3600};
    Device device{.kind = DeviceKind::switched};
    device.power_w = random() % 5 == 0 ? -300 : 700;
    device.energy_wh = device.power_w * static_cast<std::int32_t>(random() % (grid.slots + 1));
    device.min_on_slots = 1 + static_cast<std::uint32_t>(random() % std::min(4u, grid.slots));
    device.min_off_slots = 1 + static_cast<std::uint32_t>(random() % std::min(4u, grid.slots));
    device.start_slot = static_cast<std::uint32_t>(random() % grid.slots);
    device.end_slot = device.start_slot + 1 + static_cast<std::uint32_t>(random() % (grid.slots - device.start_slot));
    std::vector<std::int32_t> target(grid.slots);
    for (std::int32_t& v : target) v = static_cast<std::int32_t>(random() % 5) * 200 - 400;
    std::vector<std::int32_t> best;
    const bool found = search(device, grid, target, best);
    std::vector<std::int32_t> x(grid.slots);
    Report report;
    const Error error = solve(device, grid, target, {}, workspace, x, report);
    ASSERT_EQ(ok(error), found);
    if (!found) {
      ASSERT_NE(report.limit, Limit::none);
      continue;
    }
    ++feasible_count;
    ASSERT_EQ(x, best);
    ASSERT_EQ(report.kind, CertificateKind::enumerated);
  }
  EXPECT_GT(feasible_count, case_count() / 3);
}

TEST(switched, refuses_energy_that_is_no_whole_number_of_slots) {
  const Device device{.kind = DeviceKind::switched, .energy_wh = 1000, .power_w = 700};
  std::array<std::int32_t, 4> x{};
  const std::array<std::int32_t, 4> target{};
  Report report;
  EXPECT_EQ(solve(device, {4, 3600}, target, {}, workspace, x, report), Error::not_a_multiple);
}

TEST(switched, answers_at_any_weight_while_the_wishes_are_a_households) {
  Device device{.kind = DeviceKind::switched, .energy_wh = 6000, .power_w = 3000};
  constexpr std::uint32_t slots = 96;
  std::array<std::int32_t, slots> x{}, target{};
  target[10] = target[11] = 20'000;
  std::array<std::uint64_t, 4096> memory{};
  Report report;
  ASSERT_LE(workspace_words(device, {slots, 900}), memory.size());
  const Cost heavy{.weight = weight_max};
  ASSERT_EQ(solve(device, {slots, 900}, target, heavy, memory, x, report), Error::none);
  EXPECT_EQ(x[10], 3000);
  EXPECT_EQ(x[11], 3000);
  device.energy_wh = 54'000;
  target[12] = 1'000'000;  // times weight and energy that is more than 2^61
  EXPECT_EQ(solve(device, {slots, 900}, target, heavy, memory, x, report), Error::out_of_range);
}

TEST(switched, says_that_less_than_the_minimum_on_time_is_no_pattern) {
  const Device device{.kind = DeviceKind::switched, .energy_wh = 700, .power_w = 700, .min_on_slots = 2};
  Report report;
  EXPECT_EQ(feasible(device, {4, 3600}, report), Error::infeasible);
  EXPECT_EQ(report.limit, Limit::pattern);
  EXPECT_EQ(report.needed, 1);
  EXPECT_EQ(report.possible, 2);
}

}  // namespace
}  // namespace wattproof::solver
