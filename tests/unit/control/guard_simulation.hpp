// SPDX-License-Identifier: Apache-2.0
// Years of a relay's life, told to a guard and judged from outside. The judge knows the limits and what happened, and looks
// only at when the contact moved. A guard is any type with the RelayGuard members used below, so that guards with planted
// bugs can be judged too.
//
// What happens: instructions, renewed for a while and then not for hours; a person at the button; over-power; a contact
// that does not follow; power cuts with a gap of any length; a boot clock that starts near 2^32 ms, and one that runs
// backwards by up to ten years.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "control/relay_guard.hpp"

namespace wattproof::control {

struct Splitmix64 {
  std::uint64_t state;
  std::uint64_t next() {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
};

struct Verdict {
  std::uint64_t rounds = 0, switches = 0, reboots = 0, clock_jumps = 0, trips = 0, mismatches = 0, expiries = 0;

  std::uint64_t short_runs = 0;       // on for less than on_ms_min, without a trip
  std::uint64_t short_pauses = 0;     // off for less than off_ms_min; after a boot counted from the power's return
  std::uint64_t late_fallbacks = 0;   // not in fallback a second after it was due and minimum times allowed it
  std::uint64_t late_trips = 0;       // over-power for trip_ms and a second, and still on
  std::uint64_t ignored_people = 0;   // a person's command was possible for a second, and not followed
  std::uint64_t ignored_orders = 0;   // the same of a fresh instruction
  std::uint64_t early_retries = 0;    // on again before the pause after a trip was over
  std::uint64_t early_starts = 0;     // the first start after a boot came before its spread was over
  std::uint64_t missed_mismatches = 0;  // sensed differed from commanded for longer than allowed, and nobody was told
  std::uint64_t surprises = 0;        // without an event the output changed before the time that next_wake had announced

  std::uint64_t violations() const {
    return short_runs + short_pauses + late_fallbacks + late_trips + ignored_people + ignored_orders +
           early_retries + early_starts + missed_mismatches + surprises;
  }
};

// Everything that can be known of the world without knowing the guard, in true milliseconds.
class Judge {
 public:
  Judge(const RelayLimits& limits, Verdict& verdict) : limits_(limits), verdict_(verdict) {}

  // The contact fell open when power went away, which may have been a moment ago.
  void power_returned(std::uint64_t now, std::uint32_t spread) {
    is_on_ = false;
    hold_from_ = free_from_ = now;
    spread_ = spread;
    is_first_start_ = true;
    instructed_.reset();
    person_until_ = 0;
    over_power_.reset();
    tripped_.reset();
    differs_from_.reset();
    due_floor_ = now;
  }
  // What a guard noted by the old clock means nothing any more: holds start over, and the instruction is gone.
  void clock_jumped(std::uint64_t now) {
    free_from_ = due_floor_ = now;
    instructed_.reset();
    if (over_power_) over_power_ = now;
    if (tripped_ && now - *tripped_ < limits_.trip_pause_ms) tripped_ = now;
    if (differs_from_) differs_from_ = now;
    if (person_until_ > now) person_until_ = now + person_ms_;
  }
  void instructed(std::uint64_t now, bool on) {
    if (!instructed_ || on != instruction_on_) order_from_ = now;
    instructed_ = now;
    instruction_on_ = on;
  }
  void withdrawn(std::uint64_t now) {
    instructed_.reset();
    due_floor_ = now;
  }
  void person(std::uint64_t now, bool on, std::uint64_t duration) {
    person_until_ = now + duration;
    person_from_ = now;
    person_ms_ = duration;
    person_on_ = on;
  }
  void released(std::uint64_t now) {
    person_until_ = 0;
    due_floor_ = now;
  }
  void measured(std::uint64_t now, std::int32_t power_w) {
    if (power_w <= limits_.trip_w || !is_on_) {
      over_power_.reset();
    } else if (!over_power_) {
      over_power_ = now;
    }
  }
  void sensed(std::uint64_t now, bool on) {
    if (on == is_on_) {
      differs_from_.reset();
    } else if (!differs_from_) {
      differs_from_ = now;
    }
  }

  // `late_ms`: how late the guard could be told of the time, which every deadline is allowed.
  void look(std::uint64_t now, const RelayOutput& output, std::uint64_t late_ms) {
    if (output.mismatch && !was_mismatch_) ++verdict_.mismatches;
    was_mismatch_ = output.mismatch;
    if (output.on != is_on_) moved(now, output);
    if (output.cause == Cause::trip) due_floor_ = now;
    if (output.mismatch) mismatch_seen_ = now;
    check_trip(now, late_ms);
    check_mismatch(now, output, late_ms);
    if (now < person_until_) {
      check_person(now, output, late_ms);
    } else {
      check_fallback(now, output, late_ms);
    }
  }
  bool is_on() const { return is_on_; }

