// SPDX-License-Identifier: Apache-2.0
#include "solver/clip_dp.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/math.hpp"
#include "solver/thermal.hpp"

namespace wattproof::solver {

namespace {

// At price `at` the slope of S rises by `rise`.
struct Knot {
  std::int32_t at;
  std::int32_t rise;
};

// The knots of S in ascending order, in the middle of a caller's array so that both ends can grow and shrink. The small
// functions below are inlined into the one loop that uses them, which keeps the two ends in registers.
struct Knots {
  Knot* begin;
  Knot* end;
  Knot* first;
  Knot* last;
};

// For how many slots both ends have room: a slot takes at most two places of each, a knot and half a clip.
std::int32_t slots_of_room(const Knots& knots) {
  const std::ptrdiff_t left = knots.first - knots.begin;
  const std::ptrdiff_t right = knots.end - knots.last;
  return static_cast<std::int32_t>((left < right ? left : right) >> 1);
}

// Moves the knots to the middle if an end has no room left. Never more than two knots a slot are alive (docs/SOLVER.md),
// so there is room in the middle. Returns slots_of_room, at least 1.
[[gnu::noinline]] std::int32_t make_room(Knots& knots) {
  const std::int32_t room = slots_of_room(knots);
  if (room > 0) return room;
  const std::int32_t count = static_cast<std::int32_t>(knots.last - knots.first);
  Knot* const to = knots.begin + ((knots.end - knots.begin - count) >> 1);
  WATTPROOF_CHECK(to - knots.begin >= 2);
  std::memmove(to, knots.first, static_cast<std::uint32_t>(count) * sizeof(Knot));
  knots.first = to;
  knots.last = to + count;
  return slots_of_room(knots);
}

// Slope +1 from `rise_at` on and -1 from `fall_at` > rise_at on. The part left of the first moves down, the part right of
// the second up; each search ends at the other knot at the latest, so neither looks for the end of the array.
[[gnu::always_inline]] inline void insert(Knots& knots, std::int32_t rise_at, std::int32_t fall_at) {
  Knot* rise = --knots.first;
  rise->at = rise_at;
  Knot* fall = knots.last++;
  for (; fall[-1].at > fall_at; --fall) fall[0] = fall[-1];
  *fall = {fall_at, -1};
  for (; rise[1].at <= rise_at; ++rise) rise[0] = rise[1];
  *rise = {rise_at, 1};
}

// Which end of S is cut.
enum Side : std::int32_t { low_side = 1, high_side = -1 };

// Cuts off the lowest or highest `need` > 0 of S, which must be at most all of it: then the walk ends before the other end,
// where S stops rising. Returns the last grid price at which all of that is cut. A rise between two knots is at most the
// span of S, so it fits 32 bits. Written for the low side; the high side is its mirror image.
[[gnu::always_inline]] inline std::int32_t clip_side(Knots& knots, std::uint32_t need, std::int32_t side) {
  const std::uint32_t sign = static_cast<std::uint32_t>(side);
  Knot* knot = side > 0 ? knots.first : knots.last - 1;
  std::uint32_t slope = sign * static_cast<std::uint32_t>(knot->rise);
  for (;; knot += side) {
    const std::uint32_t width = sign * (static_cast<std::uint32_t>(knot[side].at) - static_cast<std::uint32_t>(knot->at));
    const std::uint32_t rise = slope * width;
    if (rise >= need) break;
    need -= rise;
    slope += sign * static_cast<std::uint32_t>(knot[side].rise);
  }
  std::uint32_t steps = need;
  if (slope != 1) {
    steps = need / slope;
    const std::uint32_t rest = need - steps * slope;
    if (rest != 0) {
      const std::int32_t at = knot->at + side * static_cast<std::int32_t>(steps);
      slope -= rest;
      if (knot[side].at == at + side) {
        knot[side].rise += side * static_cast<std::int32_t>(rest);
      } else {
        *knot = {at + side, side * static_cast<std::int32_t>(rest)};
        knot -= side;
        *knot = {at, side * static_cast<std::int32_t>(slope)};
        (side > 0 ? knots.first : knots.last) = knot + (side > 0 ? 0 : 1);
        return at;
      }
    }
  }
  (side > 0 ? knots.first : knots.last) = knot + (side > 0 ? 0 : 1);
  const std::int32_t at = knot->at + side * static_cast<std::int32_t>(steps);
  *knot = {at, side * static_cast<std::int32_t>(slope)};
  return at;
}

// Compiled for size, one function cuts both ends; for speed, each end has its own code.
#ifdef __OPTIMIZE_SIZE__
[[gnu::noinline]] std::int32_t clip(Knots& knots, std::uint32_t need, Side side) { return clip_side(knots, need, side); }
#else
[[gnu::always_inline]] inline std::int32_t clip(Knots& knots, std::uint32_t need, Side side) { return clip_side(knots, need, side); }
#endif

// The problem on the grid, energies relative to the start, narrowed to what the powers can reach.
struct GridBounds {
  // Of most slots and of the last; compiled for size each slot works out its own.
  std::int32_t low;
  std::int32_t high;
  std::int32_t end_low;
  std::int32_t end_high;
  std::int32_t reach_low;  // W x slot
  std::int32_t reach_high;
  std::int32_t scale;      // 2^F
};

// A limit on the grid; below reach_low it can never act, above reach_high it is infeasible at the slot itself.
std::int32_t grid_limit(const GridBounds& bounds, std::int32_t energy) {
  return clamp(energy, bounds.reach_low - 1, bounds.reach_high + 1) * bounds.scale;
}

Error make_bounds(const StorageProblem& problem, std::uint32_t bits, std::int32_t power_limit, GridBounds& bounds) {
  PowerReach reach;
  WATTPROOF_TRY(make_reach(problem, reach));
  if (reach.power > power_limit) return Error::out_of_range;
  // Beyond 31 bits is beyond every reach. Only temperatures, which have no grid, have limits that vary.
  const StateLimits limits{problem.min.at(0), problem.max.at(0)};
  const std::int32_t energy_low = saturate(problem.from_start(limits.low));
  const std::int32_t energy_high = saturate(problem.from_start(limits.high));
  // Between the limits and what is reachable, and never short of the start, which may lie outside the limits.
  bounds.reach_low = clamp(energy_low, reach.low, std::int32_t{0});
  bounds.reach_high = clamp(energy_high, std::int32_t{0}, reach.high);
  // As is_exact_store() has it.
  const std::int32_t sum = std::min(sum_of_powers(problem, reach.power), problem.room(0));
  if (sum >= (std::int32_t{1} << (31 - bits)) - reach.power - 2) return Error::out_of_range;
  bounds.scale = std::int32_t{1} << bits;
  if (is_for_size) return Error::none;
  bounds.low = grid_limit(bounds, energy_low);
  bounds.high = grid_limit(bounds, energy_high);
  bounds.end_low = grid_limit(bounds, saturate(problem.from_start(std::max(limits.low, problem.end.low))));
  bounds.end_high = grid_limit(bounds, saturate(problem.from_start(std::min(limits.high, problem.end.high))));
  return Error::none;
}

}  // namespace

std::int32_t sum_of_powers(const StorageProblem& problem, std::int32_t& power) {
  // Constant powers make every slot alike.
  const bool varies = is_for_size || problem.varies();
  const std::uint32_t last = varies ? problem.last : problem.first + 1;
  std::int32_t sum = 0;
  for (std::uint32_t t = problem.first; t < last; ++t) {
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    const std::int32_t size = -low_w > high_w ? -low_w : high_w;
    sum += size;
    if (size > power) power = size;
  }
  return varies ? sum : sum * static_cast<std::int32_t>(problem.count());
}

Error make_reach(const StorageProblem& problem, PowerReach& reach) {
  // Constant powers make every slot alike.
  const bool varies = is_for_size || problem.varies();
  const std::int32_t times = varies ? 1 : static_cast<std::int32_t>(problem.count());
  const std::uint32_t last = varies ? problem.last : problem.first + 1;
  std::int32_t low = 0;
  std::int32_t high = 0;
  for (std::uint32_t t = problem.first; t < last; ++t) {
    const std::int32_t low_w = problem.low_w.at(t);
    const std::int32_t high_w = problem.high_w.at(t);
    if (low_w > high_w) return Error::infeasible;
    low += low_w * times;
    high += high_w * times;
    if (low < reach.low) reach.low = low;
    if (high > reach.high) reach.high = high;
    if (-low_w > reach.power) reach.power = -low_w;
    if (high_w > reach.power) reach.power = high_w;
  }
  reach.low_sum = low;
  reach.high_sum = high;
  return Error::none;
}

void clear_outside(const StorageProblem& problem, std::uint32_t slots, std::int32_t* values) {
  for (std::uint32_t t = 0; t < problem.first; ++t) values[t] = 0;
  for (std::uint32_t t = problem.last; t < slots; ++t) values[t] = 0;
}

void round_sums(std::int32_t* power_w, const std::int32_t* end, std::uint32_t bits) {
  std::int32_t grid_sum = std::int32_t{1} << (bits - 1);
  std::int32_t before = 0;
  for (; power_w != end; ++power_w) {
    grid_sum += *power_w;
    const std::int32_t sum = grid_sum >> bits;
    *power_w = sum - before;
    before = sum;
  }
}

namespace {

// The next slot with a milestone, or the last.
std::uint32_t next_event(const StorageProblem& problem, std::size_t next) {
  return next < problem.milestones.size() ? problem.milestones[next].slot - 1 : problem.last - 1;
}

// The lower limit after such a slot.
std::int32_t low_limit(const StorageProblem& problem, const GridBounds& bounds, std::uint32_t slot, std::size_t& next) {
  std::int32_t low = slot + 1 == problem.last ? bounds.end_low : bounds.low;
  if (next < problem.milestones.size()) {
    const std::int32_t milestone = grid_limit(bounds, saturate(problem.from_start(problem.milestones[next++].energy_min_wh)));
    if (milestone > low) low = milestone;
  }
  return low;
}

// Forward: S grows slot by slot. Leaves in low_price and high_price where the limits of each slot cut it. The common case,
// constant powers with room between them and plain targets, has a loop of its own that does not ask in every slot.
template <bool is_simple>
Error forward(const StorageProblem& problem, const Wish& wish, std::uint32_t bits, const GridBounds& bounds,
              Knots knots, std::int32_t* low_price, std::int32_t* high_price) {
  const bool varies = problem.varies();
  const std::int32_t* const targets = wish.plain_target_w();
  std::int32_t low_w = problem.low_w.at(problem.first) * bounds.scale;
  std::int32_t high_w = problem.high_w.at(problem.first) * bounds.scale;
  std::int32_t base = 0;
  std::int32_t top = 0;
  std::int32_t high = bounds.high;
  std::size_t next = 0;
  std::int32_t room = is_for_size ? 0 : slots_of_room(knots);
  std::uint32_t event = is_for_size ? 0 : next_event(problem, next);  // the next slot whose limits are not those of all slots
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    if (!is_simple && (is_for_size || varies)) {
      low_w = problem.low_w.at(t) * bounds.scale;
      high_w = problem.high_w.at(t) * bounds.scale;
    }
    base += low_w;
    top += high_w;
    if (is_for_size) {
      make_room(knots);
    } else if (--room < 0) {
      Knots moved = knots;  // so that the knots themselves never leave the registers
      room = make_room(moved) - 1;
      knots = moved;
    }
    if (is_simple || low_w < high_w) {
      const std::int32_t v = is_simple || (!is_for_size && targets != nullptr) ? targets[t] * bounds.scale : wish.at(t, bits);
      insert(knots, low_w - v, high_w - v);
    }
    std::int32_t low = bounds.low;
    if (is_for_size) {
      const StateLimits limits = limits_after(problem, t, next);
      low = grid_limit(bounds, saturate(problem.from_start(limits.low)));
      high = grid_limit(bounds, saturate(problem.from_start(limits.high)));
    } else if (t == event) {
      low = low_limit(problem, bounds, t, next);
      if (t + 1 == problem.last) high = bounds.end_high;
      event = next_event(problem, next);
    }
    std::int32_t cut = price_low;
    if (base < low) {
      if (top < low) return Error::infeasible;
      cut = clip(knots, static_cast<std::uint32_t>(low) - static_cast<std::uint32_t>(base), low_side);
      base = low;
    }
    low_price[t] = cut;
    cut = price_high;
    if (top > high) {
      if (base > high) return Error::infeasible;
      cut = clip(knots, static_cast<std::uint32_t>(top) - static_cast<std::uint32_t>(high), high_side);
      top = high;
    }
    high_price[t] = cut;
  }
  return Error::none;
}

// Backward: the price of each slot, which takes the place of the upper one, and the power that it makes best.
template <bool is_simple>
void backward(const StorageProblem& problem, const Wish& wish, std::uint32_t bits, std::int32_t scale,
              std::int32_t* profile_w, std::int32_t* high_price) {
  const bool varies = problem.varies();
  const std::int32_t* const targets = wish.plain_target_w();
  const std::uint32_t first = problem.first;
  std::int32_t low_w = problem.low_w.at(first) * scale;
  std::int32_t high_w = problem.high_w.at(first) * scale;
  std::int32_t price = 0;
  for (std::uint32_t t = problem.last; t-- > first;) {
    if (price < profile_w[t]) price = profile_w[t];
    if (price > high_price[t]) price = high_price[t];
    high_price[t] = price;
    if (!is_simple && (is_for_size || varies)) {
      low_w = problem.low_w.at(t) * scale;
      high_w = problem.high_w.at(t) * scale;
    }
    std::int32_t power_w = price + (is_simple || (!is_for_size && targets != nullptr) ? targets[t] * scale : wish.at(t, bits));
    if (power_w < low_w) power_w = low_w;
    if (power_w > high_w) power_w = high_w;
    profile_w[t] = power_w;
  }
}

}  // namespace

