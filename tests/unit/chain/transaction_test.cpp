// SPDX-License-Identifier: Apache-2.0
#include "chain/transaction.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"
#include "unit/chain/header_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::Buffer;
using testing::find_vectors;
using testing::from_hex;
using testing::rlp_list;
using testing::rlp_number;
using testing::rlp_string;
using testing::TestKey;
using testing::to_hex;

// The sender, or the error's name.
std::string outcome_of(const Buffer& encoded, std::uint64_t chain_id) {
  Transaction transaction;
  if (const Error error = decode_transaction(encoded, chain_id, transaction); error != Error::none) {
    return error_name(error);
  }
  const Result<Address> sender = sender_of(transaction);
  return sender ? "0x" + to_hex(*sender) : error_name(sender.error());
}

// Hexadecimal that may be odd or not hexadecimal at all, as some of the official cases are on purpose.
Buffer lenient_hex(const std::string& text) {
  const bool is_hex = text.starts_with("0x") && text.size() % 2 == 0 &&
                      text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
  return is_hex ? from_hex(text) : Buffer();
}

TEST(transaction, agrees_with_the_official_cases_under_london_rules) {
  const auto folder = find_vectors("ethereum-tests/TransactionTests");
  WATTPROOF_REQUIRE_INPUT(folder);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".json") continue;
    const json cases = json::parse(std::ifstream(file.path()));
    for (const auto& [name, vector] : cases.items()) {
      const json& expected = vector["result"]["London"];
      const std::string outcome = outcome_of(lenient_hex(vector["txbytes"].get<std::string>()), 1);
      if (expected.contains("sender")) {
        EXPECT_EQ(outcome, expected["sender"].get<std::string>()) << name;
        ++accepted;
      } else {
        EXPECT_FALSE(outcome.starts_with("0x")) << name << ": " << expected["exception"];
        ++refused;
      }
    }
  }
  EXPECT_EQ(accepted, 52U);
  EXPECT_EQ(refused, 158U);
  std::printf("official transactions: %zu accepted, %zu refused\n", accepted, refused);
}

