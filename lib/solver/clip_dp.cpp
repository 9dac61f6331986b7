// SPDX-License-Identifier: Apache-2.0
#include "solver/clip_dp.hpp"

#include <limits>

#include "base/check.hpp"
#include "base/math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int32_t price_low = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t price_high = std::numeric_limits<std::int32_t>::max();

// At price `at` the slope of S rises by `rise`.
struct Knot {
  std::int32_t at;
  std::int32_t rise;
};

// The knots of S in ascending order, in the middle of a caller's array so that both ends can grow and shrink.
class Knots {
 public:
  Knots(Knot* begin, std::uint32_t capacity) : begin_(begin), end_(begin + capacity) {
    first_ = last_ = begin + capacity / 2;
  }

  // Makes room for two knots at each end. Never more than two knots a slot are alive (docs/SOLVER.md), so it fits.
  void make_room() {
    if (first_ - begin_ >= 2 && end_ - last_ >= 2) return;
    const std::int32_t count = static_cast<std::int32_t>(last_ - first_);
    Knot* to = begin_ + (end_ - begin_ - count) / 2;
    WATTPROOF_CHECK(to - begin_ >= 2);
    if (to < first_) {
      for (std::int32_t i = 0; i < count; ++i) to[i] = first_[i];
    } else {
      for (std::int32_t i = count; i > 0; --i) to[i - 1] = first_[i - 1];
    }
    first_ = to;
    last_ = to + count;
  }

  // Slope +1 from `at` on: the part left of it moves down.
  void insert_rise(std::int32_t at) {
    Knot* hole = --first_;
    while (hole + 1 < last_ && hole[1].at <= at) {
      hole[0] = hole[1];
      ++hole;
    }
    *hole = {at, 1};
  }

  // Slope -1 from `at` on: the part right of it moves up.
  void insert_fall(std::int32_t at) {
    Knot* hole = last_++;
    while (hole > first_ && hole[-1].at > at) {
      hole[0] = hole[-1];
      --hole;
    }
    *hole = {at, -1};
  }

  // Cuts off the lowest `need` > 0 of S and returns the last grid price at or below which all of it is cut.
  std::int32_t clip_low(std::uint32_t need) {
    std::int32_t slope = 0;
    for (Knot* knot = first_;; ++knot) {
      WATTPROOF_CHECK(knot < last_);
      slope += knot->rise;
      if (slope <= 0) continue;
      const std::uint32_t rate = static_cast<std::uint32_t>(slope);
      if (knot + 1 < last_) {
        const std::uint32_t rise = rate * (static_cast<std::uint32_t>(knot[1].at) - static_cast<std::uint32_t>(knot->at));
        if (rise < need) {
          need -= rise;
          continue;
        }
      }
      const std::uint32_t steps = need / rate;
      const std::int32_t rest = static_cast<std::int32_t>(need - steps * rate);
      const std::int32_t at = knot->at + static_cast<std::int32_t>(steps);
      first_ = knot;
      if (rest == 0) {
        *first_ = {at, slope};
      } else {
        if (knot + 1 < last_ && knot[1].at == at + 1) {
          knot[1].rise += rest;
        } else {
          *knot = {at + 1, rest};
          --first_;
        }
        *first_ = {at, slope - rest};
      }
      return at;
    }
  }

  // The mirror image: cuts off the highest `need` > 0 of S.
  std::int32_t clip_high(std::uint32_t need) {
    std::int32_t slope = 0;
    for (Knot* knot = last_ - 1;; --knot) {
      WATTPROOF_CHECK(knot >= first_);
      slope -= knot->rise;
      if (slope <= 0) continue;
      const std::uint32_t rate = static_cast<std::uint32_t>(slope);
      if (knot > first_) {
        const std::uint32_t rise =
            rate * (static_cast<std::uint32_t>(knot->at) - static_cast<std::uint32_t>(knot[-1].at));
        if (rise < need) {
          need -= rise;
          continue;
        }
      }
      const std::uint32_t steps = need / rate;
      const std::int32_t rest = static_cast<std::int32_t>(need - steps * rate);
      const std::int32_t at = knot->at - static_cast<std::int32_t>(steps);
      last_ = knot + 1;
      if (rest == 0) {
        *knot = {at, -slope};
      } else {
        if (knot > first_ && knot[-1].at == at - 1) {
          knot[-1].rise -= rest;
        } else {
          *knot = {at - 1, -rest};
          ++last_;
        }
        last_[-1] = {at, rest - slope};
      }
      return at;
    }
  }

