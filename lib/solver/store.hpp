// SPDX-License-Identifier: Apache-2.0
// Stores that clip_dp's unit slopes do not hold: batteries with losses, heat and cold stores with a leak, very large stores.
// One model, one program:
//
//   after = drift(before) + effect(power),  low <= after <= high
//
// where the drift takes off a standing loss, or leaks towards the ambient, and the effect of a watt may differ between
// charging and discharging (never both at once). The prices of the day and its powers on a grid come from price_path.hpp. Whole
// watts are chosen forward, inside the states from which the rest of the day can still be kept; states are exact, in 64 bits.
// Where a stretch's price is that of a jump from discharging to charging, the relaxation need not be tight: the answer is
// then feasible, and its certificate says what it may cost. Internal to solver/.
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
// temperatures in 2^-10 / slots_per_hour milli-degrees, so that a watt for a slot is the whole number gain << 10. The leak
// rounds down by less than such a unit a slot: over 288 slots by less than 0.3 mK.
class Store {
 public:
  // Any kind whose state is limited; also kinds without a state, whose energy has no limits.
  Store(const Device& device, const Grid& grid);

  const StorageProblem& problem() const { return problem_; }  // slots and powers
  std::int64_t start() const { return start_; }
  std::int32_t unit() const { return unit_; }                  // of one W x slot
  std::int64_t report_unit() const { return report_unit_; }    // of one Wh, or of one milli-degree
  std::int32_t charge_watt() const { return charge_watt_; }    // size of the effect of a watt in a slot
  std::int32_t discharge_watt() const { return discharge_watt_; }
  std::int32_t sign() const { return sign_; }                  // -1 if drawing power lowers the state: a cooler
  bool is_soft() const { return is_built(DeviceKind::thermal) && is_soft_; }
  // How far outside its limits a state may be: a temperature by half a milli-degree, and with a soft band that is out of reach
  // also by the effect of one watt in one slot.
  std::int32_t slack() const { return slack_; }
  std::int32_t tolerance() const { return tolerance_; }
  std::int32_t loss_w() const { return loss_w_; }              // of every slot
  std::int32_t charge_permille() const { return charge_permille_; }
  std::int32_t discharge_permille() const { return discharge_permille_; }
  std::int32_t leak_permyriad() const { return permyriad - keep_permyriad(); }
  std::int32_t keep_permyriad() const { return by_keep_.value(); }  // of the distance from the ambient, each slot
  bool is_leaking() const { return is_built(DeviceKind::thermal) && is_leaking_; }
  // Every watt changes the state by the same, whether it charges or discharges, and none is lost as time passes.
  bool is_without_losses() const { return !is_leaking() && charge_watt_ == discharge_watt_; }

  // Of a watt that makes, or would make, this change.
  std::int32_t watt(std::int64_t change) const { return change < 0 ? discharge_watt_ : charge_watt_; }
  WATTPROOF_ONCE_FOR_SIZE std::int64_t effect(std::int32_t power_w) const {
    const std::int32_t change = power_w * sign_;
    return std::int64_t{watt(power_w)} * change;
  }
  // The least and greatest effect of the powers of a slot.
  std::int64_t effect_low(std::uint32_t slot) const { return effect_limit(slot, false); }
  std::int64_t effect_high(std::uint32_t slot) const { return effect_limit(slot, true); }
  std::int32_t low_w(std::uint32_t slot) const { return problem_.low_w.at(slot); }
  std::int32_t high_w(std::uint32_t slot) const { return problem_.high_w.at(slot); }

  // The state after slot `slot` without power.
  std::int64_t drift(std::int64_t before, std::uint32_t slot) const {
    return !is_for_size && !is_leaking() ? before - loss_ : leaked(slot, before);
  }
  // The least and greatest state before a slot from which drift() gives at least / at most `after`.
  std::int64_t before_low(std::int64_t after, std::uint32_t slot) const { return before(after, slot, keep_permyriad() - 1); }
  std::int64_t before_high(std::int64_t after, std::uint32_t slot) const { return before(after, slot, permyriad - 1); }

  EnergyLimits limits(const StateLimits& reported) const {
    return {std::int64_t{reported.low} * report_unit_, std::int64_t{reported.high} * report_unit_};
  }
  // The same for whole watts: where limits leave less room than a lossy watt for a slot, they are widened to that.
  EnergyLimits limits_for_watts(const StateLimits& reported) const;

  static constexpr std::int32_t permyriad = 10'000;

 private:
  WATTPROOF_ONCE_FOR_SIZE std::int64_t effect_limit(std::uint32_t slot, bool is_high) const {
    return effect(is_high == (sign_ > 0) ? high_w(slot) : low_w(slot));
  }
  // A slot first: then the arguments fit the registers of a CPU of 32 bits.
  std::int64_t leaked(std::uint32_t slot, std::int64_t before) const;
  std::int64_t before(std::int64_t after, std::uint32_t slot, std::int32_t excess) const {
    return !is_for_size && !is_leaking() ? after + loss_ : unleaked(slot, after, excess);
  }
  std::int64_t unleaked(std::uint32_t slot, std::int64_t after, std::int32_t excess) const;

