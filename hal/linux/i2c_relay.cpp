// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/i2c_relay.hpp"

namespace wattproof::hal {

// One chip serves several relays, maybe of several programs: the register is read, changed and written under a lock.
Error I2cRelay::command(bool on, BootMs) {
  WATTPROOF_TRY(bus_->lock(true));
  const Error error = change(on);
  const Error unlocked = bus_->lock(false);
  return error != Error::none ? error : unlocked;
}

Error I2cRelay::change(bool on) {
  std::uint8_t value = 0;
  WATTPROOF_TRY(bus_->read(options_.reg, value));
  const bool are_bits_set = on != options_.active_low;
  const auto wanted = static_cast<std::uint8_t>(are_bits_set ? value | options_.mask : value & ~options_.mask);
  return bus_->write(options_.reg, wanted);
}

Error I2cRelay::sense(bool& on, BootMs) {
  std::uint8_t value = 0;
  WATTPROOF_TRY(bus_->read(options_.reg, value));
  // With several bits, only all of them in their closed state mean "on".
  const std::uint8_t closed = options_.active_low ? 0 : options_.mask;
  on = (value & options_.mask) == closed;
  return Error::none;
}

Error open_i2c_relay(const I2cRelayOptions& options, std::unique_ptr<RelayDriver>& driver, std::string& detail) {
  auto bus = std::make_unique<KernelI2cBus>();
  if (const Error error = bus->open(options.bus, options.address); error != Error::none) {
    detail = bus->detail();
    return error;
  }
  auto relay = std::make_unique<I2cRelay>(std::move(bus), options);
  if (const Error error = relay->command(false, {}); error != Error::none) {
    detail = relay->detail();
    return error;
  }
  driver = std::move(relay);
  return Error::none;
}

}  // namespace wattproof::hal
