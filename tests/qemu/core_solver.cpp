// SPDX-License-Identifier: Apache-2.0
// Random problems of four kinds of device. Their profiles and certificates go into the trace: two machines that agree
// on it would post the same profiles to a contract.
#include "core_report.hpp"
#include "solver/solve.hpp"

namespace wattproof::core {
namespace {

using namespace solver;

constexpr std::uint32_t problem_count = 300;  // of each kind
constexpr Grid grid{.slots = slot_count_max, .slot_seconds = 900};

using Profile = std::array<std::int32_t, slot_count_max>;

std::int32_t between(Random& random, std::int32_t low, std::int32_t high) {
  return low + static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(high - low + 1)));
}

Device curtailable(Random& random, Profile& limits) {
  for (std::int32_t& limit : limits) limit = between(random, -5000, 0);
  return {.kind = DeviceKind::curtailable, .power_min_w = std::span<const std::int32_t>(limits), .power_max_w = 0};
}

Device shapeable(Random& random) {
  const std::uint32_t start = random.below(48);
  return {.kind = DeviceKind::shapeable, .power_min_w = 0, .power_max_w = between(random, 2000, 11000), .start_slot = start,
          .end_slot = start + 8 + random.below(40), .energy_wh = between(random, 500, 6000)};
}

Device battery(Random& random) {
  const std::int32_t capacity = between(random, 3000, 14000);
  const std::int32_t stored = between(random, 0, capacity);
  return {.kind = DeviceKind::battery, .power_min_w = -between(random, 1000, 5000), .power_max_w = between(random, 1000, 5000),
          .energy_min_wh = 0, .energy_max_wh = capacity, .energy_start_wh = stored, .energy_end_min_wh = stored / 2,
          .energy_end_max_wh = capacity};
}

Device appliance(Random& random, Profile& cycle) {
  const std::uint32_t length = 4 + random.below(8);
  for (std::uint32_t i = 0; i < length; ++i) cycle[i] = between(random, 40, 2200);
  const std::uint32_t start = random.below(40);
  return {.kind = DeviceKind::appliance, .profile_w = std::span<const std::int32_t>(cycle).first(length),
          .start_slot = start, .end_slot = start + length + random.below(40)};
}

void mix(Report& report, const Profile& profile_w) {
  for (const std::int32_t power : profile_w) report.mix(static_cast<std::uint64_t>(std::int64_t{power}));
}

// Solves one problem; a solved one must keep the device's limits.
bool solve_one(Report& report, Random& random, const Device& device) {
  static Workspace<slot_count_max> workspace;
  static Profile target_w, profile_w;
  for (std::int32_t& power : target_w) power = between(random, -6000, 6000);
  solver::Report certificate;
  const Error error = solve(device, grid, target_w, Cost{}, workspace, profile_w, certificate);
  report.mix(static_cast<std::uint64_t>(error));
  if (error != Error::none) return error == Error::infeasible_below || error == Error::infeasible_above;
  mix(report, profile_w);
  report.mix(certificate.gap);
  return check_profile(device, grid, profile_w) == Error::none;
}

}  // namespace

void test_solver(Report& report) {
  static Profile numbers;
  Random random(3);
  bool all_right = true;
  for (std::uint32_t i = 0; i < problem_count; ++i) {
    all_right = solve_one(report, random, curtailable(random, numbers)) && all_right;
    all_right = solve_one(report, random, shapeable(random)) && all_right;
    all_right = solve_one(report, random, battery(random)) && all_right;
    all_right = solve_one(report, random, appliance(random, numbers)) && all_right;
  }
  CORE_CHECK(report, all_right);
}

}  // namespace wattproof::core
