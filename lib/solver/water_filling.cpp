// SPDX-License-Identifier: Apache-2.0
#include "solver/water_filling.hpp"

#include "base/check.hpp"
#include "base/math.hpp"

namespace wattproof::solver {

namespace {

struct Bracket {
  std::int32_t low = 0;   // sum(low) <= energy
  std::int32_t high = 0;  // sum(high) >= energy
};

Error make_bracket(const StorageProblem& problem, const Wish& wish, std::int32_t power_limit, Bracket& bracket) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  bracket = {0, 0};
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    if (low_w > high_w) return Error::infeasible;
    if (low_w < -power_limit || high_w > power_limit) return Error::out_of_range;
    low += low_w;
    high += high_w;
    const std::int32_t v = wish.at(t, 0);
    const bool is_first = t == problem.first;
    if (is_first || low_w - v < bracket.low) bracket.low = low_w - v;
    if (is_first || high_w - v > bracket.high) bracket.high = high_w - v;
  }
  return problem.end_min < low || problem.end_min > high ? Error::infeasible : Error::none;
}

struct Fill {
  std::int32_t sum = 0;
  std::int32_t inside = 0;  // slots strictly between their limits
};

Fill fill(const StorageProblem& problem, const Wish& wish, std::int32_t level) {
  Fill result;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int32_t x = wish.at(t, 0) + level;
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    if (x <= low_w) {
      result.sum += low_w;
    } else if (x >= high_w) {
      result.sum += high_w;
    } else {
      result.sum += x;
      ++result.inside;
    }
  }
  return result;
}

// A Newton step where the pass allows it, else the middle; strictly inside the bracket.
std::int32_t next_level(const Bracket& bracket, std::int32_t level, std::int32_t rest, std::int32_t inside,
                        std::uint32_t pass) {
  const std::int32_t middle = bracket.low + static_cast<std::int32_t>(
      (static_cast<std::uint32_t>(bracket.high) - static_cast<std::uint32_t>(bracket.low)) / 2);
  if (inside == 0 || (pass >= 8 && pass % 2 == 0)) return middle;
  const std::uint32_t size = static_cast<std::uint32_t>(rest < 0 ? -rest : rest);
  std::int32_t step = static_cast<std::int32_t>(size / static_cast<std::uint32_t>(inside));
  if (step == 0) step = 1;
  const std::int32_t newton = rest < 0 ? level - step : level + step;
  return bracket.low < newton && newton < bracket.high ? newton : middle;
}

}  // namespace

Error water_filling(const StorageProblem& problem, const Grid& grid, const Wish& wish, std::span<std::int32_t> profile_w,
                    std::int32_t& level_w, std::uint32_t& passes) {
  Bracket bracket;
  WATTPROOF_TRY(make_bracket(problem, wish, power_limit_w(grid.slots), bracket));
  const std::int32_t energy = static_cast<std::int32_t>(problem.end_min);
  std::int32_t level = clamp(std::int32_t{0}, bracket.low, bracket.high);
  std::int32_t rest = 0;
  for (passes = 1;; ++passes) {
    WATTPROOF_CHECK(passes <= water_pass_max);
    const Fill filled = fill(problem, wish, level);
    rest = energy - filled.sum;
    if (rest >= 0 && rest <= filled.inside && (rest == 0 || rest < filled.inside)) break;
    if (rest > 0) {
      bracket.low = level;
    } else {
      bracket.high = level;
    }
    if (bracket.high - bracket.low <= 1) {
      if (level == bracket.low) break;
      level = bracket.low;
      rest = energy - fill(problem, wish, level).sum;
      break;
    }
    level = next_level(bracket, level, rest, filled.inside, passes);
  }
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int32_t x = wish.at(t, 0) + level;
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    std::int32_t power_w = clamp(x, low_w, high_w);
    if (rest > 0 && power_w < high_w && x >= low_w) {
      ++power_w;
      --rest;
    }
    profile_w[t] = power_w;
  }
  WATTPROOF_CHECK(rest == 0);
  for (std::uint32_t t = 0; t < problem.first; ++t) profile_w[t] = 0;
  for (std::uint32_t t = problem.last; t < grid.slots; ++t) profile_w[t] = 0;
  level_w = level;
  return Error::none;
}

}  // namespace wattproof::solver
