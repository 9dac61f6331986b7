// SPDX-License-Identifier: Apache-2.0
#include "solver/switched.hpp"

#include "base/result.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t impossible = -(std::int64_t{1} << 62);

std::uint32_t longer(std::uint32_t a, std::uint32_t b) { return a > b ? a : b; }

// Best worth of the slots from t on with `left` on-slots still to come: `off` may start at t, `on` has been on for the
// minimum time and may go on or stop. Rows of the last few slots are kept in a ring.
class Tables {
 public:
  Tables(const Device& device, const Grid& grid, WorkspaceView workspace)
      : counts_(on_slots(device, grid) + 1),
        ring_(longer(device.min_on_slots, device.min_off_slots) + 1),
        words_((counts_ + 63) / 64),
        values_(reinterpret_cast<std::int64_t*>(workspace.data())),
        choices_(workspace.data() + 2 * ring_ * counts_) {}

  std::int64_t& on(std::uint32_t t, std::uint32_t left) { return values_[(t % ring_) * counts_ + left]; }
  std::int64_t& off(std::uint32_t t, std::uint32_t left) { return values_[(ring_ + t % ring_) * counts_ + left]; }

  // Whether to be on in slot t: `state` 0 when free to start, 1 when free to stop.
  bool choice(std::uint32_t t, std::uint32_t state, std::uint32_t left) const {
    return (choices_[(2 * t + state) * words_ + left / 64] >> (left % 64) & 1) != 0;
  }
  void choose(std::uint32_t t, std::uint32_t state, std::uint32_t left) {
    choices_[(2 * t + state) * words_ + left / 64] |= std::uint64_t{1} << (left % 64);
  }
  void clear(std::uint32_t t) {
    for (std::uint32_t i = 0; i < 2 * words_; ++i) choices_[2 * t * words_ + i] = 0;
  }
  std::uint32_t counts() const { return counts_; }

 private:
  std::uint32_t counts_;
  std::uint32_t ring_;
  std::uint32_t words_;
  std::int64_t* values_;
  std::uint64_t* choices_;
};

// Values of slot t from those of later slots. `first_worth` is that of min_on_slots slots from t on.
void fill(Tables& tables, const Device& device, std::uint32_t t, std::uint32_t end, std::int64_t slot_worth,
          std::int64_t first_worth) {
  tables.clear(t);
  for (std::uint32_t left = 0; left < tables.counts(); ++left) {
    std::int64_t stop = left == 0 ? 0 : impossible;
    if (left > 0 && device.min_off_slots < end - t) stop = tables.off(t + device.min_off_slots, left);
    std::int64_t best = stop;
    if (left > 0 && tables.on(t + 1, left - 1) != impossible) {
      const std::int64_t stay = slot_worth + tables.on(t + 1, left - 1);
      if (stay >= stop) {
        best = stay;
        tables.choose(t, 1, left);
      }
    }
    // Written only after every read of slot t + min_off_slots, which may share no row with t: the ring is longer.
    tables.on(t, left) = best;
    std::int64_t begin = tables.off(t + 1, left);
    const std::uint32_t run = device.min_on_slots;
    if (left >= run && run <= end - t && tables.on(t + run, left - run) != impossible) {
      const std::int64_t start = first_worth + tables.on(t + run, left - run);
      if (start >= begin) {
        begin = start;
        tables.choose(t, 0, left);
      }
    }
    tables.off(t, left) = begin;
  }
}

void write_pattern(const Tables& tables, const Device& device, std::uint32_t end, std::span<std::int32_t> profile_w) {
  std::uint32_t left = tables.counts() - 1;
  std::uint32_t t = device.start_slot;
  bool is_on = false;
  while (t < end && left > 0) {
    if (is_on && tables.choice(t, 1, left)) {
      profile_w[t++] = device.power_w;
      --left;
    } else if (is_on) {
      is_on = false;
      t += device.min_off_slots;
    } else if (tables.choice(t, 0, left)) {
      is_on = true;
      for (std::uint32_t i = 0; i < device.min_on_slots; ++i) profile_w[t++] = device.power_w;
      left -= device.min_on_slots;
    } else {
      ++t;
    }
  }
}

}  // namespace

