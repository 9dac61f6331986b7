// SPDX-License-Identifier: Apache-2.0
// wattproof-reference FILE: reads a community (its day and every device's private limits) and the profiles that the
// devices agreed on, and prints what a central optimiser would have reached. For demonstrations and tests alone: the point
// of the system is that nobody holds such a file.
//
// {"slots","slot_seconds","gamma_q16","price":[],"base_w":[],"cap_w":[],
//  "devices":[{"device":{as for wattproofctl solve},"own_quadratic_q16":n,"profile_w":[agreed]}]}
#include <cmath>
#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>

#include "community.hpp"

namespace {

using nlohmann::json;
using namespace wattproof::reference;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::vector<double> series(const json& value, std::size_t slots) {
  if (value.is_array()) return value.get<std::vector<double>>();
  return std::vector<double>(slots, value.get<double>());
}

ConvexDevice convex_device(const json& device, std::size_t slots, double slots_per_hour) {
  const std::string type = device.at("type");
  ConvexDevice out;
  if (type == "fixed") {
    out.low_w = out.high_w = device.at("profile_w").get<std::vector<double>>();
  } else if (type == "curtailable") {
    out.low_w = series(device.at("min_w"), slots);
    out.high_w = series(device.at("max_w"), slots);
  } else if (type == "shapeable") {
    const std::size_t start = device.at("start_slot"), end = device.at("end_slot");
    out.low_w.assign(slots, 0);
    out.high_w.assign(slots, 0);
    for (std::size_t t = start; t < end; ++t) {
      out.low_w[t] = device.at("power_min_w");
      out.high_w[t] = device.at("power_max_w");
    }
    out.sum_low.assign(slots, -infinity);
    out.sum_high.assign(slots, infinity);
    out.sum_low.back() = out.sum_high.back() = device.at("energy_wh").get<double>() * slots_per_hour;
  } else if (type == "battery") {
    out.low_w.assign(slots, device.at("power_min_w"));
    out.high_w.assign(slots, device.at("power_max_w"));
    const double start = device.at("energy_start_wh");
    out.sum_low.assign(slots, (device.at("energy_min_wh").get<double>() - start) * slots_per_hour);
    out.sum_high.assign(slots, (device.at("energy_max_wh").get<double>() - start) * slots_per_hour);
    out.sum_low.back() = (device.at("energy_end_min_wh").get<double>() - start) * slots_per_hour;
    out.sum_high.back() = (device.at("energy_end_max_wh").get<double>() - start) * slots_per_hour;
  } else {
    throw std::runtime_error("device type " + type + " is not known here");
  }
  return out;
}

ChoiceDevice choice_device(const json& device, std::size_t slots) {
  const auto run = device.at("run_w").get<std::vector<double>>();
  ChoiceDevice out;
  for (std::size_t start = device.at("earliest_slot"); start + run.size() <= device.at("latest_end_slot"); ++start) {
    std::vector<double> profile(slots, 0);
    for (std::size_t i = 0; i < run.size(); ++i) profile[start + i] = run[i];
    out.profiles_w.push_back(profile);
  }
  return out;
}

int run(std::istream& input) {
  const json day = json::parse(input);
  Community community;
  community.slots = day.at("slots");
  community.slot_seconds = day.at("slot_seconds");
  community.gamma = day.at("gamma_q16").get<double>() / 65536.0;
  community.price = day.at("price").get<std::vector<double>>();
  community.base_w = day.at("base_w").get<std::vector<double>>();
  community.cap_w = day.at("cap_w").get<std::vector<double>>();
  std::vector<std::vector<double>> convex_profiles, choice_profiles;
  std::vector<std::size_t> chosen;
  for (const json& entry : day.at("devices")) {
    const json& device = entry.at("device");
    const double own = (entry.value("own_quadratic_q16", 0.0) + device.value("own_cost_quadratic", 0.0)) / 65536.0;
    const auto agreed = entry.at("profile_w").get<std::vector<double>>();
    if (device.at("type") != "appliance") {
      community.convex.push_back(convex_device(device, community.slots, 3600.0 / community.slot_seconds));
      community.convex.back().own_quadratic = own;
      convex_profiles.push_back(agreed);
      continue;
    }
    community.choices.push_back(choice_device(device, community.slots));
    community.choices.back().own_quadratic = own;
    choice_profiles.push_back(agreed);
    const auto& profiles = community.choices.back().profiles_w;
    const auto found = std::find(profiles.begin(), profiles.end(), agreed);
    if (found == profiles.end()) throw std::runtime_error("an appliance's agreed profile is none of its starts");
    chosen.push_back(static_cast<std::size_t>(found - profiles.begin()));
  }
  std::vector<std::vector<double>> agreed = convex_profiles;
  agreed.insert(agreed.end(), choice_profiles.begin(), choice_profiles.end());
  const Optimum fixed = solve_fixed(community, chosen);
  std::uint64_t combinations = 0, solved = 0;
  const Optimum free = solve_free(community, combinations, solved);
  const json out{{"objective", std::llround(objective_of(community, agreed))},
                 {"reference_objective", std::llround(fixed.objective)},
                 {"reference_feasible", fixed.is_feasible},
                 {"reference_objective_free", std::llround(free.is_complete ? free.objective : free.lower_bound)},
                 {"reference_free_is_bound", !free.is_complete},
                 {"reference_free_feasible", free.is_feasible},
                 {"aggregate_w", free.aggregate_w},
                 {"combinations", combinations},
                 {"combinations_solved", solved}};
  std::cout << out.dump() << "\n";
  return fixed.is_feasible && free.is_feasible ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: wattproof-reference FILE (or - for standard input)\n";
    return 2;
  }
  try {
    if (std::string(argv[1]) == "-") return run(std::cin);
    std::ifstream file(argv[1]);
    if (!file) throw std::runtime_error(std::string("cannot read ") + argv[1]);
    return run(file);
  } catch (const std::exception& error) {
    std::cerr << "wattproof-reference: " << error.what() << "\n";
    return 2;
  }
}
