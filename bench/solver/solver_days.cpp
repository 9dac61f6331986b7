// SPDX-License-Identifier: Apache-2.0
// Solves WATTPROOF_DAYS random days of one device (WATTPROOF_KIND) with WATTPROOF_SLOTS slots, each inside a counted region.
// The same source is the image for a microcontroller and the program for a host; integers only, so the days are equal.
#include <array>

#include "icount/roi.hpp"
#include "solver/solve.hpp"

namespace {

using namespace wattproof;
using namespace wattproof::solver;

constexpr std::uint32_t slots = WATTPROOF_SLOTS;
constexpr Grid grid{slots, 86'400 / slots};

enum Kind { battery, shapeable, lossy, thermal, appliance, switched, milestones, banded };

std::uint32_t state = 12345;

std::int32_t draw(std::int32_t low, std::int32_t high) {
  state = state * 1664525u + 1013904223u;
  return low + static_cast<std::int32_t>((state >> 8) % static_cast<std::uint32_t>(high - low + 1));
}

std::array<std::int32_t, slots> target;
std::array<std::int32_t, slots> ambient;
std::array<std::int32_t, slots> profile;
std::array<std::uint64_t, 24 * slots + 64> workspace;
constexpr std::array<std::int32_t, 6> cycle{100, 1500, 2000, 500, 500, 1000};
std::array<Milestone, 2> charge_by{};
std::array<LinearState, 2> room{};

// What a day asks for: two waves (sun and evening), and noise of a kilowatt and a half.
void draw_target() {
  const std::int32_t noon = draw(slots * 2 / 5, slots * 3 / 5);
  const std::int32_t sun = draw(1000, 4000);
  const std::int32_t evening = draw(500, 3000);
  for (std::int32_t t = 0; t < static_cast<std::int32_t>(slots); ++t) {
    const std::int32_t from_noon = t < noon ? noon - t : t - noon;
    const std::int32_t width = static_cast<std::int32_t>(slots) / 4;
    const std::int32_t wave = from_noon < width ? sun * (width - from_noon) / width : 0;
    const bool is_evening = t >= static_cast<std::int32_t>(slots * 3 / 4) && t < static_cast<std::int32_t>(slots * 11 / 12);
    target[static_cast<std::uint32_t>(t)] = wave - (is_evening ? evening : 0) + draw(-1500, 1500);
    ambient[static_cast<std::uint32_t>(t)] = 5'000 + draw(-1000, 1000) + wave;
  }
}

Device device() {
  switch (WATTPROOF_KIND) {
    case lossy:
      return {.kind = DeviceKind::battery, .power_min_w = -5000, .power_max_w = 5000, .energy_min_wh = 1000,
              .energy_max_wh = 13'500, .energy_start_wh = 5000, .energy_end_min_wh = 5000, .energy_end_max_wh = 5100,
              .charge_efficiency_permille = 950, .discharge_efficiency_permille = 950};
    case shapeable:
    case milestones:
      charge_by = {{{slots / 3, 4000}, {slots / 2, 9000}}};
      return {.kind = DeviceKind::shapeable, .power_max_w = 7400, .energy_wh = 20'000,
              .milestones = WATTPROOF_KIND == milestones ? std::span<const Milestone>(charge_by) : std::span<const Milestone>()};
    case thermal:  // a house of 5 kWh/K that loses 2 % of its difference an hour, and a heat pump
      return {.kind = DeviceKind::thermal, .power_max_w = 3000, .gain_mk_per_wh = 1,
              .leak_permyriad_per_slot = static_cast<std::int32_t>(200 * 24 / slots), .ambient_mc = std::span<const std::int32_t>(ambient),
              .start_mc = 21'000, .min_mc = 19'500, .max_mc = 22'500};
    case appliance:
      return {.kind = DeviceKind::appliance, .profile_w = cycle, .start_slot = slots / 6, .end_slot = slots};
    case switched:
      return {.kind = DeviceKind::switched, .energy_wh = 2000 * 6, .power_w = 2000, .min_on_slots = 2, .min_off_slots = 2};
    case banded: {  // a room and its walls, and a heat pump that rises by 1 kW a slot at most
      constexpr std::int32_t hours = static_cast<std::int32_t>(slots) / 24;
      room = {};
      for (LinearState& level : room) level = {.start = 20'500, .min = 18'000, .max = 25'000};
      room[0].min = 20'000;
      room[0].keep_ppm = {1'000'000 - 170'000 / hours, 150'000 / hours};
      room[0].gain_milli_per_wh = 400;
      room[0].drift_milli = 100'000 / hours;
      room[1].keep_ppm = {30'000 / hours, 1'000'000 - 30'000 / hours};
      return {.kind = DeviceKind::banded, .power_max_w = 4000, .ramp_up_w = 1000, .states = room};
    }
    default:
      return {.kind = DeviceKind::battery, .power_min_w = -5000, .power_max_w = 5000, .energy_min_wh = 1000,
              .energy_max_wh = 13'500, .energy_start_wh = 5000, .energy_end_min_wh = 5000, .energy_end_max_wh = 5000};
  }
}

}  // namespace

int main() {
  for (int day = 0; day < WATTPROOF_DAYS; ++day) {
    draw_target();
    const Device what = device();
    Report report;
    wattproof_roi_begin();
#if WATTPROOF_CERTIFIED
    const Error error = solve(what, grid, target, Cost{}, workspace, profile, report);
#else
    const Error error = optimise(what, grid, target, Cost{}, workspace, profile, report);
#endif
    wattproof_roi_end();
    if (!ok(error)) return 1;
  }
  return 0;
}
