// SPDX-License-Identifier: Apache-2.0
// SML (Smart Message Language 1), as German meters send it through their infrared eye at 9600 8N1 every few seconds: a
// transport frame with escapes and a checksum around nested lists. Only the entries that matter are read.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "hal/meters/meter_reading.hpp"

namespace wattproof::hal {

constexpr std::size_t sml_telegram_size_max = 1024;

// The content of a frame: 1-0:1.8.0 (import, Wh), 1-0:2.8.0 (export, Wh), 1-0:16.7.0 (power, W), each scaled by a power of ten.
//   truncated     an element goes beyond the end
//   too_large     a length that this reader does not follow
//   out_of_range  a value that does not fit once scaled, or of another unit
//   value_absent  none of the entries in it
Error decode_sml_telegram(Bytes content, MeterReading& reading);

// Cuts frames out of what a serial line brings, takes the escapes out and checks the checksum. What does not fit is dropped
// and counted.
class SmlReader {
 public:
  // True if a frame is complete; content() is then valid until the next call.
  bool push(std::uint8_t byte);
  [[nodiscard]] Bytes content() const { return Bytes(bytes_).first(size_); }
  [[nodiscard]] std::uint32_t refused() const { return refused_; }

 private:
  bool take_escape();
  void append(std::uint8_t byte);

  std::array<std::uint8_t, sml_telegram_size_max> bytes_{};
  std::size_t size_ = 0;
  std::array<std::uint8_t, 4> escape_{};
  std::uint32_t escape_size_ = 0;
  std::uint32_t run_ = 0;         // bytes of an escape in a row
  bool is_escape_ = false;        // the next four bytes say what for
  bool is_open_ = false;
  bool is_complete_ = false;
  std::uint16_t crc_ = 0;
  std::uint32_t refused_ = 0;
};

}  // namespace wattproof::hal
