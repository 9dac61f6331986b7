// SPDX-License-Identifier: Apache-2.0
// Several devices and a main breaker behind one meter, posted as one profile: an inner sharing ADMM finds how the devices
// divide the day, each by its own exact solver; then one device after another is solved exactly against the rest until
// nothing improves, with the breaker as a hard limit. The certificate prices every device's choice separately.
#pragma once

#include <cstdint>
#include <span>

#include "solver/solve.hpp"

namespace wattproof::solver {

constexpr std::uint32_t home_device_count_max = 16;
constexpr std::uint32_t home_round_max = 1000;    // of the inner ADMM
constexpr std::uint32_t home_polish_max = 100;  // passes over all devices
constexpr std::uint32_t home_room_max = 64;     // passes that only look for room under the breaker

struct Home {
  std::span<const Device> devices{};  // 1..home_device_count_max
  std::int32_t limit_w = 0;           // |sum| <= limit_w in every slot; >= 0
};

constexpr Home home_of(const Device& device) { return {{device.parts, device.part_count}, device.limit_w}; }

// A home as one device: its workspace also holds the profiles of its parts, which `part_profile` finds after a solve.
Error validate_home(const Device& device, const Grid& grid);
std::size_t home_device_words(const Device& device, const Grid& grid);
// The same from the most that any of its `count` parts needs.
std::size_t home_device_words(std::size_t part_words, std::size_t count, const Grid& grid);
std::span<const std::int32_t> part_profile(const Device& device, const Grid& grid, WorkspaceView workspace, std::uint32_t part);
Error feasible_home(const Device& device, const Grid& grid, Report& report);

// With `is_certified` false the report has no certificate.
Error solve_home_device(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                        WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report, bool is_certified);

// For all devices of the home together.
std::size_t home_workspace_words(const Home& home, const Grid& grid);

// Minimises J of the sum, its wear and discomfort included, plus the devices' own costs. `profiles_w` holds devices x slots,
// device by device, and `total_w` their sum. The certificate's kind is dual if the gap is only rounding, else bound.
//   out_of_range  a cost or a limit out of range
//   unknown_kind  a banded device: a home is made of exact parts
//   too_large     no device, or more than home_device_count_max
//   every error of solve() for one of the devices (`device_index` says which)
//   infeasible  the breaker limit cannot be kept: report.limit is breaker, with the slot that is furthest over it, and in W what is
//               needed there and allowed
Error solve_home(const Home& home, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                 WorkspaceView workspace, std::span<std::int32_t> total_w, std::span<std::int32_t> profiles_w,
                 Report& report, std::uint32_t& device_index, bool is_certified = true);

}  // namespace wattproof::solver
