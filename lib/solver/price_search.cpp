// SPDX-License-Identifier: Apache-2.0
#include "solver/price_search.hpp"

#include "base/check.hpp"
#include "base/math.hpp"
#include "solver/price_probe.hpp"

// Compiled for size, find_prices() takes its place.
#ifndef __OPTIMIZE_SIZE__
namespace wattproof::solver {

namespace {

// A price that is too low and one that is too high. Those between have the lower one's path before the slot.
struct Bracket {
  PathPoint low;
  PathPoint high;

  std::uint32_t width() const { return static_cast<std::uint32_t>(high.price) - static_cast<std::uint32_t>(low.price); }
  std::int32_t middle() const { return low.price + static_cast<std::int32_t>(width() / 2); }
};

// A price to begin with: an end of the bracket once more, for its distances from the limits.
std::int32_t first_price(const Bracket& bracket) {
  const bool has_low = bracket.low.price > -price_unlimited;
  const bool has_high = bracket.high.price < price_unlimited;
  if (has_low == has_high) return bracket.middle();
  return has_low ? bracket.low.price : bracket.high.price;
}

// Until the two prices are neighbours, by steps of Newton. False if the day can end as it is, with price 0.
template <class Kind>
bool narrow(const SearchProblem& problem, std::uint32_t slot, Bracket& bracket) {
  std::int32_t price = first_price(bracket);
  PathEnds ends{problem.last(), problem.last()};
  for (std::uint32_t pass = 1; bracket.width() > 1; ++pass) {
    WATTPROOF_CHECK(pass <= price_pass_max);
    const Probe found = follow_path<Kind>(problem, slot, {price, bracket.low.sum}, ends);
    if (found.side == 0) return false;
    (found.side < 0 ? bracket.low : bracket.high) = {price, bracket.low.sum};
    (found.side < 0 ? ends.low : ends.high) = found.slot;
    const std::int64_t next = std::int64_t{price} + found.step;
    const bool is_halved = (pass >= 8 && pass % 2 == 0) || next <= bracket.low.price || next >= bracket.high.price;
    price = is_halved ? bracket.middle() : static_cast<std::int32_t>(next);
  }
  return true;
}

// A limit that a path of a stretch has met.
struct Cut {
  std::uint32_t slot = 0;
  std::int32_t price = 0;
  bool is_met = false;
};

struct Cuts {
  Cut lower;
  Cut upper;
};

// From `slot` until one of the two paths cannot be held any more: what that says about the price to come, 1 higher, -1 lower, and 0
// if the day ends without a limit. Leaves the slot reached and the last cuts on both sides.
template <class Kind>
std::int32_t follow_both(const SearchProblem& problem, std::uint32_t& slot, Bracket& paths, Cuts& cuts) {
  for (;; ++slot) {
    // At first, and once a leak drew the prices apart.
    if (paths.width() > 1 && !narrow<Kind>(problem, slot, paths)) return 0;
    const std::int32_t low_price = paths.low.price;
    const std::int32_t high_price = paths.high.price;
    advance<Kind>(problem, slot, paths.low);
    advance<Kind>(problem, slot, paths.high);
    const SumLimits& limits = problem.limits[slot];
    if (paths.high.sum < limits.low) return 1;
    if (paths.low.sum > limits.high) return -1;
    const bool is_exact = paths.low.sum == limits.high;
    if (paths.low.sum < limits.low) {
      cuts.lower = {slot, paths.high.sum == limits.low ? high_price : low_price, true};
      paths.low.sum = limits.low;
    }
    if (paths.high.sum > limits.high) {
      cuts.upper = {slot, is_exact ? low_price : high_price, true};
      paths.high.sum = limits.high;
    }
    if (slot + 1 == problem.last()) return high_price <= 0 ? 1 : -1;
  }
}

// Prices and powers of the slots from `first` to the one whose price is given.
template <class Kind>
void fill(const SearchProblem& problem, std::uint32_t first, std::uint32_t last, std::int32_t last_price) {
  for (std::uint32_t t = last + 1; t-- > first; last_price = price_before(problem, last_price)) {
    problem.price[t] = last_price;
    problem.power[t] = power_at<Kind>(problem, t, last_price);
  }
}

// S before a slot of a store without a leak if the slots before have the price `at` as well.
std::int32_t sum_before(const SearchProblem& problem, std::uint32_t slot, std::int32_t at) {
  std::int32_t sum = 0;
  for (std::uint32_t t = problem.first(); t < slot; ++t) {
    sum = sum_after<LossyPath>(problem, sum, power_at<LossyPath>(problem, t, at));
    sum = clamp(sum, problem.limits[t].low, problem.limits[t].high);
  }
  return sum;
}

// The powers of a lossy store, some of which jump.
bool place_jumps(const SearchProblem& problem) {
  std::int32_t sum = 0;
  for (std::uint32_t t = problem.first(); t < problem.last(); ++t) {
    problem.power[t] = sum_after<LossyPath>(problem, sum, problem.power[t]);
    sum = clamp(problem.power[t], problem.limits[t].low, problem.limits[t].high);
  }
  bool is_between = false;
  std::int32_t aim = 0;
  for (std::uint32_t t = problem.last(); t-- > problem.first();) {
    const std::int32_t after = problem.power[t];
    if (t + 1 == problem.last() || problem.price[t] != problem.price[t + 1]) aim = clamp(after, problem.limits[t].low, problem.limits[t].high);
    is_between |= choose_for_aim(problem, t, problem.price[t], after, aim, problem.power[t],
                                 [&](std::int32_t at) { return sum_before(problem, t, at); });
  }
  return is_between;
}

// Prices and powers up to the day's end, stretch by stretch.
template <class Kind>
bool search(const SearchProblem& problem) {
  Bracket paths{{-price_unlimited, 0}, {price_unlimited, 0}};
  for (std::uint32_t start = problem.first(); start < problem.last();) {
    Cuts cuts{};
    std::uint32_t slot = start;
    const std::int32_t side = follow_both<Kind>(problem, slot, paths, cuts);
    bool is_upper = side > 0;
    Cut cut = is_upper ? cuts.upper : cuts.lower;
    if (side == 0) {
      cut = {problem.last() - 1, 0, false};
    } else if (!cut.is_met) {
      // Only limits that contradict each other are kept by no price.
      is_upper = !is_upper;
      cut = {slot, is_upper ? paths.low.price : paths.high.price, true};
    }
    fill<Kind>(problem, start, cut.slot, cut.price);
    if (!cut.is_met) break;
    const SumLimits& limits = problem.limits[cut.slot];
    const std::int32_t sum = is_upper ? limits.high : limits.low;
    const std::int32_t after = price_after<Kind>(problem, cut.price);
    paths = {{is_upper ? after : -price_unlimited, sum}, {is_upper ? price_unlimited : after, sum}};
    start = cut.slot + 1;
  }
  return Kind::is_lossy(problem) && place_jumps(problem);
}

}  // namespace

bool search_prices(const PriceProblem& problem) {
  const SearchProblem day(problem);
  if (problem.is_leaking()) return search<LeakingPath>(day);
  return problem.is_lossy() ? search<LossyPath>(day) : search<PlainPath>(day);
}

}  // namespace wattproof::solver
#endif
