// SPDX-License-Identifier: Apache-2.0
#include "solver/pattern.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/result.hpp"
#include "solver/store.hpp"

namespace wattproof::solver {

namespace {

// Slots that a switched load is on; 2^9 stands for more.
std::uint32_t on_slots(const Device& device, const Grid& grid) {
  if (device.power_w == 0) return 0;
  const std::int64_t slots = wide_floor_div(std::int64_t{device.energy_wh} * slots_per_hour(grid), device.power_w);
  return std::min<std::uint32_t>(static_cast<std::uint32_t>(saturate(slots)), 1u << 9);
}

static_assert(slot_count_max < 1 << 9);

// `count` parts of one length, one after another within the window. An appliance's part is a whole cycle, or one step of it if
// pauses are allowed; a switched load's is one slot.
//
// What comes next is chosen at nodes: one for each slot, in which a part may start; of a switched load two, slot after slot,
// first that where it has been on for its least length and may go on or stop, then that where it is off and may start. From a
// node in `state`, which is its place in its slot, either parts are placed there or none, and both lead to a later node.
struct Pattern {
  const std::int32_t* cycle_w;
  std::uint32_t kinds = 1;  // of parts, in turn: the steps of a cycle
  std::uint32_t count;
  std::uint16_t shift = 0;  // nodes of a slot: 2^shift; and the state in which all begins
  std::uint32_t first;
  std::uint32_t last;
  std::array<std::uint32_t, 2> parts;   // that are placed at once, by state
  std::array<std::uint32_t, 2> placed;  // nodes to the next choice if they are
  std::array<std::uint32_t, 2> waited;  // and if none are
  std::uint32_t ring;                   // rows of values that are kept: more than nodes to the next choice
  std::uint32_t bit_words;              // of the workspace, before the rows
  std::uint32_t words;                  // of it in all
  const Task* task = nullptr;           // or a profile is checked
  const std::int32_t* profile_w;        // this one

  Pattern(const Device& device, const Grid& grid);

  bool is_stretch() const { return !is_for_size && count <= parts[shift]; }
  std::uint32_t row() const { return count + 1; }  // of a table with a place for each count of parts left
  Error feasible(Report& report) const;

  // Writes the parts that begin at a node into the profile and tells what they are worth there: with all parts placed, J differs
  // between patterns only by -2 x the sum of these. Of a profile that is checked it tells how many slots that are not 0 W the parts
  // have there, or -1 if they do not stand there.
  std::int64_t place(std::uint32_t node, std::uint32_t after, std::uint32_t left) const;

  // The best node for all parts at once.
  std::uint32_t best_start() const;

  // The most that any number of parts left is worth from each node on, last to first; and a bit where parts are best placed right
  // there.
  void choose() const;

  // From a node on takes what was chosen, or in a profile that is checked every part that stands there. 0 if that is all parts and,
  // of a profile, all slots that are not 0 W: as many as `nonzero`.
  std::uint32_t walk(std::uint32_t node, std::uint32_t nonzero) const;

