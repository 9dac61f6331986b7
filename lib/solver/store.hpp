// SPDX-License-Identifier: Apache-2.0
// Stores that clip_dp's unit slopes do not hold: batteries with losses, heat and cold stores with a leak, very large stores.
// One model, one program:
//
//   after = kept(before) + effect(power),  low <= after <= high
//
// of what the powers of the day make of the state, where some of it may leak towards the ambient, the limits fall with a standing
// loss, and the effect of a watt may differ between charging and discharging (never both at once). The prices of the day and its
// powers on a grid come from price_path.hpp. Whole watts are chosen forward, inside what the rest of the day can still be kept from,
// in exact numbers of 64 bits. Where a stretch's price is that of a jump from discharging to charging, the relaxation need not be
// tight: the answer is then feasible, and its certificate says what it may cost. Internal to solver/.
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

// States are in 1 / (1000 discharge_efficiency_permille) W x slot, so that every watt is a whole number of these, or in 2^-10 /
// slots_per_hour milli-degrees, so that a watt for a slot is the whole number gain << 10; the leak rounds to the nearest such unit:
// over 288 slots by less than 0.2 mK. Of a cooler they are temperatures with the other sign, so that power always raises a state.
// What limits bind is the effect of the day's powers: the state less what it would be without power.
class Store {
 public:
  // Any kind whose state is limited; also kinds without a state, whose energy has no limits.
  Store(const Device& device, const Grid& grid);

  const StorageProblem& problem() const { return problem_; }  // slots and powers
  std::int32_t low_w(std::uint32_t slot) const { return problem_.low_w.at(slot); }
  std::int32_t high_w(std::uint32_t slot) const { return problem_.high_w.at(slot); }
  std::int32_t unit() const { return unit_; }                 // of one W x slot; of a thermal store of one milli-degree x slots_per_hour
  std::uint32_t report_unit() const { return report_unit_; }  // of one Wh, or of one milli-degree
  bool is_cooler() const { return sign_ < 0; }
  std::int32_t charge_watt() const { return charge_watt_; }   // size of the effect of a watt in a slot
  std::int32_t discharge_watt() const { return discharge_watt_; }
  bool is_soft() const { return is_built(DeviceKind::thermal) && is_soft_; }
  // How far outside its limits a state may be: a temperature by half a milli-degree, and with a soft band that is out of reach
  // also by the effect of one watt in one slot.
  std::int32_t slack() const { return slack_; }
  std::int32_t tolerance() const { return tolerance_; }
  std::int32_t loss_w() const { return loss_w_; }             // of every slot
  std::int32_t discharge_permille() const { return is_leaking() ? 1000 : unit_ / 1000; }
  std::int32_t charge_permille() const { return is_leaking() ? 1000 : charge_watt_ / discharge_permille(); }
  std::int32_t keep_permyriad() const { return by_keep_.value(); }  // of the distance from the ambient, each slot
  bool is_leaking() const { return is_built(DeviceKind::thermal) && is_leaking_; }
  // Every watt changes the state by the same, whether it charges or discharges, and none is lost as time passes.
  bool is_without_losses() const { return (slack_ | least_room_) == 0; }

  // A state as the device's description has it.
  WATTPROOF_ONCE_FOR_SIZE std::int64_t in_units(std::int32_t reported) const { return std::int64_t{reported * sign_} * report_unit_; }
  std::int64_t start() const { return in_units(problem_.start); }
  // The state after slot `slot` of a day without power.
  std::int64_t idle_after(std::uint32_t slot, std::int64_t idle) const {
    if (!is_leaking()) return idle - std::int64_t{loss_w_} * unit_;
    const std::int64_t ambient = in_units(ambient_mc_.at(slot));
    return ambient + kept(idle - ambient);
  }

  // Of a watt that makes, or would make, this change.
  std::int32_t watt(std::int64_t change) const { return change < 0 ? discharge_watt_ : charge_watt_; }
  WATTPROOF_ONCE_FOR_SIZE std::int64_t effect(std::int32_t power) const { return std::int64_t{power < 0 ? discharge_watt_ : charge_watt_} * power; }
  // What is left of an effect a slot later.
  WATTPROOF_ONCE_FOR_SIZE std::int64_t kept(std::int64_t effect) const {
    if (!is_leaking()) return effect;
    const std::int64_t kept = limited(effect, far_bits) * keep_permyriad() + permyriad / 2;
    return is_for_size ? wide_floor_div(kept, permyriad) : by_permyriad_.floor(kept);
  }
  // Of a slot and its power on the effect of the day so far.
  WATTPROOF_ONCE_FOR_SIZE void pass(std::int32_t power_w, std::int64_t& effect_now) const { effect_now = kept(effect_now) + effect(power_w); }
  // From the least / greatest effect after a slot of the greatest / least power to that before it.
  void low_before(std::int32_t high_w, std::int64_t& low) const { go_back(low, high_w, keep_permyriad() - 1 - permyriad / 2); }
  void high_before(std::int32_t low_w, std::int64_t& high) const { go_back(high, low_w, permyriad - 1 - permyriad / 2); }

