// SPDX-License-Identifier: Apache-2.0
#include "store/record_format.hpp"

#include <gtest/gtest.h>

#include "support/vectors.hpp"

namespace wattproof::store {
namespace {

using testing::to_hex;

TEST(record_format, writes_the_bank_head_that_the_document_shows) {
  const BankHeadBytes head = encode_bank_head(1);
  EXPECT_EQ(to_hex(head), "5750523100000001" "b314c45d" "ffffffff");
  EXPECT_EQ(*decode_bank_head(head), 1U);
}

TEST(record_format, refuses_a_bank_head_with_any_bit_changed) {
  const BankHeadBytes head = encode_bank_head(0x01020304);
  for (std::size_t bit = 0; bit < 8 * head.size(); ++bit) {
    BankHeadBytes changed = head;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    EXPECT_EQ(decode_bank_head(changed).error(), Error::record_corrupt) << bit;
  }
}

TEST(record_format, writes_and_reads_entry_heads) {
  const EntryHeadBytes bytes = encode_entry_head({.id = 3, .size = 0x0102, .crc = 0xa1b2c3d4});
  EXPECT_EQ(to_hex(bytes), "e1030102a1b2c3d4");
  const auto head = decode_entry_head(bytes);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->id, 3);
  EXPECT_EQ(head->size, 0x0102);
  EXPECT_EQ(head->crc, 0xa1b2c3d4U);
}

TEST(record_format, refuses_entry_heads_beyond_their_limits) {
  EXPECT_TRUE(decode_entry_head(encode_entry_head({.id = record_id_max, .size = record_size_max, .crc = 0})));
  EXPECT_FALSE(decode_entry_head(encode_entry_head({.id = record_id_max + 1, .size = 0, .crc = 0})));
  EXPECT_FALSE(decode_entry_head(encode_entry_head({.id = 1, .size = record_size_max + 1, .crc = 0})));
  EXPECT_FALSE(decode_entry_head(EntryHeadBytes{}));
}

TEST(record_format, binds_an_entry_to_its_place_and_its_life) {
  const auto crc = [](std::uint32_t generation, std::uint32_t offset, std::uint8_t id, std::uint16_t size) {
    return begin_entry_crc(generation, offset, id, size).value();
  };
  const std::uint32_t right = crc(5, 64, 2, 10);
  EXPECT_NE(crc(6, 64, 2, 10), right);
  EXPECT_NE(crc(5, 72, 2, 10), right);
  EXPECT_NE(crc(5, 64, 3, 10), right);
  EXPECT_NE(crc(5, 64, 2, 11), right);
  EXPECT_EQ(crc(5, 64, 2, 10), right);
}

TEST(record_format, lays_entries_out_in_whole_units) {
  for (const std::uint32_t unit : {1U, 2U, 4U, 8U, 16U}) {
    const EntryLayout layout{unit};
    for (std::uint32_t size = 0; size < 40; ++size) {
      EXPECT_EQ(layout.entry_size(size) % unit, 0U);
      EXPECT_EQ(layout.mark_offset(size) % unit, 0U);
      EXPECT_GE(layout.mark_offset(size), entry_head_size + size);
      EXPECT_LT(layout.mark_offset(size), entry_head_size + size + 2 * unit);
      EXPECT_EQ(layout.entry_size(size), layout.mark_offset(size) + unit);
    }
  }
  EXPECT_EQ(EntryLayout{8}.entry_size(20), 8U + 24U + 8U);
}

TEST(record_format, tells_blank_and_marked_units_from_others) {
  std::array<std::uint8_t, 8> unit;
  unit.fill(0xff);
  EXPECT_TRUE(is_blank(unit));
  EXPECT_FALSE(is_mark(unit));
  unit.fill(mark_byte);
  EXPECT_TRUE(is_mark(unit));
  unit[7] = 0xff;
  EXPECT_FALSE(is_mark(unit));
  EXPECT_FALSE(is_blank(unit));
}

}  // namespace
}  // namespace wattproof::store
