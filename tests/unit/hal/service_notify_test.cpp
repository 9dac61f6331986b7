// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/service_notify.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::hal {
namespace {

TEST(service_notify, reaches_the_socket_that_systemd_names) {
  const testing::ScratchFolder folder;
  const std::string path = folder / "notify";
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.size());
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  setenv("NOTIFY_SOCKET", path.c_str(), 1);
  EXPECT_TRUE(notify_service("READY=1"));
  unsetenv("NOTIFY_SOCKET");
  std::array<char, 64> received{};
  EXPECT_EQ(::recv(socket, received.data(), received.size(), MSG_DONTWAIT), 7);
  EXPECT_STREQ(received.data(), "READY=1");
  ::close(socket);
}

TEST(service_notify, is_silent_without_systemd) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_FALSE(notify_service("READY=1"));
  setenv("NOTIFY_SOCKET", "relative", 1);
  EXPECT_FALSE(notify_service("READY=1"));
  setenv("NOTIFY_SOCKET", (std::string("/") + std::string(200, 'x')).c_str(), 1);
  EXPECT_FALSE(notify_service("READY=1"));
  unsetenv("NOTIFY_SOCKET");
}

TEST(service_notify, feeds_the_watchdog_twice_a_period_and_only_its_own) {
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(watchdog_feed_ms(), 0u);
  setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(watchdog_feed_ms(), 15'000u);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_EQ(watchdog_feed_ms(), 15'000u);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(watchdog_feed_ms(), 0u);
  unsetenv("WATCHDOG_PID");
  unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace wattproof::hal
