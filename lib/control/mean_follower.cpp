// SPDX-License-Identifier: Apache-2.0
#include "control/mean_follower.hpp"

#include <algorithm>

#include "base/limits.hpp"
#include "base/math.hpp"

namespace wattproof::control {
namespace {

constexpr std::int64_t w_ms_per_wh = 3'600'000;

constexpr std::int64_t w_ms(std::uint32_t energy_wh) { return std::int64_t{energy_wh} * w_ms_per_wh; }

}  // namespace

Error check_mean_follower_limits(const MeanFollowerLimits& limits) {
  const bool is_valid = limits.rated_w > 0 && limits.rated_w <= power_w_max &&
                        limits.hysteresis_wh <= limits.carry_wh_max && limits.carry_wh_max <= energy_wh_max;
  return is_valid ? Error::none : Error::configuration_invalid;
}

Result<bool> MeanFollower::step(BootMs now, std::int32_t mean_w, bool relay_on) {
  if (mean_w < 0 || mean_w > limits_.rated_w) return Error::out_of_range;
  if (has_last_ && last_ <= now) {
    const std::int64_t passed_ms =
        static_cast<std::int64_t>(std::min<std::uint64_t>(now.since(last_), follower_step_ms_max));
    // At most 4e6 W times 6e4 ms: far inside 64 bits.
    debt_w_ms_ += (mean_w_ - (relay_on_ ? limits_.rated_w : 0)) * passed_ms;
    debt_w_ms_ = clamp(debt_w_ms_, -w_ms(limits_.carry_wh_max), w_ms(limits_.carry_wh_max));
  }
  last_ = now;
  has_last_ = true;
  mean_w_ = mean_w;
  relay_on_ = relay_on;
  const std::int64_t threshold = w_ms(limits_.hysteresis_wh);
  // Strict on both sides, so that a wanted mean of 0 (or of the rated power) never starts a cycle out of nothing.
  if (debt_w_ms_ > threshold) wish_ = true;
  if (debt_w_ms_ < -threshold) wish_ = false;
  return wish_;
}

BootMs MeanFollower::next_wake(BootMs now) const {
  const std::int64_t rate_w = mean_w_ - (relay_on_ ? limits_.rated_w : 0);
  const std::int64_t threshold = w_ms(limits_.hysteresis_wh);
  std::uint64_t wait = follower_step_ms_max;
  // Distance to the threshold over the rate, and one millisecond to be beyond it. All four numbers are positive.
  const auto consider = [&](std::int64_t distance, std::int64_t rate) {
    if (distance < 0) distance = 0;
    wait = std::min<std::uint64_t>(wait, static_cast<std::uint64_t>(distance) / static_cast<std::uint64_t>(rate) + 1);
  };
  if (!wish_ && rate_w > 0) consider(threshold - debt_w_ms_, rate_w);
  if (wish_ && rate_w < 0) consider(debt_w_ms_ + threshold, -rate_w);
  return now.plus(wait);
}

std::int64_t MeanFollower::debt_wh() const { return floor_div(debt_w_ms_, w_ms_per_wh); }

}  // namespace wattproof::control