Error validate_switched(const Device& device, const Grid& grid) {
  if (end_slot(device, grid) > grid.slots || device.start_slot >= end_slot(device, grid)) return Error::out_of_range;
  if (device.min_on_slots < 1 || device.min_on_slots > grid.slots) return Error::out_of_range;
  if (device.min_off_slots < 1 || device.min_off_slots > grid.slots) return Error::out_of_range;
  if (device.power_w < -power_w_max || device.power_w > power_w_max) return Error::out_of_range;
  if (device.energy_wh < -energy_wh_max || device.energy_wh > energy_wh_max) return Error::out_of_range;
  const std::int64_t energy = std::int64_t{device.energy_wh} * slots_per_hour(grid);
  if (energy == 0) return Error::none;
  if ((energy < 0) != (device.power_w < 0)) return Error::out_of_range;
  return device.power_w == 0 || energy % device.power_w != 0 ? Error::not_a_multiple : Error::none;
}

std::uint32_t on_slots(const Device& device, const Grid& grid) {
  if (device.power_w == 0) return 0;
  const std::int64_t sign = device.power_w < 0 ? -1 : 1;
  const std::uint64_t energy = static_cast<std::uint64_t>(sign * device.energy_wh * slots_per_hour(grid));
  const std::uint64_t count = energy / static_cast<std::uint64_t>(sign * device.power_w);
  return count > slot_count_max ? slot_count_max + 1 : static_cast<std::uint32_t>(count);
}

std::size_t switched_workspace_words(const Device& device, const Grid& grid) {
  const std::size_t counts = on_slots(device, grid) + 1;
  return 2 * (longer(device.min_on_slots, device.min_off_slots) + 1) * counts + 2 * grid.slots * ((counts + 63) / 64);
}

Error solve_switched(const Task& task) {
  const Device& device = task.device;
  const Grid& grid = task.grid;
  const Wish& wish = task.wish;
  WATTPROOF_TRY(feasible_switched(device, grid, task.report));
  if (task.workspace.size() < switched_workspace_words(device, grid)) return Error::workspace_too_small;
  const std::int64_t power_w = device.power_w;
  const std::uint64_t wish_max = static_cast<std::uint64_t>(wish.curvature()) *
                                 static_cast<std::uint64_t>(power_limit_w(grid.slots));
  const std::uint64_t total = static_cast<std::uint64_t>(power_w < 0 ? -power_w : power_w) * grid.slots;
  if (total != 0 && wish_max > (std::uint64_t{1} << 60) / total) return Error::out_of_range;
  const std::uint32_t end = end_slot(device, grid);
  for (std::int32_t& power : task.profile_w) power = 0;
  Tables tables(device, grid, task.workspace);
  for (std::uint32_t left = 0; left < tables.counts(); ++left) {
    tables.on(end, left) = tables.off(end, left) = left == 0 ? 0 : impossible;
  }
  std::int64_t first_worth = 0;
  for (std::uint32_t t = end; t-- > device.start_slot;) {
    const std::int64_t slot_worth = wish.numerator(t) * power_w;
    first_worth += slot_worth;
    if (device.min_on_slots < end - t) first_worth -= wish.numerator(t + device.min_on_slots) * power_w;
    fill(tables, device, t, end, slot_worth, first_worth);
  }
  write_pattern(tables, device, end, task.profile_w);
  return Error::none;
}

Error feasible_switched(const Device& device, const Grid& grid, Report& report) {
  const std::uint32_t count = on_slots(device, grid);
  const std::uint32_t window = end_slot(device, grid) - device.start_slot;
  if (count == 0 || (count <= window && count >= device.min_on_slots)) return Error::none;
  report.limit = count > window ? Limit::window : Limit::pattern;
  report.slot = device.start_slot;
  report.needed = count;
  report.possible = count > window ? window : device.min_on_slots;
  return Error::infeasible;
}

Error check_switched(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const std::uint32_t end = end_slot(device, grid);
  std::uint32_t count = 0;
  std::uint32_t run = 0;                    // slots on at a stretch
  std::uint32_t pause = device.min_off_slots;
  for (std::uint32_t t = 0; t <= grid.slots; ++t) {
    const bool is_on = t < grid.slots && profile_w[t] != 0;
    if (is_on) {
      if (profile_w[t] != device.power_w || t < device.start_slot || t >= end) return Error::infeasible;
      if (run == 0 && pause < device.min_off_slots) return Error::infeasible;
      ++run;
      ++count;
      pause = 0;
      continue;
    }
    if (run > 0 && run < device.min_on_slots) return Error::infeasible;
    run = 0;
    ++pause;
  }
  return count == on_slots(device, grid) ? Error::none : Error::infeasible;
}

}  // namespace wattproof::solver
