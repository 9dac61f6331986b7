// SPDX-License-Identifier: Apache-2.0
#include "solver/pattern.hpp"

#include <algorithm>
#include <array>

#include "solver/store.hpp"

namespace wattproof::solver {

namespace {

// Whether a run may start in a slot (off), or one has been on for its least length and may go on or stop (on).
enum State : std::uint32_t { off = 0, on = 1 };

// Slots that a switched load is on.
std::uint32_t on_slots(const Device& device, const Grid& grid) {
  if (device.power_w == 0) return 0;
  const std::int64_t slots = wide_floor_div(std::int64_t{device.energy_wh} * slots_per_hour(grid), device.power_w);
  return std::min<std::uint32_t>(static_cast<std::uint32_t>(saturate(slots)), slot_count_max + 1);
}

// `count` parts of `length` slots each, one after another within the window. An appliance's part is a whole cycle, or one
// step of it if pauses are allowed; a switched load's is one slot.
struct Pattern {
  const std::int32_t* cycle_w;
  std::uint32_t stride = 1;  // of a part's powers: 0 if all are the same
  std::uint32_t kinds = 1;   // of parts, in turn: the steps of a cycle
  std::uint32_t count;
  std::uint32_t length = 1;
  std::uint32_t start;
  std::uint32_t end;
  std::uint32_t states = 1;  // without pauses there is no state `on`: what may follow a part may start there as well
  std::array<std::uint32_t, 2> parts;  // by state: that are placed at once
  std::array<std::uint32_t, 2> wait;   // slots until the next choice if none are
  std::uint32_t ring;                  // more slots than a choice reaches ahead

  Pattern(const Device& device, const Grid& grid);

  std::uint32_t slots() const { return count * length; }
  bool is_stretch() const { return count <= parts[off]; }
  bool is_feasible() const { return count == 0 || (count >= parts[off] && slots() <= end - start); }
  std::size_t workspace_words() const { return is_stretch() ? 0 : row(ring, off) + row(end, off) / 64 + 1; }

  // The powers of those placed once `left` parts are left.
  const std::int32_t* powers_w(std::uint32_t left) const { return cycle_w + (count - left) % kinds; }

  // Whether those are what the profile has in slots t..after-1.
  bool stands(const std::int32_t* profile_w, std::uint32_t left, std::uint32_t t, std::uint32_t after) const {
    const std::int32_t* power_w = powers_w(left);
    for (; t < after; ++t, power_w += stride) {
      if (profile_w[t] != *power_w) return false;
    }
    return true;
  }

  // Of a table with a place for each count of parts left.
  std::uint32_t row(std::uint32_t t, std::uint32_t state) const { return (t * states + state) * (count + 1); }
};

WATTPROOF_ONCE_FOR_SIZE Pattern::Pattern(const Device& device, const Grid& grid)
    : cycle_w(device.profile_w.data()), count(device.runs), start(device.start_slot), end(end_slot(device, grid)) {
  parts[off] = parts[on] = wait[off] = 1;
  wait[on] = 0;
  const std::uint32_t steps = static_cast<std::uint32_t>(device.profile_w.size());
  if (is_built(DeviceKind::switched) && device.kind == DeviceKind::switched) {
    cycle_w = &device.power_w;
    stride = 0;
    count = on_slots(device, grid);
    parts[off] = device.min_on_slots;
    wait[on] = device.min_off_slots;
    states = 2;
  } else if (device.interruptible) {
    kinds = steps;
    count *= steps;
  } else {
    length = steps;
  }
  ring = 1 + std::max<std::uint32_t>(parts[off] * length, wait[on]);
}

// What sums of worths stay within, and a number that is below them also once such a sum is added.
constexpr std::int64_t worth_max = std::int64_t{1} << 61;
constexpr std::int64_t impossible = -3 * worth_max;

struct Search {
  const Pattern& pattern;
  const Task& task;

  // Writes parts into the profile and tells what they are worth there: with all parts placed, J differs between patterns only
  // by -2 x the sum of these.
  std::int64_t place(std::uint32_t left, std::uint32_t t, std::uint32_t parts) const;

  // The best slot for all parts at once.
  std::uint32_t best_start() const;

  // The most that any number of parts left is worth from slot t on, from that of later slots; and a bit where parts are best
  // placed right there.
  void choose(std::uint32_t t, std::uint32_t state) const;
  void choose_all() const;
  void write_choice(std::uint32_t t) const;