 private:
  Knot* begin_;
  Knot* end_;
  Knot* first_;
  Knot* last_;
};

// The problem on the grid, energies relative to the start, narrowed to what the powers can reach.
struct GridBounds {
  std::int32_t low;
  std::int32_t high;
  std::int32_t end_low;
  std::int32_t end_high;
  std::int64_t reach_low;  // W x slot
  std::int64_t reach_high;
  std::int32_t scale;      // 2^F
};

// A lower limit on the grid; below reach_low it can never act, above reach_high it is infeasible at the slot itself.
std::int32_t grid_limit(const GridBounds& bounds, std::int64_t energy) {
  return static_cast<std::int32_t>(clamp(energy, bounds.reach_low - 1, bounds.reach_high + 1) * bounds.scale);
}

std::int64_t relative(std::int64_t energy, std::int64_t start) {
  return energy - start;
}

Error make_bounds(const StorageProblem& problem, std::uint32_t bits, std::int32_t power_limit, GridBounds& bounds) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::int64_t low_min = 0;
  std::int64_t high_max = 0;
  std::int32_t power = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    if (low_w > high_w) return Error::infeasible;
    low += low_w;
    high += high_w;
    if (low < low_min) low_min = low;
    if (high > high_max) high_max = high;
    if (-low_w > power) power = -low_w;
    if (high_w > power) power = high_w;
  }
  if (power > power_limit) return Error::out_of_range;
  const std::int64_t energy_low = relative(problem.energy_min, problem.start);
  const std::int64_t energy_high = relative(problem.energy_max, problem.start);
  // Between the limits and what is reachable, and never short of the start, which may lie outside the limits.
  bounds.reach_low = energy_low < low_min ? low_min : (energy_low < 0 ? energy_low : 0);
  bounds.reach_high = energy_high > high_max ? high_max : (energy_high > 0 ? energy_high : 0);
  const std::int64_t width = std::int64_t{1} << (31 - bits);
  if (bounds.reach_low - power - 2 <= -width || bounds.reach_high + power + 2 >= width) return Error::out_of_range;
  bounds.scale = std::int32_t{1} << bits;
  bounds.low = grid_limit(bounds, energy_low);
  bounds.high = grid_limit(bounds, energy_high);
  bounds.end_low = grid_limit(bounds, relative(problem.end_min, problem.start));
  bounds.end_high = grid_limit(bounds, relative(problem.end_max, problem.start));
  return Error::none;
}

}  // namespace

StorageProblem storage_problem(const Device& device, const Grid& grid) {
  StorageProblem problem;
  const std::int32_t wh = slots_per_hour(grid);
  problem.wh = wh;
  problem.low_w = Lane(device.power_min_w);
  problem.high_w = Lane(device.power_max_w);
  if (device.kind == DeviceKind::shapeable) {
    problem.first = device.start_slot;
    problem.last = end_slot(device, grid);
    problem.energy_min = -energy_unlimited;
    problem.energy_max = energy_unlimited;
    problem.end_min = problem.end_max = std::int64_t{device.energy_wh} * wh;
    problem.milestones = device.milestones;
  } else {
    problem.last = grid.slots;
    problem.start = std::int64_t{device.energy_start_wh} * wh;
    problem.energy_min = std::int64_t{device.energy_min_wh} * wh;
    problem.energy_max = std::int64_t{device.energy_max_wh} * wh;
    problem.end_min = std::int64_t{device.energy_end_min_wh} * wh;
    problem.end_max = std::int64_t{device.energy_end_max_wh} * wh;
    if (problem.end_min < problem.energy_min) problem.end_min = problem.energy_min;
    if (problem.end_max > problem.energy_max) problem.end_max = problem.energy_max;
  }
  return problem;
}

EnergyLimits limits_after(const StorageProblem& problem, std::uint32_t slot, std::size_t& next) {
  const bool is_last = slot + 1 == problem.last;
  EnergyLimits limits{is_last ? problem.end_min : problem.energy_min, is_last ? problem.end_max : problem.energy_max};
  if (next < problem.milestones.size() && problem.milestones[next].slot == slot + 1) {
    const std::int64_t milestone = std::int64_t{problem.milestones[next].energy_min_wh} * problem.wh;
    if (milestone > limits.low) limits.low = milestone;
    ++next;
  }
  return limits;
}

