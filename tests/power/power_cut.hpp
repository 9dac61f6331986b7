// SPDX-License-Identifier: Apache-2.0
// Runs a script of record writes (each boot first writes its boot record) on a simulated flash, cuts the power at chosen operations, boots again, goes on with the
// script, and checks after every boot that nothing acknowledged was lost and nothing mixed is shown. A store is any type
// that is built from a SimFlash& and has mount, write and read; so stores with planted bugs can be run too.
//
// What is promised: after a boot a record has the value that was acknowledged last, or one whose write was cut since then.
// From the first acknowledged write of a boot on, everything that this boot has seen is final.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "power/sim_flash.hpp"

namespace wattproof::store {

using Value = std::vector<std::uint8_t>;

struct CutPoint {
  std::uint64_t operation = 0;
  Tear tear = Tear::clean;
};

struct PowerReport {
  std::uint64_t points = 0;       // runs with at least one cut that struck
  std::uint64_t violations = 0;
  std::string first_violation;
};

struct ScriptStep {
  std::uint8_t id = 1;
  std::uint32_t size = 0;
};

constexpr std::uint8_t script_id_max = 4;
constexpr ScriptStep boot_record = {1, 4};

template <class MakeStore>
class PowerRun {
 public:
  PowerRun(FlashGeometry geometry, const std::vector<ScriptStep>& script, MakeStore make_store, std::uint64_t seed)
      : flash_(geometry, seed), script_(script), make_store_(make_store) {}

  // Cuts at each point in turn, one a boot, then runs free to the end of the script and boots once more. Returns what went
  // wrong, or an empty text.
  std::string run(const std::vector<CutPoint>& cuts) {
    for (const CutPoint& cut : cuts) {
      if (!boot(cut.operation, cut.tear)) return failure_;
      if (is_done_) return failure_;  // the script ended before the cut
      was_cut_ = true;
    }
    if (!boot(~std::uint64_t{0}, Tear::clean)) return failure_;
    if (!is_done_) return fail("the script did not end");
    boot(~std::uint64_t{0}, Tear::clean);
    if (flash_.rule_violations != 0) fail("a unit was programmed that was not surely blank");
    return failure_;
  }
  bool was_cut() const { return was_cut_; }
  std::uint64_t operations() const { return flash_.operations(); }

 private:
  struct State {
    std::optional<Value> acknowledged;
    std::vector<std::optional<Value>> possible;  // acknowledged, and what was cut since
  };

  bool boot(std::uint64_t budget, Tear tear) {
    flash_.power_up(budget, tear);
    try {
      auto store = make_store_(flash_);
      if (!ok(store.mount())) return fail("mount failed"), false;
      if (!check(store)) return false;
      has_acknowledged_ = false;
      // A device counts its boots before it does anything else.
      if (!write(store, boot_record)) return false;
      while (step_ < script_.size()) {
        const ScriptStep& step = script_[step_];
        if (!write(store, step)) return false;
        ++step_;
      }
      is_done_ = true;
      return check(store);
    } catch (const PowerCut&) {
      return true;
    }
  }

  template <class Store>
  bool write(Store& store, const ScriptStep& step) {
    Value value(step.size);
    ++counter_;
    for (std::size_t i = 0; i < value.size(); ++i) value[i] = static_cast<std::uint8_t>(counter_ * 31 + i * 7 + step.id);
    states_[step.id].possible.push_back(value);
    if (!ok(store.write(step.id, value))) return fail("write failed"), false;
    if (!has_acknowledged_) {
      // The first one of this boot makes everything final as this boot has seen it.
      for (std::uint8_t id = 1; id <= script_id_max; ++id) {
        states_[id].acknowledged = seen_[id];
        states_[id].possible.assign(1, seen_[id]);
      }
      has_acknowledged_ = true;
    }
    states_[step.id].acknowledged = value;
    states_[step.id].possible.assign(1, value);
    return true;
  }

