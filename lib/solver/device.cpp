// SPDX-License-Identifier: Apache-2.0
#include "solver/device.hpp"

#include "base/result.hpp"
#include "solver/banded.hpp"
#include "solver/home.hpp"
#include "solver/single.hpp"
#include "solver/store.hpp"

namespace wattproof::solver {

namespace {

bool in_energy_range(std::int32_t energy_wh) { return is_within(energy_wh, energy_wh_max); }

bool is_efficiency(std::uint32_t permille) { return permille - 1 < 1000; }  // 1..1000

Error validate_values(std::span<const std::int32_t> values, std::int32_t limit) {
  for (const std::int32_t value : values) {
    if (!is_within(value, limit)) return Error::out_of_range;
  }
  return Error::none;
}

Error validate_series(const Series& series, const Grid& grid, std::int32_t limit) {
  if (series.per_slot.empty()) return is_within(series.constant, limit) ? Error::none : Error::out_of_range;
  return series.per_slot.size() == grid.slots ? validate_values(series.per_slot, limit) : Error::wrong_length;
}

// 1..slots.
bool is_count(std::size_t value, const Grid& grid) { return value - 1 < grid.slots; }

Error validate_cycle(const Device& device, const Grid& grid) {
  if (!is_count(device.profile_w.size(), grid)) return Error::wrong_length;
  return validate_values(device.profile_w, power_w_max);
}

Error validate_milestones(const Device& device, const Grid& grid) {
  std::uint32_t before = device.start_slot;
  for (const Milestone& milestone : device.milestones) {
    if (milestone.slot <= before || milestone.slot > end_slot(device, grid)) return Error::out_of_range;
    if (!in_energy_range(milestone.energy_min_wh)) return Error::out_of_range;
    before = milestone.slot;
  }
  return Error::none;
}

Error validate_switched(const Device& device, const Grid& grid) {
  if (!is_count(device.min_on_slots, grid) || !is_count(device.min_off_slots, grid)) return Error::out_of_range;
  if (!is_within(device.power_w, power_w_max)) return Error::out_of_range;
  if (device.energy_wh == 0) return Error::none;
  if ((device.energy_wh < 0) != (device.power_w < 0)) return Error::out_of_range;
  if (device.power_w == 0) return Error::not_a_multiple;
  return std::int64_t{device.energy_wh} * slots_per_hour(grid) % device.power_w == 0 ? Error::none : Error::not_a_multiple;
}

Error validate_battery(const Device& device) {
  const std::array<std::int32_t, 5> energies_wh{device.energy_min_wh, device.energy_max_wh, device.energy_start_wh,
                                                device.energy_end_min_wh, device.energy_end_max_wh};
  WATTPROOF_TRY(validate_values(energies_wh, energy_wh_max));
  if (!is_efficiency(device.charge_efficiency_permille)) return Error::out_of_range;
  if (!is_efficiency(device.discharge_efficiency_permille)) return Error::out_of_range;
  const bool is_loss = device.standing_loss_w >= 0 && device.standing_loss_w <= power_w_max;
  return is_loss ? Error::none : Error::out_of_range;
}

Error validate_thermal(const Device& device, const Grid& grid) {
  WATTPROOF_TRY(validate_series(device.ambient_mc, grid, temperature_mc_max));
  WATTPROOF_TRY(validate_series(device.min_mc, grid, temperature_mc_max));
  WATTPROOF_TRY(validate_series(device.max_mc, grid, temperature_mc_max));
  if (!is_within(device.start_mc, temperature_mc_max) || !is_within(device.gain_mk_per_wh, gain_mk_per_wh_max)) return Error::out_of_range;
  const bool is_leak = device.leak_permyriad_per_slot >= 0 && device.leak_permyriad_per_slot < Store::permyriad;
  return is_leak ? Error::none : Error::out_of_range;
}

}  // namespace

Error validate_single(const Device& device, const Grid& grid) {
  if (grid.slots < 1 || grid.slots > slot_count_max) return Error::slot_count_invalid;
  if (grid.slot_seconds < 1 || grid.slot_seconds > 3600 || 3600 % grid.slot_seconds != 0) {
    return Error::slot_count_invalid;
  }
  const bool is_known = device.kind <= DeviceKind::banded && is_built(device.kind);
  if (!is_known || (has_losses(device) && !is_lossy_built())) return Error::unknown_kind;
  const bool is_generator = device.kind == DeviceKind::generator;
  if (device.cost_quadratic < 0 || (!is_generator && device.cost_quadratic > own_cost_max)) return Error::out_of_range;
  if (device.kind == DeviceKind::shapeable || device.kind == DeviceKind::appliance || device.kind == DeviceKind::switched) {
    const std::uint32_t end = end_slot(device, grid);
    if (end > grid.slots || device.start_slot >= end) return Error::out_of_range;
    if (device.kind != DeviceKind::appliance && !in_energy_range(device.energy_wh)) return Error::out_of_range;
  }
  if (device.kind == DeviceKind::switched) return validate_switched(device, grid);
  if (device.kind == DeviceKind::appliance) {
    return is_count(device.runs, grid) ? validate_cycle(device, grid) : Error::out_of_range;
  }
  if (device.kind == DeviceKind::fixed) {
    return device.profile_w.size() == grid.slots ? validate_cycle(device, grid) : Error::wrong_length;
  }
  WATTPROOF_TRY(validate_series(device.power_min_w, grid, power_w_max));
  WATTPROOF_TRY(validate_series(device.power_max_w, grid, power_w_max));
  if (device.kind == DeviceKind::shapeable) return validate_milestones(device, grid);
  if (device.kind == DeviceKind::battery) return validate_battery(device);
  if (is_built(DeviceKind::thermal) && device.kind == DeviceKind::thermal) return validate_thermal(device, grid);
  if (is_built(DeviceKind::banded) && device.kind == DeviceKind::banded) return validate_banded(device, grid);
  if (is_generator && limited(device.cost_linear, 47) != device.cost_linear) return Error::out_of_range;
  return Error::none;
}

Error validate(const Device& device, const Grid& grid) {
  const bool is_home = is_built(DeviceKind::home) && device.kind == DeviceKind::home;
  return is_home ? validate_home(device, grid) : validate_single(device, grid);
}

}  // namespace wattproof::solver