Error clip_dp(const StorageProblem& problem, const Task& task) {
  const WorkspaceView workspace = task.workspace;
  const Wish& wish = task.wish;
  const std::uint32_t slots = task.grid.slots;
  std::int32_t* const profile_w = task.profile_w.data();
  if (workspace.size() < workspace_words(slots)) return Error::workspace_too_small;
  // The profile holds the lower clip prices until the backward pass overwrites them with powers.
  std::int32_t* const low_price = profile_w;
  const std::uint32_t knot_count = 2 * slots + 2;
  Knot* const knot_array = reinterpret_cast<Knot*>(workspace.data());
  std::int32_t* const high_price = reinterpret_cast<std::int32_t*>(workspace.data() + knot_count);
  const std::uint32_t bits = wish.guard_bits();
  GridBounds bounds{};
  WATTPROOF_TRY(make_bounds(problem, bits, wish.power_limit_w(), bounds));
  Knot* const middle = knot_array + knot_count / 2;
  const Knots knots{knot_array, knot_array + knot_count, middle, middle};
  if (!is_for_size && !problem.varies() && wish.plain() && problem.low_w.at(0) < problem.high_w.at(0)) {
    WATTPROOF_TRY(forward<true>(problem, wish, bits, bounds, knots, low_price, high_price));
    backward<true>(problem, wish, bits, bounds.scale, profile_w, high_price);
  } else {
    WATTPROOF_TRY(forward<false>(problem, wish, bits, bounds, knots, low_price, high_price));
    backward<false>(problem, wish, bits, bounds.scale, profile_w, high_price);
  }
  round_sums(profile_w + problem.first, profile_w + problem.last, bits);
  clear_outside(problem, slots, profile_w);
  task.report.dual = {high_price, slots};
  return Error::none;
}

}  // namespace wattproof::solver
