// SPDX-License-Identifier: Apache-2.0
// A meter behind a relay whose load draws its rated power: for demonstrations and tests. It can go silent and talk nonsense.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "hal/meters/meter_reading.hpp"

namespace wattproof::hal {

enum class MeterFault : std::uint8_t { none = 0, silent = 1, jumping = 2, reset = 3 };

class SimulatedMeter {
 public:
  explicit SimulatedMeter(std::int32_t rated_w) : rated_w_(rated_w) {}

  void set_fault(MeterFault fault) { fault_ = fault; }

  // The load has drawn its power since the last call if the relay was closed. W times ms are 1/3600 mWh.
  void step(BootMs now, bool is_closed) {
    const std::uint64_t passed_ms = now.since(now_);
    if (is_closed_) energy_ += static_cast<std::uint64_t>(rated_w_) * passed_ms;
    now_ = now;
    is_closed_ = is_closed;
  }

  // False if the meter is silent.
  bool read(MeterReading& reading) const {
    if (fault_ == MeterFault::silent) return false;
    reading = {};
    reading.power_w = is_closed_ ? rated_w_ : 0;
    reading.import_mwh = fault_ == MeterFault::reset ? 0 : energy_ / 3600 + (fault_ == MeterFault::jumping ? 5'000'000 : 0);
    return true;
  }

 private:
  std::int32_t rated_w_;
  MeterFault fault_ = MeterFault::none;
  bool is_closed_ = false;
  BootMs now_{};
  std::uint64_t energy_ = 0;  // W ms
};

}  // namespace wattproof::hal
