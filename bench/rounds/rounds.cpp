// SPDX-License-Identifier: Apache-2.0
// How many rounds communities of 12 to 50 mixed devices need until their schedule is final: both residuals at most 1e-3 and
// the cap met exactly in every slot. Whole epochs: devices answer by the library (schedule::Participant, solver::optimise), the
// coordinator is the tested copy of the contract's arithmetic, prices and loads are real. Each community negotiates
//   cold      from the penalty that wattproofctl proposes, from five times that and from a fifth
//   warm      the next day from its vectors, with prices and needs up to 5 % off
//   new day   the next day from its vectors, at the prices of another real day
//   silent    cold, with every device missing every fifth round by chance
// and the totals are held against the central optimum. Prints one JSON object a line.
//
// The figures rounds_all_kinds_* are of a second set: communities of 50 with every kind that the library knows. A device whose
// solver finds no answer sends none, as firmware does, and is counted. To the central optimum chargers (milestones too), lossless
// batteries, PV, generators and ramped pumps are free, in homes too; an appliance that runs once keeps its start; what leaks (heat,
// cold, lossy batteries) and other patterns (switched loads, several or interrupted runs) have the profile that they ended with.
//
//   rounds [--communities N] [--each]     N a grid and size, 2 N a grid of every kind (default 4); --each also says, to stderr, how
//                                         every epoch ended, and of those beyond 20 rounds which devices moved late
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>

#include "rounds/all_kinds.hpp"
#include "rounds/members.hpp"
#include "rounds/real_days.hpp"

namespace wattproof::bench {
namespace {

using reference::Coordinator;

constexpr std::uint32_t tolerance_w = 1;
constexpr std::uint32_t round_seconds = 60;
constexpr std::uint32_t member_counts[] = {12, 20, 30, 50};
constexpr std::int32_t ordinary_spread = 200'000;  // micro-units per kWh between the dearest and the cheapest slot
constexpr std::int32_t free_cap_w = power_w_max;
constexpr double cap_share = 0.72;       // of the way from the mean of the uncapped total to its peak
constexpr double cap_share_step = 0.07;  // further up while even the central optimum cannot meet the cap

bool says_each = false;

struct Day {
  std::uint64_t rho0 = 0;
  reference::Parameters parameters;
};

// The spread of the prices over a typical power, as wattproofctl proposes it.
std::uint64_t usual_penalty(const Profile& price) {
  constexpr std::int64_t typical_power_w = 3000;
  const auto [low, high] = std::minmax_element(price.begin(), price.end());
  const std::int64_t spread = std::clamp<std::int64_t>(std::int64_t{*high} - *low, 90'000, 300'000);
  return static_cast<std::uint64_t>((spread << 16) / typical_power_w);
}

Day make_day(const RealDays& days, std::size_t number, std::size_t home, std::size_t count) {
  Day day;
  day.parameters.gamma = static_cast<std::uint64_t>(0.8 * 65536 * 12 / static_cast<double>(count));
  const Series& price = days.price(number);
  for (std::size_t t = 0; t < price.size(); ++t) {
    double load = 0;
    for (std::size_t i = 0; i < count; ++i) load += days.load(home + 7 * i)[t];
    day.parameters.price.push_back(static_cast<std::int32_t>(std::lround(1000 * price[t])));
    day.parameters.base_w.push_back(static_cast<std::int32_t>(std::lround(load)));
  }
  day.parameters.cap_w.assign(price.size(), free_cap_w);
  day.rho0 = usual_penalty(day.parameters.price);
  return day;
}

// How often devices found no answer, by what they are and why.
using Refusals = std::map<std::string, std::uint32_t>;

class Epoch {
 public:
  // Runs to the end. `silent_percent`: how often a device does not answer a round.
  Epoch(const Day& day, std::uint64_t rho0, std::vector<Member>& members, const Epoch* warm, std::int32_t silent_percent = 0,
        std::uint32_t seed = 1)
      : coordinator_(rules(day, rho0), day.parameters, 0) {
    std::mt19937 random(seed);
    for (std::uint32_t i = 0; i < members.size(); ++i) {
      coordinator_.enter(i + 1, {}, members[i].bounds(), members[i].fallback());
      members[i].begin(warm != nullptr);
    }
    coordinator_.start(0, warm == nullptr ? nullptr : &warm->coordinator_);
    while (coordinator_.head().status == schedule::EpochStatus::open) {
      const std::vector<std::uint8_t> bytes = coordinator_.vector_bytes();
      schedule::Vectors vectors;
      if (schedule::Vectors::decode(bytes, coordinator_.head().slots, vectors) != Error::none) std::abort();
      for (std::uint32_t i = 0; i < members.size(); ++i) {
        if (std::uniform_int_distribution<std::int32_t>(0, 99)(random) < silent_percent) continue;
        const std::optional<Profile> answer = members[i].answer(coordinator_.head(), vectors, coordinator_.record(i + 1));
        if (!answer) {
          ++refusals_[members[i].refusal()];
          continue;
        }
        note_move(members[i], coordinator_.record(i + 1).profile, *answer);
        if (coordinator_.submit(i + 1, *answer) != reference::Outcome::counted) std::abort();
      }
      coordinator_.close(coordinator_.head().deadline.s);
    }
  }

