// SPDX-License-Identifier: Apache-2.0
// Heat and cold stores: first-order leak towards the ambient, a comfort band. The clip program runs on the weighted
// sum of powers w_t p_t with w_t = (1 - leak)^-t, where no knot moves as time passes; whole watts are then chosen
// forward, inside the temperatures from which the band can still be kept. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/solve.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

constexpr std::int32_t temperature_mc_max = 1'000'000;  // |start|, |ambient|, |band|
constexpr std::int32_t gain_mk_per_wh_max = 1'000'000;  // |gain|

// Milli-degrees in units of 2^-16 / slots_per_hour, so that a watt for a slot is the whole number gain << 16. The leak
// rounds down by less than a unit a slot: over 288 slots by less than 0.005 mK.
class ThermalModel {
 public:
  ThermalModel(const Device& device, const Grid& grid);

  std::int64_t start() const { return device_.start_mc * unit_; }
  std::int64_t unit() const { return unit_; }  // of one milli-degree
  std::int64_t watt() const { return gain_; }  // effect of one watt in one slot; negative for a cooler
  std::int64_t low(std::uint32_t slot) const { return device_.min_mc.at(slot) * unit_; }
  std::int64_t high(std::uint32_t slot) const { return device_.max_mc.at(slot) * unit_; }
  // The temperature after slot `slot` without power.
  std::int64_t drift(std::int64_t before, std::uint32_t slot) const;
  // The least and greatest temperature before a slot from which drift() gives at least / at most `after`.
  std::int64_t before_low(std::int64_t after, std::uint32_t slot) const;
  std::int64_t before_high(std::int64_t after, std::uint32_t slot) const;
  // The least and greatest effect of the powers of a slot.
  std::int64_t effect_low(std::uint32_t slot) const;
  std::int64_t effect_high(std::uint32_t slot) const;
  std::int64_t keep() const { return keep_; }  // 10000 - leak
  const Device& device() const { return device_; }

 private:
  const Device& device_;
  std::int64_t unit_;
  std::int64_t gain_;
  std::int64_t keep_;
};

// Walks forward through what can be reached, and gives the band of each slot: the wished one, or, where that is out of
// reach, the one temperature of all reachable ones that is nearest to it.
class ComfortBand {
 public:
  explicit ComfortBand(const ThermalModel& model) : model_(model), reach_low_(model.start()), reach_high_(reach_low_) {}

  // True if the wished band of `slot` can be reached to within half a milli-degree.
  bool advance(std::uint32_t slot);

  std::int64_t low = 0;
  std::int64_t high = 0;
  std::int64_t reach_low() const { return reach_low_; }
  std::int64_t reach_high() const { return reach_high_; }

 private:
  const ThermalModel& model_;
  std::int64_t reach_low_;
  std::int64_t reach_high_;
};

// How far outside its band a store may end up: half a milli-degree, and with a soft band also one watt in one slot.
std::int64_t comfort_tolerance(const ThermalModel& model);

constexpr std::size_t thermal_workspace_words(std::uint32_t slots) {
  return 2 * (2 * std::size_t{slots} + 8) + 2 * std::size_t{slots} + slots;
}

// False where the band is empty, which no softness mends.
bool has_band(const Device& device, std::uint32_t slot);

Error validate_thermal(const Device& device, const Grid& grid);

//   out_of_range         powers whose sum over the day passes wide_energy_limit
//   workspace_too_small  fewer than thermal_workspace_words
//   infeasible           the band is out of reach and not soft, or no whole watts keep it
Error solve_thermal(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                    std::span<std::int32_t> profile_w, Report& report);

Error feasible_thermal(const Device& device, const Grid& grid, Report& report);
Error check_thermal(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

}  // namespace wattproof::solver
