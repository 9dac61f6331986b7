// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/device_configuration.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "solver/banded.hpp"
#include "solver/home.hpp"
#include "solver/thermal.hpp"

namespace wattproof::firmware {
namespace {

using solver::DeviceKind;

constexpr std::int64_t million = 1'000'000;

std::int32_t i32(ConfigSection& section, std::string_view key, std::int64_t min, std::int64_t max,
                 std::optional<std::int64_t> fallback = {}) {
  return static_cast<std::int32_t>(section.integer(key, min, max, fallback));
}

void read_window(ConfigSection& section, DeviceConfiguration& device, std::string_view start, std::string_view end) {
  device.settings.start_slot = u32(section.integer(start, 0, device.grid.slots - 1, 0));
  device.settings.end_slot = u32(section.integer(end, 1, device.grid.slots));
  if (device.settings.end_slot <= device.settings.start_slot) {
    section.complain(end, "must be after " + std::string(start) + " (ends are exclusive)");
  }
}

void read_powers(ConfigSection& section, DeviceConfiguration& device) {
  device.power_min_w = read_series(section, device, "power_min_w");
  device.power_max_w = read_series(section, device, "power_max_w");
}

void read_shapeable(ConfigSection& section, DeviceConfiguration& device) {
  read_powers(section, device);
  device.settings.energy_wh = i32(section, "energy_wh", -solver::energy_wh_max, solver::energy_wh_max);
  read_window(section, device, "start_slot", "end_slot");
  if (!section.has("milestone_slots") && !section.has("milestone_energy_min_wh")) return;
  const std::vector<std::int32_t> slots =
      section.series("milestone_slots", 1, static_cast<std::int32_t>(device.grid.slots), slot_count_max);
  const std::vector<std::int32_t> energies =
      section.series("milestone_energy_min_wh", -solver::energy_wh_max, solver::energy_wh_max, slot_count_max);
  if (slots.size() != energies.size()) return section.complain("milestone_slots", "must have as many entries as milestone_energy_min_wh");
  std::uint32_t before = device.settings.start_slot;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::uint32_t slot = u32(slots[i]);
    if (slot <= before || slot > device.settings.end_slot) {
      return section.complain("milestone_slots", "must ascend within the window, above start_slot and up to end_slot");
    }
    device.milestones.push_back({slot, energies[i]});
    before = slot;
  }
}

void read_battery(ConfigSection& section, DeviceConfiguration& device) {
  const auto energy = [&](std::string_view key) { return i32(section, key, 0, solver::energy_wh_max); };
  solver::Device& to = device.settings;
  read_powers(section, device);
  to.energy_min_wh = energy("energy_min_wh");
  to.energy_max_wh = energy("energy_max_wh");
  to.energy_start_wh = energy("energy_start_wh");
  to.energy_end_min_wh = energy("energy_end_min_wh");
  to.energy_end_max_wh = energy("energy_end_max_wh");
  if (to.energy_max_wh < to.energy_min_wh) section.complain("energy_max_wh", "is below energy_min_wh");
  if (to.energy_end_max_wh < to.energy_end_min_wh) section.complain("energy_end_max_wh", "is below energy_end_min_wh");
  to.charge_efficiency_permille = static_cast<std::uint16_t>(section.integer("charge_efficiency_permille", 1, 1000, 1000));
  to.discharge_efficiency_permille = static_cast<std::uint16_t>(section.integer("discharge_efficiency_permille", 1, 1000, 1000));
  to.standing_loss_w = i32(section, "standing_loss_w", 0, power_w_max, 0);
}

void read_appliance(ConfigSection& section, DeviceConfiguration& device) {
  device.profile_w = section.series("run_w", 0, power_w_max, slot_count_max);
  read_window(section, device, "earliest_slot", "latest_end_slot");
  device.settings.runs = u32(section.integer("runs", 1, device.grid.slots, 1));
  device.settings.interruptible = section.boolean("interruptible", false);
  const std::uint32_t window = device.settings.end_slot - device.settings.start_slot;
  if (device.settings.end_slot > device.settings.start_slot && device.profile_w.size() * device.settings.runs > window) {
    section.complain("run_w", "is longer than the window");
  }
}

void read_thermal(ConfigSection& section, DeviceConfiguration& device) {
  solver::Device& to = device.settings;
  constexpr std::int32_t limit = solver::temperature_mc_max;
  device.power_min_w = read_series(section, device, "power_min_w", 0);
  device.power_max_w = read_series(section, device, "power_max_w");
  to.gain_mk_per_wh = i32(section, "gain_mk_per_wh", -solver::gain_mk_per_wh_max, solver::gain_mk_per_wh_max);
  to.leak_permyriad_per_slot = i32(section, "leak_permyriad_per_slot", 0, 9999);
  device.ambient_mc = read_series(section, device, "ambient_mc", {}, limit);
  to.start_mc = i32(section, "start_mc", -limit, limit);
  device.min_mc = read_series(section, device, "min_mc", {}, limit);
  device.max_mc = read_series(section, device, "max_mc", {}, limit);
  to.soft = section.boolean("soft", false);
}

void read_switched(ConfigSection& section, DeviceConfiguration& device) {
  solver::Device& to = device.settings;
  to.power_w = i32(section, "power_w", -power_w_max, power_w_max);
  to.energy_wh = i32(section, "energy_wh", -solver::energy_wh_max, solver::energy_wh_max);
  to.min_on_slots = u32(section.integer("min_on_slots", 1, device.grid.slots, 1));
  to.min_off_slots = u32(section.integer("min_off_slots", 1, device.grid.slots, 1));
  read_window(section, device, "start_slot", "end_slot");
  const std::int64_t energy = std::int64_t{to.energy_wh} * solver::slots_per_hour(device.grid);
  const bool is_whole = energy == 0 || (to.power_w != 0 && (energy < 0) == (to.power_w < 0) && energy % to.power_w == 0);
  if (!is_whole) section.complain("energy_wh", "is no whole number of slots at power_w");
}

void read_generator(ConfigSection& section, DeviceConfiguration& device) {
  constexpr std::int64_t number_max = std::numeric_limits<std::int32_t>::max();
  read_powers(section, device);
  device.settings.cost_linear = section.integer("cost_linear", -number_max, number_max);
  device.settings.cost_quadratic = i32(section, "cost_quadratic", 0, number_max);
}

void read_state(ConfigSection section, DeviceConfiguration& device, std::size_t count) {
  StateConfiguration& state = device.states.emplace_back();
  constexpr std::int32_t limit = solver::banded_level_max;
  state.settings.start = i32(section, "start", -limit, limit);
  state.min = read_series(section, device, "min", {}, limit);
  state.max = read_series(section, device, "max", {}, limit);
  state.settings.gain_milli_per_wh = i32(section, "gain_milli_per_wh", -solver::banded_gain_milli_max, solver::banded_gain_milli_max);
  state.drift_milli = read_series(section, device, "drift_milli", 0, solver::banded_drift_milli_max);
  const std::vector<std::int32_t> keep = section.series("keep_ppm", -million, million, count);
  if (keep.size() != count) section.complain("keep_ppm", "must have one entry per state");
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < keep.size() && i < count; ++i) {
    state.settings.keep_ppm[i] = keep[i];
    sum += keep[i] < 0 ? -keep[i] : keep[i];
  }
  if (sum > million) section.complain("keep_ppm", "must not add up to more than 1000000, signs left out");
  section.finish();
}

