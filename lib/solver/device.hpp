// SPDX-License-Identifier: Apache-2.0
// What a device can do, as plain data: kind, limits per slot, energy. Import is positive. A device refers to arrays of
// its owner and never copies them. docs/SOLVER.md gives the mathematical form of every kind.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <span>

#include "base/error.hpp"
#include "base/limits.hpp"

namespace wattproof::solver {

enum class DeviceKind : std::uint8_t {
  fixed = 0,        // draws profile_w, whatever the price
  curtailable = 1,  // any power within limits in each slot: PV, a dimmable load
  shapeable = 2,    // an amount of energy within a window: EV charger (V2G if power_min_w < 0)
  battery = 3,      // storage; lossless unless an efficiency is below 1000 or there is a standing loss
  appliance = 4,    // a fixed cycle, once or several times, that may start anywhere in a window
  thermal = 5,      // heat or cold store with a leak and a comfort band
  switched = 6,     // one power, on or off, with minimum on and off times
  generator = 7,    // power within limits, own quadratic cost
  banded = 8,       // what fits none of these: ramp limits, and up to two linear states that may act on each other
  home = 9,         // several devices and a main breaker behind one meter, posted as one profile
};

// One bit for each kind of device that is built in; the others are unknown kinds and leave nothing in a linked image.
// kind_lossy stands for batteries with losses and for stores too large for 31 bits.
#ifndef WATTPROOF_DEVICE_KINDS
#define WATTPROOF_DEVICE_KINDS 0x7ff
#endif
constexpr std::uint32_t device_kinds = WATTPROOF_DEVICE_KINDS;
constexpr std::uint32_t kind_lossy = 10;
constexpr bool is_built(DeviceKind kind) { return (device_kinds >> static_cast<std::uint32_t>(kind) & 1) != 0; }
constexpr bool is_lossy_built() { return (device_kinds >> kind_lossy & 1) != 0; }

// One number for all slots, or one per slot.
struct Series {
  std::span<const std::int32_t> per_slot{};  // empty, or exactly one number per slot
  std::int32_t constant = 0;                 // used if per_slot is empty

  constexpr Series() = default;
  constexpr Series(std::int32_t value) : constant(value) {}
  constexpr Series(std::span<const std::int32_t> values) : per_slot(values) {}
  constexpr std::int32_t at(std::uint32_t slot) const { return per_slot.empty() ? constant : per_slot[slot]; }
};

// Energy drawn since the window began must be at least this before slot `slot` begins (slot ends are exclusive).
struct Milestone {
  std::uint32_t slot = 0;
  std::int32_t energy_min_wh = 0;
};

// A state of a banded device in units of its owner's choice (mC, Wh). With e the energy drawn in a slot, in Wh:
//   next = (keep_ppm[0] first + keep_ppm[1] second) / 10^6 + (gain_milli_per_wh e + drift_milli) / 1000
// where first and second are the device's states before the slot. |keep_ppm[0]| + |keep_ppm[1]| <= 10^6.
struct LinearState {
  std::int32_t start = 0;
  Series min{};  // after every slot
  Series max{};
  std::array<std::int32_t, 2> keep_ppm{};
  std::int32_t gain_milli_per_wh = 0;
  Series drift_milli{};
};

constexpr std::int32_t own_cost_max = 1 << 24;
constexpr std::int32_t ramp_unlimited = std::numeric_limits<std::int32_t>::max();

// Only the fields that the kind names are read; leave the others as they are.
struct Device {
  DeviceKind kind = DeviceKind::fixed;

  // fixed: one power per slot. appliance: the cycle, one power per slot of its run (1 to slots entries).
  std::span<const std::int32_t> profile_w{};

  // curtailable, shapeable, battery, thermal (power_min_w is 0 there unless set), generator, banded.
  Series power_min_w{};
  Series power_max_w{};

  // shapeable, switched: the window. appliance: earliest start and latest end. The end is exclusive; 0 means all slots.
  std::uint32_t start_slot = 0;
  std::uint32_t end_slot = 0;

