// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace wattproof {
namespace {

TEST(bytes, big_endian_access_round_trips) {
  std::array<std::uint8_t, 8> word{};
  store_be64(word.data(), 0x0123456789abcdefull);
  EXPECT_EQ(word[0], 0x01);
  EXPECT_EQ(word[7], 0xef);
  EXPECT_EQ(load_be64(word.data()), 0x0123456789abcdefull);
  EXPECT_EQ(load_be32(word.data() + 4), 0x89abcdefu);
  EXPECT_EQ(load_be16(word.data() + 6), 0xcdefu);
}

TEST(bytes, views_of_different_length_are_never_equal) {
  const std::array<std::uint8_t, 3> a{1, 2, 3};
  EXPECT_TRUE(equal(a, a));
  EXPECT_FALSE(equal(Bytes(a).first(2), a));
  EXPECT_TRUE(equal(Bytes{}, Bytes{}));
  EXPECT_TRUE(is_zero(Bytes{}));
  EXPECT_FALSE(is_zero(a));
}

}  // namespace
}  // namespace wattproof