TEST(transaction, recovers_the_senders_of_the_eip155_examples) {
  const auto path = find_vectors("tx/eip155_vitalik.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::size_t count = 0;
  const json vectors = json::parse(std::ifstream(path));
  for (const json& vector : vectors) {
    EXPECT_EQ(outcome_of(from_hex(vector["rlp"].get<std::string>()), 1), vector["sender"].get<std::string>());
    ++count;
  }
  EXPECT_EQ(count, 10U);
  std::printf("EIP-155 examples: %zu\n", count);
}

TEST(transaction, decodes_the_transactions_of_a_recorded_chain) {
  const auto path = find_vectors("execution-apis/chain_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  constexpr std::uint64_t chain_id = 3503995874084926;  // genesis.json of the recording
  std::map<std::string, std::size_t> kinds;
  const json headers = json::parse(std::ifstream(path));
  for (const json& header : headers) {
    for (const json& encoded : header["transactions"]) {
      const std::string outcome = outcome_of(from_hex(encoded.get<std::string>()), chain_id);
      ++kinds[outcome.starts_with("0x") ? "sender" : outcome];
    }
  }
  // Blob and set-code transactions came after London.
  EXPECT_EQ(kinds["sender"] + kinds["unknown_kind"], 249U);
  EXPECT_GT(kinds["sender"], 200U);
  std::printf("recorded transactions: %zu with a sender, %zu of later types\n", kinds["sender"], kinds["unknown_kind"]);
}

// [nonce, price, gas, to, value, data] or the typed fields, signed by a key of the tests.
struct TestTransaction {
  std::uint8_t type = 2;
  std::vector<Buffer> items;

  explicit TestTransaction(std::uint8_t kind) : type(kind) {
    const std::vector<Buffer> tail{rlp_number(100'000), rlp_string(Address{9}), rlp_number(5), rlp_string(Buffer{1, 0})};
    if (type != 0) items.push_back(rlp_number(1337));
    items.push_back(rlp_number(3));
    if (type == 2) items.push_back(rlp_number(2));
    items.push_back(rlp_number(7));
    items.insert(items.end(), tail.begin(), tail.end());
    if (type == 0) {
      items.insert(items.end(), {rlp_number(1337), {0x80}, {0x80}});
    } else {
      const Buffer key = rlp_string(Hash32{4});
      items.push_back(rlp_list({rlp_list({rlp_string(Address{3}), rlp_list({key, key})})}));
    }
  }
  Buffer with_type(const Buffer& list) const {
    Buffer out;
    if (type != 0) out.push_back(type);
    out.insert(out.end(), list.begin(), list.end());
    return out;
  }
  Buffer sign(const TestKey& key) const {
    const crypto::Signature signature = key.sign(crypto::keccak256(with_type(rlp_list(items))));
    std::vector<Buffer> all = items;
    if (type == 0) {
      all.resize(6);
      all.push_back(rlp_number(35 + 2 * 1337 + signature[64]));
    } else {
      all.push_back(rlp_number(signature[64]));
    }
    for (const std::size_t at : {0U, 32U}) {
      Bytes scalar = Bytes(signature).subspan(at, 32);
      while (!scalar.empty() && scalar[0] == 0) scalar = scalar.subspan(1);
      all.push_back(rlp_string(scalar));
    }
    return with_type(rlp_list(all));
  }
};

TEST(transaction, every_type_says_what_was_signed_and_by_whom) {
  const TestKey key(3);
  for (const std::uint8_t type : std::to_array<std::uint8_t>({0, 1, 2})) {
    const Buffer encoded = TestTransaction(type).sign(key);
    EXPECT_EQ(outcome_of(encoded, 1337), "0x" + to_hex(key.address)) << int{type};
    EXPECT_EQ(outcome_of(encoded, 1), "wrong_chain");
    Transaction transaction;
    ASSERT_EQ(decode_transaction(encoded, std::nullopt, transaction), Error::none);
    EXPECT_EQ(transaction.chain_id, 1337U);
    ASSERT_EQ(decode_transaction(encoded, 1337, transaction), Error::none);
    EXPECT_EQ(transaction.type, type);
    EXPECT_EQ(transaction.nonce, 3U);
    EXPECT_EQ(transaction.gas_limit, 100'000U);
    EXPECT_EQ(to_hex(transaction.fee_per_gas_max), "07");
    EXPECT_EQ(to_hex(transaction.value), "05");
    EXPECT_EQ(to_hex(transaction.data), "0100");
  }
}

TEST(transaction, refuses_each_fault_by_its_name) {
  const TestKey key(3);
  const auto outcome_with = [&](std::uint8_t type, std::size_t place, const Buffer& item) {
    TestTransaction transaction(type);
    transaction.items[place] = item;
    return outcome_of(transaction.sign(key), 1337);
  };
  EXPECT_EQ(outcome_of({}, 1337), "transaction_malformed");
  EXPECT_EQ(outcome_of({0x03, 0xc0}, 1337), "unknown_kind");
  EXPECT_EQ(outcome_of({0x00, 0xc0}, 1337), "unknown_kind");
  EXPECT_EQ(outcome_with(2, 5, rlp_string(Buffer(19, 1))), "transaction_malformed") << "a recipient of 19 bytes";
  EXPECT_EQ(outcome_with(2, 1, {0x00}), "transaction_malformed");
  EXPECT_EQ(outcome_with(2, 8, rlp_list({{0x80}})), "transaction_malformed");
  EXPECT_EQ(outcome_with(2, 8, rlp_list({rlp_list({rlp_string(Address{3})})})), "transaction_malformed");
  EXPECT_EQ(outcome_with(2, 8, rlp_list({rlp_list({rlp_string(Address{3}), rlp_list({rlp_string(Buffer(31, 1))})})})),
            "transaction_malformed");
  EXPECT_EQ(outcome_with(2, 2, rlp_number(8)), "out_of_range") << "priority above the fee";
  EXPECT_EQ(outcome_with(2, 1, rlp_number(UINT64_MAX)), "out_of_range");
  EXPECT_EQ(outcome_with(2, 4, rlp_number(21'000 + 20 + 2'400 + 2 * 1'900 - 1)), "out_of_range") << "a unit of gas short";
  EXPECT_EQ(outcome_with(2, 4, rlp_number(21'000 + 20 + 2'400 + 2 * 1'900)), "0x" + to_hex(key.address));
  EXPECT_EQ(outcome_with(2, 5, {0x80}), "0x" + to_hex(key.address)) << "a creation, with gas enough";
  EXPECT_EQ(outcome_with(2, 8, rlp_list({{0x05}})), "transaction_malformed") << "an entry that is no list";
  // [chain, nonce, priority, fee, gas, to, value, data, list], then a parity that is none.
  TestTransaction unsigned_one(2);
  unsigned_one.items.insert(unsigned_one.items.end(), {rlp_number(2), rlp_number(1), rlp_number(1)});
  EXPECT_EQ(outcome_of(unsigned_one.with_type(rlp_list(unsigned_one.items)), 1337), "bad_signature");
  Buffer encoded = TestTransaction(2).sign(key);
  encoded.pop_back();
  EXPECT_EQ(outcome_of(encoded, 1337), "transaction_malformed");
}

TEST(transaction, fee_times_gas_has_256_bits_at_most) {
  const TestKey key(3);
  const auto outcome_with = [&](const Buffer& price, std::uint64_t gas) {
    TestTransaction transaction(0);
    transaction.items[1] = rlp_string(price);
    transaction.items[2] = rlp_number(gas);
    return outcome_of(transaction.sign(key), 1337);
  };
  const std::string good = "0x" + to_hex(key.address);
  // 2^240 * 65,536 = 2^256, one less is below.
  Buffer price(31, 0);
  price[0] = 1;
  EXPECT_EQ(outcome_with(price, 65'536), "out_of_range");
  EXPECT_EQ(outcome_with(price, 65'535), good);
  price.assign(24, 0xff);  // 2^192 - 1 times 2^64 - 1
  EXPECT_EQ(outcome_with(price, UINT64_MAX), good);
  price.insert(price.begin(), 1);
  EXPECT_EQ(outcome_with(price, UINT64_MAX), "out_of_range");
  EXPECT_EQ(outcome_with(Buffer(32, 0xff), 30'000), "out_of_range");
}

}  // namespace
}  // namespace wattproof::chain