  std::int64_t* values(std::uint32_t t, std::uint32_t state) const {
    return reinterpret_cast<std::int64_t*>(task.workspace.data()) + pattern.row(t % pattern.ring, state);
  }
  std::uint32_t* choices() const { return reinterpret_cast<std::uint32_t*>(task.workspace.data() + pattern.row(pattern.ring, off)); }
};

WATTPROOF_INLINE_FOR_SPEED std::int64_t Search::place(std::uint32_t left, std::uint32_t t, std::uint32_t parts) const {
  const std::int32_t* power_w = pattern.powers_w(left);
  std::int64_t worth = 0;
  for (const std::uint32_t end = t + parts * pattern.length; t < end; ++t) {
    task.profile_w[t] = *power_w;
    worth += task.wish.numerator(t) * *power_w;
    power_w += pattern.stride;
  }
  return worth;
}

std::uint32_t Search::best_start() const {
  std::uint32_t best = pattern.start;
  std::int64_t best_worth = impossible;
  for (std::uint32_t t = pattern.end - pattern.slots() + 1; t-- > pattern.start;) {
    const std::int64_t worth = place(pattern.count, t, pattern.count);
    if (worth >= best_worth) {
      best = t;
      best_worth = worth;
    }
  }
  return best;
}

WATTPROOF_ONCE_FOR_SIZE void Search::choose(std::uint32_t t, std::uint32_t state) const {
  const std::uint32_t parts = pattern.parts[state];
  const std::uint32_t after = t + parts * pattern.length;
  std::int64_t* const best = values(t, state);
  best[0] = 0;
  if (after > pattern.end) return;
  const std::int64_t* const placed = values(after, pattern.states - 1);
  const std::int64_t* const waited = values(t + pattern.wait[state], off);
  std::uint32_t* const words = choices();
  const std::uint32_t first_bit = pattern.row(t, state);
  std::uint32_t left = parts;
  std::uint32_t most = pattern.count;
  if (!is_for_size) {
    // Neither can more be placed than there were slots, nor more be left than there are; and whoever is on has placed a run.
    left = std::max<std::uint32_t>(left, most - std::min<std::uint32_t>(most, t - pattern.start));
    most = std::min<std::uint32_t>(state == on ? most - pattern.parts[off] : most, pattern.end - t);
  }
  while (left <= most) {
    // What is placed is worth the same for every `left`, but for the steps of a cycle.
    const std::int64_t worth = place(left, t, parts);
    const std::uint32_t last = pattern.kinds > 1 ? left : most;
    for (; left <= last; ++left) {
      std::int64_t value = worth + placed[left - parts];
      if (waited[left] > value) {
        value = waited[left];
      } else {
        const std::uint32_t bit = first_bit + left;
        words[bit / 32] |= std::uint32_t{1} << (bit % 32);
      }
      best[left] = value;
    }
  }
}

void Search::choose_all() const {
  const std::size_t words = pattern.workspace_words();
  const std::size_t values = pattern.row(pattern.ring, off);
  for (std::size_t i = 0; i < words; ++i) task.workspace[i] = i < values ? static_cast<std::uint64_t>(impossible) : 0;
  for (std::uint32_t t = pattern.end + 1; t-- > pattern.start;) {
    for (std::uint32_t state = pattern.states; state-- > 0;) choose(t, state);
  }
}

void Search::write_choice(std::uint32_t t) const {
  std::uint32_t state = off;
  for (std::uint32_t left = pattern.count; left > 0;) {
    const std::uint32_t bit = pattern.row(t, state) + left;
    if (pattern.is_stretch() || (choices()[bit / 32] >> (bit % 32) & 1) != 0) {
      const std::uint32_t parts = pattern.parts[state];
      place(left, t, parts);
      t += parts * pattern.length;
      left -= parts;
      state = pattern.states - 1;
    } else {
      t += pattern.wait[state];
      state = off;
    }
  }
}

// Whether worth_max holds every sum of worths. Asked of the wishes that are there: by their limit alone, curvature x
// power_limit_w, ordinary loads would be refused.
bool fits(const Pattern& pattern, const Task& task) {
  if (!is_for_size && task.wish.plain()) return true;  // targets in W, below 2^24, times energy, below 2^30
  std::uint32_t energy_w = 0;  // W x slot; all parts fit into a day, so this fits 32 bits
  for (std::uint32_t i = 0; i < pattern.kinds * pattern.length; ++i) {
    const std::int32_t power_w = pattern.cycle_w[i];
    energy_w += static_cast<std::uint32_t>(power_w < 0 ? -power_w : power_w);
  }
  energy_w *= pattern.count / pattern.kinds;
  return energy_w == 0 || task.wish.is_within(task.grid.slots, wide_floor_div(worth_max, energy_w));
}

}  // namespace

std::size_t pattern_workspace_words(const Device& device, const Grid& grid) { return Pattern(device, grid).workspace_words(); }

Error feasible_pattern(const Device& device, const Grid& grid, Report& report) {
  const Pattern pattern(device, grid);
  if (pattern.is_feasible()) return Error::none;
  const std::uint32_t window = pattern.end - pattern.start;
  const bool is_short = pattern.slots() > window;
  return refuse(report, Error::infeasible, {is_short ? Limit::window : Limit::pattern, pattern.start, pattern.slots(),
                                            is_short ? window : pattern.parts[off]});
}

Error solve_pattern(const Task& task) {
  const Pattern pattern(task.device, task.grid);
  if (!pattern.is_feasible()) return Error::infeasible;
  if (task.workspace.size() < pattern.workspace_words()) return Error::workspace_too_small;
  if (!fits(pattern, task)) return Error::out_of_range;
  const Search search{pattern, task};
  std::uint32_t start = pattern.start;
  if (pattern.is_stretch()) {
    start = search.best_start();
  } else {
    search.choose_all();
  }
  for (std::int32_t& power_w : task.profile_w) power_w = 0;
  search.write_choice(start);
  return Error::none;
}

// Every slot that is not 0 W tells which part must stand there, so one walk decides. Steps of 0 W are taken as early as they
// can be, which never hinders a later one.
Error check_pattern(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const Pattern pattern(device, grid);
  std::uint32_t left = pattern.count;
  std::uint32_t state = off;
  std::uint32_t from = pattern.start;
  for (std::uint32_t t = 0; t < grid.slots;) {
    const std::uint32_t parts = pattern.parts[state];
    const std::uint32_t after = t + parts * pattern.length;
    if (t >= from && after <= pattern.end && left >= parts && pattern.stands(profile_w.data(), left, t, after)) {
      t = after;
      left -= parts;
      state = pattern.states - 1;
      continue;
    }
    if (profile_w[t] != 0) return Error::infeasible;
    if (state == on) from = t + pattern.wait[on];
    state = off;
    ++t;
  }
  return left == 0 ? Error::none : Error::infeasible;
}

}  // namespace wattproof::solver