  template <class Store>
  bool check(Store& store) {
    for (std::uint8_t id = 1; id <= script_id_max; ++id) {
      std::array<std::uint8_t, 512> into{};
      const Result<std::uint32_t> size = store.read(id, into);
      std::optional<Value> value;
      if (size) {
        value.emplace(into.begin(), into.begin() + *size);
      } else if (size.error() != Error::record_absent) {
        return fail("a record cannot be read"), false;
      }
      State& state = states_[id];
      if (state.possible.empty()) state.possible.emplace_back();
      bool is_possible = false;
      for (const auto& candidate : state.possible) is_possible = is_possible || candidate == value;
      if (!is_possible) return fail(value ? "an old or mixed record" : "an acknowledged record is gone"), false;
      seen_[id] = value;
    }
    return true;
  }

  std::string fail(const char* what) {
    if (failure_.empty()) failure_ = what;
    return failure_;
  }

  SimFlash flash_;
  const std::vector<ScriptStep>& script_;
  MakeStore make_store_;
  std::size_t step_ = 0;
  std::uint32_t counter_ = 0;
  bool is_done_ = false;
  bool was_cut_ = false;
  bool has_acknowledged_ = false;
  std::array<State, script_id_max + 1> states_{};
  std::array<std::optional<Value>, script_id_max + 1> seen_{};
  std::string failure_;
};

// How many operations the script takes without any cut.
template <class MakeStore>
std::uint64_t count_operations(FlashGeometry geometry, const std::vector<ScriptStep>& script, MakeStore make_store) {
  PowerRun<MakeStore> run(geometry, script, make_store, 1);
  run.run({});
  return run.operations();
}

template <class MakeStore>
void cut_and_count(PowerReport& report, FlashGeometry geometry, const std::vector<ScriptStep>& script,
                   MakeStore make_store, const std::vector<CutPoint>& cuts, std::uint64_t seed) {
  PowerRun<MakeStore> run(geometry, script, make_store, seed);
  const std::string failure = run.run(cuts);
  if (run.was_cut()) ++report.points;
  if (failure.empty()) return;
  ++report.violations;
  if (!report.first_violation.empty()) return;
  report.first_violation = failure + " with seed " + std::to_string(seed) + " after cuts";
  for (const CutPoint& cut : cuts) {
    report.first_violation += " " + std::to_string(cut.operation) + "/" + std::to_string(static_cast<int>(cut.tear));
  }
}

// Every operation of the script and every tear, one cut deep; and for each of these a second cut at every operation up to
// `second_max` of the boot that follows.
template <class MakeStore>
PowerReport cut_everywhere(FlashGeometry geometry, const std::vector<ScriptStep>& script, MakeStore make_store,
                           std::uint64_t second_max) {
  PowerReport report;
  const std::uint64_t operations = count_operations(geometry, script, make_store);
  for (std::uint64_t first = 0; first < operations; ++first) {
    for (int tear = 0; tear < tear_count; ++tear) {
      const CutPoint one = {first, static_cast<Tear>(tear)};
      cut_and_count(report, geometry, script, make_store, {one}, first);
      for (std::uint64_t second = 0; second < second_max; ++second) {
        for (int again = 0; again < tear_count; ++again) {
          cut_and_count(report, geometry, script, make_store, {one, {second, static_cast<Tear>(again)}},
                        first * 1000 + second + 1);
        }
      }
    }
  }
  return report;
}

// `count` runs with one to five cuts at random operations.
template <class MakeStore>
PowerReport cut_at_random(FlashGeometry geometry, const std::vector<ScriptStep>& script, MakeStore make_store,
                          std::uint64_t count, std::uint64_t seed) {
  PowerReport report;
  const std::uint64_t operations = count_operations(geometry, script, make_store);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
  const auto below = [&state](std::uint64_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state * 0x2545f4914f6cdd1d >> 33) % limit;
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    std::vector<CutPoint> cuts(1 + below(5));
    for (CutPoint& cut : cuts) {
      // Most later cuts strike soon after the boot, where what the cut before left behind is dealt with.
      cut = {cuts.size() > 1 && below(4) != 0 ? below(40) : below(operations), static_cast<Tear>(below(tear_count))};
    }
    cut_and_count(report, geometry, script, make_store, cuts, seed + i);
  }
  return report;
}

}  // namespace wattproof::store
