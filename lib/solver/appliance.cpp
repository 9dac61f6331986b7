// SPDX-License-Identifier: Apache-2.0
#include "solver/appliance.hpp"

namespace wattproof::solver {

namespace {

// With the cycle complete, J differs between starts only by -2 x this sum.
std::int64_t worth(std::span<const std::int32_t> cycle_w, const Wish& wish, std::uint32_t start) {
  std::int64_t sum = 0;
  for (std::uint32_t i = 0; i < cycle_w.size(); ++i) sum += wish.numerator(start + i) * cycle_w[i];
  return sum;
}

// Whether every sum of cycle power times wish stays below 2^62.
bool fits(std::span<const std::int32_t> cycle_w, const Grid& grid, const Wish& wish) {
  std::uint64_t total = 0;
  for (const std::int32_t power_w : cycle_w) total += static_cast<std::uint64_t>(power_w < 0 ? -power_w : power_w);
  const std::uint64_t wish_max = static_cast<std::uint64_t>(wish.curvature()) *
                                 static_cast<std::uint64_t>(power_limit_w(grid.slots));
  return total == 0 || wish_max <= (std::uint64_t{1} << 62) / total;
}

}  // namespace

Error place_run(const Device& device, const Grid& grid, const Wish& wish, std::span<std::int32_t> profile_w) {
  const std::uint32_t length = static_cast<std::uint32_t>(device.profile_w.size());
  const std::uint32_t end = end_slot(device, grid);
  if (end - device.start_slot < length) return Error::infeasible;
  if (!fits(device.profile_w, grid, wish)) return Error::out_of_range;
  std::uint32_t best = device.start_slot;
  std::int64_t best_worth = worth(device.profile_w, wish, best);
  for (std::uint32_t start = best + 1; start + length <= end; ++start) {
    const std::int64_t start_worth = worth(device.profile_w, wish, start);
    if (start_worth > best_worth) {
      best = start;
      best_worth = start_worth;
    }
  }
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    profile_w[t] = t >= best && t - best < length ? device.profile_w[t - best] : 0;
  }
  return Error::none;
}

}  // namespace wattproof::solver
