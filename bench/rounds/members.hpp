// SPDX-License-Identifier: Apache-2.0
// A community of mixed devices: what each may do, what it costs itself, and how it answers a round by the library.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "community.hpp"
#include "reference/coordinator.hpp"
#include "schedule/participant.hpp"
#include "solver/solve.hpp"

namespace wattproof::bench {

using reference::Profile;

class Member {
 public:
  // One device of a random kind: 30 % chargers, 20 % batteries, 20 % appliances, 10 % PV, 20 % fixed loads and heat pumps.
  Member(const solver::Grid& grid, std::mt19937& random);

  solver::DeviceKind kind() const { return device_.kind; }
  const Profile& fallback() const { return fallback_; }
  reference::Bounds bounds() const;

  // Before an epoch: cold devices begin at their fallback profile, warm ones where they ended the day before.
  void begin(bool is_warm);

  // The answer to the open round, as the device that the record `recorded` belongs to gives it.
  Profile answer(const schedule::EpochHead& head, const schedule::Vectors& vectors, const reference::RecordData& recorded);

  // What the device needs on another day: energy up to 5 % off.
  void change_needs(std::mt19937& random);

  // The device as the central optimum sees it; heat pumps, which leak, with the profile given.
  void add_to(reference::Community& community, std::vector<std::size_t>& chosen, const Profile& profile) const;

 private:
  void make_battery(std::mt19937& random);
  void make_charger(std::mt19937& random);
  void make_appliance(std::mt19937& random);
  void make_heat_pump(std::mt19937& random);
  void make_by_hours(solver::DeviceKind kind, std::mt19937& random);
  // The description with its spans pointing here, wherever this was copied to.
  solver::Device device() const;

  solver::Grid grid_;
  solver::Device device_;
  schedule::OwnCost own_;
  Profile series_;  // fixed: the load; curtailable: lower limits; appliance: the cycle; thermal: outdoor temperatures
  Profile fallback_;
  Profile last_;    // of the epoch before, else the fallback
  schedule::Participant participant_;
};

}  // namespace wattproof::bench
