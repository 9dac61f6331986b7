// SPDX-License-Identifier: Apache-2.0
// A community of 50 devices of every kind that the library knows: how many there are of each, and what each is like.
#include "rounds/all_kinds.hpp"

#include "rounds/draw.hpp"

namespace wattproof::bench {
namespace {

using solver::DeviceKind;

struct Share {
  Variety variety;
  std::uint32_t count;
  const char* name;
};

constexpr Share shares[] = {
    {Variety::load, 6, "load"},
    {Variety::solar, 4, "solar"},
    {Variety::charger, 7, "charger"},
    {Variety::charger_with_milestones, 4, "charger with milestones"},
    {Variety::battery, 4, "battery"},
    {Variety::lossy_battery, 4, "lossy battery"},
    {Variety::heat_pump, 4, "heat pump"},
    {Variety::cold_store, 2, "cold store"},
    {Variety::appliance, 4, "appliance"},
    {Variety::appliance_twice, 2, "appliance twice"},
    {Variety::appliance_with_pauses, 2, "appliance with pauses"},
    {Variety::boiler, 2, "boiler"},
    {Variety::generator, 1, "generator"},
    {Variety::pump, 1, "pump"},
    {Variety::home, 2, "home"},
    {Variety::home_of_patterns, 1, "home of patterns"},
};

constexpr std::uint32_t total() {
  std::uint32_t sum = 0;
  for (const Share& share : shares) sum += share.count;
  return sum;
}
static_assert(total() == all_kinds_count);

}  // namespace

const char* name_of(Variety variety) {
  for (const Share& share : shares) {
    if (share.variety == variety) return share.name;
  }
  return "";
}

std::vector<Member> make_all_kinds(const solver::Grid& grid, std::mt19937& random) {
  std::vector<Member> members;
  for (const Share& share : shares) {
    for (std::uint32_t i = 0; i < share.count; ++i) members.emplace_back(grid, random, share.variety);
  }
  return members;
}

Member::Member(const solver::Grid& grid, std::mt19937& random, Variety variety) : grid_(grid), variety_(variety) {
  make(variety, random);
  fallback_.resize(grid.slots, 0);
  last_ = fallback_;
}

void Member::make(Variety variety, std::mt19937& random) {
  constexpr Variety electric[] = {Variety::load, Variety::solar, Variety::battery, Variety::charger};
  constexpr Variety busy[] = {Variety::load, Variety::heat_pump, Variety::charger, Variety::appliance};
  switch (variety) {
    case Variety::load: return make_by_hours(DeviceKind::fixed, random);
    case Variety::solar: return make_by_hours(DeviceKind::curtailable, random);
    case Variety::charger:
    case Variety::charger_with_milestones: make_charger(random); break;
    case Variety::battery: return make_battery(random);
    case Variety::lossy_battery: return make_lossy_battery(random);
    case Variety::heat_pump: make_heat_pump(random); break;
    case Variety::cold_store: return make_cold_store(random);
    case Variety::appliance: return make_appliance(random);
    case Variety::appliance_twice:
    case Variety::appliance_with_pauses: make_appliance(random); break;
    case Variety::boiler: return make_boiler(random);
    case Variety::generator: return make_generator(random);
    case Variety::pump: return make_pump(random);
    case Variety::home: return make_home(electric, random);
    case Variety::home_of_patterns: return make_home(busy, random);
  }
  if (variety == Variety::charger_with_milestones) {
    // Nearly a third of the energy after each third of the time: somebody may want to leave earlier.
    const std::uint32_t third = (device_.end_slot - device_.start_slot) / 3;
    milestones_ = {{device_.start_slot + third, device_.energy_wh * 3 / 10},
                   {device_.start_slot + 2 * third, device_.energy_wh * 6 / 10}};
  }
  if (variety == Variety::appliance_twice) device_.runs = 2;
  if (variety == Variety::appliance_with_pauses) device_.interruptible = true;
  // One house in two was left to cool overnight, to where no power brings it into its band at once.
  if (variety == Variety::heat_pump && between(random, 0, 1) == 0) device_.start_mc = 17'500;
}

void Member::make_lossy_battery(std::mt19937& random) {
  make_battery(random);
  device_.charge_efficiency_permille = device_.discharge_efficiency_permille = 950;
  device_.standing_loss_w = 8;
  device_.energy_end_max_wh = device_.energy_max_wh;
}

// Colder than its surroundings, within a band that holds without exception.
void Member::make_cold_store(std::mt19937& random) {
  device_ = {.kind = DeviceKind::thermal, .power_max_w = 500 * between(random, 3, 6), .gain_mk_per_wh = -2,
             .leak_permyriad_per_slot = 240 * 24 / static_cast<std::int32_t>(grid_.slots),
             .start_mc = -20'000, .min_mc = -24'000, .max_mc = -18'000};
  for (std::uint32_t t = 0; t < grid_.slots; ++t) series_.push_back(6000 + rounded(5000 * bump(24.0 * t / grid_.slots, 14, 5)));
}

void Member::make_boiler(std::mt19937& random) {
  const std::int32_t power = 1000 * between(random, 2, 3);
  const std::uint32_t start = hours(random, grid_, 0, 10), on = 4 * grid_.slots / 24;
  device_ = {.kind = DeviceKind::switched, .start_slot = start, .end_slot = start + hours(random, grid_, 10, 14),
             .energy_wh = 4 * power, .power_w = power, .min_on_slots = on / 4, .min_off_slots = on / 4};
}

void Member::make_generator(std::mt19937& random) {
  device_ = {.kind = DeviceKind::generator, .power_min_w = -1000 * between(random, 3, 6), .power_max_w = 0,
             .cost_linear = 1000 * between(random, 60, 120), .cost_quadratic = 10 << 16};
}

// Fills a tank that others draw from all day, and may not be sped up or slowed down at will. It ends the day as full as it began.
void Member::make_pump(std::mt19937& random) {
  const std::int32_t slots_an_hour = solver::slots_per_hour(grid_), power = 1000 * between(random, 3, 5);
  const std::int32_t use_wh = power * between(random, 30, 45) / 100 / slots_an_hour;
  const std::int32_t full_wh = 4 * power, ramp_w = power / 4 / slots_an_hour;
  device_ = {.kind = DeviceKind::banded, .power_max_w = power, .ramp_up_w = ramp_w, .ramp_down_w = ramp_w};
  series_.assign(grid_.slots, full_wh / 10);
  series_.back() = full_wh / 2;
  states_ = {{.start = full_wh / 2, .max = full_wh, .keep_ppm = {1'000'000, 0}, .gain_milli_per_wh = 1000,
              .drift_milli = -1000 * use_wh}};
  own_.quadratic = 6ull << 16;
}

// A device in a home wears and loses what it would alone, so each part has its own cost; the sum has none, since what the
// line to the meter loses, 1 W at 1 kW, is a few hundredths of these.
void Member::make_home(std::span<const Variety> parts, std::mt19937& random) {
  device_ = {.kind = DeviceKind::home, .limit_w = 1000 * between(random, 9, 11)};
  for (const Variety part : parts) parts_.emplace_back(grid_, random, part);
  for (const Member& part : parts_) {
    if (part.variety() == Variety::load) fallback_ = part.fallback();
  }
}

bool Member::is_given_to_optimum() const {
  switch (device_.kind) {
    case DeviceKind::curtailable:
    case DeviceKind::shapeable:
    case DeviceKind::generator:
    case DeviceKind::banded: return false;
    case DeviceKind::battery: return device_.charge_efficiency_permille < 1000;
    default: return true;
  }
}

void Member::limit_sums(reference::ConvexDevice& convex) const {
  const double per_wh = solver::slots_per_hour(grid_);
  if (device_.kind == DeviceKind::battery) {
    convex.sum_low.assign(grid_.slots, per_wh * (device_.energy_min_wh - device_.energy_start_wh));
    convex.sum_high.assign(grid_.slots, per_wh * (device_.energy_max_wh - device_.energy_start_wh));
    convex.sum_low.back() = convex.sum_high.back() = 0;
  }
  if (device_.kind == DeviceKind::shapeable) {
    for (const solver::Milestone& milestone : milestones_) convex.sum_low[milestone.slot - 1] = per_wh * milestone.energy_min_wh;
    convex.sum_low.back() = convex.sum_high.back() = per_wh * device_.energy_wh;
  }
  if (device_.kind != DeviceKind::banded) return;
  convex.rise_w = device_.ramp_up_w;
  convex.fall_w = device_.ramp_down_w;
  const solver::LinearState& tank = states_.front();
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    const double level_wh = tank.start + (t + 1.0) * tank.drift_milli.at(t) / 1000;  // of a pump that stands still
    convex.sum_low[t] = per_wh * (series_[t] - level_wh);
    convex.sum_high[t] = per_wh * (tank.max.at(t) - level_wh);
  }
}

}  // namespace wattproof::bench