  const Coordinator& coordinator() const { return coordinator_; }
  std::uint32_t rounds() const { return coordinator_.head().round; }
  const Refusals& refusals() const { return refusals_; }

  // Who moved after the round from which patterns are kept: the three varieties with the most of it.
  std::string late_movers() const {
    std::vector<std::pair<std::uint64_t, std::string>> movers;
    std::uint64_t sum = 0;
    for (const auto& [name, moved_w] : late_moves_) {
      movers.emplace_back(moved_w, name);
      sum += moved_w;
    }
    std::sort(movers.rbegin(), movers.rend());
    std::string text;
    for (std::size_t i = 0; i < movers.size() && i < 3; ++i) {
      const std::uint64_t percent = 100 * movers[i].first / std::max<std::uint64_t>(sum, 1);
      text += (i == 0 ? "" : ", ") + movers[i].second + " " + std::to_string(percent) + " %";
    }
    return text;
  }
  bool is_final() const { return coordinator_.head().status == schedule::EpochStatus::final; }

  // The highest total and the mean one, W.
  std::pair<double, double> peak_and_mean(const Profile& base) const {
    double peak = -1e9, sum = 0;
    for (std::size_t t = 0; t < base.size(); ++t) {
      const double total = static_cast<double>(coordinator_.sums_w()[t] + base[t]);
      peak = std::max(peak, total);
      sum += total;
    }
    return {peak, sum / static_cast<double>(base.size())};
  }

 private:
  static reference::Rules rules(const Day& day, std::uint64_t rho0) {
    const auto slots = static_cast<std::uint32_t>(day.parameters.price.size());
    return {.slots = slots, .slot_seconds = 86'400 / slots, .rho0 = std::max<std::uint64_t>(rho0, 1),
            .tolerance_w = tolerance_w, .round_seconds = round_seconds};
  }

  void note_move(const Member& member, const Profile& before, const Profile& after) {
    if (rounds() <= schedule::freeze_round) return;
    std::uint64_t& moved_w = late_moves_[name_of(member.variety())];
    for (std::size_t t = 0; t < after.size(); ++t) moved_w += static_cast<std::uint64_t>(std::abs(after[t] - before[t]));
  }

