// SPDX-License-Identifier: Apache-2.0
#include "solver/price_path.hpp"

#include "base/check.hpp"
#include "base/math.hpp"
#include "solver/for_size.hpp"
#include "solver/price_probe.hpp"

namespace wattproof::solver {

namespace {

// A price that is too low and one that is too high. Those between have the lower one's path before the slot.
struct Bracket {
  PathPoint low;
  PathPoint high;

  std::uint32_t width() const { return static_cast<std::uint32_t>(high.price) - static_cast<std::uint32_t>(low.price); }
  std::int32_t middle() const { return low.price + static_cast<std::int32_t>(width() / 2); }
};

#ifdef __OPTIMIZE_SIZE__
// Until the two prices are neighbours. False if the day can end as it is, with price 0.
template <class Kind>
bool narrow(const PriceProblem& problem, std::uint32_t slot, Bracket& bracket) {
  while (bracket.width() > 1) {  // at most price_pass_max times
    const PathPoint tried{bracket.middle(), bracket.low.sum};
    const std::int32_t side = side_of_path<Kind>(problem, slot, tried);
    if (side == 0) return false;
    (side < 0 ? bracket.low : bracket.high) = tried;
  }
  return true;
}
#else
// A price to begin with: an end of the bracket once more, for its distances from the limits.
std::int32_t first_price(const Bracket& bracket) {
  const bool has_low = bracket.low.price > -price_unlimited;
  const bool has_high = bracket.high.price < price_unlimited;
  if (has_low == has_high) return bracket.middle();
  return has_low ? bracket.low.price : bracket.high.price;
}

// The same by steps of Newton.
template <class Kind>
bool narrow(const PriceProblem& problem, std::uint32_t slot, Bracket& bracket) {
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
#endif

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
std::int32_t follow_both(const PriceProblem& problem, std::uint32_t& slot, Bracket& paths, Cuts& cuts) {
  for (;; ++slot) {
    // At first, and once a leak drew the prices apart.
    if ((is_for_size || paths.width() > 1) && !narrow<Kind>(problem, slot, paths)) return 0;
    const std::int32_t low_price = paths.low.price;
    const std::int32_t high_price = paths.high.price;
    advance<Kind>(problem, slot, paths.low);
    advance<Kind>(problem, slot, paths.high);
    const SumLimits& limits = problem.limits[slot];
    if (paths.high.sum < limits.low) return 1;
    if (paths.low.sum > limits.high) return -1;
    if (paths.low.sum < limits.low) {
      cuts.lower = {slot, paths.high.sum == limits.low ? high_price : low_price, true};
      paths.low.sum = limits.low;
    }
    if (paths.high.sum > limits.high) {
      cuts.upper = {slot, paths.low.sum == limits.high ? low_price : high_price, true};
      paths.high.sum = limits.high;
    }
    if (slot + 1 == problem.last()) return high_price <= 0 ? 1 : -1;
  }
}

std::int32_t power_of_price(const PriceProblem& problem, std::uint32_t slot, std::int32_t price) {
  return power_at<AnyPath>(problem, slot, price);
}

// Prices and powers of the slots from `first` to the one whose price is given.
void fill(const PriceProblem& problem, std::uint32_t first, std::uint32_t last, std::int32_t last_price, std::int32_t* price, std::int32_t* power) {
  for (std::uint32_t t = last + 1; t-- > first; last_price = price_before(problem, last_price)) {
    price[t] = last_price;
    power[t] = power_of_price(problem, t, last_price);
  }
}

// What charging or discharging at `power` adds to S.
std::int32_t effect(const PriceProblem& problem, std::int32_t power) { return sum_after<AnyPath>(problem, 0, power); }

// The power whose effect is `sum`, of a store without a leak.
std::int32_t power_of_effect(const PriceProblem& problem, std::int32_t sum) {
  if (!problem.is_lossy() || sum <= 0) return sum;
  return static_cast<std::int32_t>((static_cast<std::uint64_t>(static_cast<std::uint32_t>(sum)) << 32) / problem.round_trip);
}

// A stretch whose price is that of a jump.
struct JumpStretch {
  std::uint32_t first;
  std::uint32_t last;
  std::int32_t low_price;
  std::int32_t from;  // S before it
  std::int32_t to;    // and after
};

// A slot of a stretch, at its power and raised to what the higher price asks for.
struct Jump {
  std::int32_t power;
  std::int32_t effect;
  std::int32_t more;  // that the higher power adds to S; 0 if the slot may not be at either power
};

// A slot may be at either power if, of a lossy store, it discharges at the one and charges at the other.
WATTPROOF_ONCE_FOR_SIZE Jump jump_from(const PriceProblem& problem, std::uint32_t slot, std::int32_t power, std::int32_t price) {
  Jump jump{power_of_price(problem, slot, price), effect(problem, power), 0};
  if (problem.bits == 0 || (power < 0 && jump.power > 0)) jump.more = effect(problem, jump.power) - jump.effect;
  return jump;
}

// From their lower powers, the first slots take the upper one where S still ends at its limit, and where the slot's own lets them.
// Returns what is missing then.
std::int32_t raise_first(const PriceProblem& problem, const JumpStretch& stretch, std::int32_t* power) {
  std::int32_t rest = stretch.to - stretch.from;
  for (std::uint32_t t = stretch.first; t <= stretch.last; ++t) {
    const std::int32_t low = power_of_price(problem, t, stretch.low_price);
    if (jump_from(problem, t, low, stretch.low_price + 1).more != 0) power[t] = low;
    rest -= effect(problem, power[t]);
  }
  std::int32_t sum = stretch.from;
  for (std::uint32_t t = stretch.first; t <= stretch.last; ++t) {
    const Jump jump = jump_from(problem, t, power[t], stretch.low_price + 1);
    sum += jump.effect;
    if (jump.more == 0 || jump.more > rest || jump.more > problem.limits[t].high - sum) continue;
    power[t] = jump.power;
    sum += jump.more;
    rest -= jump.more;
  }
  return rest;
}

// The stretch's last slots that jump take in part what is still missing. True if one is then between its two powers.
bool raise_last(const PriceProblem& problem, const JumpStretch& stretch, std::int32_t rest, std::int32_t* power) {
  bool is_between = false;
  std::int32_t sum = stretch.to - rest;
  std::int32_t room = rest;  // how far the sums from here on may rise
  for (std::uint32_t t = stretch.last + 1; t-- > stretch.first && room > 0;) {
    const std::int32_t below = problem.limits[t].high - sum;
    if (below < room) room = below;
    const Jump jump = jump_from(problem, t, power[t], stretch.low_price + 1);
    sum -= jump.effect;
    if (room <= 0 || jump.more == 0) continue;
    const std::int32_t more = jump.more < room ? jump.more : room;
    power[t] = more == jump.more ? jump.power : power_of_effect(problem, jump.effect + more);
    is_between = true;
    room -= more;
  }
  return is_between;
}

bool share_jumps(const PriceProblem& problem, const JumpStretch& stretch, std::int32_t* power) {
  if (problem.bits != 0 && stretch.low_price >= 0) return false;  // only below 0 may it be worth to discharge against a wish
  const std::int32_t rest = raise_first(problem, stretch, power);
  return rest > 0 && raise_last(problem, stretch, rest, power);
}

// Limits that no path keeps, if only by the grid's rounding, become the nearest that one does.
template <class Kind>
void limit_to_reach(const PriceProblem& problem) {
  SumLimits reached{0, 0};
  for (std::uint32_t t = problem.first(); t < problem.last(); ++t) {
    SumLimits& limits = problem.limits[t];
    reached = {sum_after<Kind>(problem, reached.low, problem.low(t)), sum_after<Kind>(problem, reached.high, problem.high(t))};
    if (limits.low > reached.high) limits.low = reached.high;
    if (limits.high < reached.low) limits.high = reached.low;
    if (reached.low < limits.low) reached.low = limits.low;
    if (reached.high > limits.high) reached.high = limits.high;
  }
}

// Prices and powers up to the day's end, stretch by stretch.
template <class Kind>
bool find(const PriceProblem& problem, std::int32_t* price, std::int32_t* power) {
  limit_to_reach<Kind>(problem);
  bool is_between = false;
  Bracket paths{{-price_unlimited, 0}, {price_unlimited, 0}};
  for (std::uint32_t start = problem.first(); start < problem.last();) {
    Cuts cuts{};
    std::uint32_t slot = start;
    const std::int32_t from = paths.low.sum;
    const std::int32_t side = follow_both<Kind>(problem, slot, paths, cuts);
    bool is_upper = side > 0 && (problem.bits != 0 || !cuts.lower.is_met);
    Cut cut = is_upper ? cuts.upper : cuts.lower;
    if (side == 0) {
      cut = {problem.last() - 1, 0, false};
    } else if (!cut.is_met) {
      // Only limits that contradict each other are kept by no price.
      is_upper = !is_upper;
      cut = {slot, is_upper ? paths.low.price : paths.high.price, true};
    }
    fill(problem, start, cut.slot, cut.price, price, power);
    if (!cut.is_met) break;
    const SumLimits& limits = problem.limits[cut.slot];
    const std::int32_t sum = is_upper ? limits.high : limits.low;
    if (problem.is_lossy() || problem.bits == 0) is_between |= share_jumps(problem, {start, cut.slot, paths.low.price, from, sum}, power);
    const std::int32_t after = price_after<Kind>(problem, cut.price);
    paths = {{is_upper ? after : -price_unlimited, sum}, {is_upper ? price_unlimited : after, sum}};
    start = cut.slot + 1;
  }
  return is_between;
}

}  // namespace

void set_losses(PriceProblem& problem, std::int32_t round_trip_ppm, std::int32_t leak_permyriad) {
  constexpr std::int32_t permyriad = 10'000;
  const std::int32_t keep = permyriad - leak_permyriad;
  if (round_trip_ppm != 1'000'000) problem.round_trip = static_cast<std::uint32_t>(wide_floor_div(std::int64_t{round_trip_ppm} << 32, 1'000'000));
  if (leak_permyriad == 0) return;
  problem.keep = static_cast<std::uint32_t>(wide_floor_div(std::int64_t{keep} << 31, permyriad));
  problem.growth = wide_floor_div(std::int64_t{leak_permyriad} << 32, keep);
  problem.near_price = price_unlimited / permyriad * keep;
}

std::int32_t price_before(const PriceProblem& problem, std::int32_t price) {
  if (!problem.is_leaking()) return price;
  // Of all that grow beyond every price the smallest: what more the limit asks for shows when whole watts are chosen.
  if (price == price_unlimited) return problem.near_price;
  if (price == -price_unlimited) return -problem.near_price;
  // keep is rounded down and growth may be as well, so the price is found from a little above.
  std::int32_t before = static_cast<std::int32_t>((std::int64_t{price} * problem.keep) >> 31) + 2;
  while (price_after<AnyPath>(problem, before) > price) --before;
  return before;
}

bool find_prices(const PriceProblem& problem, std::int32_t* price, std::int32_t* power) {
#ifdef __OPTIMIZE_SIZE__
  return find<AnyPath>(problem, price, power);
#else
  if (problem.is_leaking()) return find<LeakingPath>(problem, price, power);
  return problem.is_lossy() ? find<LossyPath>(problem, price, power) : find<PlainPath>(problem, price, power);
#endif
}

}  // namespace wattproof::solver
