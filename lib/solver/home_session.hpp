// SPDX-License-Identifier: Apache-2.0
// What one solve of a home works with, and the search for room under its breaker. Internal to solver/.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "solver/home.hpp"
#include "solver/single.hpp"
#include "solver/wish.hpp"

namespace wattproof::solver {

constexpr bool chooses_pattern(const Device& device) {
  return device.kind == DeviceKind::fixed || device.kind == DeviceKind::appliance || device.kind == DeviceKind::switched;
}

// Everything that one solve works with.
struct HomeSession {
  const Home& home;
  const Grid& grid;
  const Wish& wish;
  const Cost& cost;
  std::span<const std::int32_t> target_w;
  WorkspaceView inner;                 // of one device's solver
  std::span<std::int64_t> prices;
  std::span<std::int32_t> duals;       // devices x slots
  std::span<std::int32_t> z, u;        // in 1/16 W
  std::span<std::int32_t> wish_w;      // of one device
  std::span<std::int32_t> low_w, high_w;
  std::span<std::int32_t> scratch_w;
  std::span<std::int32_t> total_w;
  std::span<std::int32_t> profiles_w;
  std::array<std::uint32_t, home_device_count_max> bits{};
  std::array<std::size_t, home_device_count_max> dual_size{};
  std::int32_t penalty_bits = 0;       // of the negotiation's penalty
  std::int32_t reserve_w = 0;          // what devices that look for room leave below the breaker

  std::uint32_t slots() const { return grid.slots; }
  std::uint32_t count() const { return static_cast<std::uint32_t>(home.devices.size()); }
  std::span<std::int32_t> profile(std::uint32_t i) const { return profiles_w.subspan(i * slots(), slots()); }
  Device device(std::uint32_t i) const { return with_scaled_cost(home.devices[i], cost.own_scale); }
  std::span<std::int32_t> dual(std::uint32_t i) const { return duals.subspan(i * slots(), slots()); }
};

// Excess of |sum| over the breaker, over all slots.
std::int64_t excess_of(const HomeSession& session);

// Where the breaker is passed, devices move to where it is passed least, alone, then in pairs; `has_moved` says that they may
// have, and that the profiles need not be the best beside each other any more. Some of the excess may remain.
Error find_room(HomeSession& session, bool& has_moved);

}  // namespace wattproof::solver
