// SPDX-License-Identifier: Apache-2.0
#include "control/setpoint_guard.hpp"

#include <algorithm>

#include "base/limits.hpp"

namespace wattproof::control {

Error check_setpoint_limits(const SetpointLimits& limits) {
  const bool is_valid = limits.power_w_min >= -power_w_max && limits.power_w_max <= power_w_max &&
                        limits.power_w_min <= limits.fallback_w && limits.fallback_w <= limits.power_w_max &&
                        limits.fallback_ms <= fallback_ms_max;
  return is_valid ? Error::none : Error::configuration_invalid;
}

bool SetpointGuard::is_in_limits(std::int32_t power_w) const {
  return power_w >= limits_.power_w_min && power_w <= limits_.power_w_max;
}

void SetpointGuard::follow_clock(BootMs now) {
  if (now < now_) {
    // A new clock, as in the relay guard.
    is_instructed_ = false;
    overridden_ = now;
  }
  now_ = now;
}

Error SetpointGuard::instruct(BootMs now, std::int32_t power_w) {
  follow_clock(now);
  if (!is_in_limits(power_w)) return Error::out_of_range;
  is_instructed_ = true;
  instruction_w_ = power_w;
  instructed_ = now;
  return Error::none;
}

Error SetpointGuard::command_by_person(BootMs now, std::int32_t power_w, std::uint32_t duration_ms) {
  follow_clock(now);
  if (!is_in_limits(power_w)) return Error::out_of_range;
  is_overridden_ = true;
  override_w_ = power_w;
  overridden_ = now;
  override_ms_ = std::min(duration_ms, override_ms_max);
  return Error::none;
}

Cause SetpointGuard::cause(BootMs now) const {
  if (is_overridden_ && now.since(overridden_) < override_ms_) return Cause::person;
  if (is_instructed_ && now.since(instructed_) < limits_.fallback_ms) return Cause::schedule;
  return Cause::fallback;
}

std::int32_t SetpointGuard::wanted_w(BootMs now) const {
  switch (cause(now)) {
    case Cause::person: return override_w_;
    case Cause::schedule: return instruction_w_;
    default: return limits_.fallback_w;
  }
}

SetpointOutput SetpointGuard::step(BootMs now, bool contactor_closed) {
  follow_clock(now);
  const Cause why = cause(now);
  const std::int32_t power_w = contactor_closed ? wanted_w(now) : 0;
  const bool changed = power_w != output_w_;
  output_w_ = power_w;
  return {.power_w = power_w, .cause = why, .changed = changed};
}

BootMs SetpointGuard::next_wake(BootMs now) const {
  if (now < now_) return now;
  std::uint64_t wait = wake_ms_max;
  const auto consider = [&](bool applies, BootMs from, std::uint64_t ms) {
    const std::uint64_t passed = now.since(from);
    if (applies && passed < ms) wait = std::min(wait, ms - passed);
  };
  consider(is_overridden_, overridden_, override_ms_);
  consider(is_instructed_, instructed_, limits_.fallback_ms);
  return now.plus(wait);
}

}  // namespace wattproof::control
