// SPDX-License-Identifier: Apache-2.0
// The example transaction of EIP-155.
#include "eth_transaction.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/vectors.hpp"

namespace wattproof::ethereum {
namespace {

crypto::PrivateKey key_of_46() {
  crypto::PrivateKey key{};
  key.fill(0x46);
  return key;
}

class KeyFile : public ::testing::Test {
 protected:
  std::string path(const char* name) { return (folder_ / name).string(); }
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "wattproof-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};
using gateway_key_file = KeyFile;

TEST(gateway_eth_transaction, signs_the_example_of_eip_155) {
  LegacyTransaction transaction;
  transaction.nonce = 9;
  transaction.gas_price_wei = 20'000'000'000;
  transaction.gas_limit = 21'000;
  Address to{};
  to.fill(0x35);
  transaction.to = to;
  transaction.value_wei = 1'000'000'000'000'000'000;
  const auto signed_one = sign_transaction(transaction, 1, key_of_46());
  ASSERT_TRUE(signed_one);
  EXPECT_EQ(to_hex(signed_one->raw),
            "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe5375"
            "67866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
  EXPECT_EQ(to_hex(signed_one->hash), "0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788");
}

TEST(gateway_eth_transaction, refuses_to_sign_without_a_key) {
  EXPECT_FALSE(sign_transaction({}, 1, crypto::PrivateKey{}));
}

TEST(gateway_eth_transaction, knows_where_a_contract_will_be) {
  const Address sender = testing::array_from_hex<20>("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0");
  EXPECT_EQ(to_hex(contract_address(sender, 0)), "0xcd234a471b72ba2f1ccf0a70fcaba648a5eecd8d");
  EXPECT_EQ(to_hex(contract_address(sender, 1)), "0x343c43a37d37dff08ae8c4a11544c718abb4fcf8");
}

TEST_F(gateway_key_file, holds_what_was_written_and_is_private) {
  const crypto::PrivateKey key = generate_key();
  write_key_file(path("key"), key);
  EXPECT_EQ(load_key_file(path("key")), key);
  EXPECT_EQ(std::filesystem::status(path("key")).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_THROW(write_key_file(path("key"), key), std::runtime_error);
}

TEST_F(gateway_key_file, is_refused_without_telling_what_stands_in_it) {
  for (const std::string& content : {std::string(64, '0'), std::string(63, '1'), std::string(66, '1'), std::string(64, 'f'),
                                     std::string(), std::string(1000, 'a')}) {
    std::ofstream(path("bad"), std::ios::trunc) << content;
    try {
      load_key_file(path("bad"));
      ADD_FAILURE() << content;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(path("bad")), std::string::npos);
      EXPECT_TRUE(content.empty() || std::string(error.what()).find(content) == std::string::npos);
    }
  }
  EXPECT_THROW(load_key_file(path("absent")), std::runtime_error);
}

}  // namespace
}  // namespace wattproof::ethereum
