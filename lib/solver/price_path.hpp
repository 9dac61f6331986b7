// SPDX-License-Identifier: Apache-2.0
// The prices of a store's day, by shooting. min sum (p_t - v_t)^2 where the sum S of the powers' effects, some of it lost
// between slots or while charging, has to stay within limits after every slot.
//
// Optimal prices rise and fall only where a limit holds; between two such slots there is one price, and with it one path of S.
// At too low a price the path first breaks a lower limit, or ends the day with a price below 0; at too high a price it is the
// other way round. So from a slot whose S is known the two neighbouring grid prices are searched between which the day turns
// from too low to too high, both paths are followed, each held by the limits that it meets, until one can no longer be held,
// and the limit that held last ends the stretch. Nothing is stored but the prices. With
//   S_t(l) = the path's S after slot t if the price of slot t is l, each S clipped to its limits, which all some path can keep,
// in exact integers, a stretch's price is the grid price where S_t reaches the limit: the same whatever prices are tried on the way.
// Internal to solver/.
#pragma once

#include <cstdint>

#include "solver/clip_dp.hpp"

namespace wattproof::solver {

// Stands for any price beyond, so that the powers are at their limits; every other price is smaller.
constexpr std::int32_t price_unlimited = std::int32_t{1} << 30;

// Prices that are tried from one slot: eight steps of Newton, then each second one halves what is left.
constexpr std::uint32_t price_pass_max = 8 + 2 * 31 + 2;

// Of S after a slot; both ends included.
struct SumLimits {
  std::int32_t low;
  std::int32_t high;
};

// Powers and prices in 2^-bits W, below 2^29 and 2^30; S in 2^-bits W x slot, as seen from the discharging side: a watt discharged
// takes 1, a watt charged gives `round_trip`. Limits of S and the powers of a slot add up to less than 2^31.
struct PriceProblem {
  const StorageProblem& storage;  // slots and powers
  const std::int32_t* wish;
  SumLimits* limits;            // those out of reach become the nearest that can be reached
  std::uint32_t bits;
  std::uint32_t round_trip;     // charge efficiency x discharge efficiency in 2^-32; 0 stands for 1
  std::uint32_t keep;           // of S, each slot, in 2^-31; 0 stands for all
  std::int64_t growth;          // of prices: 1 / keep - 1 in 2^-32
  std::int32_t near_price;      // every other one grows beyond price_unlimited
  bool is_guided;               // limits are below 2^29, so distances of S from them fit as well

  std::uint32_t first() const { return storage.first; }
  std::uint32_t last() const { return storage.last; }
  bool is_lossy() const { return round_trip != 0; }
  bool is_leaking() const { return keep != 0; }
  // Limits of a slot's power on the grid.
  std::int32_t low(std::uint32_t slot) const { return storage.low_w.at(slot) * (std::int32_t{1} << bits); }
  std::int32_t high(std::uint32_t slot) const { return storage.high_w.at(slot) * (std::int32_t{1} << bits); }
};

// Efficiencies and leak of a problem.
void set_losses(PriceProblem& problem, std::int32_t round_trip_ppm, std::int32_t leak_permyriad);

// The price before a slot whose price is `price`, if no limit holds between them: the largest that grows to no more than it.
std::int32_t price_before(const PriceProblem& problem, std::int32_t price);

// Fills the price of each slot and the power that it makes best, in 2^-bits W. Where a price is that at which slots of a lossy store
// jump from discharging to charging, the first of them charge, as many as the stretch's last limit asks for; true if one
// of them ends between its two powers. With bits 0 every slot whose power moves with the price counts as one that jumps.
bool find_prices(const PriceProblem& problem, std::int32_t* price, std::int32_t* power);

}  // namespace wattproof::solver
