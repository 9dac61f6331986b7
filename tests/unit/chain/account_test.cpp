// SPDX-License-Identifier: Apache-2.0
#include "chain/account.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::array_from_hex;
using testing::Buffer;
using testing::find_vectors;
using testing::from_hex;
using testing::rlp_list;
using testing::rlp_number;
using testing::rlp_string;
using testing::TestTrie;

// The verifier after all nodes of a proof; a refused proof fails the test.
TrieVerifier verified(const Hash32& root, const TrieKey& key, const std::vector<Buffer>& nodes) {
  TrieVerifier verifier;
  verifier.begin(root, key);
  for (const Buffer& node : nodes) EXPECT_EQ(verifier.push(node).error(), Error::none);
  EXPECT_EQ(verifier.finish().error(), Error::none);
  return verifier;
}

std::vector<Buffer> nodes_of(const json& list) {
  std::vector<Buffer> nodes;
  for (const json& node : list) nodes.push_back(from_hex(node.get<std::string>()));
  return nodes;
}

std::string padded(std::string quantity) {
  quantity = quantity.substr(2);
  return quantity.size() % 2 == 0 ? quantity : "0" + quantity;
}

Hash32 word(const std::string& quantity) {
  const Buffer bytes = from_hex(padded(quantity));
  Hash32 out{};
  std::copy(bytes.begin(), bytes.end(), out.end() - static_cast<std::ptrdiff_t>(bytes.size()));
  return out;
}