 private:
  void moved(std::uint64_t now, const RelayOutput& output) {
    ++verdict_.switches;
    const std::uint64_t held = now - hold_from_;
    if (output.on) {
      if (held < limits_.off_ms_min) ++verdict_.short_pauses;
      const bool by_person = now < person_until_;
      if (is_first_start_ && !by_person && held < std::uint64_t{limits_.off_ms_min} + spread_) ++verdict_.early_starts;
      is_first_start_ = false;
      if (tripped_ && now - *tripped_ < limits_.trip_pause_ms) ++verdict_.early_retries;
    } else {
      const bool by_trip = over_power_ && now - *over_power_ >= limits_.trip_ms;
      if (by_trip) {
        ++verdict_.trips;
        tripped_ = now;
      }
      if (!by_trip && held < limits_.on_ms_min) ++verdict_.short_runs;
    }
    is_on_ = output.on;
    hold_from_ = free_from_ = now;
    over_power_.reset();
    differs_from_.reset();
  }

  // From when on the contact may leave its state, as far as minimum times say.
  std::uint64_t allowed(bool for_person) const {
    if (is_on_) return free_from_ + limits_.on_ms_min;
    return free_from_ + limits_.off_ms_min + (is_first_start_ && !for_person ? spread_ : 0);
  }

  void check_trip(std::uint64_t now, std::uint64_t late_ms) {
    if (!over_power_ || now - *over_power_ <= limits_.trip_ms + late_ms + 1000) return;
    ++verdict_.late_trips;
    over_power_ = now;
  }

  void check_mismatch(std::uint64_t now, const RelayOutput& output, std::uint64_t late_ms) {
    if (!differs_from_ || output.mismatch || now - *differs_from_ <= limits_.mismatch_ms_max + late_ms + 1000) return;
    ++verdict_.missed_mismatches;
    differs_from_ = now;
  }

  void check_person(std::uint64_t now, const RelayOutput& output, std::uint64_t late_ms) {
    if (is_on_ == person_on_ || output.cause == Cause::trip || output.mismatch) return;
    const std::uint64_t due = std::max({person_from_, allowed(true), due_floor_, mismatch_seen_});
    if (now <= due + late_ms + 1000) return;
    ++verdict_.ignored_people;
    person_from_ = now;
  }

  // Up to the spread before its end an instruction counts in full.
  void check_order(std::uint64_t now, const RelayOutput& output, std::uint64_t late_ms) {
    const bool counts = now - *instructed_ < limits_.fallback_ms - spread_;
    if (!counts || is_on_ == instruction_on_ || output.cause == Cause::trip || output.mismatch) return;
    const std::uint64_t due = std::max({order_from_, person_until_, allowed(false), due_floor_, mismatch_seen_});
    if (now <= due + late_ms + 1000) return;
    ++verdict_.ignored_orders;
    order_from_ = now;
  }

  void check_fallback(std::uint64_t now, const RelayOutput& output, std::uint64_t late_ms) {
    const std::uint64_t expiry = instructed_ ? *instructed_ + limits_.fallback_ms : 0;
    if (instructed_ && now >= expiry) {
      instructed_.reset();
      due_floor_ = std::max(due_floor_, expiry);
      ++verdict_.expiries;
    }
    if (instructed_) check_order(now, output, late_ms);
    if (instructed_ || is_on_ == limits_.fallback_on || output.cause == Cause::trip) return;
    const std::uint64_t due = std::max({due_floor_, person_until_, allowed(false)});
    if (now <= due + late_ms + 1000) return;
    ++verdict_.late_fallbacks;
    due_floor_ = now;
  }

