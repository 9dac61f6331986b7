// SPDX-License-Identifier: Apache-2.0
#include "store/crc32.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "support/vectors.hpp"

namespace wattproof::store {
namespace {

using testing::ascii;

TEST(crc32, has_the_check_values_of_the_catalogue) {
  EXPECT_EQ(crc32(ascii("123456789")), 0xcbf43926U);
  EXPECT_EQ(crc32({}), 0U);
  EXPECT_EQ(crc32(ascii("The quick brown fox jumps over the lazy dog")), 0x414fa339U);
}

TEST(crc32, does_not_mind_how_the_message_is_cut) {
  const Bytes message = ascii("123456789");
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    Crc32 crc;
    crc.update(message.first(cut));
    crc.update(message.subspan(cut));
    EXPECT_EQ(crc.value(), 0xcbf43926U);
  }
}

TEST(crc32, notices_every_single_and_double_bit_error_of_a_short_record) {
  std::array<std::uint8_t, 24> record{};
  for (std::size_t i = 0; i < record.size(); ++i) record[i] = static_cast<std::uint8_t>(i * 37);
  const std::uint32_t right = crc32(record);
  const auto flip = [&record](std::size_t bit) {
    record[bit / 8] = static_cast<std::uint8_t>(record[bit / 8] ^ (1U << bit % 8));
  };
  for (std::size_t a = 0; a < 8 * record.size(); ++a) {
    flip(a);
    EXPECT_NE(crc32(record), right);
    for (std::size_t b = a + 1; b < 8 * record.size(); ++b) {
      flip(b);
      EXPECT_NE(crc32(record), right);
      flip(b);
    }
    flip(a);
  }
}

}  // namespace
}  // namespace wattproof::store
