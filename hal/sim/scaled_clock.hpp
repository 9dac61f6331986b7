// SPDX-License-Identifier: Apache-2.0
// One clock for all processes of a demonstration, so that a day passes in seconds for the chain and the devices alike.
// It is a file of 40 bytes, little-endian, which one process writes and all map:
//
//   0  "WPCLOCK1"
//   8  u64 real_ms0      CLOCK_REALTIME in milliseconds when the rate was set
//  16  u64 chain_ms0     the chain's time at that moment, in milliseconds since 1970
//  24  u64 rate_permille 1000 is real time, 0 stands still
//  32  u64 sequence      odd while the writer is at work
//
//   now = chain_ms0 + (real now - real_ms0) * rate_permille / 1000
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace wattproof::hal {

constexpr std::uint64_t clock_rate_permille_max = 100'000'000;  // a day in less than a second

class ScaledClock {
 public:
  ScaledClock() = default;
  ~ScaledClock();
  ScaledClock(const ScaledClock&) = delete;
  ScaledClock& operator=(const ScaledClock&) = delete;

  // Maps the file for reading.
  //   not_ready     no such file, or it cannot be read
  //   wrong_length  not 40 bytes
  //   wrong_type    another first eight bytes
  Error open(const std::string& path);
  [[nodiscard]] bool is_open() const { return map_ != nullptr; }

  // The chain's time in milliseconds. Never goes back for one reader, whatever the file says.
  std::uint64_t now_ms();
  [[nodiscard]] std::uint64_t rate_permille() const;

 private:
  struct Setting {
    std::uint64_t real_ms0, chain_ms0, rate_permille;
  };
  bool read(Setting& setting) const;

  const std::uint8_t* map_ = nullptr;
  std::uint64_t last_ms_ = 0;
};

// Makes the file (mode 0644) or changes the setting of one that is there; readers see the old or the new one.
//   storage_failed  the file cannot be written
//   out_of_range    rate above clock_rate_permille_max
Error set_scaled_clock(const std::string& path, std::uint64_t chain_ms0, std::uint64_t rate_permille);

// CLOCK_REALTIME.
std::uint64_t real_ms();

}  // namespace wattproof::hal