  RelayLimits limits_;
  Verdict& verdict_;
  bool is_on_ = false;
  std::uint64_t hold_from_ = 0;  // when the contact last moved, or power returned: what the load feels
  std::uint64_t free_from_ = 0;  // the same, or the last jump of the clock: what a guard can know
  std::uint64_t due_floor_ = 0;  // the goal changed here at the latest
  std::uint32_t spread_ = 0;
  bool is_first_start_ = true;
  std::optional<std::uint64_t> instructed_, over_power_, tripped_, differs_from_;
  bool instruction_on_ = false;
  std::uint64_t order_from_ = 0;
  std::uint64_t person_until_ = 0, person_from_ = 0, person_ms_ = 0, mismatch_seen_ = 0;
  bool person_on_ = false;
  bool was_mismatch_ = false;
};

// The world around one guard. `Guard` is built as Guard(limits, now, seed).
template <class Guard>
class World {
 public:
  World(const RelayLimits& limits, std::uint64_t seed)
      : limits_(limits),
        random_{seed},
        judge_(limits, verdict_),
        guard_(std::in_place, limits, BootMs{clock_ + now_}, random_.next()) {
    judge_.power_returned(now_, guard_->start_spread_ms());
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Verdict run(std::uint64_t rounds) {
    for (; verdict_.rounds < rounds; ++verdict_.rounds) round();
    return verdict_;
  }

 private:
  void round() {
    is_event_ = false;
    // Mostly a look every second or so; now and then exactly when the guard asked for it, or too late.
    late_ms_ = 500 + random_.below(1000);
    if (random_.one_in(8)) late_ms_ = std::clamp<std::uint64_t>(announced_.ms - (clock_ + now_), 1, wake_ms_max);
    if (random_.one_in(500)) late_ms_ = random_.below(400'000);
    now_ += late_ms_;
    power_and_clock();
    instructions();
    people();
    measurements();

    const BootMs boot{clock_ + now_};
    const RelayOutput output = guard_->step(boot);
    if (output.changed && !is_event_ && boot < announced_) ++verdict_.surprises;
    judge_.look(now_, output, late_ms_);
    announced_ = guard_->next_wake(boot);
  }

  void power_and_clock() {
    constexpr std::uint64_t ten_years_ms = 315'360'000'000;
    if (random_.one_in(20'000)) {
      now_ += random_.one_in(2) ? random_.below(5'000) : random_.below(100'000'000);
      clock_ = 0 - now_ + (random_.one_in(3) ? wrap_ms - random_.below(3'000'000) : random_.below(3'000));
      guard_.emplace(limits_, BootMs{clock_ + now_}, random_.next());
      judge_.power_returned(now_, guard_->start_spread_ms());
      ++verdict_.reboots;
      is_event_ = true;
    }
    if (random_.one_in(50'000) && clock_ + now_ > late_ms_ + 1) {
      // Further back than the last look, or nobody could notice.
      clock_ -= late_ms_ + 1 + random_.below(std::min(ten_years_ms, clock_ + now_ - late_ms_ - 1));
      judge_.clock_jumped(now_);
      ++verdict_.clock_jumps;
      is_event_ = true;
    }
  }

  void instructions() {
    const BootMs boot{clock_ + now_};
    if (random_.one_in(2'000)) is_online_ = !is_online_;
    if (random_.one_in(200)) want_on_ = !want_on_;
    if (is_online_ && random_.one_in(20)) {
      guard_->instruct(boot, want_on_);
      judge_.instructed(now_, want_on_);
      is_event_ = true;
    }
    if (random_.one_in(10'000)) {
      guard_->withdraw();
      judge_.withdrawn(now_);
      is_event_ = true;
    }
  }

  void people() {
    if (random_.one_in(3'000)) {
      const bool on = random_.one_in(2);
      const std::uint32_t duration = static_cast<std::uint32_t>(random_.below(2'000'000));
      guard_->command_by_person(BootMs{clock_ + now_}, on, duration);
      judge_.person(now_, on, duration);
      is_event_ = true;
    }
    if (random_.one_in(6'000)) {
      guard_->release_by_person();
      judge_.released(now_);
      is_event_ = true;
    }
  }

  void measurements() {
    const BootMs boot{clock_ + now_};
    if (random_.one_in(2'000)) power_w_ = random_.one_in(2) ? limits_.trip_w + 1 : 100;
    if (limits_.trip_w > 0) {
      guard_->measured(boot, power_w_);
      judge_.measured(now_, power_w_);
      is_event_ = is_event_ || power_w_ > limits_.trip_w;
    }
    if (random_.one_in(8'000)) is_stuck_ = !is_stuck_;
    const bool sensed = is_stuck_ ? false : judge_.is_on();
    guard_->sensed(boot, sensed);
    judge_.sensed(now_, sensed);
  }

  static constexpr std::uint64_t wrap_ms = std::uint64_t{1} << 32;

  RelayLimits limits_;
  Splitmix64 random_;
  Verdict verdict_;
  Judge judge_;
  std::uint64_t now_ = 0;                      // true time
  std::uint64_t clock_ = wrap_ms - 2'000'000;  // boot clock minus true time; its own wrap around is meant
  std::optional<Guard> guard_;
  std::uint64_t late_ms_ = 0;
  BootMs announced_{0};
  bool is_event_ = false;
  bool is_online_ = false;
  bool want_on_ = false;
  bool is_stuck_ = false;
  std::int32_t power_w_ = 0;
};

// The verdict is a function of the arguments alone.
template <class Guard>
Verdict simulate_guard(const RelayLimits& limits, std::uint64_t seed, std::uint64_t rounds) {
  return World<Guard>(limits, seed).run(rounds);
}

}  // namespace wattproof::control
