// SPDX-License-Identifier: Apache-2.0
#include "solver/appliance.hpp"

namespace wattproof::solver {

namespace {

// What has to be placed one after another: whole runs, or single steps if pauses are allowed.
struct Parts {
  std::span<const std::int32_t> cycle_w;
  std::uint32_t count;
  std::uint32_t length;

  explicit Parts(const Device& device)
      : cycle_w(device.profile_w),
        count(device.interruptible ? device.runs * static_cast<std::uint32_t>(device.profile_w.size()) : device.runs),
        length(device.interruptible ? 1 : static_cast<std::uint32_t>(device.profile_w.size())) {}

  WATTPROOF_ONCE_FOR_SIZE std::span<const std::int32_t> power_w(std::uint32_t part) const {
    return length == 1 ? cycle_w.subspan(part % cycle_w.size(), 1) : cycle_w;
  }
};

// With all parts placed, J differs between placements only by -2 x the sum of these.
std::int64_t worth(std::span<const std::int32_t> power_w, const Wish& wish, std::uint32_t start) {
  std::int64_t sum = 0;
  for (std::uint32_t i = 0; i < power_w.size(); ++i) sum += wish.numerator(start + i) * power_w[i];
  return sum;
}

void write(std::span<const std::int32_t> power_w, std::uint32_t start, std::span<std::int32_t> profile_w) {
  for (std::uint32_t i = 0; i < power_w.size(); ++i) profile_w[start + i] = power_w[i];
}

void place_one(const Parts& parts, const Device& device, const Wish& wish, std::uint32_t end,
               std::span<std::int32_t> profile_w) {
  std::uint32_t best = device.start_slot;
  std::int64_t best_worth = worth(parts.cycle_w, wish, best);
  for (std::uint32_t start = best + 1; start + parts.length <= end; ++start) {
    const std::int64_t start_worth = worth(parts.cycle_w, wish, start);
    if (start_worth > best_worth) {
      best = start;
      best_worth = start_worth;
    }
  }
  write(parts.cycle_w, best, profile_w);
}

// Last part first: the best worth of parts part.. from each slot on, and a bit where the part best starts right there.
void place_all(const Parts& parts, const Device& device, const Wish& wish, std::uint32_t end, WorkspaceView workspace,
               std::span<std::int32_t> profile_w) {
  const std::uint32_t words = 2 * ((end + 63) / 64);
  std::int64_t* after = reinterpret_cast<std::int64_t*>(workspace.data());
  std::int64_t* here = after + end + 1;
  std::uint32_t* const starts = reinterpret_cast<std::uint32_t*>(workspace.data() + 2 * (end + 1));
  for (std::uint32_t i = 0; i < parts.count * words; ++i) starts[i] = 0;
  for (std::uint32_t t = 0; t <= end; ++t) after[t] = 0;
  for (std::uint32_t part = parts.count; part-- > 0;) {
    const std::span<const std::int32_t> power_w = parts.power_w(part);
    const std::uint32_t latest = end - (parts.count - part) * parts.length;
    for (std::uint32_t t = latest + 1; t-- > device.start_slot;) {
      const std::int64_t value = worth(power_w, wish, t) + after[t + parts.length];
      const bool is_best = t == latest || value >= here[t + 1];
      here[t] = is_best ? value : here[t + 1];
      if (is_best) starts[part * words + t / 32] |= std::uint32_t{1} << (t % 32);
    }
    std::int64_t* const row = after;
    after = here;
    here = row;
  }
  std::uint32_t t = device.start_slot;
  for (std::uint32_t part = 0; part < parts.count; ++part) {
    while ((starts[part * words + t / 32] >> (t % 32) & 1) == 0) ++t;
    write(parts.power_w(part), t, profile_w);
    t += parts.length;
  }
}

}  // namespace

std::size_t appliance_workspace_words(const Device& device, const Grid& grid) {
  const Parts parts(device);
  const std::size_t end = end_slot(device, grid);
  return parts.count == 1 ? 0 : 2 * (end + 1) + parts.count * ((end + 63) / 64);
}

Error solve_appliance(const Task& task) {
  const Device& device = task.device;
  const Grid& grid = task.grid;
  const Wish& wish = task.wish;
  const std::span<std::int32_t> profile_w = task.profile_w;
  const Parts parts(device);
  const std::uint32_t end = end_slot(device, grid);
  if (std::uint64_t{parts.count} * parts.length > end - device.start_slot) return Error::infeasible;
  // All runs fit into a day, so this fits 32 bits.
  std::uint32_t total_w = 0;
  for (const std::int32_t power_w : device.profile_w) total_w += static_cast<std::uint32_t>(power_w < 0 ? -power_w : power_w);
  if (!wish.fits_times(grid.slots, total_w * device.runs, 62)) return Error::out_of_range;
  for (std::int32_t& power_w : profile_w) power_w = 0;
  if (parts.count == 1) {
    place_one(parts, device, wish, end, profile_w);
    return Error::none;
  }
  if (task.workspace.size() < appliance_workspace_words(device, grid)) return Error::workspace_too_small;
  place_all(parts, device, wish, end, task.workspace, profile_w);
  return Error::none;
}

// Every slot that is not 0 W tells which part must stand there, so one walk decides. Steps of 0 W are taken as early
// as they can be, which never hinders a later one.
Error check_appliance(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w) {
  const Parts parts(device);
  const std::uint32_t end = end_slot(device, grid);
  std::uint32_t lead = 0;  // steps of 0 W at the front of a whole run
  if (!device.interruptible) {
    while (lead < parts.cycle_w.size() && parts.cycle_w[lead] == 0) ++lead;
  }
  const bool is_silent = lead == parts.cycle_w.size();
  std::uint32_t part = 0;
  std::uint32_t free_from = device.start_slot;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const bool is_inside = t >= device.start_slot && t < end;
    if (profile_w[t] != 0 && (!is_inside || is_silent)) return Error::infeasible;
    if (!is_inside || t < free_from || is_silent) continue;
    if (device.interruptible) {
      if (part < parts.count && parts.power_w(part)[0] == profile_w[t]) {
        ++part;
      } else if (profile_w[t] != 0) {
        return Error::infeasible;
      }
    } else if (profile_w[t] != 0) {
      if (part == parts.count || t - free_from < lead) return Error::infeasible;
      const std::uint32_t start = t - lead;
      if (end - start < parts.length) return Error::infeasible;
      for (std::uint32_t i = 0; i < parts.length; ++i) {
        if (profile_w[start + i] != parts.cycle_w[i]) return Error::infeasible;
      }
      free_from = start + parts.length;
      ++part;
    }
  }
  return part == parts.count || is_silent ? Error::none : Error::infeasible;
}

}  // namespace wattproof::solver
