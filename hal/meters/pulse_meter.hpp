// SPDX-License-Identifier: Apache-2.0
// A meter that gives a pulse for each bit of energy (an S0 output, a lamp that blinks, BL0937 and HLW8012 chips). Energy is the
// count; power is what the last interval says, and falls while the next pulse does not come.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "hal/meters/meter_reading.hpp"

namespace wattproof::hal {

class PulseMeter {
 public:
  // 1 to 10,000,000 pulses a kWh; a BL0937 on 1 mOhm has about 1,780,000.
  explicit PulseMeter(std::uint32_t pulses_per_kwh) : pulses_per_kwh_(pulses_per_kwh) {}

  // `lost` pulses before this one were dropped on the way: they count, and the reading is degraded for a while.
  void pulse(BootMs at, std::uint32_t lost);
  [[nodiscard]] MeterReading read(BootMs now) const;

  static constexpr std::uint64_t degraded_ms = 900'000;

 private:
  [[nodiscard]] std::uint64_t power_of(std::uint64_t interval_ms) const;
  std::uint32_t pulses_per_kwh_;
  std::uint64_t count_ = 0;
  BootMs last_{};
  std::uint64_t interval_ms_ = 0;  // between the last two; 0: unknown
  BootMs lost_at_{};
  bool has_lost_ = false;
};

}  // namespace wattproof::hal