  EnergyLimits limits(const StateLimits& reported, std::int64_t idle) const { return {in_units(reported.low) - idle, in_units(reported.high) - idle}; }
  // That limits have to leave for whole watts: a lossy watt for a slot.
  std::int32_t least_room() const { return least_room_; }

  static constexpr std::int32_t permyriad = 10'000;

 private:
  // Beyond every difference of temperatures, also of slots of a second; small enough to multiply.
  static constexpr std::uint32_t far_bits = 46;

  void go_back(std::int64_t& effect_now, std::int32_t power_w, std::int32_t excess) const;

  bool is_leaking_;
  bool is_soft_;
  std::int32_t sign_;
  std::int32_t unit_;
  std::uint32_t report_unit_;
  std::int32_t charge_watt_;
  std::int32_t discharge_watt_;
  std::int32_t loss_w_;
  std::int32_t least_room_;
  std::int32_t slack_;
  std::int32_t tolerance_;
  Divisor by_keep_;
  Divisor by_permyriad_;
  Lane ambient_mc_;
  StorageProblem problem_;  // last: a Thumb instruction reaches only what is near the front
};

// Notes in a report which limit cannot be met, and returns `error`.
struct Shortfall {
  Limit limit;
  std::uint32_t slot;
  std::int32_t needed;
  std::int32_t possible;
};
Error refuse(Report& report, Error error, const Shortfall& shortfall);

// Walks forward through the effects that can be reached, and gives the limits of each slot: the wished ones, or, where
// they are out of reach and the band is soft, the one of all reachable effects that is nearest to them.
class Reach {
 public:
  // `forgives`: how far outside its limits an effect may be, where these are the wished ones.
  WATTPROOF_ONCE_FOR_SIZE Reach(const Store& store, std::int32_t forgives) : idle(store.start()), store_(store), forgives_(forgives) {}

  // To the limits after this slot. A temperature may miss its band by half a milli-degree.
  //   infeasible        the least power of the slot is above the greatest
  //   infeasible_below  even the most that can be reached is below the lower limit; infeasible_above: even the least is above the
  //                     upper one, or that is below the lower one
  // `report` then says by how much.
  Error step(std::uint32_t slot, Report& report);

  // The wished limits after this slot, reachable or not, even if they contradict each other.
  EnergyLimits wish(std::uint32_t slot);

  EnergyLimits reached{0, 0};  // what step() could reach within the limits
  EnergyLimits forgiven;       // the limits, and how far outside them an effect may be
  std::int64_t idle;           // the state without power

 private:
  Error miss(std::uint32_t slot, bool is_short, std::int64_t by, const EnergyLimits& limits, Report& report);

  const Store& store_;
  std::int32_t forgives_;
  StateLimits reported_;
  std::size_t next_ = 0;  // milestone
};

// Has one caller in a linked image.
WATTPROOF_INLINE_FOR_SIZE EnergyLimits Reach::wish(std::uint32_t slot) {
  reported_ = limits_after(store_.problem(), slot, next_);
  idle = store_.idle_after(slot, idle);
  const std::int64_t room = store_.in_units(reported_.high - reported_.low);
  EnergyLimits limits;
  limits.low = store_.in_units(reported_.low) - idle;
  limits.high = limits.low + room;
  // Limits that contradict each other stay as they are.
  const bool is_narrow = static_cast<std::uint64_t>(room) < static_cast<std::uint64_t>(store_.least_room());
  if (is_narrow) widen(limits, (store_.least_room() - static_cast<std::int32_t>(room) + 1) >> 1, limits);
  widen(limits, forgives_, forgiven);
  return limits;
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

//   workspace_too_small  fewer than store_workspace_words
//   infeasible           the limits cannot be kept, or not by whole watts
Error solve_store(const Task& task);

// value / whole in 2^-32; 0 for all of it.
inline std::uint32_t fraction(std::int32_t value, std::int32_t whole) { return static_cast<std::uint32_t>(wide_floor_div(std::int64_t{value} << 32, whole)); }

// Whether a profile keeps the limits; without one, whether they can be kept.
Error keep_store(const Device& device, const Grid& grid, const std::int32_t* profile_w, Report& report);

}  // namespace wattproof::solver
