// SPDX-License-Identifier: Apache-2.0
// The clip dynamic program: min sum (p_t - v_t)^2 with a box per slot and bounds on every prefix sum, exactly.
//
// S_t(l), the energy after slot t if energy is worth l, is nondecreasing and piecewise linear with slopes that count
// slots. A slot adds two knots; a bound on the energy clips the function. Backwards the price is clipped to where the
// bounds were met. Everything lives on a grid of 2^-F W; where a clip falls between grid points, two knots one step
// apart keep the function exact at every grid point, so errors do not accumulate. Internal to solver/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "solver/solve.hpp"
#include "solver/thermal.hpp"
#include "solver/wide_math.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

// A constant (stride 0) or one number per slot (stride 1).
struct Lane {
  const std::int32_t* data = nullptr;
  std::uint32_t stride = 0;

  Lane() = default;
  explicit Lane(const std::int32_t& constant) : data(&constant) {}
  explicit Lane(std::int32_t&&) = delete;
  WATTPROOF_ONCE_FOR_SIZE void operator=(const Series& series) {
    data = series.per_slot.empty() ? &series.constant : series.per_slot.data();
    stride = series.per_slot.empty() ? 0 : 1;
  }
  [[gnu::always_inline]] std::int32_t at(std::uint32_t slot) const { return data[slot * stride]; }
};

// Stands for no limit, in Wh: in slots of any length beyond every energy, and small enough to be multiplied by the unit of a store.
constexpr std::int32_t energy_unlimited_wh = (std::int32_t{1} << 30) - 1;
inline constexpr std::int32_t no_limits_wh[2]{-energy_unlimited_wh, energy_unlimited_wh};

// Of a state, in Wh or milli-degrees; both ends included.
struct StateLimits {
  std::int32_t low;
  std::int32_t high;
};

// Slots first..last-1 of a day. Outside these slots the device draws nothing. Its state is an energy in Wh, or, of a heat or cold
// store, a temperature in milli-degrees.
struct StorageProblem {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::int32_t wh = 1;  // W x slot of 1 Wh
  std::int32_t start = 0;
  StateLimits end{-energy_unlimited_wh, energy_unlimited_wh};  // after the last slot, besides those of every slot
  std::span<const Milestone> milestones{};                     // lower limits at single slots
  Lane low_w;
  Lane high_w;
  Lane min{no_limits_wh[0]};  // after every slot
  Lane max{no_limits_wh[1]};

  std::uint32_t count() const { return last - first; }
  // What an energy is more than that at the start, in W x slot.
  WATTPROOF_ONCE_FOR_SIZE std::int64_t from_start(std::int32_t energy_wh) const { return std::int64_t{energy_wh - start} * wh; }
  // How far the energy can be from that at the start, in W x slot, with `lost` on the way.
  std::int32_t room(std::int32_t lost) const {
    const std::int32_t below_wh = start - min.at(0);
    const std::int32_t above_wh = max.at(0) - start;
    return saturate(std::int64_t{below_wh > above_wh ? below_wh : above_wh} * wh + lost);
  }
  bool varies() const { return (low_w.stride | high_w.stride) != 0; }
};

// The storage form of a device whose slots are bound by energy alone; kinds without energy limits have none. fill_problem() leaves what
// the kind does not have as it is: at its default, or 0.
WATTPROOF_INLINE_FOR_SIZE void fill_problem(const Device& device, const Grid& grid, StorageProblem& problem) {
  problem.wh = slots_per_hour(grid);
  problem.last = grid.slots;
  problem.end = {-energy_unlimited_wh, energy_unlimited_wh};
  problem.min = Lane(no_limits_wh[0]);
  problem.max = Lane(no_limits_wh[1]);
  problem.low_w = device.power_min_w;
  problem.high_w = device.power_max_w;
  if (device.kind == DeviceKind::battery) {
    problem.start = device.energy_start_wh;
    problem.min = Lane(device.energy_min_wh);
    problem.max = Lane(device.energy_max_wh);
    problem.end = {device.energy_end_min_wh, device.energy_end_max_wh};
  } else if (device.kind == DeviceKind::shapeable) {
    problem.first = device.start_slot;
    problem.last = end_slot(device, grid);
    problem.end = {device.energy_wh, device.energy_wh};
    problem.milestones = device.milestones;
  } else if (is_thermal(device)) {
    problem.start = device.start_mc;
    problem.min = device.min_mc;
    problem.max = device.max_mc;
  } else if (device.kind == DeviceKind::fixed) {
    problem.low_w.data = problem.high_w.data = device.profile_w.data();
    problem.low_w.stride = problem.high_w.stride = 1;
  }
}

WATTPROOF_INLINE_FOR_SIZE StorageProblem storage_problem(const Device& device, const Grid& grid) {
  StorageProblem problem;
  fill_problem(device, grid, problem);
  return problem;
}

// The sum of the sizes of all slots' largest powers; `power` becomes the largest of them. Fits 30 bits.
std::int32_t sum_of_powers(const StorageProblem& problem, std::int32_t& power);

// What the powers alone can reach: their sums, the least and greatest prefix sum, and the largest power. Sums of powers fit
// 31 bits.
struct PowerReach {
  std::int32_t low_sum = 0;
  std::int32_t high_sum = 0;
  std::int32_t low = 0;
  std::int32_t high = 0;
  std::int32_t power = 0;
};

//   infeasible  a slot's least power is above its greatest
Error make_reach(const StorageProblem& problem, PowerReach& reach);

// Nothing is drawn outside the problem's slots.
void clear_outside(const StorageProblem& problem, std::uint32_t slots, std::int32_t* values);

// The limits after slot `slot`. `next` walks through the milestones and starts at 0.
WATTPROOF_INLINE_FOR_SIZE StateLimits limits_after(const StorageProblem& problem, std::uint32_t slot, std::size_t& next) {
  StateLimits limits{problem.min.at(slot), problem.max.at(slot)};
  const std::uint32_t end = slot + 1;
  if (end == problem.last) limits = {std::max(limits.low, problem.end.low), std::min(limits.high, problem.end.high)};
  if (next < problem.milestones.size() && problem.milestones[next].slot == end) {
    limits.low = std::max(limits.low, problem.milestones[next].energy_min_wh);
    ++next;
  }
  return limits;
}

// Powers on the grid become whole watts. Cumulated energy is rounded, not power: a monotone rounding that commutes with whole
// watts keeps every limit.
void round_sums(std::int32_t* power_w, const std::int32_t* end, std::uint32_t bits);

// Fills profile_w and leaves the price of each slot in the workspace (`dual`).
//   out_of_range         energies too wide for 31 bits with the guard bits
//   workspace_too_small  fewer than workspace_words(grid.slots)
//   infeasible           some prefix sum cannot be met
Error clip_dp(const StorageProblem& problem, const Task& task);

}  // namespace wattproof::solver