  // shapeable: energy drawn over the window. switched: energy of all on-slots, a multiple of one slot's.
  std::int32_t energy_wh = 0;
  std::span<const Milestone> milestones{};  // shapeable; slots ascending, each within (start_slot, end_slot]

  // battery: stored energy. The limits hold after every slot; the start value itself is not tested.
  std::int32_t energy_min_wh = 0;
  std::int32_t energy_max_wh = 0;
  std::int32_t energy_start_wh = 0;
  std::int32_t energy_end_min_wh = 0;
  std::int32_t energy_end_max_wh = 0;
  std::int32_t charge_efficiency_permille = 1000;     // 1..1000
  std::int32_t discharge_efficiency_permille = 1000;  // 1..1000
  std::int32_t standing_loss_w = 0;                    // >= 0, lost in every slot

  // thermal: next = ambient + (1 - leak) (now - ambient) + gain * energy, milli-degrees. A negative gain cools; 0 is no store.
  std::int32_t gain_mk_per_wh = 0;
  std::int32_t leak_permyriad_per_slot = 0;  // 0..9999
  Series ambient_mc{};
  std::int32_t start_mc = 0;
  Series min_mc{};
  Series max_mc{};
  bool soft = false;  // an unreachable band is widened to the nearest reachable one instead of refused

  // appliance.
  std::uint32_t runs = 1;
  bool interruptible = false;  // pauses of 0 W between the steps of the cycle are allowed

  // switched.
  std::int32_t power_w = 0;
  std::uint32_t min_on_slots = 1;
  std::uint32_t min_off_slots = 1;

  // Own costs, in a unit that Cost::own_scale may change. A generator adds cost_quadratic x^2 - 2 cost_linear x to the cost;
  // every other kind but a home cost_quadratic x^2, so that each part of a home can have a cost that the home's sum does not show.
  std::int64_t cost_linear = 0;     // |cost_linear| <= 2^46
  std::int32_t cost_quadratic = 0;  // 0..own_cost_max, of a generator any number >= 0

  // banded: how much power may rise and fall from one slot to the next; the first slot against power_before_w if
  // `is_ramped_from_before`, else freely.
  std::int32_t ramp_up_w = ramp_unlimited;
  std::int32_t ramp_down_w = ramp_unlimited;
  std::int32_t power_before_w = 0;
  bool is_ramped_from_before = false;
  std::span<const LinearState> states{};  // at most 2

  // home: 1..home_device_count_max devices, none of them a home or banded; |sum| <= limit_w.
  const Device* parts = nullptr;
  std::uint32_t part_count = 0;
  std::int32_t limit_w = 0;
};

struct Grid {
  std::uint32_t slots = 0;         // 1..slot_count_max
  std::uint32_t slot_seconds = 0;  // divides 3600
};

// 1 Wh in W x slot: an exact integer, since slot_seconds divides 3600.
constexpr std::int32_t slots_per_hour(const Grid& grid) { return static_cast<std::int32_t>(3600 / grid.slot_seconds); }

// The exclusive end of a device's window.
constexpr std::uint32_t end_slot(const Device& device, const Grid& grid) {
  return device.end_slot == 0 ? grid.slots : device.end_slot;
}

// Energies beyond this are refused: far above any device, and sums of them stay within 63 bits.
constexpr std::int32_t energy_wh_max = 100'000'000;

// Whether the description is well formed: counts, ranges and order, not whether it can be met (feasible() in solve.hpp).
//   slot_count_invalid  slots is 0 or above slot_count_max, or slot_seconds does not divide 3600
//   wrong_length        an array does not have one entry per slot, or a cycle is empty or longer than the window
//   out_of_range        a power, energy, efficiency, slot or order outside its documented range
//   unknown_kind        no such kind
Error validate(const Device& device, const Grid& grid);

}  // namespace wattproof::solver