  bool is_leaking_;
  bool is_soft_;
  Lane ambient_mc_;
  std::int32_t sign_ = 1;
  std::int32_t unit_;
  std::uint32_t report_unit_;
  std::int32_t charge_permille_ = 1000;
  std::int32_t discharge_permille_ = 1000;
  std::int32_t charge_watt_;
  std::int32_t discharge_watt_;
  std::int32_t loss_w_ = 0;
  std::int32_t least_room_ = 0;  // that limits have to leave
  std::int32_t slack_ = 0;
  std::int32_t tolerance_ = 0;
  Divisor by_keep_;
  Divisor by_permyriad_;
  std::int64_t start_;
  std::int64_t loss_ = 0;
  StorageProblem problem_;  // last: a Thumb instruction reaches only what is near the front
};

// Notes in a report which limit cannot be met, and returns `error`.
struct Shortfall {
  Limit limit;
  std::uint32_t slot;
  std::int64_t needed;
  std::int64_t possible;
};
Error refuse(Report& report, Error error, const Shortfall& shortfall);

// Walks forward through the states that can be reached, and gives the limits of each slot: the wished ones, or, where
// they are out of reach and the band is soft, the one of all reachable states that is nearest to them.
class Reach {
 public:
  WATTPROOF_ONCE_FOR_SIZE explicit Reach(const Store& store) : store_(store), reached_{store.start(), store.start()} {}

  // To the limits after this slot. A temperature may miss its band by half a milli-degree.
  //   infeasible        the least power of the slot is above the greatest
  //   infeasible_below  even the most that can be reached is below the lower limit; infeasible_above: even the least is above the upper
  // `report` then says by how much.
  Error step(std::uint32_t slot, Report& report);

  // To the wished limits after this slot, reachable or not; only powers that contradict each other are refused.
  Error wish(std::uint32_t slot, Report& report);

  EnergyLimits limits{};
  bool is_wished = true;  // they are the wished limits

 private:
  const Store& store_;
  EnergyLimits reached_;
  std::size_t next_ = 0;  // milestone
  bool is_contradictory_ = false;
};

// Each has one caller in a linked image.
WATTPROOF_INLINE_FOR_SIZE EnergyLimits Store::limits_for_watts(const StateLimits& reported) const {
  const EnergyLimits exact = limits(reported);
  const std::uint64_t room = static_cast<std::uint64_t>(exact.high - exact.low);  // more than any of limits that contradict each other
  const bool is_short = room < static_cast<std::uint64_t>(least_room_);
  return widened(exact, is_short ? (least_room_ - static_cast<std::int32_t>(room) + 1) >> 1 : 0);
}

WATTPROOF_INLINE_FOR_SIZE Error Reach::wish(std::uint32_t slot, Report& report) {
  const std::int32_t low_w = store_.low_w(slot);
  const std::int32_t high_w = store_.high_w(slot);
  if (low_w > high_w) return refuse(report, Error::infeasible, {Limit::power, slot, low_w, high_w});
  const StateLimits reported = limits_after(store_.problem(), slot, next_);
  is_contradictory_ = reported.low > reported.high;
  limits = store_.limits_for_watts(reported);
  return Error::none;
}

constexpr bool has_losses(const Device& device) {
  return device.kind == DeviceKind::battery && (device.charge_efficiency_permille != 1000 ||
                                                device.discharge_efficiency_permille != 1000 || device.standing_loss_w != 0);
}

// Never true where losses are not built in, so that nothing of them is linked.
constexpr bool is_lossy(const Device& device) { return is_lossy_built() && has_losses(device); }

// Compiled for size with everything built in, the one program for stores serves those that have programs of their own as well: the
// same answers, in more time. Without losses and large stores the two small programs are the smaller code.
constexpr bool is_one_program = is_for_size && is_lossy_built();

// Whether powers and limits are whole watts on a grid so fine that rounding sums of powers to whole watts can break no limit.
bool is_exact_store(const Device& device, const Grid& grid);

// Limits of the sum, a wish and a price for each slot; those of the state too, unless whole watts cannot break them.
constexpr std::size_t store_workspace_words(std::uint32_t slots) { return 4 * std::size_t{slots}; }

//   out_of_range         power sums or energies past wide_energy_limit
//   workspace_too_small  fewer than store_workspace_words
//   infeasible           the limits cannot be kept, or not by whole watts
Error solve_store(const Task& task);

Error feasible_store(const Device& device, const Grid& grid, Report& report);
Error check_store(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

}  // namespace wattproof::solver
