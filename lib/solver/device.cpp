// SPDX-License-Identifier: Apache-2.0
#include "solver/device.hpp"

#include <bit>
#include <cstddef>
#include <limits>
#include <type_traits>

#include "base/result.hpp"
#include "solver/banded.hpp"
#include "solver/home.hpp"
#include "solver/single.hpp"
#include "solver/store.hpp"

namespace wattproof::solver {

namespace {

// Of all kinds but the banded one, which has none.
constexpr std::uint8_t bit(DeviceKind kind) { return static_cast<std::uint8_t>(1u << static_cast<std::uint32_t>(kind)); }

constexpr std::uint8_t fixed = bit(DeviceKind::fixed);
constexpr std::uint8_t shapeable = bit(DeviceKind::shapeable);
constexpr std::uint8_t battery = bit(DeviceKind::battery);
constexpr std::uint8_t appliance = bit(DeviceKind::appliance);
constexpr std::uint8_t thermal = bit(DeviceKind::thermal);
constexpr std::uint8_t switched = bit(DeviceKind::switched);
constexpr std::uint8_t generator = bit(DeviceKind::generator);
constexpr std::uint8_t with_power = bit(DeviceKind::curtailable) | shapeable | battery | thermal | generator;
constexpr std::uint8_t all_kinds = with_power | fixed | appliance | switched;

constexpr std::int64_t cost_linear_max = std::int64_t{1} << 46;  // 16 more bits of Cost::own_scale, and sums with all else, stay within 63

// What a number may be: as far from 0 as its limit, or, where that is below 0, from 0 to ~limit. The last: from 1 to the number of slots.
enum Range : std::uint8_t { power, energy, temperature, loss, leak, own_cost, not_negative, slots };
constexpr std::int32_t limits[slots]{power_w_max,       energy_wh_max, temperature_mc_max, ~power_w_max,
                                     -Store::permyriad, ~own_cost_max, std::numeric_limits<std::int32_t>::min()};

// Numbers of a device that are checked by their range alone, in a table, since code for each would be several times as much: the
// kinds that read them, where in a device they are, and how many in a row; or 0 for a series, or a cycle that is not empty.
struct Rule {
  std::uint8_t kinds;
  std::uint8_t word;
  std::uint8_t size;
  Range range;
};

// Their bytes are read as they lie in the device.
#define WATTPROOF_WORD(field) (offsetof(Device, field) / 4)
static_assert(std::is_standard_layout_v<Device> && sizeof(Device) <= 4 * 256);
static_assert(WATTPROOF_WORD(energy_end_max_wh) == WATTPROOF_WORD(energy_min_wh) + 4);
static_assert(WATTPROOF_WORD(min_off_slots) == WATTPROOF_WORD(min_on_slots) + 1);
static_assert(WATTPROOF_WORD(discharge_efficiency_permille) == WATTPROOF_WORD(charge_efficiency_permille) + 1);
static_assert(gain_mk_per_wh_max == temperature_mc_max);
constexpr Rule rules[]{
    {with_power, WATTPROOF_WORD(power_min_w), 0, power},
    {with_power, WATTPROOF_WORD(power_max_w), 0, power},
    {fixed | appliance, WATTPROOF_WORD(profile_w), 0, power},
    {thermal, WATTPROOF_WORD(ambient_mc), 0, temperature},
    {thermal, WATTPROOF_WORD(min_mc), 0, temperature},
    {thermal, WATTPROOF_WORD(max_mc), 0, temperature},
    {thermal, WATTPROOF_WORD(start_mc), 1, temperature},
    {thermal, WATTPROOF_WORD(gain_mk_per_wh), 1, temperature},
    {thermal, WATTPROOF_WORD(leak_permyriad_per_slot), 1, leak},
    {battery, WATTPROOF_WORD(energy_min_wh), 5, energy},
    {battery, WATTPROOF_WORD(standing_loss_w), 1, loss},
    {shapeable | switched, WATTPROOF_WORD(energy_wh), 1, energy},
    {switched, WATTPROOF_WORD(power_w), 1, power},
    {switched, WATTPROOF_WORD(min_on_slots), 2, slots},
    {appliance, WATTPROOF_WORD(runs), 1, slots},
    {all_kinds & ~generator, WATTPROOF_WORD(cost_quadratic), 1, own_cost},
    {generator, WATTPROOF_WORD(cost_quadratic), 1, not_negative},
};

Error check_rules(const Device& device, const Grid& grid) {
  // A banded device has the numbers of a curtailable one, and those that validate_banded() knows.
  const std::uint32_t kind = bit(is_banded(device) ? DeviceKind::curtailable : device.kind);
#ifndef __OPTIMIZE_SIZE__
#pragma GCC unroll 17  // then each rule is two instructions for the kinds that it is not for
#endif
  for (const Rule& rule : rules) {
    if ((rule.kinds & kind) == 0) continue;
    const unsigned char* const field = reinterpret_cast<const unsigned char*>(&device) + 4 * rule.word;
    const void* values = field;
    std::size_t size = rule.size;
    if (size == 0) {
      const auto& per_slot = *static_cast<const std::span<const std::int32_t>*>(values);
      size = per_slot.size();
      values = per_slot.data();
      if (size == 0) {
        size = 1;
        values = field + offsetof(Series, constant);
      } else if (size != grid.slots && kind != appliance) {
        return Error::wrong_length;
      }
    }
    std::int32_t low = 1;
    std::int32_t high = static_cast<std::int32_t>(grid.slots);
    if (rule.range != slots) {
      high = limits[rule.range];
      if (high < 0) {
        high = ~high;
        low = 0;
      } else {
        low = -high;
      }
    }
    const std::uint32_t span = static_cast<std::uint32_t>(high) - static_cast<std::uint32_t>(low);
    if (!are_within(values, size, low, span)) return Error::out_of_range;
  }
  return Error::none;
}

// Those that are built in are mostly the first ones, which one comparison tells.
constexpr std::uint32_t built_kinds = device_kinds & 0x1ff;
constexpr bool is_known(DeviceKind kind) {
  const std::uint32_t number = static_cast<std::uint32_t>(kind);
  return number < std::bit_width(built_kinds) && ((built_kinds & (built_kinds + 1)) == 0 || is_built(kind));
}

// A sum of slots of the one power.
Error validate_multiple(const Device& device, std::int32_t per_hour) {
  if (device.energy_wh == 0) return Error::none;
  if ((device.energy_wh ^ device.power_w) < 0) return Error::out_of_range;
  if (device.power_w == 0) return Error::not_a_multiple;
  const auto rest = static_cast<std::int32_t>(std::int64_t{device.energy_wh} * per_hour % device.power_w);
  return rest == 0 ? Error::none : Error::not_a_multiple;
}

Error validate_milestones(const Device& device, std::uint32_t end) {
  std::uint32_t before = device.start_slot;
  for (const Milestone& milestone : device.milestones) {
    if (milestone.slot <= before || milestone.slot > end || !is_within(milestone.energy_min_wh, energy_wh_max)) return Error::out_of_range;
    before = milestone.slot;
  }
  return Error::none;
}

}  // namespace

Error WATTPROOF_SINGLE(validate_single, validate)(const Device& device, const Grid& grid) {
  if (grid.slots - 1 >= slot_count_max || grid.slot_seconds == 0) return Error::slot_count_invalid;
  const std::uint32_t per_hour = 3600 / grid.slot_seconds;
  if (per_hour * grid.slot_seconds != 3600) return Error::slot_count_invalid;
  if (!is_known(device.kind) || (has_losses(device) && !is_lossy_built())) return Error::unknown_kind;
  const std::uint32_t kind = bit(device.kind);
  if ((kind & (fixed | appliance)) != 0 && device.profile_w.size() - 1 >= grid.slots) return Error::wrong_length;
  WATTPROOF_TRY(check_rules(device, grid));
  const std::uint32_t end = end_slot(device, grid);
  const bool is_window = (kind & (shapeable | appliance | switched)) != 0;
  if (is_window && (end > grid.slots || device.start_slot >= end)) return Error::out_of_range;
  if (kind == shapeable) return validate_milestones(device, end);
  if (kind == switched) return validate_multiple(device, static_cast<std::int32_t>(per_hour));
  if (is_banded(device)) return validate_banded(device, grid);
  bool is_in_range = kind != thermal || device.gain_mk_per_wh != 0;
  if (kind == generator) is_in_range = is_wide_within(device.cost_linear, cost_linear_max);
  if (kind == battery) is_in_range = are_within(&device.charge_efficiency_permille, 2, 1, 999);
  return is_in_range ? Error::none : Error::out_of_range;
}

#ifdef WATTPROOF_HOMES
Error validate(const Device& device, const Grid& grid) {
  return is_home(device) ? validate_home(device, grid) : validate_single(device, grid);
}
#endif

}  // namespace wattproof::solver
