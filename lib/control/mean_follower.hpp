// SPDX-License-Identifier: Apache-2.0
// Makes a relay follow a mean power: energy becomes on-time at rated power, the rest is carried over. It keeps the debt
//   D(t) = integral of (wanted mean - rated power * relay) dt,
// wishes "on" once D reaches +h and "off" once D reaches -h, and the relay guard delays the wishes by its minimum times.
//
// Bound. Let P be the rated power, 0 <= wanted <= P, the relay follow the wishes but for its minimum on and off times,
// and d be the longest time between two steps. Then at every moment
//   -(h + P (on_ms_min + d))  <=  D  <=  h + P (off_ms_min + d),
// because D falls while the relay is on and rises while it is off, it is switched on only above +h and off only below
// -h, and the opposite switch comes at most one minimum time and one step after the threshold is crossed. The energy of any
// stretch of time, however long, thus misses its target by at most the sum of the two bounds.
// More h means fewer switches: at a wanted mean of P/2 one cycle takes at least 8 h / P.
// The bound needs d <= follower_step_ms_max and carry_wh_max at least as large as the larger side of it.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "base/time.hpp"

namespace wattproof::control {

constexpr std::uint32_t follower_step_ms_max = 60'000;  // a longer gap between two steps counts as this much
constexpr std::uint32_t energy_wh_max = 1'000'000;

struct MeanFollowerLimits {
  std::int32_t rated_w = 0;          // what the load draws when it is on; 1..power_w_max
  std::uint32_t hysteresis_wh = 0;   // h, at most energy_wh_max
  // Most debt that is carried on, either sign, at least h and at most energy_wh_max. A person or a trip that kept the
  // load off for hours is not made up for beyond this.
  std::uint32_t carry_wh_max = 0;
};

//   configuration_invalid  a number outside its range
Error check_mean_follower_limits(const MeanFollowerLimits& limits);

class MeanFollower {
 public:
  // `limits` have passed the check above.
  explicit MeanFollower(const MeanFollowerLimits& limits) : limits_(limits) {}

  // Accounts for the time since the last step, during which the relay was as the last call said and `mean_w` of the last
  // call was wanted; then says whether the relay is wanted on. `relay_on` is what the guard commands from now on.
  //   out_of_range  mean_w is below 0 or above the rated power; the step is not taken
  Result<bool> step(BootMs now, std::int32_t mean_w, bool relay_on);

  // Forgets the debt: a new schedule, or none, begins.
  void reset() { *this = MeanFollower(limits_); }

  // When the wish may change if nothing else does; at most follower_step_ms_max after `now`, the time of the last step.
  BootMs next_wake(BootMs now) const;

  // D in Wh, rounded towards minus infinity; positive: too little was drawn so far.
  std::int64_t debt_wh() const;

 private:
  MeanFollowerLimits limits_;
  BootMs last_{};
  bool has_last_ = false;
  std::int32_t mean_w_ = 0;
  bool relay_on_ = false;
  bool wish_ = false;
  std::int64_t debt_w_ms_ = 0;
};

}  // namespace wattproof::control
