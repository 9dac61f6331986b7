// SPDX-License-Identifier: Apache-2.0
#include "solver/price_probe.hpp"

// Compiled for size, find_prices() takes its place.
#ifndef __OPTIMIZE_SIZE__
namespace wattproof::solver {

namespace {

// How far a path is from a limit, and the slots before it whose powers are between their limits: 1 for each that discharges, charging_one
// for each that charges.
struct Distance {
  std::int32_t sum;
  std::uint32_t movers;
};

constexpr std::uint32_t charging_bits = 16;
constexpr std::uint32_t charging_one = 1u << charging_bits;
constexpr Distance far_distance{std::int32_t{1} << 30, 0};

// By how much the price would have to change for a path to cover a distance, if nothing bent on the way.
std::int32_t price_step(const SearchProblem& problem, const Distance& distance) {
  std::int32_t slope = static_cast<std::int32_t>(distance.movers % charging_one) * 256;
  if (problem.is_lossy()) slope += portion(portion(static_cast<std::int32_t>(distance.movers >> charging_bits) * 256, problem.round_trip), problem.round_trip);
  if (slope == 0) return price_unlimited;
  const std::int32_t whole = distance.sum / slope;
  if (whole >= price_unlimited >> 8) return price_unlimited;
  return whole * 256 + (distance.sum - whole * slope) * 256 / slope;
}

// A price too low has to rise until nothing is missed any more, or until the path touches an upper limit that it passed below.
Probe with_step(const SearchProblem& problem, std::int32_t side, std::uint32_t slot, const Distance& miss, const Distance& room) {
  const std::int32_t to_miss = price_step(problem, miss);
  const std::int32_t to_room = price_step(problem, room);
  std::int32_t step = to_miss < to_room ? to_miss : to_room;
  if (step == 0) step = 1;
  return {side, slot, side < 0 ? step : -step};
}

// A path slot by slot, with the slots whose powers move with the price.
template <class Kind>
class Walker {
 public:
  [[gnu::always_inline]] inline Walker(const SearchProblem& problem, std::uint32_t slot, const PathPoint& from)
      : problem_(problem),
        varies_(problem.storage.varies()),
        low_(problem.low(slot)),
        high_(problem.high(slot)),
        prices_(watt_prices<Kind>(problem, from.price)),
        sum_(from.sum) {}

  [[gnu::always_inline]] inline void pass(std::uint32_t slot) {
    if (varies_) {
      low_ = problem_.low(slot);
      high_ = problem_.high(slot);
    }
    const std::int32_t power = choose_power<Kind>(problem_, low_, high_, problem_.wish[slot], prices_);
    if (low_ < power && power < high_) movers_ += !Kind::is_lossy(problem_) || power < 0 ? 1 : power > 0 ? charging_one : 0;
    sum_ = sum_after<Kind>(problem_, sum_, power);
    if (Kind::is_leaking(problem_)) prices_.charge = price_after<Kind>(problem_, prices_.charge);
  }

  std::int32_t sum() const { return sum_; }
  std::uint32_t movers() const { return movers_; }

 private:
  const SearchProblem& problem_;
  bool varies_;
  std::int32_t low_;
  std::int32_t high_;
  WattPrices prices_;
  std::int32_t sum_;
  std::uint32_t movers_ = 0;
};

}  // namespace

SearchProblem::SearchProblem(const PriceProblem& problem)
    : PriceProblem(problem),
      growth(keep == 0 ? 0 : static_cast<std::int64_t>((((std::uint64_t{1} << 32) - keep) << 32) / keep)),
      price_low(price_before(problem, -price_unlimited)),
      price_high(price_before(problem, price_unlimited)) {}

template <class Kind>
Probe follow_path(const SearchProblem& problem, std::uint32_t slot, const PathPoint& from, const PathEnds& ends) {
  Walker<Kind> path(problem, slot, from);
  Distance above = far_distance;  // the nearest lower limit
  Distance below = far_distance;
  std::int32_t over = 0;
  std::int32_t under = 0;
  std::uint32_t t = slot;
  const std::uint32_t last = problem.last();
  for (; t < last; ++t) {
    path.pass(t);
    over = path.sum() - problem.limits[t].low;
    under = problem.limits[t].high - path.sum();
    if ((over | under) < 0) [[unlikely]] break;
    // Where no price moves the path, no limit is near.
    if (over < above.sum && path.movers() != 0) [[unlikely]] above = {over, path.movers()};
    if (under < below.sum && path.movers() != 0) [[unlikely]] below = {under, path.movers()};
  }
  if (t == last) {
    if (from.price == 0) return {0, last, 0};
    const Distance to_zero{from.price < 0 ? -from.price : from.price, 1};
    return with_step(problem, from.price < 0 ? -1 : 1, last, to_zero, from.price < 0 ? below : above);
  }
  const std::int32_t side = over < 0 ? -1 : 1;
  const std::uint32_t end = side < 0 ? ends.high : ends.low;
  const std::uint32_t found = t;
  Distance miss{over < 0 ? -over : -under, path.movers()};
  while (++t < end) {
    path.pass(t);
    if ((side < 0 ? problem.limits[t].high - path.sum() : path.sum() - problem.limits[t].low) < 0) break;
    const std::int32_t missed = side < 0 ? problem.limits[t].low - path.sum() : path.sum() - problem.limits[t].high;
    if (missed >= far_distance.sum) break;  // a further slot might pass 31 bits
    if (missed > miss.sum || miss.movers == 0) [[unlikely]] miss = {missed, path.movers()};
  }
  return with_step(problem, side, found, miss, side < 0 ? below : above);
}

template Probe follow_path<PlainPath>(const SearchProblem&, std::uint32_t, const PathPoint&, const PathEnds&);
template Probe follow_path<LossyPath>(const SearchProblem&, std::uint32_t, const PathPoint&, const PathEnds&);
template Probe follow_path<LeakingPath>(const SearchProblem&, std::uint32_t, const PathPoint&, const PathEnds&);

}  // namespace wattproof::solver
#endif
