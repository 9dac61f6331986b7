// SPDX-License-Identifier: Apache-2.0
#include "rounds/members.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <numbers>

#include "rounds/draw.hpp"
#include "solver/home.hpp"

namespace wattproof::bench {
namespace {

using solver::DeviceKind;

// What the device itself pays for each kW beside the prices: a battery's wear, a car's wish to charge gently.
constexpr std::uint64_t battery_own = 12ull << 16;
constexpr std::uint64_t charger_own = 6ull << 16;

void demand(Error error, const char* what) {
  if (error == Error::none) return;
  std::fprintf(stderr, "%s: %s\n", what, error_name(error));
  std::exit(1);
}

}  // namespace

Member::Member(const solver::Grid& grid, std::mt19937& random) : grid_(grid) {
  const std::int32_t kind = between(random, 0, 99);
  if (kind < 30) {
    variety_ = Variety::charger;
    make_charger(random);
  } else if (kind < 50) {
    variety_ = Variety::battery;
    make_battery(random);
  } else if (kind < 70) {
    variety_ = Variety::appliance;
    make_appliance(random);
  } else if (kind < 80) {
    variety_ = Variety::solar;
    make_by_hours(DeviceKind::curtailable, random);
  } else if (kind < 90) {
    variety_ = Variety::load;
    make_by_hours(DeviceKind::fixed, random);
  } else {
    variety_ = Variety::heat_pump;
    make_heat_pump(random);
  }
  fallback_.resize(grid.slots, 0);
  last_ = fallback_;
}

void Member::make_battery(std::mt19937& random) {
  const std::int32_t capacity = 5000 * between(random, 1, 2);
  device_ = {.kind = DeviceKind::battery, .power_min_w = -capacity / 2, .power_max_w = capacity / 2,
             .energy_min_wh = capacity / 10, .energy_max_wh = capacity, .energy_start_wh = capacity / 2,
             .energy_end_min_wh = capacity / 2, .energy_end_max_wh = capacity / 2};
  own_.quadratic = battery_own;
}

void Member::make_charger(std::mt19937& random) {
  const std::int32_t power = between(random, 0, 1) == 0 ? 3700 : 7400;
  const std::int32_t length_h = between(random, 7, 10);
  const std::uint32_t start = hours(random, grid_, 0, 24 - length_h);
  const std::uint32_t end = start + static_cast<std::uint32_t>(length_h) * grid_.slots / 24;
  const std::int32_t energy = std::min(power * length_h * between(random, 35, 60) / 100, 24'000);
  device_ = {.kind = DeviceKind::shapeable, .power_max_w = power, .start_slot = start, .end_slot = end, .energy_wh = energy};
  own_.quadratic = charger_own;
}

void Member::make_appliance(std::mt19937& random) {
  constexpr std::int32_t quarters_w[] = {2000, 2000, 600, 300, 300, 900, 300, 200};  // a washing cycle of two hours
  const std::size_t step = 96 / grid_.slots;
  for (std::size_t i = 0; i < std::size(quarters_w); i += step) {
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < step; ++j) sum += quarters_w[i + j];
    series_.push_back(sum / static_cast<std::int32_t>(step));
  }
  const std::uint32_t start = hours(random, grid_, 6, 16);
  device_ = {.kind = DeviceKind::appliance, .start_slot = start, .end_slot = start + 8 * grid_.slots / 24};
}

void Member::make_by_hours(DeviceKind kind, std::mt19937& random) {
  device_.kind = kind;
  const std::int32_t level = between(random, 150, 350), peak = between(random, 400, 900), sun = between(random, 2500, 4500);
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    const double hour = 24.0 * (t + 0.5) / grid_.slots;
    const double light = std::max(0.0, std::sin(std::numbers::pi * (hour - 7.5) / 9.5));
    const bool is_day = hour > 7.5 && hour < 17;
    const std::int32_t load = rounded(level + peak * bump(hour, 18.5, 3)), feed = is_day ? -rounded(sun * light) : 0;
    series_.push_back(kind == DeviceKind::fixed ? load : feed);
  }
  if (kind == DeviceKind::fixed) fallback_ = series_;
}

void Member::make_heat_pump(std::mt19937& random) {
  const std::int32_t power = between(random, 3, 5) * 500;
  // A house that loses about a fiftieth of its excess each hour and gains 1 K for each kWh.
  device_ = {.kind = DeviceKind::thermal, .power_max_w = power, .gain_mk_per_wh = 1,
             .leak_permyriad_per_slot = between(random, 150, 250) * 24 / static_cast<std::int32_t>(grid_.slots),
             .start_mc = 21'000, .min_mc = 19'500, .max_mc = 23'000, .soft = true};
  const std::int32_t cold = between(random, -8, 0) * 1000;
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    series_.push_back(cold + rounded(4000 * bump(24.0 * t / grid_.slots, 14, 5)));
  }
}

