// SPDX-License-Identifier: Apache-2.0
// A community of mixed devices: what each may do, what it costs itself, and how it answers a round by the library.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "community.hpp"
#include "reference/coordinator.hpp"
#include "schedule/participant.hpp"
#include "solver/solve.hpp"

namespace wattproof::bench {

using reference::Profile;

// Every kind that the library knows, and where a kind has two ways of working, both (all_kinds.cpp).
enum class Variety : std::uint8_t {
  load, solar, charger, charger_with_milestones, battery, lossy_battery, heat_pump, cold_store, appliance, appliance_twice,
  appliance_with_pauses, boiler, generator, pump, home, home_of_patterns,
};
const char* name_of(Variety variety);

// What a community's devices agreed on, in the order in which the central optimum has them.
struct Agreed {
  std::vector<std::vector<double>> convex_w, choices_w;
  std::vector<std::size_t> chosen;  // of the choices
};

class Member {
 public:
  // One device of a random kind: 30 % chargers, 20 % batteries, 20 % appliances, 10 % PV, 20 % fixed loads and heat pumps.
  Member(const solver::Grid& grid, std::mt19937& random);
  Member(const solver::Grid& grid, std::mt19937& random, Variety variety);

  Variety variety() const { return variety_; }
  const Profile& fallback() const { return fallback_; }
  reference::Bounds bounds() const;

  // Before an epoch: cold devices begin at their fallback profile, warm ones where they ended the day before.
  void begin(bool is_warm);

  // The answer to the open round, as the device that the record `recorded` belongs to gives it. None if its solver finds none,
  // for the reason in refusal(): a node then sends nothing, and what it posted last stands.
  std::optional<Profile> answer(const schedule::EpochHead& head, const schedule::Vectors& vectors,
                                const reference::RecordData& recorded);
  const std::string& refusal() const { return refusal_; }

  // What the device needs on another day: energy up to 5 % off.
  void change_needs(std::mt19937& random);

  // The device as the central optimum sees it: an appliance that runs once keeps its start, and what leaks or chooses among
  // other patterns has the profile given. A home is its parts, with the profiles of its last answer and without its breaker: so
  // the optimum is at most the true one.
  void add_to(reference::Community& community, Agreed& agreed, const Profile& profile) const;

 private:
  void make_battery(std::mt19937& random);
  void make_charger(std::mt19937& random);
  void make_appliance(std::mt19937& random);
  void make_heat_pump(std::mt19937& random);
  void make_by_hours(solver::DeviceKind kind, std::mt19937& random);
  // all_kinds.cpp
  void make(Variety variety, std::mt19937& random);
  void make_lossy_battery(std::mt19937& random);
  void make_cold_store(std::mt19937& random);
  void make_boiler(std::mt19937& random);
  void make_generator(std::mt19937& random);
  void make_pump(std::mt19937& random);
  void make_home(std::span<const Variety> parts, std::mt19937& random);
  bool is_given_to_optimum() const;
  void limit_sums(reference::ConvexDevice& convex) const;
  // The description with its spans pointing here, wherever this was copied to; without states and parts.
  solver::Device device() const;

  solver::Grid grid_;
  solver::Device device_;
  schedule::OwnCost own_;
  Variety variety_ = Variety::load;
  // fixed: the load; curtailable: lower limits; appliance: the cycle; thermal: outdoor temperatures; banded: the tank's least level
  Profile series_;
  std::vector<solver::Milestone> milestones_;
  std::vector<solver::LinearState> states_;
  std::vector<Member> parts_;                 // of a home
  Profile fallback_;
  Profile last_;    // of the epoch before, else the fallback
  std::string refusal_;
  schedule::Participant participant_;
};

}  // namespace wattproof::bench
