// SPDX-License-Identifier: Apache-2.0
// A relay behind bits of a register of an I2C chip (Seeed and EP-0099 boards). Such a board keeps its state when the
// machine dies: nothing but an explicit write opens it, so a relay keeper and a watchdog matter even more than with GPIO.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hal/linux/i2c_bus.hpp"
#include "hal/linux/relay_driver.hpp"

namespace wattproof::hal {

struct I2cRelayOptions {
  std::string bus;            // "/dev/i2c-1"
  std::uint8_t address = 0;   // 7 bits, 0x03 to 0x77
  std::uint8_t reg = 0;
  std::uint8_t mask = 0;      // the bits that are this relay's
  bool active_low = false;    // cleared bits close the contact
};

// The register is what can be read back, not the contact: sense() finds a board that was reset or unplugged, and a welded
// contact it does not find.
class I2cRelay final : public RelayDriver {
 public:
  I2cRelay(std::unique_ptr<I2cBus> bus, const I2cRelayOptions& options) : bus_(std::move(bus)), options_(options) {}

  Error command(bool on, BootMs now) override;
  Error sense(bool& on, BootMs now) override;
  [[nodiscard]] std::string detail() const override { return bus_->detail(); }

 private:
  Error change(bool on);
  std::unique_ptr<I2cBus> bus_;
  I2cRelayOptions options_;
};

// Opens the bus and the relay.
//   hardware_failed  no such bus, nobody answers at the address, or a driver of the kernel has the chip
Error open_i2c_relay(const I2cRelayOptions& options, std::unique_ptr<RelayDriver>& driver, std::string& detail);

}  // namespace wattproof::hal
