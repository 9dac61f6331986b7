// SPDX-License-Identifier: Apache-2.0
// Decides what to believe of a meter, and adds up energy. A meter that is silent or talks nonsense is unavailable, which is
// something else than 0 W. Totals are sums of believed differences of the meter's counters: they begin where the journal
// left off, never fall and never jump; what was drawn while nobody counted is missing from them.
#pragma once

#include <cstdint>

#include "base/time.hpp"
#include "hal/meters/meter_reading.hpp"
#include "store/energy_journal.hpp"

namespace wattproof::hal {

struct MeterRules {
  std::int32_t power_w_max = 25'000;           // |power| that the load and its line can have
  std::uint64_t jump_mwh_max = 1'000'000;      // between two polls that are less than timeout_ms apart
  std::uint32_t timeout_ms = 30'000;           // without a believed reading for so long: unavailable
};

enum class MeterVerdict : std::uint8_t {
  believed,
  empty,               // neither power nor energy
  power_out_of_range,
  counter_fell,        // below the reading before: reset, exchanged, or misread
  counter_jumped,      // by more than the load can have drawn
};

class MeterFilter {
 public:
  // So many readings in a row that agree with each other, but not with the one believed last, are a new or a reset meter.
  static constexpr std::uint32_t restart_count = 3;

  MeterFilter(const MeterRules& rules, const store::EnergyTotals& journal) : rules_(rules), totals_(journal) {}

  MeterVerdict take(BootMs now, const MeterReading& reading);

  [[nodiscard]] bool is_available(BootMs now) const { return has_reading_ && now.since(believed_) < rules_.timeout_ms; }
  // The power believed last; only while available.
  [[nodiscard]] std::optional<std::int32_t> power_w(BootMs now) const { return is_available(now) ? power_w_ : std::nullopt; }
  [[nodiscard]] const store::EnergyTotals& totals() const { return totals_; }
  [[nodiscard]] bool is_degraded() const { return is_degraded_; }
  [[nodiscard]] std::uint32_t refused() const { return refused_; }

 private:
  struct Counter {
    std::optional<std::uint64_t> last_mwh;       // believed
    std::optional<std::uint64_t> candidate_mwh;  // of a meter that seems to have begun anew
    std::uint32_t agreeing = 0;
  };
  [[nodiscard]] std::uint64_t limit_mwh(std::uint64_t passed_ms) const;
  MeterVerdict check(Counter& counter, std::uint64_t value_mwh, std::uint64_t limit_mwh, std::uint64_t& step_mwh);

  MeterRules rules_;
  store::EnergyTotals totals_;
  Counter import_;
  Counter export_;
  std::optional<std::int32_t> power_w_;
  BootMs believed_{};
  std::uint64_t uptime_ms_ = 0;  // below a second, carried over
  bool has_reading_ = false;
  bool is_degraded_ = false;
  std::uint32_t refused_ = 0;
};

}  // namespace wattproof::hal
