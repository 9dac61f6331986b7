// SPDX-License-Identifier: Apache-2.0
#include "solver/water_filling.hpp"

#include <limits>

#include "base/check.hpp"
#include "base/math.hpp"

namespace wattproof::solver {

namespace {

struct Bracket {
  std::int32_t low = 0;   // sum(low) <= energy
  std::int32_t high = 0;  // sum(high) >= energy
};

// The bracket of the level, and whether the energy is between what the powers of all slots can give.
Error make_bracket(const StorageProblem& problem, const std::int32_t* targets, std::int32_t power_limit, Bracket& bracket) {
  // Constant limits in one step, so that the loop has only the targets to look at.
  const bool varies = problem.varies();
  const std::uint32_t last = problem.last;
  const std::int64_t times = varies ? 1 : problem.count();
  std::int64_t low = 0;
  std::int64_t high = 0;
  for (std::uint32_t t = problem.first; t < (varies ? last : problem.first + 1); ++t) {
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    if (low_w > high_w) return Error::infeasible;
    if (low_w < -power_limit || high_w > power_limit) return Error::out_of_range;
    low += low_w * times;
    high += high_w * times;
  }
  if (problem.end_min < low || problem.end_min > high) return Error::infeasible;
  std::int32_t least = targets[problem.first];
  std::int32_t most = least;
  for (std::uint32_t t = problem.first; t < last; ++t) {
    const std::int32_t v = targets[t];
    if (v < least) least = v;
    if (v > most) most = v;
  }
  // Wide enough for any limits within the range of powers; narrower where one pair of limits holds for all.
  bracket.low = (varies ? -power_limit : problem.low_w.at(problem.first)) - most;
  bracket.high = (varies ? power_limit : problem.high_w.at(problem.first)) - least;
  return Error::none;
}

struct Fill {
  std::int32_t sum = 0;
  std::int32_t inside = 0;  // slots strictly between their limits
};

Fill fill_varying(const StorageProblem& problem, const std::int32_t* targets, std::int32_t level) {
  Fill result;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    const std::int32_t x = targets[t] + level;
    result.sum += clamp(x, low_w, high_w);
    if (x > low_w && x < high_w) ++result.inside;
  }
  return result;
}

Fill fill(const StorageProblem& problem, const std::int32_t* targets, std::int32_t level) {
  if (problem.varies()) return fill_varying(problem, targets, level);
  const std::int32_t low_w = problem.low_w.at(problem.first);
  const std::int32_t high_w = problem.high_w.at(problem.first);
  const std::int32_t* const end = targets + problem.last;
  Fill result;
  for (const std::int32_t* target = targets + problem.first; target != end; ++target) {
    const std::int32_t x = *target + level;
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

// Writes the profile; the first slots that can take a watt more get the rest.
void pour(const StorageProblem& problem, const std::int32_t* targets, std::int32_t level, std::int32_t rest,
          std::span<std::int32_t> profile_w) {
  const bool varies = problem.varies();
  const std::uint32_t last = problem.last;
  std::int32_t low_w = problem.low_w.at(problem.first);
  std::int32_t high_w = problem.high_w.at(problem.first);
  for (std::uint32_t t = problem.first; t < last; ++t) {
    if (varies) {
      low_w = problem.low_w.at(t);
      high_w = problem.high_w.at(t);
    }
    std::int32_t x = targets[t] + level;
    if (x < low_w) {
      x = low_w;
    } else if (x >= high_w) {
      x = high_w;
    } else if (rest > 0) {
      ++x;
      --rest;
    }
    profile_w[t] = x;
  }
  WATTPROOF_CHECK(rest == 0);
}

}  // namespace

Error water_filling(const StorageProblem& problem, const Grid& grid, const Wish& wish, std::span<std::int32_t> profile_w,
                    std::int32_t& level_w, std::uint32_t& passes) {
  const std::int32_t* const targets = wish.plain_target_w();
  Bracket bracket;
  WATTPROOF_TRY(make_bracket(problem, targets, power_limit_w(grid.slots), bracket));
  const std::int32_t energy = static_cast<std::int32_t>(problem.end_min);
  std::int32_t level = clamp(std::int32_t{0}, bracket.low, bracket.high);
  std::int32_t rest = 0;
  for (passes = 1;; ++passes) {
    WATTPROOF_CHECK(passes <= water_pass_max);
    const Fill filled = fill(problem, targets, level);
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
      rest = energy - fill(problem, targets, level).sum;
      break;
    }
    level = next_level(bracket, level, rest, filled.inside, passes);
  }
  pour(problem, targets, level, rest, profile_w);
  for (std::uint32_t t = 0; t < problem.first; ++t) profile_w[t] = 0;
  for (std::uint32_t t = problem.last; t < grid.slots; ++t) profile_w[t] = 0;
  level_w = level;
  return Error::none;
}

}  // namespace wattproof::solver
