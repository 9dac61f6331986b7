// SPDX-License-Identifier: Apache-2.0
#include "message/typed_data.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::message {
namespace {

const Address contract{0x11, 0x22, 0x33};
const std::vector<std::int32_t> profile{0, 1500, -2000, 2'000'000};

TEST(typed_data, a_digest_binds_chain_contract_epoch_round_and_profile) {
  const Hash32 digest = update_digest(scheduler_domain(7, contract), 5, 2, profile);
  Address other = contract;
  other[19] ^= 1;
  EXPECT_NE(digest, update_digest(scheduler_domain(8, contract), 5, 2, profile));
  EXPECT_NE(digest, update_digest(scheduler_domain(7, other), 5, 2, profile));
  EXPECT_NE(digest, update_digest(registry_domain(7, contract), 5, 2, profile));
  EXPECT_NE(digest, update_digest(scheduler_domain(7, contract), 6, 2, profile));
  EXPECT_NE(digest, update_digest(scheduler_domain(7, contract), 5, 3, profile));
  std::vector<std::int32_t> changed = profile;
  changed[2] = -2001;
  EXPECT_NE(digest, update_digest(scheduler_domain(7, contract), 5, 2, changed));
  EXPECT_EQ(digest, update_digest(scheduler_domain(7, contract), 5, 2, profile));
}

TEST(typed_data, a_check_in_of_one_nonce_is_not_that_of_another) {
  const Hash32 domain = registry_domain(7, contract);
  EXPECT_NE(check_in_digest(domain, 1), check_in_digest(domain, 2));
}

TEST(typed_data, a_profile_round_trips_as_big_endian_words) {
  std::array<std::uint8_t, 16> buffer{};
  const Result<Bytes> bytes = encode_profile(profile, buffer);
  ASSERT_TRUE(bytes);
  EXPECT_EQ((*bytes)[6], 0x05);
  EXPECT_EQ((*bytes)[7], 0xdc);
  std::vector<std::int32_t> read(4);
  EXPECT_EQ(decode_profile(*bytes, read), Error::none);
  EXPECT_EQ(read, profile);
}

TEST(typed_data, a_profile_of_another_length_or_range_is_refused) {
  std::array<std::uint8_t, 15> small{};
  EXPECT_EQ(encode_profile(profile, small).error(), Error::capacity);
  std::vector<std::int32_t> read(1);
  EXPECT_EQ(decode_profile(std::vector<std::uint8_t>{0, 0, 0}, read), Error::wrong_length);
  EXPECT_EQ(decode_profile(std::vector<std::uint8_t>{0, 0, 0, 0, 0}, read), Error::wrong_length);
  EXPECT_EQ(decode_profile(std::vector<std::uint8_t>{0x7f, 0xff, 0xff, 0xff}, read), Error::out_of_range);
}

}  // namespace
}  // namespace wattproof::message
