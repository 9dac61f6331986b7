// SPDX-License-Identifier: Apache-2.0
#include "solver/store.hpp"

#include "random_problems.hpp"

namespace wattproof::solver {
namespace {

std::array<std::uint64_t, store_workspace_words(slot_count_max)> workspace;

// The least cost of all integer profiles of a short day, by trying them.
double search(const reference::Problem& problem, std::int32_t low, std::int32_t high) {
  double best = INFINITY;
  std::vector<std::int32_t> x(problem.grid.slots, low);
  for (;;) {
    if (ok(check_profile(problem.device, problem.grid, x))) {
      const std::vector<double> powers(x.begin(), x.end());
      best = std::min(best, reference::cost_of(problem.device, problem.grid, problem.target_w, problem.cost, powers));
    }
    std::uint32_t t = 0;
    while (t < x.size() && ++x[t] > high) x[t++] = low;
    if (t == x.size()) return best;
  }
}

TEST(store, is_never_further_from_the_best_integer_profile_than_its_certificate_says) {
  std::mt19937_64 random(21);
  int solved = 0;
  int worse = 0;
  int between = 0;
  for (int i = 0; i < 4000; ++i) {
    SCOPED_TRACE(i);
    reference::Problem problem;
    problem.grid = {3, 3600};
    problem.cost = {};
    for (int t = 0; t < 3; ++t) problem.target_w.push_back(static_cast<std::int32_t>(random() % 41) - 15);
    const std::int32_t capacity = 1 + static_cast<std::int32_t>(random() % 20);
    problem.device = {.kind = DeviceKind::battery, .power_min_w = -8, .power_max_w = 8, .energy_max_wh = capacity,
                      .energy_start_wh = static_cast<std::int32_t>(random() % 20) % capacity,
                      .energy_end_max_wh = capacity};
    problem.device.charge_efficiency_permille = static_cast<std::uint16_t>(600 + random() % 401);
    problem.device.discharge_efficiency_permille = static_cast<std::uint16_t>(600 + random() % 401);
    problem.device.standing_loss_w = random() % 4 == 0 ? 1 : 0;
    const double best = search(problem, -8, 8);
    std::array<std::int32_t, 3> x{};
    Report report;
    const Error error = solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, x, report);
    ASSERT_EQ(ok(error), best < INFINITY) << error_name(error);
    if (!ok(error)) continue;
    ASSERT_EQ(check_profile(problem.device, problem.grid, x), Error::none);
    const std::vector<double> powers(x.begin(), x.end());
    const double cost = reference::cost_of(problem.device, problem.grid, problem.target_w, problem.cost, powers);
    ASSERT_GE(cost, best - 1e-9);
    ASSERT_LE(cost - best, static_cast<double>(report.gap));
    ++solved;
    if (cost > best + 1e-9) ++worse;
    if (report.kind == CertificateKind::bound) ++between;
  }
  EXPECT_GT(solved, 3000);
  EXPECT_GT(between, 0);
  RecordProperty("solved", solved);
  RecordProperty("worse_than_best_integer", worse);
}

// Whether any powers keep the limits, in long double, each limit moved outwards by `room` Wh.
bool is_reachable_with(const Device& device, const Grid& grid, long double room) {
  const long double hours = grid.slot_seconds / 3600.0L;
  const auto effect = [&](std::int32_t power_w) {
    return hours * (power_w > 0 ? power_w * device.charge_efficiency_permille / 1000.0L
                                : power_w * 1000.0L / device.discharge_efficiency_permille);
  };
  long double low = device.energy_start_wh;
  long double high = low;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (device.power_min_w.at(t) > device.power_max_w.at(t)) return false;
    const bool is_last = t + 1 == grid.slots;
    low += effect(device.power_min_w.at(t)) - hours * device.standing_loss_w;
    high += effect(device.power_max_w.at(t)) - hours * device.standing_loss_w;
    const long double least = (is_last ? std::max(device.energy_min_wh, device.energy_end_min_wh) : device.energy_min_wh) - room;
    const long double most = (is_last ? std::min(device.energy_max_wh, device.energy_end_max_wh) : device.energy_max_wh) + room;
    if (high < least || low > most || least > most) return false;
    low = std::max(low, least);
    high = std::min(high, most);
  }
  return true;
}

