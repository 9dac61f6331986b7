// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/meter_filter.hpp"

#include <algorithm>

namespace wattproof::hal {
namespace {

constexpr std::uint64_t slack_ms = 60'000;         // a meter shows energy late and in steps of its own
constexpr std::uint64_t gap_ms_max = 31'536'000'000;  // a year: longer gaps count as one

}  // namespace

// W times ms are 1/3600 mWh.
std::uint64_t MeterFilter::limit_mwh(std::uint64_t passed_ms) const {
  const std::uint64_t possible = static_cast<std::uint64_t>(rules_.power_w_max) * (std::min(passed_ms, gap_ms_max) + slack_ms) / 3600;
  return passed_ms <= rules_.timeout_ms ? std::min(possible, rules_.jump_mwh_max) : possible;
}

MeterVerdict MeterFilter::check(Counter& counter, std::uint64_t value_mwh, std::uint64_t limit_mwh, std::uint64_t& step_mwh) {
  step_mwh = 0;
  if (!counter.last_mwh) {
    counter.last_mwh = value_mwh;  // the first reading of a boot is where counting begins
    return MeterVerdict::believed;
  }
  const bool is_below = value_mwh < *counter.last_mwh;
  if (!is_below && value_mwh - *counter.last_mwh <= limit_mwh) {
    step_mwh = value_mwh - *counter.last_mwh;
    counter = {.last_mwh = value_mwh, .candidate_mwh = {}};
    return MeterVerdict::believed;
  }
  const bool agrees = counter.candidate_mwh && value_mwh >= *counter.candidate_mwh && value_mwh - *counter.candidate_mwh <= limit_mwh;
  counter.agreeing = agrees ? counter.agreeing + 1 : 1;
  counter.candidate_mwh = value_mwh;
  if (counter.agreeing < restart_count) return is_below ? MeterVerdict::counter_fell : MeterVerdict::counter_jumped;
  counter = {.last_mwh = value_mwh, .candidate_mwh = {}};  // a new count; what lies between the two belongs to nobody
  return MeterVerdict::believed;
}

MeterVerdict MeterFilter::take(BootMs now, const MeterReading& reading) {
  const auto refuse = [this](MeterVerdict verdict) {
    ++refused_;
    return verdict;
  };
  if (!reading.power_w && !reading.import_mwh && !reading.export_mwh) return refuse(MeterVerdict::empty);
  if (reading.power_w && (*reading.power_w > rules_.power_w_max || *reading.power_w < -rules_.power_w_max)) return refuse(MeterVerdict::power_out_of_range);
  const std::uint64_t passed_ms = has_reading_ ? now.since(believed_) : 0;
  std::uint64_t import_step = 0;
  std::uint64_t export_step = 0;
  MeterVerdict verdict = MeterVerdict::believed;
  if (reading.import_mwh) verdict = check(import_, *reading.import_mwh, limit_mwh(passed_ms), import_step);
  if (reading.export_mwh && verdict == MeterVerdict::believed) verdict = check(export_, *reading.export_mwh, limit_mwh(passed_ms), export_step);
  totals_.import_mwh += import_step;  // also if the other counter is refused: this one has moved on
  if (verdict != MeterVerdict::believed) return refuse(verdict);
  totals_.export_mwh += export_step;
  if (passed_ms < rules_.timeout_ms) uptime_ms_ += passed_ms;
  totals_.uptime_s += static_cast<std::uint32_t>(uptime_ms_ / 1000);
  uptime_ms_ %= 1000;
  power_w_ = reading.power_w;
  is_degraded_ = reading.is_degraded;
  believed_ = now;
  has_reading_ = true;
  return MeterVerdict::believed;
}

}  // namespace wattproof::hal
