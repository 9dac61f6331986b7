// SPDX-License-Identifier: Apache-2.0
// 10^4 problems of all kinds and what the solvers answer, as one hash a kind. The same source runs on a host and on an
// emulated microcontroller; solver_trace.mjs works the same out again in JavaScript big integers. Equal
// hashes: equal to the last bit.
#include <array>
#include <cstdint>

#include "solver/home.hpp"
#include "solver/solve.hpp"

#ifdef WATTPROOF_TRACE_SEMIHOSTED
#include "semihosting.hpp"
#else
#include <cstdio>
#endif

namespace {

using namespace wattproof;
using namespace wattproof::solver;

#ifdef WATTPROOF_TRACE_SEMIHOSTED
void print(const char* text) { qemu::write(text); }
#else
void print(const char* text) { std::fputs(text, stdout); }
#endif

// A linear congruential generator: every language has one line for it. The high bits are the good ones.
std::uint32_t state = 1;
std::int32_t draw(std::int32_t low, std::int32_t high) {
  state = state * 1664525u + 1013904223u;
  return low + static_cast<std::int32_t>((state >> 8) % static_cast<std::uint32_t>(high - low + 1));
}

// FNV-1a over 64-bit words, byte by byte from the low end.
struct Hash {
  std::uint64_t value = 14695981039346656037u;
  void add(std::int64_t word) {
    for (int i = 0; i < 8; ++i) {
      value = (value ^ (static_cast<std::uint64_t>(word) >> (8 * i) & 255)) * 1099511628211u;
    }
  }
};

using Numbers = std::array<std::int32_t, slot_count_max>;
Numbers target, profile, first, second, third;
std::array<std::int64_t, slot_count_max> price;
std::array<Milestone, 3> milestones;
std::array<std::uint64_t, 16'384> workspace;

enum Kind { curtailable, shapeable, battery, priced_battery, lossy, thermal, appliance, switched, generator, home, banded,
            kind_count };
constexpr std::array<const char*, kind_count> names{"curtailable", "shapeable", "battery", "priced_battery", "lossy",
                                                    "thermal", "appliance", "switched", "generator", "home", "banded"};
constexpr int case_count = 1100;  // of each kind; of those that iterate, which take a hundred times longer, a tenth

Series fill(Numbers& numbers, std::uint32_t slots, std::int32_t low, std::int32_t high) {
  for (std::uint32_t t = 0; t < slots; ++t) numbers[t] = draw(low, high);
  return std::span<const std::int32_t>(numbers).first(slots);
}

Device draw_battery(std::uint32_t hours_wh) {
  Device device{.kind = DeviceKind::battery};
  device.power_min_w = -draw(1, 5000);
  device.power_max_w = draw(1, 5000);
  device.energy_min_wh = draw(0, 1000);
  device.energy_max_wh = device.energy_min_wh + draw(0, static_cast<std::int32_t>(hours_wh));
  device.energy_start_wh = draw(device.energy_min_wh, device.energy_max_wh);
  device.energy_end_min_wh = draw(device.energy_min_wh, device.energy_max_wh);
  device.energy_end_max_wh = draw(device.energy_end_min_wh, device.energy_max_wh);
  return device;
}

Device draw_shapeable(const Grid& grid) {
  Device device{.kind = DeviceKind::shapeable};
  device.power_min_w = draw(0, 1) == 0 ? 0 : -draw(0, 3000);
  device.power_max_w = draw(0, 7000);
  device.start_slot = static_cast<std::uint32_t>(draw(0, static_cast<std::int32_t>(grid.slots) - 4));
  device.end_slot = device.start_slot + 4;
  device.energy_wh = draw(0, 4 * 3600 / static_cast<std::int32_t>(3600 / grid.slot_seconds) * 2);
  if (draw(0, 1) != 0) {
    for (std::uint32_t i = 0; i < 3; ++i) milestones[i] = {device.start_slot + 1 + i, draw(-500, device.energy_wh)};
    device.milestones = milestones;
  }
  return device;
}

// A room and its walls, or a store; with ramps.
Device draw_banded(const Grid& grid) {
  static std::array<LinearState, 2> states;
  const std::int32_t hours = static_cast<std::int32_t>(3600 / grid.slot_seconds);
  Device device{.kind = DeviceKind::banded, .power_min_w = 0, .power_max_w = draw(1000, 6000)};
  device.ramp_up_w = draw(100, 3000);
  if (draw(0, 1) != 0) device.ramp_down_w = draw(100, 3000);
  const std::int32_t leak = draw(5'000, 20'000) / hours;
  const std::int32_t exchange = draw(0, 150'000) / hours;
  states = {};
  for (LinearState& level : states) level = {.start = draw(20'000, 21'000), .min = draw(15'000, 19'500), .max = draw(22'000, 26'000)};
  states[0].keep_ppm = {1'000'000 - leak - exchange, exchange};
  states[0].gain_milli_per_wh = draw(100, 500);
  for (std::uint32_t t = 0; t < grid.slots; ++t) first[t] = leak * draw(0, 12);
  states[0].drift_milli = std::span<const std::int32_t>(first).first(grid.slots);
  states[1].keep_ppm = {draw(0, 30'000), 0};
  states[1].keep_ppm[1] = 1'000'000 - states[1].keep_ppm[0];
  device.states = std::span<const LinearState>(states);
  return device;
}

Device draw_device(Kind kind, const Grid& grid) {
  Device device;
  switch (kind) {
    case curtailable:
      device.kind = DeviceKind::curtailable;
      device.power_min_w = fill(first, grid.slots, -5000, 0);
      device.power_max_w = draw(0, 3000);
      return device;
    case shapeable: return draw_shapeable(grid);
    case battery:
    case priced_battery: return draw_battery(12'000);
    case lossy:
      device = draw_battery(12'000);
      device.energy_end_max_wh = device.energy_max_wh;
      device.charge_efficiency_permille = static_cast<std::uint16_t>(draw(800, 1000));
      device.discharge_efficiency_permille = static_cast<std::uint16_t>(draw(800, 1000));
      device.standing_loss_w = draw(0, 20);
      return device;
    case thermal:
      device.kind = DeviceKind::thermal;
      device.power_max_w = draw(1000, 5000);
      device.gain_mk_per_wh = draw(1, 5);
      device.leak_permyriad_per_slot = draw(0, 400);
      device.ambient_mc = fill(first, grid.slots, -5000, 15'000);
      device.start_mc = draw(18'000, 24'000);
      device.min_mc = fill(second, grid.slots, 15'000, 19'000);
      device.max_mc = fill(third, grid.slots, 23'000, 30'000);
      device.soft = draw(0, 1) != 0;
      return device;
    case appliance: {
      device.kind = DeviceKind::appliance;
      const std::int32_t length = draw(1, 6);
      device.profile_w = fill(first, static_cast<std::uint32_t>(length), 0, 2500).per_slot;
      device.runs = static_cast<std::uint32_t>(draw(1, 3));
      device.interruptible = draw(0, 1) != 0;
      return device;
    }
    case switched:
      device.kind = DeviceKind::switched;
      device.power_w = 60 * draw(1, 50);
      device.energy_wh = device.power_w * static_cast<std::int32_t>(grid.slot_seconds) / 3600 * draw(0, 12);
      device.min_on_slots = static_cast<std::uint32_t>(draw(1, 4));
      device.min_off_slots = static_cast<std::uint32_t>(draw(1, 4));
      return device;
    case banded: return draw_banded(grid);
    default:
      device.kind = DeviceKind::generator;
      device.power_min_w = -draw(0, 8000);
      device.power_max_w = 0;
      device.cost_linear = draw(-3000, 3000);
      device.cost_quadratic = draw(0, 9);
      return device;
  }
}

void run_home(Hash& hash, const Grid& grid) {
  static std::array<Device, 3> devices;
  static std::array<std::int32_t, 3 * slot_count_max> profiles;
  devices = {draw_device(battery, grid), draw_device(generator, grid), draw_device(curtailable, grid)};
  for (const std::size_t part : {0u, 2u}) devices[part].cost_quadratic = draw(0, 1) != 0 ? draw(1, 30) : 0;
  const Home what{devices, draw(2000, 9000)};
  Report report;
  std::uint32_t index = 0;
  const Error error = solve_home(what, grid, std::span(target).first(grid.slots), {}, workspace,
                                 std::span(profile).first(grid.slots), std::span(profiles).first(3 * grid.slots), report, index);
  hash.add(static_cast<std::int64_t>(error));
  if (!ok(error)) return;
  for (std::uint32_t i = 0; i < 3 * grid.slots; ++i) hash.add(profiles[i]);
  hash.add(static_cast<std::int64_t>(report.gap));
}

void run_one(Hash& hash, Kind kind) {
  constexpr std::array<Grid, 3> grids{{{24, 3600}, {48, 1800}, {96, 900}}};
  const Grid grid = grids[static_cast<std::uint32_t>(draw(0, 2))];
  for (std::uint32_t t = 0; t < grid.slots; ++t) target[t] = draw(-6000, 6000);
  if (kind == home) return run_home(hash, grid);
  Cost cost;
  if (kind == priced_battery) {
    cost.weight = static_cast<std::uint32_t>(draw(1, 1000));
    for (std::uint32_t t = 0; t < grid.slots; ++t) price[t] = std::int64_t{draw(-4000, 4000)} * cost.weight + draw(-9, 9);
    cost.price = std::span<const std::int64_t>(price).first(grid.slots);
  }
  const Device device = draw_device(kind, grid);
  Report report;
  const Error error = solve(device, grid, std::span(target).first(grid.slots), cost, workspace,
                            std::span(profile).first(grid.slots), report);
  hash.add(static_cast<std::int64_t>(error));
  if (!ok(error)) return;
  for (std::uint32_t t = 0; t < grid.slots; ++t) hash.add(profile[t]);
  hash.add(static_cast<std::int64_t>(report.gap));
}

void print_line(const char* name, std::uint64_t value) {
  std::array<char, 18> text{};
  for (int i = 0; i < 16; ++i) text[static_cast<std::size_t>(i)] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
  text[16] = '\n';
  print(name);
  print(" trace ");
  print(text.data());
}

}  // namespace

int main() {
  Hash all;
  for (int kind = 0; kind < kind_count; ++kind) {
    Hash hash;
    state = static_cast<std::uint32_t>(kind) + 1;
    const int count = kind == banded || kind == home ? case_count / 10 : case_count;
    for (int i = 0; i < count; ++i) run_one(hash, static_cast<Kind>(kind));
    print_line(names[static_cast<std::size_t>(kind)], hash.value);
    all.add(static_cast<std::int64_t>(hash.value));
  }
  print_line("solver", all.value);
  return 0;
}
