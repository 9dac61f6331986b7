// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/kernel_entropy.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace wattproof::hal {
namespace {

TEST(kernel_entropy, never_gives_the_same_twice) {
  std::set<std::array<std::uint8_t, 32>> seen;
  for (int i = 0; i < 1000; ++i) {
    std::array<std::uint8_t, 32> drawn{};
    ASSERT_EQ(kernel_entropy(drawn), Error::none);
    EXPECT_TRUE(seen.insert(drawn).second);
  }
}

TEST(kernel_entropy, refuses_sizes_beyond_its_window) {
  std::array<std::uint8_t, 257> drawn{};
  EXPECT_EQ(kernel_entropy(drawn), Error::entropy_failed);
  EXPECT_EQ(kernel_entropy(MutableBytes()), Error::entropy_failed);
}

TEST(kernel_entropy, health_check_finds_a_stuck_source) {
  std::array<std::uint8_t, 256> drawn{};
  EXPECT_EQ(check_entropy(drawn), Error::entropy_failed);
  drawn.fill(0xff);
  EXPECT_EQ(check_entropy(drawn), Error::entropy_failed);
}

TEST(kernel_entropy, health_check_finds_five_equal_bytes_in_a_row_and_allows_four) {
  std::array<std::uint8_t, 256> drawn{};
  for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = static_cast<std::uint8_t>(i);
  ASSERT_EQ(check_entropy(drawn), Error::none);
  for (std::size_t i = 100; i < 104; ++i) drawn[i] = 100;
  EXPECT_EQ(check_entropy(drawn), Error::none);
  drawn[104] = 100;
  EXPECT_EQ(check_entropy(drawn), Error::entropy_failed);
}

TEST(kernel_entropy, health_check_finds_a_byte_that_comes_too_often) {
  std::array<std::uint8_t, 256> drawn{};
  for (std::size_t i = 0; i < drawn.size(); ++i) drawn[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 1; i <= 15; ++i) drawn[i * 8] = 0;  // with drawn[0] sixteen times
  EXPECT_EQ(check_entropy(drawn), Error::none);
  drawn[250] = 0;
  EXPECT_EQ(check_entropy(drawn), Error::entropy_failed);
}

}  // namespace
}  // namespace wattproof::hal
