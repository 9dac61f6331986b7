// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wattproof::crypto {
namespace {

TEST(secret, wipes_every_byte_and_nothing_else) {
  std::array<std::uint8_t, 40> memory;
  memory.fill(0xa5);
  wipe(MutableBytes(memory).subspan(4, 32));
  for (std::size_t i = 0; i < memory.size(); ++i) EXPECT_EQ(memory[i], i < 4 || i >= 36 ? 0xa5 : 0) << i;
  wipe({});
}

TEST(secret, wipes_a_local_when_its_scope_ends) {
  std::array<std::uint8_t, 16> secret;
  secret.fill(1);
  {
    const WipedAtExit guard(secret);
    EXPECT_FALSE(is_zero(secret));
  }
  EXPECT_TRUE(is_zero(secret));
}

TEST(secret, compares_as_memcmp_does) {
  std::vector<std::uint8_t> a(33);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<std::uint8_t>(i * 7);
  EXPECT_TRUE(constant_time_equal(a, a));
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_FALSE(constant_time_equal(a, Bytes(a).first(32)));
  for (std::size_t bit = 0; bit < 8 * a.size(); ++bit) {
    std::vector<std::uint8_t> b = a;
    b[bit / 8] = static_cast<std::uint8_t>(b[bit / 8] ^ (1U << bit % 8));
    EXPECT_FALSE(constant_time_equal(a, b)) << bit;
  }
}

}  // namespace
}  // namespace wattproof::crypto
