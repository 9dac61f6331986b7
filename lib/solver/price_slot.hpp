// SPDX-License-Identifier: Apache-2.0
// One slot of a store's day on the grid: the power at a price, and S after it. Internal to solver/.
#pragma once

#include <cstdint>

#include "base/math.hpp"
#include "solver/for_size.hpp"
#include "solver/price_path.hpp"

namespace wattproof::solver {

// What a problem has, asked where it does not matter for speed; compiled for size it is not asked at all, since what is not lost is a
// fraction of 1. Where speed matters, each kind of problem has loops of its own.
struct AnyPath {
  static bool is_lossy(const PriceProblem& problem) { return is_for_size || problem.is_lossy(); }
  static bool is_leaking(const PriceProblem& problem) { return is_for_size || problem.is_leaking(); }
};
template <bool loses, bool leaks>
struct PathKind {
  static constexpr bool is_lossy(const PriceProblem&) { return loses; }
  static constexpr bool is_leaking(const PriceProblem&) { return leaks; }
};
using PlainPath = PathKind<false, false>;
using LossyPath = PathKind<true, false>;
using LeakingPath = PathKind<false, true>;

// What a watt discharged and a watt charged are worth at a price.
struct WattPrices {
  std::int32_t discharge;
  std::int32_t charge;
};

template <class Kind>
WattPrices watt_prices(const PriceProblem& problem, std::int32_t price) {
  const bool is_unlimited = 2 * static_cast<std::uint32_t>(price) == 2 * static_cast<std::uint32_t>(price_unlimited);  // or its negative
  return {price, !Kind::is_lossy(problem) || is_unlimited ? price : portion(price, problem.round_trip)};
}

// What a power gains over none at a price where `best` is the power without limits: 2 best p - p^2.
WATTPROOF_ONCE_FOR_SIZE inline std::int64_t gain(std::int32_t power, std::int32_t best) { return (2 * std::int64_t{best} - power) * power; }

// The power that a slot of this wish chooses. Of a store with losses and a wish to draw, it jumps with the price from discharging
// to charging.
template <class Kind>
[[gnu::always_inline]] inline std::int32_t choose_power(const PriceProblem& problem, std::int32_t low, std::int32_t high, std::int32_t wish,
                                                        const WattPrices& prices) {
  if (!is_for_size && !Kind::is_lossy(problem)) return clamp(wish + prices.charge, low, high);
  const std::int32_t charging = wish + prices.charge;
  const std::int32_t discharging = wish + prices.discharge;
  const std::int32_t up = clamp(charging, low > 0 ? low : 0, high);
  const std::int32_t down = clamp(discharging, low, high < 0 ? high : 0);
  if (down >= 0) return up;
  if (up <= 0) return down;
  if (!is_for_size && up == charging && down == discharging) return up > -down ? up : down;  // both gain their own squares
  return gain(up, charging) > gain(down, discharging) ? up : down;
}

// The same at a price.
template <class Kind>
WATTPROOF_INLINE_FOR_SPEED std::int32_t power_at(const PriceProblem& problem, std::uint32_t slot, std::int32_t price) {
  return choose_power<Kind>(problem, problem.low(slot), problem.high(slot), problem.wish[slot], watt_prices<Kind>(problem, price));
}

// What charging or discharging at `power` adds to S.
template <class Kind>
WATTPROOF_INLINE_FOR_SPEED std::int32_t effect_of(const PriceProblem& problem, std::int32_t power) {
  return Kind::is_lossy(problem) && power > 0 ? portion(power, problem.round_trip) : power;
}

// S after a slot.
template <class Kind>
WATTPROOF_INLINE_FOR_SPEED std::int32_t sum_after(const PriceProblem& problem, std::int32_t sum, std::int32_t power) {
  if (Kind::is_leaking(problem)) sum = portion(sum, problem.keep);
  return sum + effect_of<Kind>(problem, power);
}

// The power that adds `sum`.
inline std::int32_t power_of_effect(const PriceProblem& problem, std::int32_t sum) {
  if (!problem.is_lossy() || sum <= 0) return sum;
  return static_cast<std::int32_t>((static_cast<std::uint64_t>(static_cast<std::uint32_t>(sum)) << 32) / problem.round_trip);
}

// The power of a slot at price `at`, last to first. Where S after it is to be `aim` and would be `sum`, because some slots jump with
// the price, and this one does between `at` and the next price in the direction of the aim, it takes its power there, if the slots
// before can then still do what remains; else its own, if they can do that; else one between, and true is returned. A slot jumps if that
// changes S by more than `bits`, which rounding cannot; on whole watts (bits 0) by anything. `aim` becomes that of the slot before;
// before(l) is S before the slot at price l.
template <class Before>
[[gnu::always_inline]] inline bool choose_for_aim(const PriceProblem& problem, std::uint32_t slot, std::int32_t at, std::int32_t sum,
                                                  std::int32_t& aim, std::int32_t& power, Before before) {
  power = power_at<AnyPath>(problem, slot, at);
  std::int32_t change = effect_of<AnyPath>(problem, power);
  bool is_between = false;
  if (sum != aim) {
    const std::int32_t next = sum > aim ? at - 1 : at + 1;
    const std::int32_t there = power_at<AnyPath>(problem, slot, next);
    const std::int32_t other = effect_of<AnyPath>(problem, there);
    const std::int32_t still = static_cast<std::int32_t>(problem.bits);
    if (other - change > still || change - other > still) {
      const std::int32_t first = before(at);
      const std::int32_t second = before(next);
      const std::int32_t least = aim - (first > second ? first : second);
      const std::int32_t most = aim - (first > second ? second : first);
      if (clamp(other, least, most) == other) {
        change = other;
        power = there;
      } else {
        const std::int32_t own = change;
        change = clamp(own, least, most);
        is_between = change != own;
        if (is_between) power = power_of_effect(problem, change);
      }
    }
  }
  aim -= change;
  return is_between;
}

}  // namespace wattproof::solver
