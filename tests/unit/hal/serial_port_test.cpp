// SPDX-License-Identifier: Apache-2.0
// The other end of the line is a pseudo terminal.
#include "hal/linux/serial_port.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>

namespace wattproof::hal {
namespace {

class serial_port : public ::testing::Test {
 protected:
  void SetUp() override {
    other_ = posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(other_, 0);
    ASSERT_EQ(grantpt(other_), 0);
    ASSERT_EQ(unlockpt(other_), 0);
    name_ = ptsname(other_);
  }
  void TearDown() override {
    if (other_ >= 0) close(other_);
  }
  std::uint32_t read() {
    pollfd entry{port_.file(), POLLIN, 0};
    poll(&entry, 1, 1000);
    const Result<std::uint32_t> got = port_.read(bytes_);
    return got ? *got : ~0u;
  }
  int other_ = -1;
  std::string name_;
  SerialPort port_;
  std::array<std::uint8_t, 64> bytes_{};
};

TEST_F(serial_port, carries_every_byte_as_it_is) {
  ASSERT_EQ(port_.open(name_, 9600), Error::none) << port_.detail();
  const std::array<std::uint8_t, 6> line{0x1b, 0x0d, 0x0a, 0x00, 0x11, 0xff};
  ASSERT_EQ(write(other_, line.data(), line.size()), 6);
  ASSERT_EQ(read(), 6u);
  for (std::size_t i = 0; i < line.size(); ++i) EXPECT_EQ(bytes_[i], line[i]);
  EXPECT_EQ(port_.write(line), Error::none);
  std::array<std::uint8_t, 8> got{};
  EXPECT_EQ(::read(other_, got.data(), got.size()), 6);
  EXPECT_EQ(got[1], 0x0d);
  const Result<std::uint32_t> none = port_.read(bytes_);
  ASSERT_TRUE(none);
  EXPECT_EQ(*none, 0u);
}

TEST_F(serial_port, says_when_the_line_is_gone) {
  ASSERT_EQ(port_.open(name_, 115200), Error::none);
  close(other_);
  other_ = -1;
  EXPECT_EQ(read(), ~0u);
  EXPECT_FALSE(port_.is_open());
  EXPECT_NE(port_.detail().find("read"), std::string::npos);
  EXPECT_EQ(port_.write(bytes_), Error::hardware_failed);
}

TEST_F(serial_port, refuses_what_is_no_line_and_a_line_that_is_taken) {
  EXPECT_EQ(port_.open(name_, 12345), Error::out_of_range);
  EXPECT_EQ(port_.open("/dev/absent", 9600), Error::hardware_failed);
  EXPECT_EQ(port_.open("/dev/null", 9600), Error::hardware_failed);
  EXPECT_NE(port_.detail().find("no serial line"), std::string::npos);
  ASSERT_EQ(port_.open(name_, 9600), Error::none);
  SerialPort second;
  EXPECT_EQ(second.open(name_, 9600), Error::hardware_failed);
  EXPECT_NE(second.detail().find("another program"), std::string::npos);
}

}  // namespace
}  // namespace wattproof::hal
