// SPDX-License-Identifier: Apache-2.0
// Days to plan for: prices of day-ahead markets and loads of homes from CSV files in $WATTPROOF_DATA (else ../shared/data),
// or a built-in day if they are not there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace wattproof::bench {

using Series = std::vector<double>;

class RealDays {
 public:
  // The days of one grid, 24 or 96 slots.
  explicit RealDays(std::uint32_t slots);

  // EUR/MWh; any number, they come round again.
  const Series& price(std::size_t day) const { return prices_[day % prices_.size()]; }
  // W of a home that nobody can move.
  const Series& load(std::size_t home) const { return loads_[home % loads_.size()]; }

  std::size_t price_days() const { return prices_.size(); }
  bool is_built_in() const { return is_built_in_; }

 private:
  std::vector<Series> prices_, loads_;
  bool is_built_in_ = false;
};

}  // namespace wattproof::bench
