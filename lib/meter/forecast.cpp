// SPDX-License-Identifier: Apache-2.0
#include "meter/forecast.hpp"

#include "base/math.hpp"

namespace wattproof::meter {

namespace {

constexpr std::int32_t unit = 16;  // of a watt

std::int32_t magnitude(std::int32_t value) { return value < 0 ? -value : value; }

}  // namespace

Result<Forecast> Forecast::open(std::span<SlotMemory> memory, std::int32_t days) {
  if (memory.empty() || memory.size() > slot_count_max || days < 0) return Error::slot_count_invalid;
  Forecast forecast;
  forecast.memory_ = memory.data();
  forecast.slots_ = static_cast<std::uint32_t>(memory.size());
  forecast.days_ = days < forecast_days_max ? days : forecast_days_max;
  for (const SlotMemory& slot : memory) forecast.sum_ += slot.mean;
  return forecast;
}

Error Forecast::observe(std::uint32_t slot, std::int32_t power_w) {
  if (slot >= slots_ || power_w > power_w_max || power_w < -power_w_max) return Error::out_of_range;
  SlotMemory& memory = memory_[slot];
  const std::int32_t reading = power_w * unit;
  if (days_ > 0) {
    // The error is that of the prediction as it was given, neighbours included.
    const std::int32_t error = magnitude(reading - smoothed(slot));
    memory.deviation += days_ == 1 ? error - memory.deviation : round_div(error - memory.deviation, std::int32_t{4});
  }
  const std::int32_t weight = days_ + 1 < forecast_days_max ? days_ + 1 : forecast_days_max;
  const std::int32_t change = round_div(reading - memory.mean, weight);
  memory.mean += change;
  sum_ += change;
  return Error::none;
}

void Forecast::end_day() {
  if (days_ < forecast_days_max) ++days_;
}

std::int32_t Forecast::smoothed(std::uint32_t slot) const {
  const std::int32_t here = memory_[slot].mean;
  const std::int32_t before = memory_[slot == 0 ? slots_ - 1 : slot - 1].mean;
  const std::int32_t after = memory_[slot + 1 == slots_ ? 0 : slot + 1].mean;
  const std::int64_t around = std::int64_t{before} + 2 * std::int64_t{here} + after;
  const std::int64_t day = floor_div(sum_, std::int64_t{slots_});
  return static_cast<std::int32_t>(round_div(3 * around + 4 * day, std::int64_t{16}));
}

Result<Prediction> Forecast::predict(std::uint32_t slot) const {
  if (slot >= slots_) return Error::out_of_range;
  Prediction prediction;
  prediction.power_w = round_div(smoothed(slot), unit);
  // 1.6 mean deviations: on measured homes three of four readings fall within (docs/SOLVER.md).
  prediction.band_w = round_div(memory_[slot].deviation * 8, 5 * unit);
  return prediction;
}

}  // namespace wattproof::meter
