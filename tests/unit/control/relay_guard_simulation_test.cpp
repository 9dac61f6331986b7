// SPDX-License-Identifier: Apache-2.0
// A million rounds of the relay guard under an outside judge, and the proof that the judge notices: a second, much simpler
// guard passes when it is right and fails with every bug planted in it.
#include <gtest/gtest.h>

#include <string>

#include "guard_simulation.hpp"
#include "support/effort.hpp"

namespace wattproof::control {
namespace {

std::uint64_t rounds() { return testing::case_count(1'000'000); }

std::string describe(const Verdict& v) {
  return "short runs " + std::to_string(v.short_runs) + ", short pauses " + std::to_string(v.short_pauses) +
         ", late fallbacks " + std::to_string(v.late_fallbacks) + ", late trips " + std::to_string(v.late_trips) +
         ", ignored people " + std::to_string(v.ignored_people) + ", ignored orders " + std::to_string(v.ignored_orders) +
         ", early retries " + std::to_string(v.early_retries) + ", early starts " + std::to_string(v.early_starts) +
         ", missed mismatches " + std::to_string(v.missed_mismatches) + ", surprises " + std::to_string(v.surprises) +
         "; switches " + std::to_string(v.switches) + ", reboots " + std::to_string(v.reboots) + ", clock jumps " +
         std::to_string(v.clock_jumps) + ", trips " + std::to_string(v.trips) + ", mismatches " +
         std::to_string(v.mismatches) + ", expiries " + std::to_string(v.expiries);
}

RelayLimits compressor() {
  RelayLimits limits;
  limits.trip_w = 3000;
  limits.trip_pause_ms = 600'000;
  return limits;
}

RelayLimits fridge() {
  RelayLimits limits = compressor();
  limits.fallback_on = true;
  return limits;
}

RelayLimits lamp() {
  RelayLimits limits;
  limits.on_ms_min = limits.off_ms_min = limits.start_spread_ms_max = 0;
  limits.fallback_ms = 60'000;
  limits.trip_w = 200;
  limits.trip_ms = 0;
  limits.trip_pause_ms = 5'000;
  return limits;
}

class Simulated : public ::testing::TestWithParam<std::tuple<const char*, RelayLimits (*)()>> {};

TEST_P(Simulated, breaks_no_promise) {
  const RelayLimits limits = std::get<1>(GetParam())();
  ASSERT_EQ(check_relay_limits(limits), Error::none);
  const Verdict verdict = simulate_guard<RelayGuard>(limits, 7, rounds());
  EXPECT_GT(verdict.rounds, 0U);
  EXPECT_EQ(verdict.violations(), 0U) << describe(verdict);
  // The world must have been lively, or nothing was shown.
  if (verdict.rounds >= 1'000'000) {
    EXPECT_GT(verdict.switches, 500U) << describe(verdict);
    EXPECT_GT(verdict.reboots, 20U) << describe(verdict);
    EXPECT_GT(verdict.clock_jumps, 5U) << describe(verdict);
    EXPECT_GT(verdict.trips, 10U) << describe(verdict);
    EXPECT_GT(verdict.mismatches, 5U) << describe(verdict);
    EXPECT_GT(verdict.expiries, 50U) << describe(verdict);
  }
}

INSTANTIATE_TEST_SUITE_P(relay_guard_simulation, Simulated,
                         ::testing::Values(std::tuple("compressor", &compressor), std::tuple("fridge", &fridge),
                                           std::tuple("lamp", &lamp)),
                         [](const auto& test) { return std::get<0>(test.param); });

// The bugs, most of them seen in products.
enum class Flaw {
  none,
  sum_of_32_bits,         // started + duration compared in 32 bits
  clock_of_32_bits,       // the clock itself wraps after 49.7 days, and is not noticed
  starts_at_once,         // the pause before a boot is believed to have been long enough
  restores_last_state,    // on again as soon as power returns
  spread_forgotten,       // a street starts together
  never_falls_back,
  fallback_from_change,   // the time without instruction runs although the instruction is renewed
  fallback_cuts_runs,     // the fallback ignores minimum times
  pause_of_run_length,    // one minimum time for both directions
  whole_seconds,          // times compared after rounding to seconds
  trip_waits,             // a trip respects the minimum run
  trip_pauses_not,        // a trip is over at once
  person_for_ever,        // a person's command never ends
  person_unheard,
  contact_believed,       // commanded is taken for sensed
  sleeps_too_long,        // next_wake forgets the minimum times
};

Flaw planted = Flaw::none;

// What RelayGuard promises, as short as it can be said. Time wherever the guard has a clock is one function, so that the
// 32-bit flaws touch every comparison.
class SimpleGuard {
 public:
  SimpleGuard(const RelayLimits& limits, BootMs now, std::uint64_t seed) : limits_(limits), now_(time(now)), changed_(now_) {
    spread_ = spread_ms(seed, limits.start_spread_ms_max);
    if (planted == Flaw::restores_last_state) on_ = true;
  }
  std::uint32_t start_spread_ms() const { return spread_; }
  void instruct(BootMs now, bool on) {
    see(now);
    if (planted != Flaw::fallback_from_change || !has_instruction_ || on != instruction_on_) instructed_ = now_;
    has_instruction_ = true;
    instruction_on_ = on;
  }
  void withdraw() { has_instruction_ = false; }
  void command_by_person(BootMs now, bool on, std::uint32_t duration_ms) {
    see(now);
    has_person_ = planted != Flaw::person_unheard;
    person_on_ = on;
    person_from_ = now_;
    person_ms_ = duration_ms;
  }
  void release_by_person() { has_person_ = false; }
  void measured(BootMs now, std::int32_t power_w) {
    see(now);
    const bool over = power_w > limits_.trip_w && on_;
    if (over && !is_over_) over_from_ = now_;
    is_over_ = over;
  }
  void sensed(BootMs now, bool on) {
    see(now);
    const bool differs = on != on_ && planted != Flaw::contact_believed;
    if (differs && !differs_) differs_from_ = now_;
    if (!differs && differs_) agrees_from_ = now_;
    differs_ = differs;
  }
  RelayOutput step(BootMs now) {
    see(now);
    const bool was_on = on_;
    if (differs_ && passed(differs_from_, limits_.mismatch_ms_max)) mismatch_ = true;
    if (mismatch_ && !differs_ && passed(agrees_from_, limits_.mismatch_pause_ms)) mismatch_ = false;
    if (has_person_ && planted != Flaw::person_for_ever && passed(person_from_, person_ms_)) has_person_ = false;
    if (is_over_ && on_ && passed(over_from_, limits_.trip_ms) &&
        (planted != Flaw::trip_waits || passed(changed_, limits_.on_ms_min))) {
      is_tripped_ = true;
      tripped_ = now_;
      move(false);
    }
    if (is_tripped_ && (planted == Flaw::trip_pauses_not || passed(tripped_, limits_.trip_pause_ms))) is_tripped_ = false;
    Cause cause = Cause::fallback;
    const bool goal = wanted(cause);
    if (goal != on_ && (passed(changed_, hold(cause)) || (planted == Flaw::fallback_cuts_runs && cause == Cause::fallback))) {
      move(goal);
    }
    return {.on = on_, .cause = cause, .is_waiting = goal != on_, .changed = on_ != was_on, .mismatch = mismatch_};
  }
  // Always awake is always in time.
  BootMs next_wake(BootMs now) const { return planted == Flaw::sleeps_too_long ? now.plus(wake_ms_max) : now; }

