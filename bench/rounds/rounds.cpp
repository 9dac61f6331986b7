// SPDX-License-Identifier: Apache-2.0
// How many rounds communities of mixed devices need until their schedule is final: both residuals at most 1e-3 and the cap
// met exactly in every slot. Devices answer by the library (schedule::Participant, solver::optimise); the coordinator is a
// second implementation of the contract's arithmetic. Cold from a penalty that fits, from five times too much and five times
// too little; then the next day, warm, with prices and needs 5 % off. Prints one JSON object a line.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "rounds/coordinator.hpp"
#include "schedule/participant.hpp"
#include "solver/solve.hpp"

namespace wattproof::bench {
namespace {

using Profile = Coordinator::Profile;
using solver::DeviceKind;

constexpr std::uint32_t seeds = 8;
constexpr std::uint32_t tolerance_w = 1;
constexpr std::int32_t homes_w = 400;  // load of each participant's home that nobody can move

struct Member {
  DeviceKind kind = DeviceKind::fixed;
  Profile series;  // fixed: the load; curtailable: the lower limits; appliance: the cycle
  solver::Device device;
  schedule::OwnCost own;
  Profile fallback, profile;
  schedule::Participant participant;
};

std::int32_t between(std::mt19937& random, std::int32_t low, std::int32_t high) {
  return std::uniform_int_distribution<std::int32_t>(low, high)(random);
}

// 1 at the hour, falling off to 0 within `width` hours.
double bump(double hour, double at, double width) { return std::exp(-(hour - at) * (hour - at) / (width * width)); }

std::int32_t rounded(double value) { return static_cast<std::int32_t>(std::lround(value)); }

void describe_battery(Member& member, std::mt19937& random) {
  const std::int32_t capacity = 5000 * between(random, 1, 2);
  member.device = {.kind = DeviceKind::battery, .power_min_w = -capacity / 2, .power_max_w = capacity / 2,
                   .energy_min_wh = capacity / 10, .energy_max_wh = capacity, .energy_start_wh = capacity / 2,
                   .energy_end_min_wh = capacity / 2, .energy_end_max_wh = capacity};
  member.own.quadratic = 8ull << 16;
}

void describe_charger(Member& member, std::uint32_t slots, std::mt19937& random) {
  const std::int32_t power = between(random, 0, 1) == 0 ? 3700 : 7400;
  const std::uint32_t hour = slots / 24;
  const std::uint32_t start = hour * static_cast<std::uint32_t>(between(random, 0, 14));
  member.device = {.kind = DeviceKind::shapeable, .power_max_w = power, .start_slot = start, .end_slot = start + 9 * hour,
                   .energy_wh = power * between(random, 30, 60) * 9 / 100};
  member.own.quadratic = 2ull << 16;
}

void describe_appliance(Member& member, std::uint32_t slots, std::mt19937& random) {
  const std::uint32_t hour = slots / 24;
  member.series.assign(2 * hour, 500);
  std::fill_n(member.series.begin(), hour, 1600);
  const std::uint32_t start = hour * static_cast<std::uint32_t>(between(random, 6, 14));
  member.device = {.kind = DeviceKind::appliance, .profile_w = member.series, .start_slot = start, .end_slot = start + 8 * hour};
  member.fallback.assign(slots, 0);
  std::copy(member.series.begin(), member.series.end(), member.fallback.begin() + static_cast<std::ptrdiff_t>(start));
}

void describe_by_hours(Member& member, std::uint32_t slots, std::mt19937& random) {
  const std::int32_t peak = member.kind == DeviceKind::fixed ? between(random, 400, 900) : between(random, 2500, 4500);
  for (std::uint32_t t = 0; t < slots; ++t) {
    const double hour = 24.0 * t / slots;
    member.series.push_back(member.kind == DeviceKind::fixed ? rounded(250 + peak * bump(hour, 18.5, 3))
                                                             : -rounded(peak * bump(hour, 12.5, 3)));
  }
  member.device.kind = member.kind;
  member.device.profile_w = member.kind == DeviceKind::fixed ? std::span<const std::int32_t>(member.series)
                                                             : std::span<const std::int32_t>();
  if (member.kind == DeviceKind::curtailable) {
    member.device.power_min_w = std::span<const std::int32_t>(member.series);
    member.device.power_max_w = 0;
  } else {
    member.fallback = member.series;
  }
}

std::vector<Member> make_community(std::uint32_t count, std::uint32_t slots, std::mt19937& random) {
  constexpr DeviceKind pattern[] = {DeviceKind::shapeable, DeviceKind::battery,   DeviceKind::appliance,
                                    DeviceKind::shapeable, DeviceKind::curtailable, DeviceKind::battery,
                                    DeviceKind::appliance, DeviceKind::shapeable, DeviceKind::fixed};
  std::vector<Member> members(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Member& member = members[i];
    member.kind = pattern[i % std::size(pattern)];
    switch (member.kind) {
      case DeviceKind::battery: describe_battery(member, random); break;
      case DeviceKind::shapeable: describe_charger(member, slots, random); break;
      case DeviceKind::appliance: describe_appliance(member, slots, random); break;
      default: describe_by_hours(member, slots, random); break;
    }
    member.fallback.resize(slots, 0);
  }
  return members;
}

Day make_day(std::uint32_t count, std::uint32_t slots, std::mt19937& random) {
  Day day;
  day.gamma = 65'536ull * 10 / count;
  for (std::uint32_t t = 0; t < slots; ++t) {
    const double hour = 24.0 * t / slots;
    const double price = 90 + 70 * bump(hour, 18.5, 2.5) + 40 * bump(hour, 8, 2) - 50 * bump(hour, 13, 3);
    day.price.push_back(rounded(1000 * (price + between(random, -10, 10))));
    const double load = homes_w * (0.6 + bump(hour, 19, 3) + 0.5 * bump(hour, 8, 2));
    day.base_w.push_back(rounded(load * count));
  }
  day.cap_w.assign(slots, power_w_max);
  return day;
}

// The spread of the prices over a typical power, as wattproofctl proposes it.
std::uint64_t usual_penalty(const Day& day) {
  const auto [low, high] = std::minmax_element(day.price.begin(), day.price.end());
  constexpr std::uint64_t typical_power_w = 3000;
  return (static_cast<std::uint64_t>(*high - *low) << 16) / typical_power_w;
}

void answer(Member& member, Coordinator& coordinator, const schedule::Vectors& vectors, std::uint32_t record_round) {
  static solver::Workspace<slot_count_max> workspace;
  const schedule::EpochHead& head = coordinator.head();
  const solver::Grid grid{head.slots, head.slot_seconds};
  Profile target(head.slots), best(head.slots);
  // In round 1 the record holds the fallback, while a device of a warm epoch goes on from its profile of yesterday.
  const Profile& recorded = head.round == 1 ? member.fallback : member.profile;
  if (member.participant.aim(head, vectors, record_round, member.profile, target) != Error::none) std::abort();
  solver::Report report;
  const solver::Device device = schedule::Participant::frozen(member.device, head, recorded);
  const Error error = solver::optimise(device, grid, target, schedule::Participant::cost(head, member.own), workspace, best, report);
  if (error != Error::none) {
    std::fprintf(stderr, "a device cannot answer: %s\n", error_name(error));
    std::exit(1);
  }
  coordinator.submit(recorded, best);
  member.profile = best;
}

// Runs an epoch to its end. Cold, devices begin at their fallback; warm, where they were.
Coordinator negotiate(const Day& day, std::uint64_t rho0, std::vector<Member>& members, const Coordinator* warm) {
  std::vector<Profile> fallbacks;
  for (Member& member : members) {
    fallbacks.push_back(member.fallback);
    if (warm == nullptr) member.profile = member.fallback;
    member.participant.reset();
  }
  Coordinator coordinator(day, rho0, tolerance_w, fallbacks, warm);
  while (coordinator.is_open()) {
    const std::vector<std::uint8_t> bytes = coordinator.vector_bytes();
    schedule::Vectors vectors;
    if (schedule::Vectors::decode(bytes, coordinator.head().slots, vectors) != Error::none) std::abort();
    const std::uint32_t round = coordinator.head().round;
    for (Member& member : members) answer(member, coordinator, vectors, round - 1);
    coordinator.close();
  }
  return coordinator;
}

// A cap that binds: a tenth below the highest total that the community would choose without one.
void set_binding_cap(Day& day, std::vector<Member>& members) {
  day.cap_w.assign(day.price.size(), power_w_max);
  (void)negotiate(day, usual_penalty(day), members, nullptr);
  std::int32_t peak = 0;
  for (std::size_t t = 0; t < day.price.size(); ++t) {
    std::int32_t total = day.base_w[t];
    for (const Member& member : members) total += member.profile[t];
    peak = std::max(peak, total);
  }
  day.cap_w.assign(day.price.size(), peak * 9 / 10);
}

struct Tally {
  std::uint32_t count = 0, sum = 0, most = 0, failed = 0;
  void add(const Coordinator& end) {
    ++count;
    sum += end.head().round;
    most = std::max(most, end.head().round);
    failed += end.is_final() && end.excess_w() <= 0 ? 0u : 1u;
  }
};

// The same community a day later: prices and chargers' needs up to 5 % off, and a cap that binds that day.
struct Tomorrow {
  Day day;
  std::vector<Member> members;
};

Tomorrow make_tomorrow(const Day& today, const std::vector<Member>& members, std::mt19937& random) {
  Tomorrow next{today, members};
  for (std::int32_t& price : next.day.price) price += price / 100 * between(random, -5, 5);
  for (Member& member : next.members) {
    // A copy refers to its own series.
    if (!member.device.profile_w.empty()) member.device.profile_w = member.series;
    if (member.kind == DeviceKind::curtailable) member.device.power_min_w = std::span<const std::int32_t>(member.series);
    member.device.energy_wh += member.device.energy_wh / 100 * between(random, -5, 5);
  }
  std::vector<Profile> kept;
  for (const Member& member : next.members) kept.push_back(member.profile);
  set_binding_cap(next.day, next.members);
  for (std::size_t i = 0; i < kept.size(); ++i) next.members[i].profile = kept[i];
  return next;
}

void run(std::uint32_t count, std::uint32_t slots, std::uint32_t seed, Tally& cold, Tally& warm) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(1000 * count + 10 * slots + seed));
  std::vector<Member> members = make_community(count, slots, random);
  Day day = make_day(count, slots, random);
  set_binding_cap(day, members);
  const std::uint64_t fitting = usual_penalty(day);
  for (const std::uint64_t rho0 : {fitting / 5, fitting, fitting * 5}) {
    const Coordinator today = negotiate(day, rho0, members, nullptr);
    cold.add(today);
    if (!today.is_final()) continue;
    Tomorrow next = make_tomorrow(day, members, random);
    warm.add(negotiate(next.day, rho0, next.members, &today));
  }
}

void print(const char* name, double value, int target) {
  std::printf("{\"name\":\"%s\",\"value\":%.2f,\"unit\":\"rounds\",\"target\":%d}\n", name, value, target);
}

}  // namespace
}  // namespace wattproof::bench

int main() {
  using namespace wattproof::bench;
  Tally cold, warm;
  for (const std::uint32_t count : {12u, 20u, 35u, 50u}) {
    for (const std::uint32_t slots : {24u, 48u, 96u}) {
      for (std::uint32_t seed = 0; seed < seeds; ++seed) run(count, slots, seed, cold, warm);
    }
  }
  print("rounds_cold_mean", double(cold.sum) / cold.count, 18);
  print("rounds_cold_max", cold.most, 20);
  print("rounds_warm_mean", double(warm.sum) / warm.count, 10);
  print("rounds_warm_max", warm.most, 10);
  print("rounds_without_end", cold.failed + warm.failed, 0);
  std::fprintf(stderr, "%u cold and %u warm epochs\n", cold.count, warm.count);
  return 0;
}
