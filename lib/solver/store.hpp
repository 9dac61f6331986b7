// SPDX-License-Identifier: Apache-2.0
// Stores in 64-bit integers, for what the 31 bits and unit slopes of clip_dp do not hold: batteries with losses, heat and
// cold stores with a leak, very large stores. One model, one program:
//
//   after = drift(before) + effect(power),  low <= after <= high
//
// where the drift takes off a standing loss, or leaks towards the ambient, and the effect of a watt may differ between
// charging and discharging (never both at once). A slot's effect as a function of the price of energy has up to four
// knots; where a lossy device would rather burn power than store it (wish above zero, price below), it jumps from
// discharging to charging. Where the final price falls on such a jump the relaxation need not be tight: the answer is
// then feasible, and its certificate says what it may cost. With a leak the program runs on the sum of powers weighted by
// (1 - leak)^-t, where no knot moves as time passes. Whole watts are chosen forward, inside the states from which the rest
// of the day can still be kept. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/clip_dp.hpp"
#include "solver/divisor.hpp"
#include "solver/for_size.hpp"
#include "solver/solve.hpp"
#include "solver/thermal.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

// Energies are in 1 / (1000 discharge_efficiency_permille) W x slot, so that every watt is a whole number of these;
// temperatures in 2^-16 / slots_per_hour milli-degrees, so that a watt for a slot is the whole number gain << 16. The leak
// rounds down by less than such a unit a slot: over 288 slots by less than 0.005 mK.
class Store {
 public:
  // Any kind whose state is limited; also kinds without a state, whose energy has no limits.
  Store(const Device& device, const Grid& grid);

  const Device& device() const { return device_; }
  const StorageProblem& problem() const { return problem_; }  // slots and powers
  std::int64_t start() const { return start_; }
  std::int64_t unit() const { return unit_; }              // of one W x slot, or of one milli-degree
  std::int64_t report_unit() const { return report_unit_; }  // of one Wh, or of one milli-degree
  std::int64_t charge_watt() const { return charge_watt_; }  // size of the effect of a watt in a slot
  std::int64_t discharge_watt() const { return discharge_watt_; }
  std::int32_t sign() const { return sign_; }              // -1 if drawing power lowers the state: a cooler
  std::int64_t loss() const { return loss_; }              // of every slot
  bool is_soft() const { return is_built(DeviceKind::thermal) && is_soft_; }
  // How far outside its limits a state may be: a temperature by half a milli-degree, and with a soft band that is out of reach
  // also by the effect of one watt in one slot.
  std::int64_t slack() const { return slack_; }
  std::int64_t tolerance() const { return tolerance_; }
  std::int32_t loss_w() const { return loss_w_; }
  std::int32_t charge_permille() const { return by_charge_.value(); }
  std::int32_t discharge_permille() const { return by_discharge_.value(); }
  std::int32_t keep_permyriad() const { return by_keep_.value(); }  // of the distance from the ambient, each slot
  bool is_leaking() const { return is_built(DeviceKind::thermal) && is_leaking_; }
  // Every watt changes the state by the same, whether it charges or discharges.
  bool is_without_losses() const { return charge_permille() == 1000 && discharge_permille() == 1000; }

  // What efficiencies and leak are divided by, here and in the program.
  const Divisor& by_charge() const { return by_charge_; }        // charge_permille
  const Divisor& by_discharge() const { return by_discharge_; }  // discharge_permille
  const Divisor& by_both() const { return by_both_; }            // 10^6 + charge_permille x discharge_permille
  const Divisor& by_keep() const { return by_keep_; }            // keep_permyriad
  const Divisor& by_whole() const { return by_whole_; }          // what efficiencies are fractions of: 1000, or permyriad with a leak

  WATTPROOF_ONCE_FOR_SIZE std::int64_t effect(std::int32_t power_w) const {
    return (power_w < 0 ? discharge_watt_ : charge_watt_) * (power_w * sign_);
  }
  // The least and greatest effect of the powers of a slot.
  std::int64_t effect_low(std::uint32_t slot) const { return effect(sign_ < 0 ? high_w(slot) : low_w(slot)); }
  std::int64_t effect_high(std::uint32_t slot) const { return effect(sign_ < 0 ? low_w(slot) : high_w(slot)); }
  std::int32_t low_w(std::uint32_t slot) const { return problem_.low_w.at(slot); }
  std::int32_t high_w(std::uint32_t slot) const { return problem_.high_w.at(slot); }

  // The state after slot `slot` without power.
  std::int64_t drift(std::int64_t before, std::uint32_t slot) const {
    return !is_for_size && !is_leaking() ? before - loss_ : leaked(before, slot);
  }
  // The least and greatest state before a slot from which drift() gives at least / at most `after`.
  std::int64_t before_low(std::int64_t after, std::uint32_t slot) const { return before(after, slot, keep_permyriad() - 1); }
  std::int64_t before_high(std::int64_t after, std::uint32_t slot) const { return before(after, slot, permyriad - 1); }