namespace {

// Forward: S grows slot by slot. Leaves in low_price and high_price where the limits of each slot cut it.
Error forward(const StorageProblem& problem, const Wish& wish, std::uint32_t bits, const GridBounds& bounds,
              Knots& knots, std::int32_t* low_price, std::int32_t* high_price) {
  std::int32_t base = 0;
  std::int32_t top = 0;
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int32_t low_w = problem.low_w.at(t) * bounds.scale;
    const std::int32_t high_w = problem.high_w.at(t) * bounds.scale;
    base += low_w;
    top += high_w;
    knots.make_room();
    if (low_w < high_w) {
      const std::int32_t v = wish.at(t, bits);
      knots.insert_rise(low_w - v);
      knots.insert_fall(high_w - v);
    }
    const bool is_last = t + 1 == problem.last;
    std::int32_t low = is_last ? bounds.end_low : bounds.low;
    const std::int32_t high = is_last ? bounds.end_high : bounds.high;
    if (next < problem.milestones.size() && problem.milestones[next].slot == t + 1) {
      const std::int32_t milestone =
          grid_limit(bounds, std::int64_t{problem.milestones[next].energy_min_wh} * problem.wh - problem.start);
      if (milestone > low) low = milestone;
      ++next;
    }
    low_price[t] = price_low;
    high_price[t] = price_high;
    if (base < low) {
      if (top < low) return Error::infeasible;
      low_price[t] = knots.clip_low(static_cast<std::uint32_t>(low) - static_cast<std::uint32_t>(base));
      base = low;
    }
    if (top > high) {
      if (base > high) return Error::infeasible;
      high_price[t] = knots.clip_high(static_cast<std::uint32_t>(top) - static_cast<std::uint32_t>(high));
      top = high;
    }
  }
  return Error::none;
}

// Multipliers lie within 32 bits but for powers at the edge of the range; there a smaller one is as valid a bound.
std::int32_t saturating_difference(std::int32_t a, std::int32_t b) {
  std::int32_t difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return a < b ? price_low : price_high;
  return difference;
}

}  // namespace

Error clip_dp(const StorageProblem& problem, const Grid& grid, const Wish& wish, WorkspaceView workspace,
              std::span<std::int32_t> profile_w, std::span<const std::int32_t>& dual) {
  if (workspace.size() < workspace_words(grid.slots)) return Error::workspace_too_small;
  // The profile holds the lower clip prices until the backward pass overwrites them with powers.
  std::int32_t* const low_price = profile_w.data();
  const std::uint32_t knot_count = 2 * grid.slots + 2;
  Knot* const knot_array = reinterpret_cast<Knot*>(workspace.data());
  std::int32_t* const high_price = reinterpret_cast<std::int32_t*>(workspace.data() + knot_count);
  const std::uint32_t bits = guard_bits(grid.slots);
  GridBounds bounds{};
  WATTPROOF_TRY(make_bounds(problem, bits, power_limit_w(grid.slots), bounds));
  Knots knots(knot_array, knot_count);
  WATTPROOF_TRY(forward(problem, wish, bits, bounds, knots, low_price, high_price));

  std::int32_t price = 0;
  for (std::uint32_t t = problem.last; t-- > problem.first;) {
    const std::int32_t before = price;
    price = clamp(price, low_price[t], high_price[t]);
    high_price[t] = saturating_difference(price, before);
    const std::int32_t low_w = problem.low_w.at(t) * bounds.scale;
    const std::int32_t high_w = problem.high_w.at(t) * bounds.scale;
    profile_w[t] = clamp(wish.at(t, bits) + price, low_w, high_w);
  }
  // Cumulated energy is rounded, not power: a monotone rounding that commutes with whole watts keeps every limit.
  std::int32_t grid_sum = bounds.scale / 2;
  std::int32_t before = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    grid_sum += profile_w[t];
    const std::int32_t sum = grid_sum >> bits;
    profile_w[t] = sum - before;
    before = sum;
  }
  for (std::uint32_t t = 0; t < problem.first; ++t) high_price[t] = profile_w[t] = 0;
  for (std::uint32_t t = problem.last; t < grid.slots; ++t) high_price[t] = profile_w[t] = 0;
  dual = {high_price, grid.slots};
  return Error::none;
}

}  // namespace wattproof::solver
