// SPDX-License-Identifier: Apache-2.0
// Convex devices that no exact program here fits: limits on how fast power may change, and up to two linear states that
// may act on each other (a floor and the room above it, a tank in two layers). A fixed-point ADMM: in each iteration a
// linear-quadratic control problem, whose banded matrix is factored once, and a clip of every limited quantity. The
// end is exact: whole watts are chosen within the ramps, every limit is checked in integers, and an answer that breaks
// one is never given. Internal to solver/.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "solver/gap.hpp"
#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

constexpr std::uint32_t banded_state_count_max = 2;
constexpr std::int32_t banded_level_max = 1'000'000;           // |start|, |min|, |max|, in the units of the state
constexpr std::int32_t banded_gain_milli_max = 1'000'000;      // |gain_milli_per_wh|
constexpr std::int32_t banded_drift_milli_max = 100'000'000;   // |drift_milli|
constexpr std::int64_t banded_reach_max = std::int64_t{1} << 22;  // W x slot: sum over the day of the largest |power|

constexpr std::uint32_t banded_memory_bits = 16;

using Levels = std::array<std::int64_t, banded_state_count_max>;

// The states in units of 1 / (64000 slots_per_hour), in which a watt for a slot is a whole number. The product with
// keep_ppm is rounded down: over 288 slots by less than 0.005 of a state's own unit.
class BandedModel {
 public:
  BandedModel(const Device& device, const Grid& grid);

  std::uint32_t count() const { return static_cast<std::uint32_t>(device_.states.size()); }
  std::int64_t unit() const { return 64'000 * wh_; }  // of one unit of a state
  std::int64_t watt(std::uint32_t state) const { return std::int64_t{device_.states[state].gain_milli_per_wh} * 64; }
  std::int64_t low(std::uint32_t state, std::uint32_t slot) const { return device_.states[state].min.at(slot) * unit(); }
  std::int64_t high(std::uint32_t state, std::uint32_t slot) const { return device_.states[state].max.at(slot) * unit(); }
  // How far beyond these a level may lie: nothing, unless they leave less room than a watt in one slot ever makes.
  std::int64_t slack(std::uint32_t state, std::uint32_t slot) const;
  // The most that one watt in one slot ever does to a state is at most 2^peak_bits units, and more than half of that;
  // with all its changes until the day ends it comes to `variation`. A state that no power moves has no limits to keep.
  bool is_moved(std::uint32_t state) const { return variation_[state] != 0; }
  std::int32_t peak_bits(std::uint32_t state) const { return peak_bits_[state]; }
  std::int64_t variation(std::uint32_t state) const { return variation_[state]; }
  // For how many slots a watt is felt: the sum of the squares of its effects over that of its peak, x 2^banded_memory_bits.
  std::int64_t memory(std::uint32_t state) const { return memory_[state]; }
  // Whether keep_ppm[to][from] between levels in units of their peaks is small enough for the factors.
  bool is_coupled_mildly(std::uint32_t to, std::uint32_t from) const;
  std::int64_t keep_ppm(std::uint32_t state, std::uint32_t from) const {
    return from < count() ? device_.states[state].keep_ppm[from] : 0;
  }
  Levels start() const;
  Levels after(const Levels& before, std::uint32_t slot, std::int64_t power_w) const;
  // Without drift: what `effect` has become one slot later.
  Levels decayed(const Levels& effect) const;
  bool is_ramped(std::uint32_t slot) const { return slot > 0 || device_.is_ramped_from_before; }
  const Device& device() const { return device_; }

 private:
  const Device& device_;
  std::int64_t wh_;
  Levels peak_{};       // in units, rounded up
  Levels variation_{};  // the same
  Levels memory_{};
  std::array<std::int32_t, banded_state_count_max> peak_bits_{};
};

// Multipliers of a banded device: for each slot those of both levels, in watts of what a watt at its peak is worth, and
// that of the rise of power since the slot before. Above 0 where a lower limit holds.
class BandedMultipliers {
 public:
  BandedMultipliers(const std::int32_t* first, std::uint32_t stride) : first_(first), stride_(stride) {}
  std::int64_t level(std::uint32_t slot, std::uint32_t state) const { return first_[slot * stride_ + state]; }
  std::int64_t rise(std::uint32_t slot) const { return first_[slot * stride_ + 2]; }

 private:
  const std::int32_t* first_;
  std::uint32_t stride_;
};

// The price of power in each slot, last slot first, in 1/256 of the multipliers' unit. Saturates into `gap`.
class BandedPrices {
 public:
  BandedPrices(const BandedModel& model, const BandedMultipliers& multipliers, Gap& gap)
      : model_(model), multipliers_(multipliers), gap_(gap) {}
  Range before(std::uint32_t slot);

 private:
  const BandedModel& model_;
  const BandedMultipliers& multipliers_;
  Gap& gap_;
  std::array<Range, banded_state_count_max> levels_{};
  std::int64_t rise_after_ = 0;
};

// Adds 2 |multiplier| x distance from the limit for every limit; what lies beyond a limit is returned instead, rounded
// down. `is_widened` tells whether the limits are those of check_banded or those that were asked for.
std::uint64_t add_banded_slacks(Gap& gap, const BandedModel& model, const Grid& grid, std::span<const std::int32_t> profile_w,
                                const BandedMultipliers& multipliers, bool is_widened);

// True if the multipliers prove that no powers at all keep the limits. `profile_w` may be any within its powers.
bool is_refuted(const BandedModel& model, const Grid& grid, std::span<const std::int32_t> profile_w,
                const BandedMultipliers& multipliers);

constexpr std::uint32_t banded_iteration_max = 40'000;        // with limits narrowed by what rounding may do
constexpr std::uint32_t banded_retry_iteration_max = 10'000;  // with a quarter of that, then without

constexpr std::size_t banded_workspace_words(std::uint32_t slots) { return 9 * std::size_t{slots}; }

Error validate_banded(const Device& device, const Grid& grid);

//   out_of_range         powers summed over the day beyond banded_reach_max, or wishes or couplings that the factors cannot hold
//   workspace_too_small  fewer than banded_workspace_words
//   infeasible           proven by the multipliers; the report names the limit that the nearest powers miss most
//   not_converged        neither whole watts that keep every limit nor a proof that there are none after three stages
Error solve_banded(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                   std::span<std::int32_t> profile_w, Report& report);

// Powers and ramps exactly; each state's limits against the most that any powers could do for it.
Error feasible_banded(const Device& device, const Grid& grid, Report& report);
Error check_banded(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

}  // namespace wattproof::solver
