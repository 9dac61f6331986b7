// SPDX-License-Identifier: Apache-2.0
#include "solver/water_filling.hpp"

#include <limits>

#include "base/check.hpp"
#include "base/math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int32_t level_max = std::int32_t{1} << 30;

struct Bracket {
  std::int32_t low = -level_max;   // sum(low) <= energy
  std::int32_t high = level_max;   // sum(high) >= energy
  bool is_narrow = false;
};

// Only where Newton's steps do not help: from which level to which the sum changes at all.
void make_narrow(const StorageProblem& problem, const std::int32_t* targets, std::int32_t power_limit, Bracket& bracket) {
  std::int32_t least = targets[problem.first];
  std::int32_t most = least;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    if (targets[t] < least) least = targets[t];
    if (targets[t] > most) most = targets[t];
  }
  const bool varies = problem.varies();
  const std::int32_t low = (varies ? -power_limit : problem.low_w.at(problem.first)) - most;
  const std::int32_t high = (varies ? power_limit : problem.high_w.at(problem.first)) - least;
  if (bracket.low < low) bracket.low = low;
  if (bracket.high > high) bracket.high = high;
  bracket.is_narrow = true;
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
  // Counted above the lower limit, where most slots of a short charge stay.
  const std::int32_t low_w = problem.low_w.at(problem.first);
  const std::int32_t range_w = problem.high_w.at(problem.first) - low_w;
  const std::int32_t shift = level - low_w;
  const std::int32_t* const end = targets + problem.last;
  std::int32_t sum = 0;
  std::int32_t inside = 0;
  std::int32_t full = 0;
  for (const std::int32_t* target = targets + problem.first; target != end; ++target) {
    const std::int32_t above_w = *target + shift;
    if (above_w <= 0) continue;
    if (above_w < range_w) {
      sum += above_w;
      ++inside;
    } else {
      ++full;
    }
  }
  return {static_cast<std::int32_t>(problem.count()) * low_w + full * range_w + sum, inside};
}

std::int32_t middle_of(const Bracket& bracket) {
  return bracket.low + static_cast<std::int32_t>(
      (static_cast<std::uint32_t>(bracket.high) - static_cast<std::uint32_t>(bracket.low)) / 2);
}

// A Newton step, or the level itself if it would leave the bracket.
std::int32_t newton_level(const Bracket& bracket, std::int32_t level, std::int32_t rest, std::int32_t inside) {
  const std::uint32_t size = static_cast<std::uint32_t>(rest < 0 ? -rest : rest);
  std::int32_t step = static_cast<std::int32_t>(size / static_cast<std::uint32_t>(inside));
  if (step == 0) step = 1;
  const std::int32_t next = rest < 0 ? level - step : level + step;
  return bracket.low < next && next < bracket.high ? next : level;
}

// Fills the window of the profile with the wishes raised by `level`, within the limits; the first slots that can take a watt
// more get the rest. Returns the sum, compiled for size.
std::int32_t pour(const StorageProblem& problem, const Task& task, std::int32_t level, std::int32_t rest) {
  const std::int32_t* const targets = task.wish.plain_target_w();
  std::int32_t* const profile_w = task.profile_w.data();
  const bool varies = is_for_size || problem.varies();
  std::int32_t low_w = problem.low_w.at(problem.first);
  std::int32_t high_w = problem.high_w.at(problem.first);
  std::int32_t sum = 0;
  const std::uint32_t last = problem.last;
  for (std::uint32_t t = problem.first; t < last; ++t) {
    if (varies) {
      low_w = problem.low_w.at(t);
      high_w = problem.high_w.at(t);
    }
    std::int32_t x = (is_for_size ? task.wish.at(t, 0) : targets[t]) + level;
    if (x < low_w) {
      x = low_w;
    } else if (x >= high_w) {
      x = high_w;
    } else if (rest > 0) {
      ++x;
      --rest;
    }
    profile_w[t] = x;
    if (is_for_size) sum += x;
  }
  WATTPROOF_CHECK(rest == 0);
  return sum;
}

// The level and what is left for single slots, by Newton's steps.
std::int32_t level_by_newton(const StorageProblem& problem, const Wish& wish, std::int32_t energy, std::int32_t& rest) {
  const std::int32_t* const targets = wish.plain_target_w();
  Bracket bracket;
  std::int32_t level = 0;
  for (std::uint32_t passes = 1;; ++passes) {
    WATTPROOF_CHECK(passes <= water_pass_max);
    const Fill filled = fill(problem, targets, level);
    rest = energy - filled.sum;
    if (rest >= 0 && rest <= filled.inside && (rest == 0 || rest < filled.inside)) return level;
    if (rest > 0) {
      bracket.low = level;
    } else {
      bracket.high = level;
    }
    if (bracket.high - bracket.low > 1 && filled.inside != 0 && (passes < 8 || passes % 2 != 0)) {
      const std::int32_t next = newton_level(bracket, level, rest, filled.inside);
      if (next != level) {
        level = next;
        continue;
      }
    }
    if (!bracket.is_narrow) make_narrow(problem, targets, wish.power_limit_w(), bracket);
    if (bracket.high - bracket.low <= 1) {
      if (level == bracket.low) return level;
      rest = energy - fill(problem, targets, bracket.low).sum;
      return bracket.low;
    }
    level = middle_of(bracket);
  }
}

// The same by halving all levels that there can be: longer, but short to write.
std::int32_t level_by_halving(const StorageProblem& problem, const Task& task, std::int32_t energy, std::int32_t& rest) {
  std::int32_t step = 2 * task.wish.power_limit_w() + 2;
  std::int32_t level = -step;
  for (; step > 0; step >>= 1) {
    const std::int32_t left = energy - pour(problem, task, level + step, 0);
    if (left < 0) continue;
    rest = left;
    level += step;
  }
  return level;
}

}  // namespace

Error pour_wishes(const Task& task) {
  const StorageProblem problem = storage_problem(task.device, task.grid);
  PowerReach reach;
  WATTPROOF_TRY(make_reach(problem, reach));
  pour(problem, task, 0, 0);
  return Error::none;
}

Error water_filling(const StorageProblem& problem, const Task& task) {
  if (task.workspace.empty()) return Error::workspace_too_small;
  PowerReach reach;
  WATTPROOF_TRY(make_reach(problem, reach));
  if (reach.power > task.wish.power_limit_w()) return Error::out_of_range;
  const std::int32_t energy = saturate(problem.from_start(problem.end.low));
  if (energy < reach.low_sum || energy > reach.high_sum) return Error::infeasible;
  std::int32_t rest = 0;
  const std::int32_t level = is_for_size ? level_by_halving(problem, task, energy, rest)
                                         : level_by_newton(problem, task.wish, energy, rest);
  pour(problem, task, level, rest);
  clear_outside(problem, task.grid.slots, task.profile_w.data());
  std::int32_t* const dual = reinterpret_cast<std::int32_t*>(task.workspace.data());
  *dual = rest > 0 ? level + 1 : level;
  task.report.guard_bits = 0;
  task.report.dual = {dual, 1};
  return Error::none;
}

}  // namespace wattproof::solver
