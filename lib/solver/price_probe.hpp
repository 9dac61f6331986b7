// SPDX-License-Identifier: Apache-2.0
// One path of a store's day: the powers at a price, and where their sum leaves its limits. Internal to solver/.
#pragma once

#include <cstdint>

#include "base/math.hpp"
#include "solver/for_size.hpp"
#include "solver/price_path.hpp"

namespace wattproof::solver {

// What a problem has, asked where it does not matter for speed. Where it does, each kind of problem has loops of its own.
struct AnyPath {
  static bool is_lossy(const PriceProblem& problem) { return problem.is_lossy(); }
  static bool is_leaking(const PriceProblem& problem) { return problem.is_leaking(); }
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

// S and the price of a slot on one path.
struct PathPoint {
  std::int32_t price;
  std::int32_t sum;  // before the slot
};

inline std::int32_t charged(const PriceProblem& problem, std::int32_t value) {
  return static_cast<std::int32_t>((std::int64_t{value} * problem.round_trip) >> 32);
}

template <class Kind>
WattPrices watt_prices(const PriceProblem& problem, std::int32_t price) {
  const bool is_plain = !Kind::is_lossy(problem) || price == price_unlimited || price == -price_unlimited;
  return {price, is_plain ? price : charged(problem, price)};
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

// S after a slot.
template <class Kind>
WATTPROOF_INLINE_FOR_SPEED std::int32_t sum_after(const PriceProblem& problem, std::int32_t sum, std::int32_t power) {
  if (Kind::is_leaking(problem)) sum = static_cast<std::int32_t>((std::int64_t{sum} * problem.keep + (std::int64_t{1} << 30)) >> 31);
  return sum + (Kind::is_lossy(problem) && power > 0 ? charged(problem, power) : power);
}

// The price after a slot: what a leaking store holds later is worth less before.
template <class Kind>
WATTPROOF_INLINE_FOR_SPEED std::int32_t price_after(const PriceProblem& problem, std::int32_t price) {
  if (!Kind::is_leaking(problem)) return price;
  if (price >= problem.near_price) return price_unlimited;
  if (price <= -problem.near_price) return -price_unlimited;
  return price + static_cast<std::int32_t>((price * problem.growth + (std::int64_t{1} << 31)) >> 32);
}

// Through a slot, without regard to limits.
template <class Kind>
WATTPROOF_INLINE_FOR_SPEED void advance(const PriceProblem& problem, std::uint32_t slot, PathPoint& point) {
  const std::int32_t power = power_at<Kind>(problem, slot, point.price);
  point = {price_after<Kind>(problem, point.price), sum_after<Kind>(problem, point.sum, power)};
}

// Below 0 if a path leaves the limits at a price too low, above 0 at one too high; 0 not at all, with price 0 at the end.
template <class Kind>
std::int32_t side_of_path(const PriceProblem& problem, std::uint32_t slot, const PathPoint& from) {
  PathPoint point = from;
  for (std::uint32_t t = slot; t < problem.last(); ++t) {
    advance<Kind>(problem, t, point);
    if (point.sum < problem.limits[t].low) return -1;
    if (point.sum > problem.limits[t].high) return 1;
  }
  return from.price;
}

// Where a path leaves the limits, at a price too low (`side` below 0) or too high (above 0); 0 not at all, with price 0 at the end.
struct Probe {
  std::int32_t side;
  std::uint32_t slot;
  std::int32_t step;  // a guess of how far the price is from one that is too high or too low; 0, with the last slot, if there is none
};

// Where a price too low, and one too high, was last found to leave: up to the other one it is worth looking beyond the slot where a
// path leaves, for a better guess.
struct PathEnds {
  std::uint32_t low;
  std::uint32_t high;
};

// Compiled for speed only.
template <class Kind>
Probe follow_path(const PriceProblem& problem, std::uint32_t slot, const PathPoint& from, const PathEnds& ends);

}  // namespace wattproof::solver