  // The limits after a slot. `next` walks through the milestones and starts at 0.
  void limits(std::uint32_t slot, std::size_t& next, EnergyLimits& limits) const;
  // For whole watts: where limits leave less room than a lossy watt for a slot, they are widened to that.
  void widen(EnergyLimits& limits) const;

  static constexpr std::int32_t permyriad = 10'000;

 private:
  std::int64_t leaked(std::int64_t before, std::uint32_t slot) const;
  std::int64_t before(std::int64_t after, std::uint32_t slot, std::int32_t excess) const {
    return !is_for_size && !is_leaking() ? after + loss_ : unleaked(after, slot, excess);
  }
  std::int64_t unleaked(std::int64_t after, std::uint32_t slot, std::int32_t excess) const;

  const Device& device_;
  bool is_leaking_;
  bool is_soft_;
  std::int32_t sign_ = 1;
  std::int32_t loss_w_ = 0;
  Divisor by_charge_;
  Divisor by_discharge_;
  Divisor by_both_;
  Divisor by_keep_;
  Divisor by_whole_;
  std::int64_t unit_;
  std::int64_t report_unit_;
  std::int64_t start_;
  std::int64_t charge_watt_;
  std::int64_t discharge_watt_;
  std::int64_t least_room_ = 0;  // that limits have to leave
  std::int64_t loss_ = 0;
  std::int64_t slack_ = 0;
  std::int64_t tolerance_ = 0;
  StorageProblem problem_;  // last: a Thumb instruction reaches only what is near the front
};

// Whether the limits after this slot are those of all slots or not; `next` is the next milestone.
inline bool is_event(const StorageProblem& problem, std::uint32_t slot, std::size_t next) {
  return slot + 1 == problem.last || (next < problem.milestones.size() && problem.milestones[next].slot == slot + 1);
}

// Walks forward through the states that can be reached, and gives the limits of each slot: the wished ones, or, where
// they are out of reach, the one of all reachable states that is nearest to them.
class Reach {
 public:
  explicit Reach(const Store& store);

  // below: even the most that can be reached is below the wished limits; above: even the least is above them. A temperature
  // may miss its band by half a milli-degree, and one with a soft band is always within. contradictory: no state is
  // within the wished limits.
  enum class Verdict : std::uint8_t { within, below, above, contradictory };
  Verdict advance(std::uint32_t slot);

  // The limits of all slots but the last and those with a milestone, widened; of a store without a leak.
  const EnergyLimits& regular() const { return regular_; }

  EnergyLimits wished{};
  EnergyLimits limits{};

 private:
  const Store& store_;
  EnergyLimits reached_;
  EnergyLimits regular_{};
  std::size_t next_ = 0;
};

// Walks through all slots and keeps their limits, if `limits` is not null. Fills `report` where they cannot be met.
Error find_limits(const Store& store, EnergyLimits* limits, Report& report);

constexpr bool has_losses(const Device& device) {
  return device.kind == DeviceKind::battery && (device.charge_efficiency_permille != 1000 ||
                                                device.discharge_efficiency_permille != 1000 || device.standing_loss_w != 0);
}

// Never true where losses are not built in, so that nothing of them is linked.
constexpr bool is_lossy(const Device& device) { return is_lossy_built() && has_losses(device); }

// Two limits a slot, then its knots, then two prices a slot.
constexpr std::uint32_t lossy_knot_count(std::uint32_t slots) { return 4 * slots + wide_knot_slack; }
constexpr std::uint32_t thermal_knot_count(std::uint32_t slots) { return 2 * slots + wide_knot_slack; }
constexpr std::size_t store_workspace_words(std::uint32_t slots, std::uint32_t knot_count) {
  return 2 * std::size_t{slots} + (std::size_t{knot_count} * sizeof(WideKnot) + 7) / 8 + slots;
}
constexpr std::size_t lossy_workspace_words(std::uint32_t slots) { return store_workspace_words(slots, lossy_knot_count(slots)); }
constexpr std::size_t thermal_workspace_words(std::uint32_t slots) { return store_workspace_words(slots, thermal_knot_count(slots)); }

//   out_of_range         power sums or energies past wide_energy_limit
//   workspace_too_small  fewer than lossy_workspace_words or thermal_workspace_words
//   infeasible           the limits cannot be kept, or not by whole watts
Error solve_store(const Task& task);

Error feasible_store(const Device& device, const Grid& grid, Report& report);
Error check_store(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

// Notes in a report which limit cannot be met, and returns `error`.
struct Shortfall {
  Limit limit;
  std::uint32_t slot;
  std::int64_t needed;
  std::int64_t possible;
};
Error refuse(Report& report, Error error, const Shortfall& shortfall);

}  // namespace wattproof::solver