  Coordinator coordinator_;
  Refusals refusals_;
  std::map<std::string, std::uint64_t> late_moves_;
};

// The central optimum with the appliance starts and the heat pumps as the epoch ended; `own` gets the epoch's objective.
reference::Optimum central(const Day& day, const std::vector<Member>& members, const Epoch& epoch, double& own) {
  const reference::Parameters& parameters = day.parameters;
  reference::Community community;
  community.slots = static_cast<std::uint32_t>(parameters.price.size());
  community.slot_seconds = 86'400 / community.slots;
  community.gamma = static_cast<double>(parameters.gamma) / 65536;
  community.price.assign(parameters.price.begin(), parameters.price.end());
  community.base_w.assign(parameters.base_w.begin(), parameters.base_w.end());
  community.cap_w.assign(parameters.cap_w.begin(), parameters.cap_w.end());
  Agreed agreed;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    members[i].add_to(community, agreed, epoch.coordinator().record(i + 1).profile);
  }
  std::vector<std::vector<double>> profiles = agreed.convex_w;
  profiles.insert(profiles.end(), agreed.choices_w.begin(), agreed.choices_w.end());
  own = reference::objective_of(community, profiles);
  return reference::solve_fixed(community, agreed.chosen);
}

// A cap that binds and that the central optimum can meet.
void set_cap(Day& day, std::vector<Member> members) {
  const Epoch free_epoch(day, day.rho0, members, nullptr);
  const auto [peak, mean] = free_epoch.peak_and_mean(day.parameters.base_w);
  double share = cap_share;
  for (;; share += cap_share_step) {
    const auto cap = static_cast<std::int32_t>(mean + share * (peak - mean));
    day.parameters.cap_w.assign(day.parameters.cap_w.size(), cap);
    double own = 0;
    if (share >= 1 || central(day, members, free_epoch, own).is_feasible) return;
  }
}

struct Tally {
  explicit Tally(std::string what) : name(std::move(what)) {}
  void add(const Epoch& epoch, const char* which) {
    const bool is_good = epoch.is_final() && epoch.coordinator().worst_excess_w() <= 0;
    rounds.push_back(epoch.rounds());
    without_end += is_good ? 0u : 1u;
    for (const auto& [why, count] : epoch.refusals()) refusals[why] += count;
    if (says_each) {
      std::fprintf(stderr, "%s %s: %u rounds%s\n", name.c_str(), which, epoch.rounds(), is_good ? "" : ", no schedule");
      if (epoch.rounds() > 20) {
        std::fprintf(stderr, "  moved after round %u: %s\n", schedule::freeze_round, epoch.late_movers().c_str());
      }
    }
  }
  double mean() const {
    double sum = 0;
    for (const std::uint32_t value : rounds) sum += value;
    return sum / static_cast<double>(rounds.size());
  }
  std::uint32_t most() const { return *std::max_element(rounds.begin(), rounds.end()); }
  double above(std::uint32_t limit) const {
    const auto is_above = [limit](std::uint32_t value) { return value > limit; };
    const auto count = std::count_if(rounds.begin(), rounds.end(), is_above);
    return 100.0 * static_cast<double>(count) / static_cast<double>(rounds.size());
  }
  std::string name;
  std::vector<std::uint32_t> rounds;
  std::uint32_t without_end = 0;
  Refusals refusals;
};

void print(const std::string& name, double value, const char* unit, const char* target) {
  std::printf("{\"name\":\"%s\",\"value\":%.3g,\"unit\":\"%s\",\"target\":%s}\n", name.c_str(), value, unit, target);
}

struct Measured {
  explicit Measured(const std::string& prefix)
      : cold(prefix + "_cold"), ordinary(prefix + "_cold_ordinary"), warm(prefix + "_warm"), new_day(prefix + "_new_day"),
        silent(prefix + "_silent") {}
  std::array<const Tally*, 4> all() const { return {&cold, &warm, &new_day, &silent}; }
  Tally cold, ordinary, warm, new_day, silent;
  double worst_gap = 0;
  std::uint32_t gaps = 0;
};

std::vector<Member> make_ordinary(const solver::Grid& grid, std::uint32_t count, std::mt19937& random) {
  std::vector<Member> members;
  for (std::uint32_t i = 0; i < count; ++i) members.emplace_back(grid, random);
  return members;
}

void measure(const RealDays& days, std::uint32_t slots, std::uint32_t count, std::uint32_t number, bool is_all_kinds,
             Measured& all) {
  std::mt19937 random(1000 * slots + 100 * count + number);
  const std::size_t first_day = std::uniform_int_distribution<std::size_t>(0, days.price_days() - 1)(random);
  const solver::Grid grid{slots, 86'400 / slots};
  const std::vector<Member> members = is_all_kinds ? make_all_kinds(grid, random) : make_ordinary(grid, count, random);
  Day day = make_day(days, first_day, number, count);
  set_cap(day, members);
  const auto [low, high] = std::minmax_element(day.parameters.price.begin(), day.parameters.price.end());
  const bool is_ordinary = *high - *low <= ordinary_spread;
  std::vector<Member> after;
  std::optional<Epoch> ended;
  const std::string which = std::to_string(slots) + " slots, " + std::to_string(count) + " devices, day " +
                            std::to_string(first_day) + ", community " + std::to_string(number);
  for (const double factor : {1.0, 5.0, 0.2}) {
    std::vector<Member> cold = members;
    const Epoch epoch(day, static_cast<std::uint64_t>(factor * static_cast<double>(day.rho0)), cold, nullptr);
    all.cold.add(epoch, which.c_str());
    if (is_ordinary) all.ordinary.add(epoch, which.c_str());
    if (!epoch.is_final() || factor != 1.0) continue;
    after = cold;
    ended.emplace(epoch);
    double own = 0;
    const reference::Optimum optimum = central(day, cold, epoch, own);
    if (!optimum.is_feasible) continue;
    all.worst_gap = std::max(all.worst_gap, std::abs(own - optimum.objective) / std::abs(optimum.objective));
    ++all.gaps;
  }
  std::vector<Member> silent = members;
  all.silent.add(Epoch(day, day.rho0, silent, nullptr, 20, number + 1), which.c_str());
  if (!ended) return;
  Day near = day;
  std::uniform_int_distribution<std::int32_t> percent(-5, 5);
  for (std::int32_t& price : near.parameters.price) price += price / 100 * percent(random);
  std::vector<Member> near_members = after;
  for (Member& member : near_members) member.change_needs(random);
  near.parameters.cap_w.assign(slots, free_cap_w);
  set_cap(near, near_members);
  all.warm.add(Epoch(near, near.rho0, near_members, &*ended), which.c_str());
  Day other = make_day(days, first_day + 1, number + 1, count);
  set_cap(other, after);
  all.new_day.add(Epoch(other, other.rho0, after, &*ended), which.c_str());
}

// Returns how often devices found no answer.
std::uint32_t print_ends(const std::string& prefix, const Measured& all) {
  std::uint32_t without_end = 0, refused = 0;
  for (const Tally* tally : all.all()) {
    without_end += tally->without_end;
    for (const auto& [why, count] : tally->refusals) {
      refused += count;
      std::fprintf(stderr, "%s without an answer, %s: %u times\n", tally->name.c_str(), why.c_str(), count);
    }
  }
  print(prefix + "_without_schedule", without_end, "epochs", "0");
  print(prefix + "_objective_gap", 1e6 * all.worst_gap, "millionths, at most", "1000");
  std::fprintf(stderr, "%s: %zu cold, %zu warm, %zu new-day and %zu silent epochs\n", prefix.c_str(), all.cold.rounds.size(),
               all.warm.rounds.size(), all.new_day.rounds.size(), all.silent.rounds.size());
  return refused;
}

void print_mixed(const Measured& all) {
  print("rounds_cold_mean", all.cold.mean(), "rounds", "16");
  print("rounds_cold_max", all.cold.most(), "rounds", "20");
  print("rounds_cold_above_20", all.cold.above(20), "% of epochs", "0");
  if (!all.ordinary.rounds.empty()) {  // days whose prices differ by at most 200 EUR/MWh
    print("rounds_cold_ordinary_day_mean", all.ordinary.mean(), "rounds", "null");
    print("rounds_cold_ordinary_day_max", all.ordinary.most(), "rounds", "null");
  }
  print("rounds_warm_mean", all.warm.mean(), "rounds", "9");
  print("rounds_warm_max", all.warm.most(), "rounds", "null");
  print("rounds_new_day_mean", all.new_day.mean(), "rounds", "10");
  print("rounds_new_day_max", all.new_day.most(), "rounds", "null");
  print("rounds_silent_mean", all.silent.mean(), "rounds", "22");
  print("rounds_silent_max", all.silent.most(), "rounds", "null");
  print_ends("rounds", all);
}

void print_all_kinds(const Measured& all) {
  print("rounds_all_kinds_cold_mean", all.cold.mean(), "rounds", "16");
  print("rounds_all_kinds_cold_max", all.cold.most(), "rounds", "20");
  print("rounds_all_kinds_cold_above_20", all.cold.above(20), "% of epochs", "0");
  print("rounds_all_kinds_warm_mean", all.warm.mean(), "rounds", "9");
  print("rounds_all_kinds_warm_max", all.warm.most(), "rounds", "null");
  print("rounds_all_kinds_new_day_mean", all.new_day.mean(), "rounds", "null");
  print("rounds_all_kinds_silent_mean", all.silent.mean(), "rounds", "22");
  print("rounds_all_kinds_silent_max", all.silent.most(), "rounds", "null");
  const std::uint32_t unanswered = print_ends("rounds_all_kinds", all);
  print("rounds_all_kinds_unanswered", unanswered, "answers that a device did not find", "0");
}

int run(std::uint32_t communities) {
  Measured mixed("rounds"), all_kinds("rounds_all_kinds");
  for (const std::uint32_t slots : {24u, 96u}) {
    const RealDays days(slots);
    if (days.is_built_in()) std::fprintf(stderr, "%u slots: no data folder, the built-in day\n", slots);
    for (const std::uint32_t count : member_counts) {
      for (std::uint32_t number = 0; number < communities; ++number) measure(days, slots, count, number, false, mixed);
    }
    for (std::uint32_t number = 0; number < 2 * communities; ++number) {
      measure(days, slots, all_kinds_count, number, true, all_kinds);
    }
  }
  if (mixed.gaps == 0 || all_kinds.gaps == 0) return 1;
  print_mixed(mixed);
  print_all_kinds(all_kinds);
  return 0;
}

}  // namespace
}  // namespace wattproof::bench

int main(int count, char** arguments) {
  std::uint32_t communities = 4;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--each") == 0) {
      wattproof::bench::says_each = true;
    } else if (std::strcmp(arguments[i], "--communities") == 0 && i + 1 < count) {
      communities = static_cast<std::uint32_t>(std::strtoul(arguments[++i], nullptr, 10));
    } else {
      std::fprintf(stderr, "usage: rounds [--communities N] [--each]\n");
      return 2;
    }
  }
  return wattproof::bench::run(communities);
}
