// SPDX-License-Identifier: Apache-2.0
// The [device] section: what the device can do. firmware/linux_node/README.md lists the keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "firmware/linux_node/config_reader.hpp"
#include "solver/solve.hpp"

namespace wattproof::firmware {

// A state of a banded device with its arrays: empty, one entry, or one per slot.
struct StateConfiguration {
  solver::LinearState settings;
  std::vector<std::int32_t> min, max, drift_milli;
};

// Numbers, and the arrays that a solver::Device refers to. Filled once, never moved while a device() of it lives.
struct DeviceConfiguration {
  std::uint32_t line = 0;             // of the file, where [device] begins
  std::uint32_t id = 0;
  solver::Grid grid{};                // the epochs that the device takes part in
  solver::Device settings{};          // everything but what follows
  std::vector<std::int32_t> profile_w;
  std::vector<std::int32_t> power_min_w;
  std::vector<std::int32_t> power_max_w;
  std::vector<std::int32_t> ambient_mc, min_mc, max_mc;
  std::vector<solver::Milestone> milestones;
  std::vector<StateConfiguration> states;
  std::vector<DeviceConfiguration> parts;  // of a home
  std::uint64_t own_cost_quadratic = 0;    // schedule::OwnCost; of a part of a home it is in settings

  [[nodiscard]] solver::Device device() const;
  // Memory for the device's problem; stays where it is from call to call.
  [[nodiscard]] solver::WorkspaceView workspace() const;

 private:
  mutable std::vector<solver::LinearState> state_array_;
  mutable std::vector<solver::Device> part_array_;
  mutable std::vector<std::uint64_t> workspace_;
};

void read_device(ConfigSection section, DeviceConfiguration& device);

// One entry, or one per slot of the device.
std::vector<std::int32_t> read_series(ConfigSection& section, const DeviceConfiguration& device, std::string_view key,
                                      std::optional<std::int32_t> fallback = {}, std::int32_t limit = power_w_max);

// Refers to `values`, which must outlive it.
solver::Series to_series(const std::vector<std::int32_t>& values);

}  // namespace wattproof::firmware
