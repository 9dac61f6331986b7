// SPDX-License-Identifier: Apache-2.0
// A device of solver/device.hpp as a JSON object.
#pragma once

#include <list>

#include "solver/device.hpp"
#include "strict_json.hpp"

namespace wattproof::tool {

// Owns the arrays that `device` refers to.
struct DeviceDescription {
  solver::Device device;
  std::list<std::vector<std::int32_t>> numbers;
  std::vector<solver::Milestone> milestones;
  std::vector<solver::LinearState> states;
  std::list<DeviceDescription> parts;           // of a home
  std::vector<solver::Device> part_devices;

  DeviceDescription() = default;
  DeviceDescription(const DeviceDescription&) = delete;  // `device` points into this object
  DeviceDescription& operator=(const DeviceDescription&) = delete;
};

// Reads the object's "type" and the fields of that type. Throws InputError that names the field. A home's own cost, which is that
// of its sum, is left in device.cost_quadratic, where no solver reads it.
void read_device(ObjectReader& object, const solver::Grid& grid, DeviceDescription& description);

// Makes the home refer to its parts as they are now.
void gather_parts(DeviceDescription& description);

}  // namespace wattproof::tool
