// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/pulse_meter.hpp"

#include <algorithm>

namespace wattproof::hal {
namespace {

constexpr std::uint64_t mwh_per_kwh = 1'000'000;
constexpr std::uint64_t w_ms_per_kwh = 3'600'000'000;  // a kWh is so many W times ms

}  // namespace

void PulseMeter::pulse(BootMs at, std::uint32_t lost) {
  const std::uint64_t passed_ms = at.since(last_);
  // Many pulses may share a millisecond; those that were lost passed in the same interval.
  if (count_ != 0) interval_ms_ = std::max<std::uint64_t>(passed_ms, 1) / (std::uint64_t{lost} + 1);
  if (count_ != 0) interval_ms_ = std::max<std::uint64_t>(interval_ms_, 1);
  count_ += std::uint64_t{lost} + 1;
  last_ = at;
  if (lost != 0) {
    lost_at_ = at;
    has_lost_ = true;
  }
}

std::uint64_t PulseMeter::power_of(std::uint64_t interval_ms) const { return w_ms_per_kwh / (std::uint64_t{pulses_per_kwh_} * interval_ms); }

MeterReading PulseMeter::read(BootMs now) const {
  MeterReading reading;
  // The count is split so that no product leaves its type: 2^64 pulses are more than a meter lives for.
  reading.import_mwh = count_ / pulses_per_kwh_ * mwh_per_kwh + count_ % pulses_per_kwh_ * mwh_per_kwh / pulses_per_kwh_;
  if (interval_ms_ != 0) {
    const std::uint64_t waited_ms = std::max(interval_ms_, now.since(last_));
    reading.power_w = static_cast<std::int32_t>(std::min<std::uint64_t>(power_of(waited_ms), 0x7fffffff));
  }
  reading.is_degraded = has_lost_ && now.since(lost_at_) < degraded_ms;
  return reading;
}

}  // namespace wattproof::hal
