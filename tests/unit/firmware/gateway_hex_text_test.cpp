// SPDX-License-Identifier: Apache-2.0
#include "hex_text.hpp"

#include <gtest/gtest.h>

namespace wattproof::ethereum {
namespace {

TEST(gateway_hex_text, writes_what_it_reads) {
  const ByteVector bytes{0x00, 0x1f, 0xff};
  EXPECT_EQ(to_hex(bytes), "0x001fff");
  EXPECT_EQ(to_hex_digits(bytes), "001fff");
  EXPECT_EQ(parse_hex("0x001FfF"), bytes);
  EXPECT_EQ(parse_hex("0x"), ByteVector{});
}

TEST(gateway_hex_text, refuses_other_forms_of_data) {
  for (const char* text : {"", "001f", "0X00", "0x0", "0x0g", "0x 0", "x00"}) EXPECT_FALSE(parse_hex(text)) << text;
  EXPECT_FALSE(parse_hex_array<2>("0x00"));
  EXPECT_FALSE(parse_hex_array<2>("0x000000"));
}

TEST(gateway_hex_text, quantities_have_no_leading_zeros) {
  EXPECT_EQ(to_quantity(0), "0x0");
  EXPECT_EQ(to_quantity(0x1f), "0x1f");
  EXPECT_EQ(to_quantity(UINT64_MAX), "0xffffffffffffffff");
  EXPECT_EQ(parse_quantity("0x0"), 0u);
  EXPECT_EQ(parse_quantity("0xffffffffffffffff"), UINT64_MAX);
  for (const char* text : {"0x", "0x00", "0x01", "1", "0x1ffffffffffffffff", "0xg"}) EXPECT_FALSE(parse_quantity(text)) << text;
}

TEST(gateway_hex_text, big_quantities_are_minimal_bytes) {
  EXPECT_EQ(parse_big_quantity("0x0"), ByteVector{});
  EXPECT_EQ(parse_big_quantity("0x102"), (ByteVector{1, 2}));
  EXPECT_EQ(parse_big_quantity("0x" + std::string(64, 'f')), ByteVector(32, 0xff));
  EXPECT_FALSE(parse_big_quantity("0x1" + std::string(64, '0')));
}

}  // namespace
}  // namespace wattproof::ethereum