void read_banded(ConfigSection& section, DeviceConfiguration& device) {
  solver::Device& to = device.settings;
  read_powers(section, device);
  to.ramp_up_w = i32(section, "ramp_up_w", 0, solver::ramp_unlimited, solver::ramp_unlimited);
  to.ramp_down_w = i32(section, "ramp_down_w", 0, solver::ramp_unlimited, solver::ramp_unlimited);
  to.is_ramped_from_before = section.has("power_before_w");
  to.power_before_w = i32(section, "power_before_w", -power_w_max, power_w_max, 0);
  const std::size_t count = section.has("second_state") ? 2 : section.has("first_state") ? 1 : 0;
  if (count > 0) read_state(section.section("first_state"), device, count);
  if (count > 1) read_state(section.section("second_state"), device, count);
}

// Everything but id, grid and homes.
void read_single(ConfigSection& section, DeviceConfiguration& device) {
  switch (device.settings.kind) {
    case DeviceKind::fixed:
      device.profile_w = read_series(section, device, "profile_w");
      if (device.profile_w.size() == 1) device.profile_w.assign(device.grid.slots, device.profile_w.front());
      break;
    case DeviceKind::curtailable:
      device.power_min_w = read_series(section, device, "min_w");
      device.power_max_w = read_series(section, device, "max_w");
      break;
    case DeviceKind::shapeable: read_shapeable(section, device); break;
    case DeviceKind::battery: read_battery(section, device); break;
    case DeviceKind::appliance: read_appliance(section, device); break;
    case DeviceKind::thermal: read_thermal(section, device); break;
    case DeviceKind::switched: read_switched(section, device); break;
    case DeviceKind::generator: read_generator(section, device); break;
    case DeviceKind::banded: read_banded(section, device); break;
    case DeviceKind::home: break;
  }
}

