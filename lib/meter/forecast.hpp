// SPDX-License-Identifier: Apache-2.0
// What a device must assume about tomorrow, from its own meter: seasonal exponential smoothing in integers (Holt and
// Winters without a trend). Each slot of the day keeps its own mean; a prediction leans a little on its neighbours and on
// the mean of the whole day, since loads keep to no quarter hour; a smoothed error gives a band.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace wattproof::meter {

// What the forecast remembers of one slot of the day. Powers in 1/16 W. Zero-initialised means nothing seen yet.
struct SlotMemory {
  std::int32_t mean = 0;       // of this slot
  std::int32_t deviation = 0;  // smoothed absolute error of the forecasts made for it
};

struct Prediction {
  std::int32_t power_w = 0;
  std::int32_t band_w = 0;  // about three of four readings fall within power_w +- band_w
};

// The newest day weighs 1 / forecast_days_max once so many have been seen, and 1 / n before.
constexpr std::int32_t forecast_days_max = 2;

// Works on memory that the caller owns: one SlotMemory a slot, to be kept across days (and stored, if wanted).
class Forecast {
 public:
  // `memory` holds one entry per slot of the day, 1..slot_count_max; `days` full days have been fed into it before.
  //   slot_count_invalid
  static Result<Forecast> open(std::span<SlotMemory> memory, std::int32_t days);

  // A slot of the present day is over: what the meter read, as mean power. Slots may be missing; order does not matter.
  //   out_of_range  a slot beyond the memory, or |power| above power_w_max
  Error observe(std::uint32_t slot, std::int32_t power_w);

  // Midnight: the next observation belongs to another day.
  void end_day();

  // What this slot of the next day will draw: three quarters from this slot (half of it) and its two neighbours, one
  // quarter from the mean of the day. Nothing seen yet: 0 W with a band of 0 W.
  //   out_of_range  a slot beyond the memory
  Result<Prediction> predict(std::uint32_t slot) const;

  std::int32_t days() const { return days_; }

  constexpr Forecast() = default;  // predicts nothing; for Result

 private:
  std::int32_t smoothed(std::uint32_t slot) const;

  SlotMemory* memory_ = nullptr;
  std::uint32_t slots_ = 0;
  std::int32_t days_ = 0;
  std::int64_t sum_ = 0;  // of all means
};

}  // namespace wattproof::meter
