// SPDX-License-Identifier: Apache-2.0
// Bytes in the registers of a chip on an I2C bus, by the kernel's SMBus requests.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace wattproof::hal {

class I2cBus {
 public:
  virtual ~I2cBus() = default;
  // All of them: hardware_failed, and detail() says why.
  virtual Error lock(bool is_locked) = 0;  // against other programs that change the same register
  virtual Error write(std::uint8_t reg, std::uint8_t value) = 0;
  virtual Error read(std::uint8_t reg, std::uint8_t& value) = 0;
  [[nodiscard]] virtual std::string detail() const = 0;
};

// A chip of a bus of this machine, e.g. "/dev/i2c-1" and 0x20.
class KernelI2cBus final : public I2cBus {
 public:
  KernelI2cBus() = default;
  KernelI2cBus(const KernelI2cBus&) = delete;
  KernelI2cBus& operator=(const KernelI2cBus&) = delete;
  ~KernelI2cBus() override;

  Error open(const std::string& bus, std::uint8_t address);
  Error lock(bool is_locked) override;
  Error write(std::uint8_t reg, std::uint8_t value) override;
  Error read(std::uint8_t reg, std::uint8_t& value) override;
  [[nodiscard]] std::string detail() const override { return detail_; }

 private:
  Error fail(const char* what);
  int file_ = -1;
  std::string name_;
  std::string detail_;
};

}  // namespace wattproof::hal