constexpr std::array<std::string_view, 10> kinds = {"fixed",   "curtailable", "shapeable", "battery", "appliance",
                                                    "thermal", "switched",    "generator", "banded",  "home"};

// Each table below [device.parts] is one device, in the order of their names.
void read_home(ConfigSection& section, DeviceConfiguration& device) {
  device.settings.limit_w = i32(section, "limit_w", 0, power_w_max);
  ConfigSection parts = section.section("parts");
  const std::vector<std::string> names = parts.section_names();
  if (names.empty() || names.size() > solver::home_device_count_max) {
    section.complain("parts", "must have 1 to " + std::to_string(solver::home_device_count_max) + " tables");
    return;
  }
  device.parts.reserve(names.size());
  for (const std::string& name : names) {
    ConfigSection one = parts.section(name);
    DeviceConfiguration& part = device.parts.emplace_back();
    part.grid = device.grid;
    part.line = one.line();
    const std::size_t kind = one.choice("kind", std::span(kinds).first(8));  // neither banded nor a home
    if (kind == 8) continue;
    part.settings.kind = static_cast<DeviceKind>(kind);
    if (part.settings.kind != DeviceKind::generator) part.settings.cost_quadratic = i32(one, "own_cost_quadratic", 0, solver::own_cost_max, 0);
    read_single(one, part);
    one.finish();
  }
  parts.finish();
}

}  // namespace

std::vector<std::int32_t> read_series(ConfigSection& section, const DeviceConfiguration& device, std::string_view key,
                                      std::optional<std::int32_t> fallback, std::int32_t limit) {
  std::vector<std::int32_t> values = section.series(key, -limit, limit, slot_count_max, fallback);
  if (values.size() != 1 && values.size() != device.grid.slots) {
    section.complain(key, "has " + std::to_string(values.size()) + " entries; there are " + std::to_string(device.grid.slots) + " slots");
  }
  return values;
}

solver::Series to_series(const std::vector<std::int32_t>& values) {
  if (values.size() > 1) return solver::Series(std::span<const std::int32_t>(values));
  return solver::Series(values.empty() ? 0 : values.front());
}

void read_device(ConfigSection section, DeviceConfiguration& device) {
  device.id = u32(section.integer("id", 1, 0xffffffff));
  device.line = section.line();
  device.grid.slots = u32(section.integer("slots", 1, slot_count_max, 24));
  device.grid.slot_seconds = u32(section.integer("slot_seconds", 1, 3600, 3600));
  if (3600 % device.grid.slot_seconds != 0) section.complain("slot_seconds", "must divide 3600");
  const std::size_t kind = section.choice("kind", kinds);
  if (kind == kinds.size()) return;  // which keys belong here is not known
  device.settings.kind = static_cast<DeviceKind>(kind);
  device.own_cost_quadratic = static_cast<std::uint64_t>(section.integer("own_cost_quadratic", 0, (std::int64_t{1} << 40) - 1, 0));
  if (device.settings.kind == DeviceKind::home) read_home(section, device);
  read_single(section, device);
  section.finish();
}

solver::Device DeviceConfiguration::device() const {
  solver::Device device = settings;
  device.profile_w = profile_w;
  device.power_min_w = to_series(power_min_w);
  device.power_max_w = to_series(power_max_w);
  device.ambient_mc = to_series(ambient_mc);
  device.min_mc = to_series(min_mc);
  device.max_mc = to_series(max_mc);
  device.milestones = milestones;
  state_array_.clear();
  for (const StateConfiguration& state : states) {
    solver::LinearState& to = state_array_.emplace_back(state.settings);
    to.min = to_series(state.min);
    to.max = to_series(state.max);
    to.drift_milli = to_series(state.drift_milli);
  }
  device.states = state_array_;
  part_array_.clear();
  for (const DeviceConfiguration& part : parts) part_array_.push_back(part.device());
  device.parts = part_array_.data();
  device.part_count = static_cast<std::uint32_t>(part_array_.size());
  return device;
}

solver::WorkspaceView DeviceConfiguration::workspace() const {
  const solver::Device described = device();
  if (solver::validate(described, grid) != Error::none) return {};
  workspace_.resize(std::max<std::size_t>(1, solver::workspace_words(described, grid)));
  return workspace_;
}

}  // namespace wattproof::firmware
