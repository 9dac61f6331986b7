// SPDX-License-Identifier: Apache-2.0
// The prices of a store's day. min sum (p_t - v_t)^2 where the sum S of the powers' effects, some of it lost between slots or while
// charging, has to stay within limits after every slot.
//
// Optimal prices rise and fall only where a limit holds; between two such slots there is one price, and with it one path of S. With
//   S_t(l) = the path's S after slot t if the price of slot t is l, each S before it clipped to its limits
// in exact integers, the price of a slot is, last to first, that of the next one, or, where S_t is then beyond a limit, the price at
// which it reaches the limit. find_prices() does just that, halving: the shortest program, for builds that count bytes. It tries
// from the day's beginning each time, so it takes slots x slots steps a day and 31 x slots for each slot where a limit holds;
// price_search.hpp finds the same prices in less time with more code. Internal to solver/.
#pragma once

#include <cstdint>

#include "solver/clip_dp.hpp"

namespace wattproof::solver {

// Stands for any price beyond, so that the powers are at their limits; every other price is smaller.
constexpr std::int32_t price_unlimited = std::int32_t{1} << 30;

// Of S after a slot; both ends included.
struct SumLimits {
  std::int32_t low;
  std::int32_t high;
};

// Powers and prices in 2^-bits W, below 2^29 and 2^30; S in 2^-bits W x slot, as seen from the discharging side: a watt discharged
// takes 1, a watt charged gives `round_trip`. Limits of S and the powers of a slot add up to less than 2^31; with losses, and for
// price_search.hpp, limits are below 2^29.
struct PriceProblem {
  const StorageProblem& storage;  // slots and powers
  const std::int32_t* wish;
  const SumLimits* limits;      // which some path keeps
  std::int32_t* price;          // of each slot: what is looked for, and the prices tried for it
  std::int32_t* power;          // that these prices make best, in 2^-bits W
  std::uint32_t bits;
  std::uint32_t round_trip;     // charge efficiency x discharge efficiency in 2^-32; 0 stands for 1
  std::uint32_t keep;           // of S, each slot, in 2^-32; 0 stands for all

  std::uint32_t first() const { return storage.first; }
  std::uint32_t last() const { return storage.last; }
  bool is_lossy() const { return round_trip != 0; }
  bool is_leaking() const { return keep != 0; }
  // Limits of a slot's power on the grid.
  std::int32_t low(std::uint32_t slot) const { return storage.low_w.at(slot) * (std::int32_t{1} << bits); }
  std::int32_t high(std::uint32_t slot) const { return storage.high_w.at(slot) * (std::int32_t{1} << bits); }
};

// value x fraction / 2^32, rounded down, where 0 stands for the fraction 1.
WATTPROOF_ONCE_FOR_SIZE inline std::int32_t portion(std::int32_t value, std::uint32_t fraction) {
  return fraction == 0 ? value : static_cast<std::int32_t>((std::int64_t{value} * fraction) >> 32);
}

// The price before a slot whose price is `price`, if no limit holds between them.
inline std::int32_t price_before(const PriceProblem& problem, std::int32_t price) { return portion(price, problem.keep); }

// Fills price and power. True if a slot that jumps is between its two powers.
bool find_prices(const PriceProblem& problem);

}  // namespace wattproof::solver