  std::int64_t* values(std::uint32_t node) const;
  std::uint8_t* byte(std::uint32_t bit) const { return reinterpret_cast<std::uint8_t*>(task->workspace.data()) + bit / 8; }
};

WATTPROOF_ONCE_FOR_SIZE Pattern::Pattern(const Device& device, const Grid& grid)
    : cycle_w(device.profile_w.data()), count(device.runs) {
  std::uint32_t most = static_cast<std::uint32_t>(device.profile_w.size());
  parts[0] = 1;
  placed[0] = most;
  waited[0] = 1;
  if (is_built(DeviceKind::switched) && device.kind == DeviceKind::switched) {
    cycle_w = &device.power_w;
    count = on_slots(device, grid);
    shift = 1;
    most = device.min_on_slots;
    parts[1] = most;
    placed[1] = 2 * most - 1;
    placed[0] = waited[1] = 2;
    waited[0] = 2 * device.min_off_slots + 1;
    if (most < device.min_off_slots) most = device.min_off_slots;
  } else if (device.interruptible) {
    kinds = most;
    count *= most;
    most = 1;
    placed[0] = most;
  }
  first = device.start_slot << shift | shift;
  last = end_slot(device, grid) << shift;
  ring = (most + 1) << shift;
  bit_words = last * row() / 64 + 1;
  words = is_stretch() ? 0 : bit_words + ring * row();
}

WATTPROOF_INLINE_FOR_SIZE Error Pattern::feasible(Report& report) const {
  const std::uint32_t needed = count * placed[0] >> shift;
  std::uint32_t possible = (last + shift - first) >> shift;
  Limit limit = Limit::window;
  if (needed <= possible) {
    limit = Limit::pattern;
    possible = parts[shift];
    if (needed == 0 || needed >= possible) return Error::none;
  }
  report.limit = limit;
  report.slot = first >> shift;
  report.needed = needed;
  report.possible = possible;
  return Error::infeasible;
}

// Value of having placed all, which no sum of worths reaches: where values are less than half of it there is no way to place all.
constexpr std::int64_t possible = std::int64_t{1} << 62;

// Which may wrap until fits() is asked.
constexpr std::uint64_t product(std::int64_t numerator, std::int32_t power_w) {
  return static_cast<std::uint64_t>(numerator) * static_cast<std::uint64_t>(std::int64_t{power_w});
}

WATTPROOF_INLINE_FOR_SPEED std::int64_t* Pattern::values(std::uint32_t node) const {
  return reinterpret_cast<std::int64_t*>(task->workspace.data()) + (node % ring * row() + bit_words);
}

WATTPROOF_INLINE_FOR_SPEED std::int64_t Pattern::place(std::uint32_t node, std::uint32_t after, std::uint32_t left) const {
  const std::int32_t* power_w = cycle_w + (count - left) % kinds;
  std::uint64_t worth = 0;
  const std::uint32_t end = after >> shift;
  for (std::uint32_t t = node >> shift; t < end; ++t) {
    if (task != nullptr) {
      task->profile_w[t] = *power_w;
      worth += product(task->wish.numerator(t), *power_w);
    } else {
      if (profile_w[t] != *power_w) return -1;
      if (*power_w != 0) ++worth;
    }
    power_w += 1u - shift;
  }
  return static_cast<std::int64_t>(worth);
}

WATTPROOF_INLINE_FOR_SIZE void Pattern::choose() const {
  std::memset(task->workspace.data(), 0, words * sizeof(std::uint64_t));
  for (std::uint32_t node = last + 1; node-- > first;) {
    const std::uint32_t state = node & shift;
    std::int64_t* const best = values(node);
    best[0] = possible;
    const std::uint32_t after = node + placed[state];
    if (after > last) continue;
    const std::int64_t* const then = values(after);
    const std::int64_t* const later = values(node + waited[state]);
    std::uint32_t left = parts[state];
    std::uint32_t most = count;
    if (!is_for_size) {
      // Neither can more be placed than there were slots, nor more be left than there are; and whoever is on has placed a run.
      left = std::max<std::uint32_t>(left, most - std::min<std::uint32_t>(most, (node - first + shift) >> shift));
      most = std::min<std::uint32_t>(state != shift ? most - parts[shift] : most, (last - node + shift) >> shift);
    }
    while (left <= most) {
      // What is placed is worth the same for every `left`, but for the steps of a cycle.
      const std::uint64_t worth = static_cast<std::uint64_t>(place(node, after, left));
      const std::uint32_t same = kinds > 1 ? left : most;
      for (; left <= same; ++left) {
        const std::int64_t value = static_cast<std::int64_t>(worth + static_cast<std::uint64_t>(then[left - parts[state]]));
        best[left] = later[left];
        if (value < later[left]) continue;
        best[left] = value;
        const std::uint32_t bit = node * row() + left;
        *byte(bit) = static_cast<std::uint8_t>(*byte(bit) | 1u << bit % 8);
      }
    }
  }
}

std::uint32_t Pattern::best_start() const {
  const std::uint32_t length = (placed[shift] + shift) >> shift;
  const std::uint32_t begin = first >> shift;
  std::uint32_t best = begin;
  std::uint64_t best_worth = 0;
  for (std::uint32_t start = (last >> shift) - length + 1; start-- > begin;) {
    const std::int32_t* power_w = cycle_w;
    std::uint64_t worth = static_cast<std::uint64_t>(possible);
    for (std::uint32_t t = start; t < start + length; ++t, power_w += 1u - shift) worth += product(task->wish.numerator(t), *power_w);
    if (worth >= best_worth) {
      best = start;
      best_worth = worth;
    }
  }
  return best << shift | shift;
}

WATTPROOF_ONCE_FOR_SIZE std::uint32_t Pattern::walk(std::uint32_t node, std::uint32_t nonzero) const {
  std::uint32_t left = count;
  while (left > 0 && node <= last) {
    const std::uint32_t state = node & shift;
    const std::uint32_t after = node + placed[state];
    const std::uint32_t bit = node * row() + left;
    if (task == nullptr ? after <= last : is_stretch() || (*byte(bit) >> bit % 8 & 1) != 0) {
      const std::int64_t found = place(node, after, left);
      if (task != nullptr || found >= 0) {
        if (task == nullptr) nonzero -= static_cast<std::uint32_t>(found);
        left -= parts[state];
        node = after;
        continue;
      }
    }
    node += waited[state];
  }
  return left | nonzero;
}

// Whether sums of worths stayed within 2^61. Asked of a whole pattern once it is found, since all have the same powers; and of the
// wishes that are there: by their limit alone, curvature x power_limit_w, ordinary loads would be refused.
WATTPROOF_INLINE_FOR_SIZE bool fits(const Task& task) {
  if (!is_for_size && task.wish.plain()) return true;  // targets in W, below 2^24, times energy, below 2^30
  std::uint32_t energy_w = 1;  // W x slot; all parts fit into a day, so this fits 32 bits
  for (const std::int32_t power_w : task.profile_w) energy_w += static_cast<std::uint32_t>(power_w < 0 ? -power_w : power_w);
  return task.wish.is_within(task.grid.slots, std::int64_t{0xFFFFFFFF / energy_w} << 29);
}

}  // namespace

std::size_t pattern_workspace_words(const Device& device, const Grid& grid) { return Pattern(device, grid).words; }

Error solve_pattern(const Task& task) {
  Pattern pattern(task.device, task.grid);
  pattern.task = &task;
  if (!is_for_size) WATTPROOF_TRY(pattern.feasible(task.report));
  if (task.workspace.size() < pattern.words) return Error::workspace_too_small;
  std::uint32_t start = pattern.first;
  if (!pattern.is_stretch()) {
    pattern.choose();
  } else if (pattern.count > 0) {
    start = pattern.best_start();
  }
  for (std::int32_t& power_w : task.profile_w) power_w = 0;
  return pattern.walk(start, 0) == 0 && fits(task) ? Error::none : Error::out_of_range;
}

// Every slot that is not 0 W tells which part must stand there, so one walk decides. Steps of 0 W are taken as early as they
// can be, which never hinders a later one.
Error keep_pattern(const Device& device, const Grid& grid, const std::int32_t* profile_w, Report& report) {
  Pattern pattern(device, grid);
  WATTPROOF_TRY(pattern.feasible(report));
  if (profile_w == nullptr) return Error::none;
  pattern.profile_w = profile_w;
  std::uint32_t nonzero = 0;
  for (std::uint32_t t = 0; t < grid.slots; ++t) nonzero += profile_w[t] != 0 ? 1 : 0;
  return pattern.walk(pattern.first, nonzero) == 0 ? Error::none : Error::infeasible;
}

}  // namespace wattproof::solver
