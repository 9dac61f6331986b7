// SPDX-License-Identifier: Apache-2.0
#include "codec/abi.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "crypto/keccak.hpp"
#include "support/vectors.hpp"

namespace wattproof::codec {
namespace {

using testing::array_from_hex;
using testing::from_hex;
using testing::to_hex;

constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();
constexpr std::int64_t i64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t i64_max = std::numeric_limits<std::int64_t>::max();

TEST(abi, extends_unsigned_numbers_with_zeros) {
  EXPECT_EQ(to_hex(abi_uint(0x0102)), std::string(60, '0') + "0102");
  EXPECT_EQ(to_hex(abi_uint(u64_max)), std::string(48, '0') + std::string(16, 'f'));
}

TEST(abi, extends_signed_numbers_with_their_sign) {
  EXPECT_EQ(to_hex(abi_int(-1)), std::string(64, 'f'));
  EXPECT_EQ(to_hex(abi_int(5)), std::string(63, '0') + "5");
  EXPECT_EQ(to_hex(abi_int(i64_min)), std::string(48, 'f') + "8000000000000000");
}

TEST(abi, reads_back_what_it_wrote_and_nothing_wider) {
  for (const std::int64_t value : {i64_min, std::int64_t{-256}, std::int64_t{-1}, std::int64_t{0}, i64_max}) {
    EXPECT_EQ(*int_from_abi(abi_int(value)), value);
  }
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{255}, u64_max}) {
    EXPECT_EQ(*uint_from_abi(abi_uint(value), u64_max), value);
  }
  EXPECT_EQ(uint_from_abi(abi_uint(256), 255).error(), Error::out_of_range);
  EXPECT_EQ(*uint_from_abi(abi_uint(255), 255), 255U);
  // 2^64 - 1 with zeros above is no int64, and a word with any bit above 64 is no uint64.
  EXPECT_EQ(int_from_abi(abi_uint(u64_max)).error(), Error::out_of_range);
  for (std::size_t i = 0; i < 24; ++i) {
    Hash32 word = abi_uint(7);
    word[i] = 1;
    EXPECT_EQ(uint_from_abi(word, u64_max).error(), Error::out_of_range) << i;
    EXPECT_EQ(int_from_abi(word).error(), Error::out_of_range) << i;
  }
}

TEST(abi, keeps_addresses_in_the_low_twenty_bytes) {
  const auto address = array_from_hex<20>("7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  const Hash32 word = abi_address(address);
  EXPECT_EQ(to_hex(word), std::string(24, '0') + "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  EXPECT_EQ(*address_from_abi(word), address);
  for (std::size_t i = 0; i < 12; ++i) {
    Hash32 dirty = word;
    dirty[i] = 1;
    EXPECT_EQ(address_from_abi(dirty).error(), Error::out_of_range);
  }
}

TEST(abi, pads_names_on_the_right) {
  const std::string_view name = "Scheduler";
  const auto word = abi_left_aligned({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
  EXPECT_EQ(to_hex(*word), "5363686564756c6572" + std::string(46, '0'));
  EXPECT_TRUE(abi_left_aligned(Hash32{}));
  EXPECT_EQ(abi_left_aligned(std::array<std::uint8_t, 33>{}).error(), Error::too_large);
}

TEST(abi, reads_packed_fields_from_the_low_end) {
  Hash32 word{};
  for (std::size_t i = 0; i < 32; ++i) word[i] = static_cast<std::uint8_t>(31 - i);  // byte k from the low end is k
  EXPECT_EQ(*packed_uint(word, 0, 1), 0U);
  EXPECT_EQ(*packed_uint(word, 3, 1), 3U);
  EXPECT_EQ(*packed_uint(word, 0, 8), 0x0706050403020100U);
  EXPECT_EQ(*packed_uint(word, 24, 8), 0x1f1e1d1c1b1a1918U);
  EXPECT_EQ(*packed_uint(word, 31, 1), 31U);
  EXPECT_EQ(packed_uint(word, 25, 8).error(), Error::out_of_range);
  EXPECT_EQ(packed_uint(word, 32, 1).error(), Error::out_of_range);
  EXPECT_EQ(packed_uint(word, 0xffffffff, 2).error(), Error::out_of_range);
  EXPECT_EQ(packed_uint(word, 0, 0).error(), Error::out_of_range);
  EXPECT_EQ(packed_uint(word, 0, 9).error(), Error::out_of_range);
}

TEST(abi, finds_the_slot_of_a_mapping_entry) {
  // Widely published: balances[0] of a mapping at slot 0 lies at keccak256 of 64 zero bytes.
  EXPECT_EQ(to_hex(crypto::keccak256(mapping_slot_preimage({}, {}))),
            "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5");
  const auto preimage = mapping_slot_preimage(abi_uint(1), abi_uint(2));
  EXPECT_EQ(to_hex(preimage), to_hex(abi_uint(1)) + to_hex(abi_uint(2)));
}

TEST(abi, adds_to_a_slot_with_carry) {
  EXPECT_EQ(slot_plus(abi_uint(5), 3), abi_uint(8));
  EXPECT_EQ(slot_plus(abi_uint(5), 0), abi_uint(5));
  EXPECT_EQ(to_hex(slot_plus(abi_uint(u64_max), 1)), std::string(47, '0') + "1" + std::string(16, '0'));
  Hash32 ones;
  ones.fill(0xff);
  EXPECT_EQ(slot_plus(ones, 1), Hash32{});
  EXPECT_EQ(to_hex(slot_plus(ones, u64_max)), std::string(48, '0') + std::string(15, 'f') + "e");
}

TEST(abi, hashes_the_members_of_the_eip712_example) {
  // The struct hash of the Person "Cow" in the example of EIP-712: encodeType hash, string hash, address.
  const auto hash_text = [](std::string_view text) {
    return crypto::keccak256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  crypto::Keccak256 person;
  person.update(hash_text("Person(string name,address wallet)"));
  person.update(hash_text("Cow"));
  person.update(abi_address(array_from_hex<20>("cd2a3d9f938e13cd947ec05abc7fe734df8dd826")));
  EXPECT_EQ(to_hex(person.finish()), "fc71e5fa27ff56c350aa531bc129ebdf613b772b6604664f5d8dbe21b85eb0c8");
}

}  // namespace
}  // namespace wattproof::codec
