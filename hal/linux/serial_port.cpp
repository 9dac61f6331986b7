// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/serial_port.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace wattproof::hal {
namespace {

struct Speed {
  std::uint32_t baud;
  speed_t code;
};
constexpr Speed speeds[] = {{300, B300},     {1200, B1200},   {2400, B2400},   {4800, B4800},    {9600, B9600},
                            {19200, B19200}, {38400, B38400}, {57600, B57600}, {115200, B115200}};

}  // namespace

Error SerialPort::fail(const char* what) {
  detail_ = name_ + ": " + what + ": " + std::strerror(errno);
  close();
  return Error::hardware_failed;
}

void SerialPort::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

Error SerialPort::open(const std::string& device, std::uint32_t speed_baud) {
  close();
  name_ = device;
  speed_t code = B0;
  for (const Speed& speed : speeds) {
    if (speed.baud == speed_baud) code = speed.code;
  }
  if (code == B0) return Error::out_of_range;
  file_ = ::open(device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (file_ < 0) return fail("open");
  // Two programs on one line would each see half of the telegrams.
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) return fail("used by another program");
  termios settings{};
  if (::tcgetattr(file_, &settings) != 0) return fail("is no serial line");
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL | CREAD;
  settings.c_cflag &= ~static_cast<tcflag_t>(CSTOPB | CRTSCTS);
  if (::cfsetispeed(&settings, code) != 0 || ::cfsetospeed(&settings, code) != 0 || ::tcsetattr(file_, TCSANOW, &settings) != 0) return fail("settings");
  ::tcflush(file_, TCIOFLUSH);
  return Error::none;
}

Result<std::uint32_t> SerialPort::read(MutableBytes into) {
  if (file_ < 0) return Error::hardware_failed;
  const ssize_t got = ::read(file_, into.data(), into.size());
  if (got > 0) return static_cast<std::uint32_t>(got);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0U;
  if (got == 0) errno = EIO;  // an adapter that was unplugged
  return fail("read");
}

Error SerialPort::write(Bytes bytes) {
  if (file_ < 0) return Error::hardware_failed;
  return ::write(file_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) ? Error::none : fail("write");
}

}  // namespace wattproof::hal