solver::Device Member::device() const {
  solver::Device device = device_;
  if (device.kind == DeviceKind::fixed || device.kind == DeviceKind::appliance) device.profile_w = series_;
  if (device.kind == DeviceKind::curtailable) device.power_min_w = std::span<const std::int32_t>(series_);
  if (device.kind == DeviceKind::thermal) device.ambient_mc = std::span<const std::int32_t>(series_);
  device.milestones = milestones_;
  return device;
}

reference::Bounds Member::bounds() const { return {{-power_w_max}, {power_w_max}}; }

void Member::begin(bool is_warm) {
  if (!is_warm) last_ = fallback_;
  participant_.reset();
}

std::optional<Profile> Member::answer(const schedule::EpochHead& head, const schedule::Vectors& vectors,
                                      const reference::RecordData& recorded) {
  static solver::Workspace<slot_count_max> small;
  static std::vector<std::uint64_t> large;
  // Entering wrote the fallback into the record, while a device of a warm epoch goes on from its profile of yesterday.
  const Profile& x = recorded.round == 0 && head.round == 1 ? last_ : recorded.profile;
  Profile target(head.slots), best(head.slots);
  demand(participant_.aim(head, vectors, recorded.round, x, target), "a device cannot aim");
  solver::Device whole = this->device();
  std::vector<solver::LinearState> states = states_;
  for (solver::LinearState& state : states) state.min = std::span<const std::int32_t>(series_);
  whole.states = states;
  std::vector<solver::Device> parts;
  for (const Member& part : parts_) {
    parts.push_back(part.device());
    if (part.own_.quadratic != 0) parts.back().cost_quadratic = static_cast<std::int32_t>(part.own_.quadratic);
  }
  whole.parts = parts.data();
  whole.part_count = static_cast<std::uint32_t>(parts.size());
  const solver::Device device = schedule::Participant::frozen(whole, head, x);
  large.resize(std::max(large.size(), solver::workspace_words(device, grid_)));
  const solver::WorkspaceView workspace = large.size() > small.words.size() ? solver::WorkspaceView(large) : small;
  solver::Report report;
  const solver::Cost cost = schedule::Participant::cost(head, own_);
  const Error error = solver::optimise(device, grid_, target, cost, workspace, best, report);
  if (error != Error::none) {
    refusal_ = std::string(name_of(variety_)) + ": " + error_name(error);
    return {};
  }
  last_ = best;
  for (std::uint32_t i = 0; i < parts_.size(); ++i) {
    const std::span<const std::int32_t> part = solver::part_profile(device, grid_, workspace, i);
    parts_[i].last_.assign(part.begin(), part.end());
  }
  return best;
}

void Member::change_needs(std::mt19937& random) {
  if (device_.kind == DeviceKind::shapeable) device_.energy_wh += device_.energy_wh / 100 * between(random, -5, 5);
  for (Member& part : parts_) part.change_needs(random);
}

void Member::add_to(reference::Community& community, Agreed& agreed, const Profile& profile) const {
  if (device_.kind == DeviceKind::home) {
    for (const Member& part : parts_) part.add_to(community, agreed, part.last_);
    return;
  }
  const std::size_t slots = grid_.slots;
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (device_.kind == DeviceKind::appliance && device_.runs == 1 && !device_.interruptible) {
    reference::ChoiceDevice choice;
    for (std::size_t start = device_.start_slot; start + series_.size() <= device_.end_slot; ++start) {
      std::vector<double> run(slots, 0);
      std::copy(series_.begin(), series_.end(), run.begin() + static_cast<std::ptrdiff_t>(start));
      if (std::equal(run.begin(), run.end(), profile.begin())) agreed.chosen.push_back(choice.profiles_w.size());
      choice.profiles_w.push_back(run);
    }
    community.choices.push_back(choice);
    agreed.choices_w.emplace_back(profile.begin(), profile.end());
    return;
  }
  reference::ConvexDevice convex;
  const bool is_given = is_given_to_optimum();
  convex.own_quadratic = static_cast<double>(own_.quadratic) / 65536;
  if (device_.kind == DeviceKind::generator) {
    convex.own_quadratic = device_.cost_quadratic / 65536.0;
    convex.own_linear = -static_cast<double>(device_.cost_linear);
  }
  convex.sum_low.assign(slots, -infinite);
  convex.sum_high.assign(slots, infinite);
  const solver::Device device = this->device();
  for (std::uint32_t t = 0; t < slots; ++t) {
    const bool is_out = device_.kind == DeviceKind::shapeable && (t < device_.start_slot || t >= device_.end_slot);
    convex.low_w.push_back(is_given ? profile[t] : is_out ? 0 : device.power_min_w.at(t));
    convex.high_w.push_back(is_given ? profile[t] : is_out ? 0 : device.power_max_w.at(t));
  }
  if (!is_given) limit_sums(convex);
  community.convex.push_back(convex);
  agreed.convex_w.emplace_back(profile.begin(), profile.end());
}

}  // namespace wattproof::bench