TEST(account, recorded_answers_of_a_node_verify_under_the_last_header) {
  const auto path = find_vectors("execution-apis/rpc_io.json");
  const auto chain_path = find_vectors("execution-apis/chain_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  WATTPROOF_REQUIRE_INPUT(chain_path);
  const Buffer encoded = from_hex(json::parse(std::ifstream(chain_path)).back()["header_rlp"].get<std::string>());
  Header header;
  ASSERT_EQ(decode_header(encoded, HeaderShape::prague, header), Error::none);
  const Hash32 state_root = to_array<32>(header.state_root);

  std::size_t accounts = 0;
  std::size_t slots = 0;
  const json recorded = json::parse(std::ifstream(path));
  for (const auto& [name, exchanges] : recorded.items()) {
    if (name.find("eth_getProof") == std::string::npos) continue;
    for (const json& exchange : exchanges) {
      if (!exchange["response"].contains("result")) continue;
      const json& result = exchange["response"]["result"];
      const TrieKey key = account_key(array_from_hex<20>(result["address"].get<std::string>()));
      const std::vector<Buffer> account_nodes = nodes_of(result["accountProof"]);
      const Result<Account> account = contract_of(verified(state_root, key, account_nodes));
      ASSERT_EQ(account.error(), Error::none) << name;
      EXPECT_EQ(account->balance, word(result["balance"].get<std::string>()));
      EXPECT_EQ(account->nonce, std::stoull(result["nonce"].get<std::string>(), nullptr, 16));
      EXPECT_EQ(account->storage_root, word(result["storageHash"].get<std::string>()));
      EXPECT_EQ(account->code_hash, word(result["codeHash"].get<std::string>()));
      ++accounts;
      for (const json& slot : result["storageProof"]) {
        const std::vector<Buffer> slot_nodes = nodes_of(slot["proof"]);
        const TrieKey slot_key = storage_key(word(slot["key"].get<std::string>()));
        const Result<Hash32> value = word_of(verified(account->storage_root, slot_key, slot_nodes));
        ASSERT_EQ(value.error(), Error::none) << name;
        EXPECT_EQ(*value, word(slot["value"].get<std::string>()));
        ++slots;
      }
    }
  }
  EXPECT_GE(accounts, 4U);
  EXPECT_GE(slots, 1U);
  std::printf("recorded proofs: %zu accounts, %zu slots\n", accounts, slots);
}

const Address somebody{1, 2, 3};

// What account_of and contract_of say of a stored value.
Error error_of_stored(const Buffer& value) {
  TestTrie trie;
  const TrieKey key = account_key(somebody);
  trie.put(Bytes(key.bytes).first(key.size), value);
  const std::vector<Buffer> nodes = trie.prove(Bytes(key.bytes).first(key.size));
  return account_of(verified(trie.root(), key, nodes)).error();
}

std::vector<Buffer> good_account() {
  return {rlp_number(7), rlp_string(Buffer(32, 0xff)), rlp_string(Hash32{3}), rlp_string(Hash32{4})};
}

TEST(account, decodes_the_largest_balance) {
  TestTrie trie;
  const TrieKey key = account_key(somebody);
  trie.put(Bytes(key.bytes).first(32), rlp_list(good_account()));
  const std::vector<Buffer> nodes = trie.prove(Bytes(key.bytes).first(32));
  const Result<Account> account = account_of(verified(trie.root(), key, nodes));
  ASSERT_EQ(account.error(), Error::none);
  Hash32 largest;
  largest.fill(0xff);
  EXPECT_EQ(*account, (Account{7, largest, Hash32{3}, Hash32{4}}));
}

TEST(account, refuses_any_other_form) {
  EXPECT_EQ(error_of_stored(rlp_list(good_account())), Error::none);
  const auto error_with = [](std::size_t place, const Buffer& item) {
    std::vector<Buffer> items = good_account();
    items[place] = item;
    return error_of_stored(rlp_list(items));
  };
  EXPECT_EQ(error_with(0, Buffer{0x00}), Error::account_malformed);
  EXPECT_EQ(error_with(0, rlp_string(Buffer(9, 1))), Error::account_malformed);
  EXPECT_EQ(error_with(1, rlp_string(Buffer(33, 1))), Error::account_malformed);
  EXPECT_EQ(error_with(1, rlp_string(Buffer{0, 1})), Error::account_malformed);
  EXPECT_EQ(error_with(2, rlp_string(Buffer(31, 1))), Error::account_malformed);
  EXPECT_EQ(error_with(3, Buffer{0x80}), Error::account_malformed);
  EXPECT_EQ(error_with(3, Buffer{0xc0}), Error::account_malformed);
  std::vector<Buffer> items = good_account();
  items.push_back({0x80});
  EXPECT_EQ(error_of_stored(rlp_list(items)), Error::account_malformed);
  items.resize(3);
  EXPECT_EQ(error_of_stored(rlp_list(items)), Error::account_malformed);
  EXPECT_EQ(error_of_stored(Buffer(40, 1)), Error::account_malformed);
  Buffer trailing = rlp_list(good_account());
  trailing.push_back(0x80);
  EXPECT_EQ(error_of_stored(trailing), Error::account_malformed);
}

TEST(account, proven_absence_is_the_empty_account_and_no_contract) {
  const TrieVerifier absent = verified(empty_trie_root, account_key(somebody), {});
  const Result<Account> account = account_of(absent);
  ASSERT_EQ(account.error(), Error::none);
  EXPECT_EQ(*account, (Account{0, {}, empty_trie_root, empty_code_hash}));
  EXPECT_EQ(contract_of(absent).error(), Error::value_absent);
  EXPECT_EQ(*word_of(absent), Hash32{});

  TestTrie trie;
  const TrieKey key = account_key(somebody);
  std::vector<Buffer> items = good_account();
  items[3] = rlp_string(empty_code_hash);
  trie.put(Bytes(key.bytes).first(32), rlp_list(items));
  const std::vector<Buffer> nodes = trie.prove(Bytes(key.bytes).first(32));
  EXPECT_EQ(contract_of(verified(trie.root(), key, nodes)).error(), Error::value_absent) << "an account without code";
}

TEST(account, nothing_is_read_from_an_unfinished_or_refused_proof) {
  TrieVerifier verifier;
  verifier.begin(Hash32{1}, account_key(somebody));
  EXPECT_EQ(account_of(verifier).error(), Error::not_ready);
  EXPECT_EQ(contract_of(verifier).error(), Error::not_ready);
  EXPECT_EQ(word_of(verifier).error(), Error::not_ready);
  TestTrie trie;
  const TrieKey key = account_key(somebody);
  trie.put(Bytes(key.bytes).first(32), rlp_list(good_account()));
  const std::vector<Buffer> nodes = trie.prove(Bytes(key.bytes).first(32));
  verifier = verified(trie.root(), key, nodes);
  EXPECT_EQ(verifier.push(nodes[0]).error(), Error::trie_trailing_nodes);
  EXPECT_EQ(account_of(verifier).error(), Error::not_ready);
}

TEST(account, words_are_integers_without_leading_zeros) {
  const auto stored = [](const Buffer& value) {
    TestTrie trie;
    const TrieKey key = storage_key(Hash32{5});
    trie.put(Bytes(key.bytes).first(32), value);
    const std::vector<Buffer> nodes = trie.prove(Bytes(key.bytes).first(32));
    return word_of(verified(trie.root(), key, nodes));
  };
  Hash32 seven{};
  seven[31] = 7;
  EXPECT_EQ(*stored({0x07}), seven);
  Hash32 full;
  full.fill(0xee);
  EXPECT_EQ(*stored(rlp_string(full)), full);
  EXPECT_EQ(stored({0x80}).error(), Error::storage_malformed) << "zero is never stored";
  EXPECT_EQ(stored({0x00}).error(), Error::storage_malformed);
  EXPECT_EQ(stored(rlp_string(Buffer{0, 7})).error(), Error::storage_malformed);
  EXPECT_EQ(stored(rlp_string(Buffer(33, 7))).error(), Error::storage_malformed);
  EXPECT_EQ(stored({0xc0}).error(), Error::storage_malformed);
  EXPECT_EQ(stored({0x07, 0x07}).error(), Error::storage_malformed);
}

}  // namespace
}  // namespace wattproof::chain
