// SPDX-License-Identifier: Apache-2.0
// The consumer port "P1" of smart meters in the Netherlands and Belgium (DSMR 4 and 5): a text of lines, begun by '/', ended
// by '!' and a checksum, once in one to ten seconds at 115200 8N1. Telegrams without a checksum (DSMR 2 and 3) and encrypted ones
// (Luxembourg) are not read.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "hal/meters/meter_reading.hpp"

namespace wattproof::hal {

constexpr std::size_t p1_telegram_size_max = 2048;

// Import is 1.8.1 + 1.8.2 (or 1.8.0), export 2.8.1 + 2.8.2 (or 2.8.0), power 1.7.0 less 2.7.0.
//   truncated       no '/', no '!' or no checksum
//   record_corrupt  the checksum does not fit
//   out_of_range    a number that cannot be read, has another unit, or is too large
//   value_absent    neither power nor energy in it
Error decode_p1_telegram(Bytes telegram, MeterReading& reading);

// Cuts telegrams out of what a serial line brings. A telegram that is too long or broken off is dropped.
class P1Reader {
 public:
  // True if a telegram is complete; telegram() is then valid until the next call.
  bool push(std::uint8_t byte);
  [[nodiscard]] Bytes telegram() const { return Bytes(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, p1_telegram_size_max> bytes_{};
  std::size_t size_ = 0;
  std::size_t end_ = 0;  // where '!' is, if it was seen
  bool is_complete_ = false;
};

}  // namespace wattproof::hal
