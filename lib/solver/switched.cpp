// SPDX-License-Identifier: Apache-2.0
#include "solver/switched.hpp"

#include "base/math.hpp"
#include "solver/store.hpp"

namespace wattproof::solver {

namespace {

// Below every worth of a day, which is within +-2^60, also once a day's worth is added.
constexpr std::int64_t impossible = -(std::int64_t{1} << 62);

std::uint32_t longer(std::uint32_t a, std::uint32_t b) { return a > b ? a : b; }

// Whether it is free to start (off), or has been on for the minimum time and may go on or stop (on).
enum State : std::uint32_t { off = 0, on = 1 };

// Best worth of the slots from t on with `left` on-slots still to come. Rows of the last few slots are kept in a ring.
class Tables {
 public:
  Tables(const Device& device, const Grid& grid, WorkspaceView workspace)
      : counts_(on_slots(device, grid) + 1),
        ring_(longer(device.min_on_slots, device.min_off_slots) + 1),
        words_(2 * ((counts_ + 63) / 64)),
        values_(reinterpret_cast<std::int64_t*>(workspace.data())),
        choices_(reinterpret_cast<std::uint32_t*>(workspace.data() + 2 * ring_ * counts_)) {}

  // Worth by `left`. Slots nearer to one another than the longer of the minimum times share no row.
  std::int64_t* row(std::uint32_t t, State state) { return values_ + (state * ring_ + t % ring_) * counts_; }

  // A bit for each `left`: whether to be on in slot t.
  std::uint32_t* choices(std::uint32_t t, State state) const { return choices_ + (2 * t + state) * words_; }
  void clear(std::uint32_t t) {
    for (std::uint32_t i = 0; i < 2 * words_; ++i) choices(t, off)[i] = 0;
  }
  std::uint32_t counts() const { return counts_; }

 private:
  std::uint32_t counts_;
  std::uint32_t ring_;
  std::uint32_t words_;
  std::int64_t* values_;
  std::uint32_t* choices_;
};

// Being on is worth `worth` and what comes `later`. Takes it over if that is not worse, and notes it as choice.
void improve(std::int64_t& best, std::int64_t worth, std::int64_t later, std::uint32_t* choices, std::uint32_t left) {
  if (worth + later < best) return;
  best = worth + later;
  choices[left / 32] |= std::uint32_t{1} << (left % 32);
}

// Values of slot t from those of later slots. `first_worth` is that of min_on_slots slots from t on.
void fill(Tables& tables, const Device& device, std::uint32_t t, std::uint32_t end, std::int64_t slot_worth,
          std::int64_t first_worth) {
  tables.clear(t);
  const std::uint32_t run = device.min_on_slots;
  const std::int64_t* const stopped = device.min_off_slots < end - t ? tables.row(t + device.min_off_slots, off) : nullptr;
  const std::int64_t* const started = run <= end - t ? tables.row(t + run, on) : nullptr;
  for (std::uint32_t left = 0; left < tables.counts(); ++left) {
    std::int64_t best = left == 0 ? 0 : impossible;
    if (left > 0) {
      if (stopped != nullptr) best = stopped[left];
      improve(best, slot_worth, tables.row(t + 1, on)[left - 1], tables.choices(t, on), left);
    }
    tables.row(t, on)[left] = best;
    best = tables.row(t + 1, off)[left];
    if (started != nullptr && left >= run) improve(best, first_worth, started[left - run], tables.choices(t, off), left);
    tables.row(t, off)[left] = best;
  }
}

void write_pattern(const Tables& tables, const Device& device, std::uint32_t end, std::span<std::int32_t> profile_w) {
  std::uint32_t left = tables.counts() - 1;
  std::uint32_t t = device.start_slot;
  State state = off;
  while (t < end && left > 0) {
    if ((tables.choices(t, state)[left / 32] >> (left % 32) & 1) != 0) {
      for (std::uint32_t count = state == on ? 1 : device.min_on_slots; count > 0; --count, --left) {
        profile_w[t++] = device.power_w;
      }
      state = on;
    } else {
      t += state == on ? device.min_off_slots : 1;
      state = off;
    }
  }
}

}  // namespace

Error validate_switched(const Device& device, const Grid& grid) {
  if (end_slot(device, grid) > grid.slots || device.start_slot >= end_slot(device, grid)) return Error::out_of_range;
  if (device.min_on_slots < 1 || device.min_on_slots > grid.slots) return Error::out_of_range;
  if (device.min_off_slots < 1 || device.min_off_slots > grid.slots) return Error::out_of_range;
  if (!is_within(device.power_w, power_w_max) || !is_within(device.energy_wh, energy_wh_max)) return Error::out_of_range;
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
  const std::uint32_t size_w = static_cast<std::uint32_t>(device.power_w < 0 ? -device.power_w : device.power_w);
  if (!wish.fits_times(grid.slots, size_w * grid.slots, 60)) return Error::out_of_range;
  const std::uint32_t end = end_slot(device, grid);
  for (std::int32_t& power : task.profile_w) power = 0;
  Tables tables(device, grid, task.workspace);
  for (std::uint32_t left = 0; left < tables.counts(); ++left) {
    tables.row(end, on)[left] = tables.row(end, off)[left] = left == 0 ? 0 : impossible;
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
  const bool is_short = count > window;
  return refuse(report, Error::infeasible, {is_short ? Limit::window : Limit::pattern, device.start_slot, count,
                                            is_short ? window : device.min_on_slots});
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
