// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/i2c_bus.hpp"

#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wattproof::hal {
namespace {

// What somebody can do about it. A chip that does not answer is ENXIO or EREMOTEIO, after the taste of the bus's driver.
const char* remedy(int code, bool is_open) {
  if (code == EACCES || code == EPERM) return ": is this user in the group i2c?";
  if (!is_open) return ": switch the bus on (Raspberry Pi: dtparam=i2c_arm=on) and load the module i2c-dev";
  if (code == EBUSY) return ": a driver of the kernel has this chip";
  if (code == ENXIO || code == EREMOTEIO || code == ETIMEDOUT || code == EIO) return ": nobody answers; check the address switches, the wires and the board's power";
  return "";
}

}  // namespace

KernelI2cBus::~KernelI2cBus() {
  if (file_ >= 0) ::close(file_);
}

Error KernelI2cBus::fail(const char* what) {
  const int code = errno;
  detail_ = name_ + ": " + what + ": " + std::strerror(code) + remedy(code, file_ >= 0);
  return Error::hardware_failed;
}

Error KernelI2cBus::open(const std::string& bus, std::uint8_t address) {
  static constexpr char digits[] = "0123456789abcdef";
  name_ = bus + " 0x" + digits[address >> 4] + digits[address & 15];
  file_ = ::open(bus.c_str(), O_RDWR | O_CLOEXEC);
  if (file_ < 0) return fail("open");
  // Refused with EBUSY if a driver of the kernel has the chip.
  if (::ioctl(file_, I2C_SLAVE, static_cast<long>(address)) != 0) return fail("address the chip");
  return Error::none;
}

Error KernelI2cBus::lock(bool is_locked) { return ::flock(file_, is_locked ? LOCK_EX : LOCK_UN) == 0 ? Error::none : fail("lock"); }

Error KernelI2cBus::write(std::uint8_t reg, std::uint8_t value) {
  i2c_smbus_data data{};
  data.byte = value;
  i2c_smbus_ioctl_data request{.read_write = I2C_SMBUS_WRITE, .command = reg, .size = I2C_SMBUS_BYTE_DATA, .data = &data};
  return ::ioctl(file_, I2C_SMBUS, &request) == 0 ? Error::none : fail("write");
}

Error KernelI2cBus::read(std::uint8_t reg, std::uint8_t& value) {
  i2c_smbus_data data{};
  i2c_smbus_ioctl_data request{.read_write = I2C_SMBUS_READ, .command = reg, .size = I2C_SMBUS_BYTE_DATA, .data = &data};
  if (::ioctl(file_, I2C_SMBUS, &request) != 0) return fail("read");
  value = data.byte;
  return Error::none;
}

}  // namespace wattproof::hal