TEST(store, never_breaks_a_limit) {
  std::mt19937_64 random(22);
  std::uint64_t solved = 0;
  std::uint64_t bound = 0;
  for (std::uint64_t i = 0; i < case_count(); ++i) {
    SCOPED_TRACE(i);
    reference::Problem problem;
    reference::draw(random, DeviceKind::battery, draw_slots(random), true, problem);
    std::vector<std::int32_t> x(problem.grid.slots);
    Report report;
    const Error error = solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, x, report);
    Report unmet;
    if (!ok(error)) {
      ASSERT_TRUE(is_verdict_infeasible(error)) << error_name(error);
      ASSERT_NE(report.limit, Limit::none);
      ASSERT_TRUE(report.limit == Limit::whole_watts || !is_reachable_with(problem.device, problem.grid, -1e-6L));
      continue;
    }
    ASSERT_EQ(feasible(problem.device, problem.grid, unmet), Error::none);
    // The limits once more in long double, to within the watt that is promised where they leave less room.
    long double energy = problem.device.energy_start_wh;
    const long double hours = problem.grid.slot_seconds / 3600.0L;
    const long double room = hours * 1000 / problem.device.discharge_efficiency_permille;
    ASSERT_TRUE(is_reachable_with(problem.device, problem.grid, room));
    for (std::uint32_t t = 0; t < problem.grid.slots; ++t) {
      energy += hours * (x[t] > 0 ? x[t] * problem.device.charge_efficiency_permille / 1000.0L
                                  : x[t] * 1000.0L / problem.device.discharge_efficiency_permille);
      energy -= hours * problem.device.standing_loss_w;
      ASSERT_GE(energy, problem.device.energy_min_wh - room);
      ASSERT_LE(energy, problem.device.energy_max_wh + room);
    }
    ++solved;
    if (report.kind == CertificateKind::bound) ++bound;
  }
  EXPECT_GT(solved, case_count() / 2);
  RecordProperty("bound_percent", static_cast<int>(100 * bound / solved));
}

// The textbook split into two nonnegative powers would burn energy here: full battery, and a wish to draw more.
TEST(store, never_charges_and_discharges_at_once) {
  const Device device{.kind = DeviceKind::battery, .power_min_w = -5000, .power_max_w = 5000, .energy_max_wh = 10'000,
                      .energy_start_wh = 10'000, .energy_end_min_wh = 10'000, .energy_end_max_wh = 10'000,
                      .charge_efficiency_permille = 950, .discharge_efficiency_permille = 950};
  std::array<std::int32_t, 4> x{};
  const std::array<std::int32_t, 4> target{3000, 3000, 3000, 3000};
  Report report;
  ASSERT_EQ(solve(device, {4, 3600}, target, {}, workspace, x, report), Error::none);
  // Discharge a little and charge it back: what is lost on the way is all that can be burnt.
  const std::int64_t stored = std::int64_t{1} * x[0] + x[1] + x[2] + x[3];
  EXPECT_GT(stored, 0);
  EXPECT_LT(stored, 400);
  EXPECT_LT(report.gap, 100'000u);
}

TEST(store, without_losses_gives_what_the_narrow_program_gives) {
  std::mt19937_64 random(23);
  int compared = 0;
  for (int i = 0; i < 3000; ++i) {
    reference::Problem problem;
    reference::draw(random, i % 2 == 0 ? DeviceKind::battery : DeviceKind::shapeable, draw_slots(random), false, problem);
    Wish wish;
    ASSERT_EQ(Wish::make(problem.device, problem.grid, problem.target_w, problem.cost, wish), Error::none);
    std::vector<std::int32_t> wide(problem.grid.slots);
    Report report;
    const Error error = solve_store({problem.device, problem.grid, wish, workspace, wide, report});
    std::vector<std::int32_t> narrow(problem.grid.slots);
    Report other;
    const Error narrow_error = solve(problem.device, problem.grid, problem.target_w, problem.cost, workspace, narrow, other);
    ASSERT_EQ(ok(error), ok(narrow_error));
    if (!ok(error)) continue;
    ASSERT_EQ(check_profile(problem.device, problem.grid, wide), Error::none);
    for (std::uint32_t t = 0; t < problem.grid.slots; ++t) ASSERT_NEAR(wide[t], narrow[t], 2);
    ++compared;
  }
  EXPECT_GT(compared, 1500);
}

}  // namespace
}  // namespace wattproof::solver