 private:
  static std::uint64_t time(BootMs now) {
    return planted == Flaw::clock_of_32_bits ? static_cast<std::uint32_t>(now.ms) : now.ms;
  }
  void see(BootMs now) {
    const std::uint64_t seen = time(now);
    if (seen < now_ && planted != Flaw::clock_of_32_bits) {
      changed_ = over_from_ = tripped_ = differs_from_ = agrees_from_ = person_from_ = seen;
      has_instruction_ = false;
    }
    now_ = seen;
  }
  bool passed(std::uint64_t from, std::uint64_t ms) const {
    if (planted == Flaw::sum_of_32_bits) return static_cast<std::uint32_t>(from + ms) <= static_cast<std::uint32_t>(now_);
    if (planted == Flaw::whole_seconds) return now_ / 1000 - from / 1000 >= ms / 1000;
    return now_ - from >= ms;
  }
  std::uint64_t hold(Cause cause) const {
    if (on_ || planted == Flaw::pause_of_run_length) return limits_.on_ms_min;
    if (first_ && planted == Flaw::starts_at_once) return 0;
    const bool spread = first_ && cause != Cause::person && planted != Flaw::spread_forgotten;
    return std::uint64_t{limits_.off_ms_min} + (spread ? spread_ : 0);
  }
  bool wanted(Cause& cause) const {
    if (is_tripped_) return cause = Cause::trip, false;
    if (mismatch_) return cause = Cause::fallback, limits_.fallback_on;
    if (has_person_) return cause = Cause::person, person_on_;
    const std::uint64_t lasts = limits_.fallback_ms - (limits_.fallback_on ? spread_ : 0);
    if (has_instruction_ && (planted == Flaw::never_falls_back || !passed(instructed_, lasts))) {
      return cause = Cause::schedule, instruction_on_;
    }
    return cause = Cause::fallback, limits_.fallback_on;
  }
  void move(bool on) {
    if (on == on_) return;
    on_ = on;
    changed_ = now_;
    differs_ = false;
    agrees_from_ = now_;
    if (on) first_ = false;
  }

