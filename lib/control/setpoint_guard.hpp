// SPDX-License-Identifier: Apache-2.0
// The second kind of output: a power setpoint in W (battery, PV inverter, charger with a variable current). Import is
// positive. Like the relay guard it owns no hardware, lets an instruction lapse into the fallback value, and puts the
// person above the schedule. It has no minimum times: the contactor in front of such a device is a relay with a guard of
// its own, and while that one is open the setpoint is 0.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "base/time.hpp"
#include "control/relay_guard.hpp"

namespace wattproof::control {

// What a board states about one setpoint output.
struct SetpointLimits {
  std::int32_t power_w_min = 0;        // most negative: feeding in
  std::int32_t power_w_max = 0;
  std::int32_t fallback_w = 0;         // within the two above
  std::uint32_t fallback_ms = 900'000;  // without a verified instruction for so long: fallback value
};

// configuration_invalid: limits crossed or beyond power_w_max of base/limits.hpp, a fallback outside them, or a fallback
// time above fallback_ms_max.
Error check_setpoint_limits(const SetpointLimits& limits);

struct SetpointOutput {
  std::int32_t power_w = 0;
  Cause cause = Cause::fallback;
  bool changed = false;
};

class SetpointGuard {
 public:
  // The output is 0 W now. `limits` have passed check_setpoint_limits.
  SetpointGuard(const SetpointLimits& limits, BootMs now) : limits_(limits), now_(now) {}

  // A verified, fresh instruction; renewed by every call.
  //   out_of_range  outside the limits. Nothing is clipped: the instruction before it stays and lapses as it would have
  Error instruct(BootMs now, std::int32_t power_w);
  void withdraw() { is_instructed_ = false; }

  // The person: this power for duration_ms (at most override_ms_max, longer is cut).
  //   out_of_range  outside the limits
  Error command_by_person(BootMs now, std::int32_t power_w, std::uint32_t duration_ms);
  void release_by_person() { is_overridden_ = false; }

  // What the output should be now. `contactor_closed` is what the relay guard commands; true if there is no contactor.
  SetpointOutput step(BootMs now, bool contactor_closed);

  // The value aimed at, whatever the contactor does: a contactor is wanted closed when this is not 0.
  std::int32_t wanted_w(BootMs now) const;

  // As RelayGuard::next_wake.
  BootMs next_wake(BootMs now) const;

 private:
  bool is_in_limits(std::int32_t power_w) const;
  void follow_clock(BootMs now);
  Cause cause(BootMs now) const;

  SetpointLimits limits_;
  BootMs now_{};
  std::int32_t output_w_ = 0;
  bool is_instructed_ = false;
  std::int32_t instruction_w_ = 0;
  BootMs instructed_{};
  bool is_overridden_ = false;
  std::int32_t override_w_ = 0;
  BootMs overridden_{};
  std::uint32_t override_ms_ = 0;
};

}  // namespace wattproof::control
