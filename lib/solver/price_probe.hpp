// SPDX-License-Identifier: Apache-2.0
// One path of a store's day: the powers at a price, and where their sum leaves its limits. Internal to solver/.
#pragma once

#include <cstdint>

#include "base/math.hpp"
#include "solver/for_size.hpp"
#include "solver/price_slot.hpp"

namespace wattproof::solver {

// With what else a path forward needs.
struct SearchProblem : PriceProblem {
  explicit SearchProblem(const PriceProblem& problem);

  std::int64_t growth;       // of prices: 1 / keep - 1 in 2^-32, rounded down
  std::int32_t price_low;    // every lower price grows beyond -price_unlimited
  std::int32_t price_high;   // and every higher one beyond price_unlimited
};

// S and the price of a slot on one path.
struct PathPoint {
  std::int32_t price;
  std::int32_t sum;  // before the slot
};

// The price after a slot, what a leaking store holds later being worth less before: the least whose price_before() is no less than this one.
template <class Kind>
inline std::int32_t price_after(const SearchProblem& problem, std::int32_t price) {
  if (!Kind::is_leaking(problem)) return price;
  if (price > problem.price_high) return price_unlimited;
  if (price < problem.price_low) return -price_unlimited;
  // The growth is rounded down, so this is it or one less.
  const std::int64_t more = price * problem.growth + (price < 0 ? price : 0) + 0xffffffff;
  const std::int32_t after = price + static_cast<std::int32_t>(more >> 32);
  return after + (price_before(problem, after) < price ? 1 : 0);
}

// Through a slot, without regard to limits.
template <class Kind>
inline void advance(const SearchProblem& problem, std::uint32_t slot, PathPoint& point) {
  const std::int32_t power = power_at<Kind>(problem, slot, point.price);
  point = {price_after<Kind>(problem, point.price), sum_after<Kind>(problem, point.sum, power)};
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

template <class Kind>
Probe follow_path(const SearchProblem& problem, std::uint32_t slot, const PathPoint& from, const PathEnds& ends);

}  // namespace wattproof::solver