  RelayLimits limits_;
  std::uint64_t now_, changed_;
  std::uint32_t spread_ = 0;
  bool on_ = false, first_ = true, has_instruction_ = false, instruction_on_ = false, has_person_ = false;
  bool person_on_ = false, is_over_ = false, is_tripped_ = false, differs_ = false, mismatch_ = false;
  std::uint64_t instructed_ = 0, person_from_ = 0, person_ms_ = 0, over_from_ = 0, tripped_ = 0, differs_from_ = 0;
  std::uint64_t agrees_from_ = 0;
};

TEST(guard_judge, finds_nothing_wrong_with_a_second_guard_that_is_right) {
  planted = Flaw::none;
  for (const auto limits : {compressor(), fridge(), lamp()}) {
    const Verdict verdict = simulate_guard<SimpleGuard>(limits, 11, 500'000);
    EXPECT_EQ(verdict.violations(), 0U) << describe(verdict);
  }
}

TEST(guard_judge, finds_every_planted_bug) {
  int found = 0;
  for (int flaw = 1; flaw <= static_cast<int>(Flaw::sleeps_too_long); ++flaw) {
    planted = static_cast<Flaw>(flaw);
    std::uint64_t violations = 0;
    for (const auto limits : {compressor(), fridge()}) {
      violations += simulate_guard<SimpleGuard>(limits, 11, 500'000).violations();
    }
    EXPECT_GT(violations, 0U) << "flaw " << flaw << " went unseen";
    found += violations > 0 ? 1 : 0;
  }
  planted = Flaw::none;
  EXPECT_EQ(found, 16);
}

TEST(guard_judge, repeats_a_simulation_exactly) {
  const Verdict first = simulate_guard<RelayGuard>(compressor(), 3, 20'000);
  const Verdict second = simulate_guard<RelayGuard>(compressor(), 3, 20'000);
  EXPECT_EQ(describe(first), describe(second));
  EXPECT_NE(describe(first), describe(simulate_guard<RelayGuard>(compressor(), 4, 20'000)));
}

}  // namespace
}  // namespace wattproof::control
