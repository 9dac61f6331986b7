// SPDX-License-Identifier: Apache-2.0
#include "control/relay_guard.hpp"

#include <algorithm>

namespace wattproof::control {
namespace {

// splitmix64 (Steele, Lea, Flood 2014): every bit of the state reaches every bit of the result.
std::uint64_t mix(std::uint64_t state) {
  state += 0x9e3779b97f4a7c15;
  state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
  state = (state ^ state >> 27) * 0x94d049bb133111eb;
  return state ^ state >> 31;
}

// Milliseconds from `now` until `ms` have passed since `from`.
std::uint64_t remaining(BootMs now, BootMs from, std::uint64_t ms) {
  const std::uint64_t passed = now.since(from);
  return passed >= ms ? 0 : ms - passed;
}

}  // namespace

Error check_relay_limits(const RelayLimits& limits) {
  const bool is_valid = limits.on_ms_min <= hold_ms_max && limits.off_ms_min <= hold_ms_max &&
                        limits.fallback_ms <= fallback_ms_max && limits.start_spread_ms_max <= limits.fallback_ms &&
                        limits.trip_w >= 0 && limits.trip_ms <= hold_ms_max && limits.trip_pause_ms <= hold_ms_max &&
                        limits.trip_count_max > 0 && limits.mismatch_ms_max <= hold_ms_max &&
                        limits.mismatch_pause_ms <= hold_ms_max;
  return is_valid ? Error::none : Error::configuration_invalid;
}

std::uint64_t spread_seed(const Address& device, std::uint32_t boot_count) {
  std::uint64_t seed = boot_count;
  for (const std::uint8_t byte : device) seed = mix(seed ^ byte);
  return seed;
}

std::uint32_t spread_ms(std::uint64_t seed, std::uint32_t max_ms) {
  // The upper half times the width, shifted down: no division, and a bias below 2^-32.
  return static_cast<std::uint32_t>((mix(seed) >> 32) * (std::uint64_t{max_ms} + 1) >> 32);
}

RelayGuard::RelayGuard(const RelayLimits& limits, BootMs now, std::uint64_t seed)
    : limits_(limits), spread_ms_(spread_ms(seed, limits.start_spread_ms_max)), now_(now), changed_(now) {}

void RelayGuard::follow_clock(BootMs now) {
  if (now < now_) {
    // A new clock: nothing that was noted by the old one says how long ago it was.
    changed_ = now;
    instruction_.stop();
    if (override_.runs) override_.from = now;
    if (over_power_.runs) over_power_.from = now;
    if (trip_.runs) trip_.from = now;
    if (disagree_.runs) disagree_.from = now;
    if (agree_.runs) agree_.from = now;
  }
  now_ = now;
}

void RelayGuard::instruct(BootMs now, bool on) {
  follow_clock(now);
  instruction_ = {now, true};
  instruction_on_ = on;
}

void RelayGuard::withdraw() { instruction_.stop(); }

void RelayGuard::command_by_person(BootMs now, bool on, std::uint32_t duration_ms) {
  follow_clock(now);
  override_ = {now, true};
  override_on_ = on;
  override_ms_ = std::min(duration_ms, override_ms_max);
  // Somebody is there and has seen it: try again, after the pause.
  trip_count_ = 0;
}

void RelayGuard::release_by_person() {
  override_.stop();
  trip_count_ = 0;
}

void RelayGuard::measured(BootMs now, std::int32_t power_w) {
  follow_clock(now);
  if (limits_.trip_w > 0 && power_w > limits_.trip_w) {
    over_power_.start(now);
  } else {
    over_power_.stop();
  }
}

void RelayGuard::sensed(BootMs now, bool on) {
  follow_clock(now);
  sensed_on_ = on;
  is_sensed_ = true;
  update_mismatch(now);
}

void RelayGuard::update_trip(BootMs now) {
  // An open relay draws nothing; what the meter says then is somebody else's load.
  if (!on_) over_power_.stop();
  if (over_power_.is_over(now, limits_.trip_ms)) {
    over_power_.stop();
    trip_ = {now, true};
    if (trip_count_ < limits_.trip_count_max) ++trip_count_;
    change(now, false);
    return;
  }
  if (trip_count_ < limits_.trip_count_max && trip_.is_over(now, limits_.trip_pause_ms)) trip_.stop();
  if (on_ && now.since(changed_) >= trip_forget_ms) trip_count_ = 0;
}

void RelayGuard::update_mismatch(BootMs now) {
  if (!is_sensed_) return;
  if (sensed_on_ != on_) {
    agree_.stop();
    disagree_.start(now);
    mismatch_ = mismatch_ || disagree_.is_over(now, limits_.mismatch_ms_max);
    return;
  }
  disagree_.stop();
  if (mismatch_) {
    agree_.start(now);
    if (agree_.is_over(now, limits_.mismatch_pause_ms)) {
      mismatch_ = false;
      agree_.stop();
    }
  }
}

RelayGuard::Goal RelayGuard::goal(BootMs now) const {
  if (trip_.runs) return {false, Cause::trip};
  if (mismatch_) return {limits_.fallback_on, Cause::fallback};
  if (override_.runs && !override_.is_over(now, override_ms_)) return {override_on_, Cause::person};
  if (instruction_.runs && !instruction_.is_over(now, instruction_ms())) return {instruction_on_, Cause::schedule};
  return {limits_.fallback_on, Cause::fallback};
}

std::uint32_t RelayGuard::instruction_ms() const {
  // Neighbours whose fallback is "on" lose their instruction together, so each leaves it earlier by its own spread.
  return limits_.fallback_ms - (limits_.fallback_on ? spread_ms_ : 0);
}

void RelayGuard::opened(BootMs now) {
  follow_clock(now);
  change(now, false);
  changed_ = now;
  was_opened_ = true;
}

std::uint64_t RelayGuard::hold_ms(Cause cause) const {
  if (on_) return limits_.on_ms_min;
  // The spread is for what happens in many homes at once; a person at the button is one.
  const bool is_spread = is_first_start_ && cause != Cause::person;
  const std::uint32_t pause_ms = was_opened_ ? std::max(limits_.off_ms_min, retry_ms_min) : limits_.off_ms_min;
  return std::uint64_t{pause_ms} + (is_spread ? spread_ms_ : 0);
}

void RelayGuard::change(BootMs now, bool on) {
  if (on == on_) return;
  on_ = on;
  changed_ = now;
  if (on) is_first_start_ = was_opened_ = false;
  // What was sensed before says nothing about the new state.
  is_sensed_ = false;
  disagree_.stop();
  agree_.stop();
}

RelayOutput RelayGuard::step(BootMs now) {
  follow_clock(now);
  const bool was_on = on_;
  update_mismatch(now);
  update_trip(now);
  if (override_.is_over(now, override_ms_)) override_.stop();
  const Goal wanted = goal(now);
  if (wanted.on != on_ && now.since(changed_) >= hold_ms(wanted.cause)) change(now, wanted.on);
  return {.on = on_,
          .cause = wanted.cause,
          .is_waiting = wanted.on != on_,
          .changed = on_ != was_on,
          .mismatch = mismatch_};
}

BootMs RelayGuard::next_wake(BootMs now) const {
  if (now < now_) return now;
  std::uint64_t wait = wake_ms_max;
  const auto consider = [&](bool applies, BootMs from, std::uint64_t ms) {
    if (applies) wait = std::min(wait, remaining(now, from, ms));
  };
  const Goal wanted = goal(now);
  consider(wanted.on != on_, changed_, hold_ms(wanted.cause));
  consider(instruction_.runs && !instruction_.is_over(now, instruction_ms()), instruction_.from, instruction_ms());
  consider(override_.runs, override_.from, override_ms_);
  consider(over_power_.runs && on_, over_power_.from, limits_.trip_ms);
  consider(trip_.runs && trip_count_ < limits_.trip_count_max, trip_.from, limits_.trip_pause_ms);
  consider(disagree_.runs && !mismatch_, disagree_.from, limits_.mismatch_ms_max);
  consider(agree_.runs, agree_.from, limits_.mismatch_pause_ms);
  return now.plus(wait);
}

}  // namespace wattproof::control
