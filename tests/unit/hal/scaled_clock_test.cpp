// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/scaled_clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::hal {
namespace {

using testing::ScratchFolder;

TEST(scaled_clock, runs_at_its_rate_from_its_start) {
  const ScratchFolder folder;
  ASSERT_EQ(set_scaled_clock(folder / "clock", 1'700'000'000'000, 1'000'000), Error::none);
  ScaledClock clock;
  ASSERT_EQ(clock.open(folder / "clock"), Error::none);
  const std::uint64_t before_real = real_ms();
  const std::uint64_t before = clock.now_ms();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::uint64_t passed = clock.now_ms() - before;
  const std::uint64_t passed_real = real_ms() - before_real;
  EXPECT_GE(before, 1'700'000'000'000u);
  EXPECT_GE(passed, 50'000u - 1000);
  EXPECT_LE(passed, (passed_real + 1) * 1000);
  EXPECT_EQ(clock.rate_permille(), 1'000'000u);
}

TEST(scaled_clock, stands_still_at_rate_zero) {
  const ScratchFolder folder;
  ASSERT_EQ(set_scaled_clock(folder / "clock", 5000, 0), Error::none);
  ScaledClock clock;
  ASSERT_EQ(clock.open(folder / "clock"), Error::none);
  EXPECT_EQ(clock.now_ms(), 5000u);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(clock.now_ms(), 5000u);
}

TEST(scaled_clock, follows_a_new_setting_but_never_back) {
  const ScratchFolder folder;
  ASSERT_EQ(set_scaled_clock(folder / "clock", 5000, 0), Error::none);
  ScaledClock clock;
  ASSERT_EQ(clock.open(folder / "clock"), Error::none);
  EXPECT_EQ(clock.now_ms(), 5000u);
  ASSERT_EQ(set_scaled_clock(folder / "clock", 9000, 0), Error::none);
  EXPECT_EQ(clock.now_ms(), 9000u);
  ASSERT_EQ(set_scaled_clock(folder / "clock", 100, 0), Error::none);
  EXPECT_EQ(clock.now_ms(), 9000u);
}

TEST(scaled_clock, is_the_same_for_two_readers_while_one_writes) {
  const ScratchFolder folder;
  ASSERT_EQ(set_scaled_clock(folder / "clock", 1'000'000, 0), Error::none);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (std::uint64_t i = 1; i <= 20'000; ++i) static_cast<void>(set_scaled_clock(folder / "clock", 1'000'000 + i, 0));
    done = true;
  });
  ScaledClock clock;
  ASSERT_EQ(clock.open(folder / "clock"), Error::none);
  std::uint64_t last = 0;
  while (!done) {
    const std::uint64_t now = clock.now_ms();
    EXPECT_GE(now, last);
    EXPECT_LE(now, 1'020'000u);
    EXPECT_EQ(clock.rate_permille(), 0u);
    last = now;
  }
  writer.join();
  EXPECT_EQ(clock.now_ms(), 1'020'000u);
}

TEST(scaled_clock, refuses_what_is_not_a_clock) {
  const ScratchFolder folder;
  ScaledClock clock;
  EXPECT_EQ(clock.open(folder / "absent"), Error::not_ready);
  folder.write("short", "WPCLOCK1");
  EXPECT_EQ(clock.open(folder / "short"), Error::wrong_length);
  folder.write("other", std::string(40, 'x'));
  EXPECT_EQ(clock.open(folder / "other"), Error::wrong_type);
  EXPECT_FALSE(clock.is_open());
  EXPECT_EQ(set_scaled_clock(folder / "fast", 0, clock_rate_permille_max + 1), Error::out_of_range);
  EXPECT_EQ(set_scaled_clock(folder / "absent" / "clock", 0, 1000), Error::storage_failed);
}

}  // namespace
}  // namespace wattproof::hal
