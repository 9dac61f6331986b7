// SPDX-License-Identifier: Apache-2.0
#include "capi/capi_device.hpp"

#include <new>
#include <type_traits>

#include "base/result.hpp"
#include "solver/home.hpp"

namespace wattproof::capi {

static_assert(WATTPROOF_HOME == static_cast<int>(solver::DeviceKind::home));
static_assert(WATTPROOF_BANDED == static_cast<int>(solver::DeviceKind::banded));
static_assert(WATTPROOF_APPLIANCE == static_cast<int>(solver::DeviceKind::appliance));
static_assert(WATTPROOF_RAMP_UNLIMITED == solver::ramp_unlimited);
static_assert(WATTPROOF_PART_COUNT_MAX == solver::home_device_count_max);

namespace {

constexpr std::size_t word = sizeof(std::uint64_t);

template <class T>
constexpr std::size_t words_of(std::size_t count) {
  static_assert(alignof(T) <= word && std::is_trivially_destructible_v<T>, "there is nothing to free");
  return (count * sizeof(T) + word - 1) / word;
}

// Makes `count` objects at the start of `memory` and takes them off it.
template <class T>
Error make(std::span<std::uint64_t>& memory, std::size_t count, std::span<T>& made) {
  const std::size_t words = words_of<T>(count);
  if (words > memory.size()) return Error::workspace_too_small;
  T* const first = reinterpret_cast<T*>(memory.data());
  for (std::size_t i = 0; i < count; ++i) new (first + i) T();
  made = {first, count};
  memory = memory.subspan(words);
  return Error::none;
}

solver::Series series_of(const wattproof_series& from, std::uint32_t slots) {
  if (from.per_slot == nullptr) return from.constant;
  return std::span<const std::int32_t>(from.per_slot, slots);
}

Error read_milestones(const wattproof_device_config& from, std::span<std::uint64_t>& memory, solver::Device& to) {
  if (from.milestone_count == 0 || from.kind != WATTPROOF_SHAPEABLE) return Error::none;
  if (from.milestones == nullptr) return Error::configuration_invalid;
  if (from.milestone_count > slot_count_max) return Error::too_large;
  std::span<solver::Milestone> made;
  WATTPROOF_TRY(make(memory, from.milestone_count, made));
  for (std::uint32_t i = 0; i < from.milestone_count; ++i) {
    made[i] = {from.milestones[i].slot, from.milestones[i].energy_min_wh};
  }
  to.milestones = made;
  return Error::none;
}

Error read_states(const wattproof_device_config& from, std::uint32_t slots, std::span<std::uint64_t>& memory, solver::Device& to) {
  if (from.state_count == 0 || from.kind != WATTPROOF_BANDED) return Error::none;
  if (from.states == nullptr) return Error::configuration_invalid;
  if (from.state_count > WATTPROOF_STATE_COUNT_MAX) return Error::too_large;
  std::span<solver::LinearState> made;
  WATTPROOF_TRY(make(memory, from.state_count, made));
  for (std::uint32_t i = 0; i < from.state_count; ++i) {
    const wattproof_linear_state& state = from.states[i];
    made[i].start = state.start;
    made[i].min = series_of(state.min, slots);
    made[i].max = series_of(state.max, slots);
    made[i].keep_ppm = {state.keep_ppm[0], state.keep_ppm[1]};
    made[i].gain_milli_per_wh = state.gain_milli_per_wh;
    made[i].drift_milli = series_of(state.drift_milli, slots);
  }
  to.states = made;
  return Error::none;
}

void read_limits(const wattproof_device_config& from, std::uint32_t slots, solver::Device& to) {
  to.profile_w = std::span<const std::int32_t>(from.profile_w, from.profile_count);
  to.power_min_w = series_of(from.power_min_w, slots);
  to.power_max_w = series_of(from.power_max_w, slots);
  to.start_slot = from.start_slot;
  to.end_slot = from.end_slot;
  to.energy_wh = from.energy_wh;
  to.energy_min_wh = from.energy_min_wh;
  to.energy_max_wh = from.energy_max_wh;
  to.energy_start_wh = from.energy_start_wh;
  to.energy_end_min_wh = from.energy_end_min_wh;
  to.energy_end_max_wh = from.energy_end_max_wh;
  to.charge_efficiency_permille = from.charge_efficiency_permille;
  to.discharge_efficiency_permille = from.discharge_efficiency_permille;
  to.standing_loss_w = from.standing_loss_w;
  to.gain_mk_per_wh = from.gain_mk_per_wh;
  to.leak_permyriad_per_slot = from.leak_permyriad_per_slot;
  to.ambient_mc = series_of(from.ambient_mc, slots);
  to.start_mc = from.start_mc;
  to.min_mc = series_of(from.min_mc, slots);
  to.max_mc = series_of(from.max_mc, slots);
  to.soft = from.soft != 0;
  to.runs = from.runs;
  to.interruptible = from.interruptible != 0;
  to.power_w = from.power_w;
  to.min_on_slots = from.min_on_slots;
  to.min_off_slots = from.min_off_slots;
  to.cost_linear = from.cost_linear;
  if (from.kind == WATTPROOF_GENERATOR) to.cost_quadratic = from.cost_quadratic;
  to.ramp_up_w = from.ramp_up_w;
  to.ramp_down_w = from.ramp_down_w;
  to.power_before_w = from.power_before_w;
  to.is_ramped_from_before = from.is_ramped_from_before != 0;
}

Error read_one(const wattproof_device_config& from, std::uint32_t slots, std::span<std::uint64_t>& memory, solver::Device& to) {
  if (from.size != sizeof from) return Error::unknown_version;
  if (from.kind < WATTPROOF_FIXED || from.kind > WATTPROOF_HOME) return Error::unknown_kind;
  if (from.profile_w == nullptr && from.profile_count != 0) return Error::configuration_invalid;
  to.kind = static_cast<solver::DeviceKind>(from.kind);
  read_limits(from, slots, to);
  WATTPROOF_TRY(read_milestones(from, memory, to));
  return read_states(from, slots, memory, to);
}

Error read_parts(const wattproof_device_config& from, std::span<std::uint64_t>& memory, solver::Device& to) {
  if (from.parts == nullptr || from.part_count == 0) return Error::configuration_invalid;
  if (from.part_count > WATTPROOF_PART_COUNT_MAX) return Error::too_large;
  std::span<solver::Device> made;
  WATTPROOF_TRY(make(memory, from.part_count, made));
  for (std::uint32_t i = 0; i < from.part_count; ++i) {
    if (from.parts[i].kind == WATTPROOF_BANDED || from.parts[i].kind == WATTPROOF_HOME) return Error::unknown_kind;
    WATTPROOF_TRY(read_one(from.parts[i], from.slots, memory, made[i]));
    if (from.parts[i].kind == WATTPROOF_GENERATOR) continue;
    if (from.parts[i].own_cost_quadratic > solver::own_cost_max) return Error::out_of_range;
    made[i].cost_quadratic = static_cast<std::int32_t>(from.parts[i].own_cost_quadratic);
  }
  to.parts = made.data();
  to.part_count = from.part_count;
  to.limit_w = from.limit_w;
  return Error::none;
}

}  // namespace

namespace {

// Of one device alone. Its milestones and states are left out: no workspace depends on what they say.
std::size_t solver_words(const wattproof_device_config& from, const solver::Grid& grid) {
  std::span<std::uint64_t> none;
  wattproof_device_config bare = from;
  bare.milestone_count = bare.state_count = 0;
  solver::Device device;
  return ok(read_one(bare, grid.slots, none, device)) ? solver::workspace_words(device, grid) : 0;
}

std::size_t made_words(const wattproof_device_config& from) {
  const std::size_t milestones = from.kind == WATTPROOF_SHAPEABLE ? words_of<solver::Milestone>(from.milestone_count) : 0;
  return milestones + (from.kind == WATTPROOF_BANDED ? words_of<solver::LinearState>(from.state_count) : 0);
}

}  // namespace

std::size_t words_for(const wattproof_device_config& from) {
  const solver::Grid grid{from.slots, from.slot_seconds};
  const bool is_readable = from.size == sizeof from && from.slots <= slot_count_max && from.slot_seconds != 0;
  if (!is_readable || from.milestone_count > slot_count_max || from.state_count > WATTPROOF_STATE_COUNT_MAX) return 0;
  if (from.kind != WATTPROOF_HOME) {
    const std::size_t words = solver_words(from, grid);
    return words == 0 ? 0 : made_words(from) + words;
  }
  if (from.parts == nullptr || from.part_count > WATTPROOF_PART_COUNT_MAX) return 0;
  std::size_t made = words_of<solver::Device>(from.part_count);
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < from.part_count; ++i) {
    const wattproof_device_config& part = from.parts[i];
    if (part.kind == WATTPROOF_HOME || part.milestone_count > slot_count_max) return 0;
    made += made_words(part);
    const std::size_t words = solver_words(part, grid);
    if (words > most) most = words;
  }
  return made + solver::home_device_words(most, from.part_count, grid);
}

Error read_device(const wattproof_device_config& from, std::span<std::uint64_t> memory, DeviceView& to) {
  if (from.size != sizeof from) return Error::unknown_version;
  if (from.slots > slot_count_max) return Error::slot_count_invalid;
  to = {};
  to.grid = {from.slots, from.slot_seconds};
  WATTPROOF_TRY(read_one(from, from.slots, memory, to.device));
  if (from.kind == WATTPROOF_HOME) WATTPROOF_TRY(read_parts(from, memory, to.device));
  to.workspace = memory;
  return Error::none;
}

}  // namespace wattproof::capi
