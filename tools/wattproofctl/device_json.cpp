// SPDX-License-Identifier: Apache-2.0
#include "device_json.hpp"

#include "solver/home.hpp"

namespace wattproof::tool {
namespace {

using solver::DeviceKind;
using solver::Grid;

constexpr std::int32_t temperature_mc_max = 1'000'000;
constexpr std::int32_t cost_max = INT32_MAX;  // of a generator
constexpr std::int32_t gain_mk_per_wh_max = 1'000'000;
constexpr std::int32_t level_max = 1'000'000;
constexpr std::int32_t drift_milli_max = 100'000'000;

std::int32_t int32_of(ObjectReader& object, const char* name, std::int64_t min, std::int64_t max) {
  return static_cast<std::int32_t>(object.integer(name, min, max));
}

std::int32_t power_of(ObjectReader& object, const char* name) { return int32_of(object, name, -power_w_max, power_w_max); }

std::int32_t energy_of(ObjectReader& object, const char* name) {
  return int32_of(object, name, -solver::energy_wh_max, solver::energy_wh_max);
}

std::uint32_t slot_of(ObjectReader& object, const char* name, const Grid& grid) {
  return static_cast<std::uint32_t>(object.integer(name, 0, grid.slots));
}

std::span<const std::int32_t> numbers_of(ObjectReader& object, const char* name, std::size_t count_max, std::int64_t limit,
                                         DeviceDescription& description) {
  const std::vector<std::int64_t> values = object.integers(name, count_max, -limit, limit);
  std::vector<std::int32_t>& kept = description.numbers.emplace_back();
  for (const std::int64_t value : values) kept.push_back(static_cast<std::int32_t>(value));
  return kept;
}

// A number for all slots, or an array with one for each.
solver::Series series_of(ObjectReader& object, const char* name, const Grid& grid, std::int64_t limit,
                         DeviceDescription& description) {
  if (!object.member(name).is_array()) return solver::Series(int32_of(object, name, -limit, limit));
  const std::span<const std::int32_t> values = numbers_of(object, name, grid.slots, limit, description);
  if (values.size() != grid.slots) object.fail(name, "must have one entry per slot");
  return solver::Series(values);
}

void read_fixed(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  description.device.profile_w = numbers_of(object, "profile_w", grid.slots, power_w_max, description);
  if (description.device.profile_w.size() != grid.slots) object.fail("profile_w", "must have one entry per slot");
}

void read_curtailable(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  description.device.power_min_w = series_of(object, "min_w", grid, power_w_max, description);
  description.device.power_max_w = series_of(object, "max_w", grid, power_w_max, description);
}

void read_powers(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  description.device.power_min_w = series_of(object, "power_min_w", grid, power_w_max, description);
  description.device.power_max_w = series_of(object, "power_max_w", grid, power_w_max, description);
}

void read_milestones(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  const Json& list = object.array("milestones", grid.slots);
  for (std::size_t i = 0; i < list.size(); ++i) {
    ObjectReader milestone(list[i], object.path_of("milestones[" + std::to_string(i) + "]"));
    description.milestones.push_back({slot_of(milestone, "slot", grid), energy_of(milestone, "energy_min_wh")});
    milestone.finish();
    if (i > 0 && description.milestones[i - 1].slot >= description.milestones[i].slot) {
      milestone.fail("slot", "must be above the one before");
    }
    const bool in_window = description.milestones[i].slot > description.device.start_slot &&
                           description.milestones[i].slot <= description.device.end_slot;
    if (!in_window) milestone.fail("slot", "must be within the window, above start_slot and up to end_slot");
  }
  description.device.milestones = description.milestones;
}

void read_shapeable(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  solver::Device& device = description.device;
  read_powers(object, grid, description);
  device.energy_wh = energy_of(object, "energy_wh");
  device.start_slot = slot_of(object, "start_slot", grid);
  device.end_slot = slot_of(object, "end_slot", grid);
  if (object.has("milestones")) read_milestones(object, grid, description);
}

void read_battery(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  solver::Device& device = description.device;
  read_powers(object, grid, description);
  device.energy_min_wh = energy_of(object, "energy_min_wh");
  device.energy_max_wh = energy_of(object, "energy_max_wh");
  device.energy_start_wh = energy_of(object, "energy_start_wh");
  device.energy_end_min_wh = energy_of(object, "energy_end_min_wh");
  device.energy_end_max_wh = energy_of(object, "energy_end_max_wh");
  device.charge_efficiency_permille =
      static_cast<std::uint16_t>(object.integer_or("charge_efficiency_permille", 1000, 1, 1000));
  device.discharge_efficiency_permille =
      static_cast<std::uint16_t>(object.integer_or("discharge_efficiency_permille", 1000, 1, 1000));
  device.standing_loss_w = static_cast<std::int32_t>(object.integer_or("standing_loss_w", 0, 0, power_w_max));
}

void read_appliance(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  solver::Device& device = description.device;
  device.profile_w = numbers_of(object, "run_w", grid.slots, power_w_max, description);
  if (device.profile_w.empty()) object.fail("run_w", "must have at least one entry");
  device.start_slot = slot_of(object, "earliest_slot", grid);
  device.end_slot = slot_of(object, "latest_end_slot", grid);
  device.runs = static_cast<std::uint32_t>(object.integer_or("runs", 1, 1, grid.slots));
  if (object.has("interruptible")) device.interruptible = object.boolean("interruptible");
}

void read_thermal(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  solver::Device& device = description.device;
  if (object.has("power_min_w")) device.power_min_w = series_of(object, "power_min_w", grid, power_w_max, description);
  device.power_max_w = series_of(object, "power_max_w", grid, power_w_max, description);
  device.gain_mk_per_wh = int32_of(object, "gain_mk_per_wh", -gain_mk_per_wh_max, gain_mk_per_wh_max);
  if (device.gain_mk_per_wh == 0) object.fail("gain_mk_per_wh", "must not be 0: power would change nothing");
  device.leak_permyriad_per_slot = int32_of(object, "leak_permyriad_per_slot", 0, 9999);
  device.ambient_mc = series_of(object, "ambient_mc", grid, temperature_mc_max, description);
  device.start_mc = int32_of(object, "start_mc", -temperature_mc_max, temperature_mc_max);
  device.min_mc = series_of(object, "min_mc", grid, temperature_mc_max, description);
  device.max_mc = series_of(object, "max_mc", grid, temperature_mc_max, description);
  if (object.has("soft")) device.soft = object.boolean("soft");
}

void read_switched(ObjectReader& object, const Grid& grid, solver::Device& device) {
  device.power_w = power_of(object, "power_w");
  device.energy_wh = energy_of(object, "energy_wh");
  const bool is_against_power = (device.power_w > 0 && device.energy_wh < 0) || (device.power_w < 0 && device.energy_wh > 0);
  if (is_against_power) object.fail("energy_wh", "must have the sign of power_w");
  device.min_on_slots = static_cast<std::uint32_t>(object.integer("min_on_slots", 1, grid.slots));
  device.min_off_slots = static_cast<std::uint32_t>(object.integer("min_off_slots", 1, grid.slots));
  device.start_slot = slot_of(object, "start_slot", grid);
  device.end_slot = slot_of(object, "end_slot", grid);
}

void read_generator(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  solver::Device& device = description.device;
  read_powers(object, grid, description);
  device.cost_linear = int32_of(object, "cost_linear", -cost_max, cost_max);
  device.cost_quadratic = int32_of(object, "cost_quadratic", 0, cost_max);
}

void read_states(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  const Json& list = object.array("states", 2);
  for (std::size_t i = 0; i < list.size(); ++i) {
    ObjectReader state(list[i], object.path_of("states[" + std::to_string(i) + "]"));
    solver::LinearState& to = description.states.emplace_back();
    to.start = int32_of(state, "start", -level_max, level_max);
    to.min = series_of(state, "min", grid, level_max, description);
    to.max = series_of(state, "max", grid, level_max, description);
    to.gain_milli_per_wh = int32_of(state, "gain_milli_per_wh", -gain_mk_per_wh_max, gain_mk_per_wh_max);
    if (state.has("drift_milli")) to.drift_milli = series_of(state, "drift_milli", grid, drift_milli_max, description);
    const std::vector<std::int64_t> keep = state.integers("keep_ppm", list.size(), -1'000'000, 1'000'000);
    if (keep.size() != list.size()) state.fail("keep_ppm", "must have one entry per state");
    std::int64_t sum = 0;
    for (std::size_t j = 0; j < keep.size(); ++j) {
      to.keep_ppm[j] = static_cast<std::int32_t>(keep[j]);
      sum += keep[j] < 0 ? -keep[j] : keep[j];
    }
    if (sum > 1'000'000) state.fail("keep_ppm", "must not add up to more than 1000000, signs left out");
    state.finish();
  }
  description.device.states = description.states;
}

void read_banded(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  solver::Device& device = description.device;
  read_powers(object, grid, description);
  if (object.has("ramp_up_w")) device.ramp_up_w = int32_of(object, "ramp_up_w", 0, 2 * power_w_max);
  if (object.has("ramp_down_w")) device.ramp_down_w = int32_of(object, "ramp_down_w", 0, 2 * power_w_max);
  device.is_ramped_from_before = object.has("power_before_w");
  if (device.is_ramped_from_before) device.power_before_w = power_of(object, "power_before_w");
  if (object.has("states")) read_states(object, grid, description);
}

DeviceKind kind_of(ObjectReader& object) {
  constexpr std::array<const char*, 10> names{"fixed",   "curtailable", "shapeable", "battery", "appliance",
                                              "thermal", "switched",    "generator", "banded",  "home"};
  const std::string& type = object.text("type");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (type == names[i]) return static_cast<DeviceKind>(i);
  }
  object.fail("type", "\"" + type.substr(0, 32) + "\" is not a known device type");
}

void read_own_cost(ObjectReader& object, solver::Device& device) {
  device.cost_quadratic = static_cast<std::int32_t>(object.integer_or("own_cost_quadratic", 0, 0, solver::own_cost_max));
}

// Every kind but a home.
void read_single(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  switch (description.device.kind) {
    case DeviceKind::fixed: read_fixed(object, grid, description); break;
    case DeviceKind::curtailable: read_curtailable(object, grid, description); break;
    case DeviceKind::shapeable: read_shapeable(object, grid, description); break;
    case DeviceKind::battery: read_battery(object, grid, description); break;
    case DeviceKind::appliance: read_appliance(object, grid, description); break;
    case DeviceKind::thermal: read_thermal(object, grid, description); break;
    case DeviceKind::switched: read_switched(object, grid, description.device); break;
    case DeviceKind::generator: read_generator(object, grid, description); break;
    case DeviceKind::banded: read_banded(object, grid, description); break;
    case DeviceKind::home: object.fail("type", "a home is made of other devices"); break;
  }
  if (description.device.kind != DeviceKind::generator) read_own_cost(object, description.device);
  object.finish();
}

void read_home(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  description.device.limit_w = int32_of(object, "limit_w", 0, power_w_max);
  const Json& list = object.array("devices", solver::home_device_count_max);
  if (list.empty()) object.fail("devices", "is empty");
  for (std::size_t i = 0; i < list.size(); ++i) {
    ObjectReader part(list[i], object.path_of("devices[" + std::to_string(i) + "]"));
    DeviceDescription& to = description.parts.emplace_back();
    to.device.kind = kind_of(part);
    if (to.device.kind == DeviceKind::banded) part.fail("type", "a home is made of exact parts, and a banded device is not one");
    read_single(part, grid, to);
  }
  read_own_cost(object, description.device);
  object.finish();
  gather_parts(description);
}

}  // namespace

void gather_parts(DeviceDescription& description) {
  description.part_devices.clear();
  for (const DeviceDescription& part : description.parts) description.part_devices.push_back(part.device);
  description.device.parts = description.part_devices.data();
  description.device.part_count = static_cast<std::uint32_t>(description.part_devices.size());
}

void read_device(ObjectReader& object, const Grid& grid, DeviceDescription& description) {
  description.device.kind = kind_of(object);
  if (description.device.kind == DeviceKind::home) return read_home(object, grid, description);
  read_single(object, grid, description);
}

}  // namespace wattproof::tool
