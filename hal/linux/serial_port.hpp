// SPDX-License-Identifier: Apache-2.0
// A serial line to a meter: raw bytes, 8 data bits, no parity, 1 stop bit. Never blocks.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::hal {

class SerialPort {
 public:
  SerialPort() = default;
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;
  ~SerialPort() { close(); }

  // Takes the line for this program alone. Speeds: 300, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200.
  //   out_of_range     another speed
  //   hardware_failed  detail() says why
  Error open(const std::string& device, std::uint32_t speed_baud);
  void close();
  [[nodiscard]] bool is_open() const { return file_ >= 0; }
  [[nodiscard]] int file() const { return file_; }

  // How many bytes came; 0 if none are there.
  //   hardware_failed  the line is gone (an adapter was unplugged); it is closed then
  Result<std::uint32_t> read(MutableBytes into);
  Error write(Bytes bytes);
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  Error fail(const char* what);
  int file_ = -1;
  std::string name_;
  std::string detail_;
};

}  // namespace wattproof::hal
