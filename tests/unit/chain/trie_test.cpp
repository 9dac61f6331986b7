// SPDX-License-Identifier: Apache-2.0
#include "chain/trie.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::Buffer;
using testing::find_vectors;
using testing::from_hex;
using testing::rlp_list;
using testing::rlp_string;
using testing::TestTrie;
using testing::text_bytes;
using testing::to_hex;
using testing::views_of;

// "found <hex>", "absent", or the name of the error.
std::string outcome_of(const Hash32& root, const TrieKey& key, const std::vector<Buffer>& nodes) {
  const std::vector<Bytes> views = views_of(nodes);
  const Result<TrieAnswer> answer = verify_proof(root, key, views);
  if (!answer) return error_name(answer.error());
  return answer->is_found ? "found " + to_hex(answer->value) : "absent";
}

std::string raw_outcome(const Hash32& root, Bytes key, const std::vector<Buffer>& nodes) {
  const Result<TrieKey> trie_key = raw_key(key);
  return trie_key ? outcome_of(root, *trie_key, nodes) : error_name(trie_key.error());
}

bool is_answer(const std::string& outcome) { return outcome == "absent" || outcome.starts_with("found "); }

Buffer text_or_hex(const std::string& text) {
  if (text.starts_with("0x")) return from_hex(text);
  return Buffer(text.begin(), text.end());
}

Hash32 hash_of(const std::string& text) { return crypto::keccak256(text_bytes(text)); }

// The key/value list of an official case, in either of its two forms.
std::vector<std::pair<Buffer, Buffer>> pairs_of(const json& in) {
  std::vector<std::pair<Buffer, Buffer>> pairs;
  const auto add = [&](const json& key, const json& value) {
    pairs.emplace_back(text_or_hex(key.get<std::string>()),
                       value.is_null() ? Buffer() : text_or_hex(value.get<std::string>()));
  };
  if (in.is_object()) {
    for (const auto& [key, value] : in.items()) add(key, value);
  } else {
    for (const json& pair : in) pair.is_array() ? add(pair[0], pair[1]) : add(pair, pair);
  }
  return pairs;
}

// Proves every key of a case and one absent key beside each, with and without its last node.
std::size_t check_case(const json& vector, bool is_secure, const std::string& name) {
  TestTrie trie;
  std::map<Buffer, Buffer> expected;
  for (const auto& [key, value] : pairs_of(vector["in"])) {
    const Hash32 hashed = crypto::keccak256(key);
    const Buffer stored = is_secure ? Buffer(hashed.begin(), hashed.end()) : key;
    trie.put(stored, value);
    expected[stored] = value;
  }
  if (vector.contains("root")) {
    EXPECT_EQ("0x" + to_hex(trie.root()), vector["root"].get<std::string>()) << name;
  }
  std::size_t proofs = 0;
  for (const auto& [key, value] : expected) {
    Buffer other = key;
    other.back() ^= 0x10;
    for (const Buffer& wanted : {key, other}) {
      const auto at = expected.find(wanted);
      const bool is_there = at != expected.end() && !at->second.empty();
      std::vector<Buffer> proof = trie.prove(wanted);
      const std::string due = is_there ? "found " + to_hex(at->second) : "absent";
      EXPECT_EQ(raw_outcome(trie.root(), wanted, proof), due) << name;
      proof.pop_back();
      EXPECT_EQ(raw_outcome(trie.root(), wanted, proof), trie.size() == 0 ? "absent" : "trie_truncated") << name;
      ++proofs;
    }
  }
  return proofs;
}

TEST(trie, proves_every_key_of_the_official_tries) {
  std::size_t cases = 0;
  std::size_t proofs = 0;
  for (const char* name : {"trieanyorder", "trietest", "trietestnextprev", "trieanyorder_secureTrie",
                           "trietest_secureTrie", "hex_encoded_securetrie_test"}) {
    const auto path = find_vectors(std::string("ethereum-tests/TrieTests/") + name + ".json");
    WATTPROOF_REQUIRE_INPUT(path);
    const json vectors = json::parse(std::ifstream(path));
    for (const auto& [title, vector] : vectors.items()) {
      proofs += check_case(vector, std::string_view(name).find("secure") != std::string_view::npos, title);
      ++cases;
    }
  }
  EXPECT_EQ(cases, 26U);
  EXPECT_GT(proofs, 200U);
  std::printf("official tries: %zu, proofs: %zu\n", cases, proofs);
}

TEST(trie, agrees_with_the_proof_cases_of_another_verifier) {
  const auto path = find_vectors("mpt/merkletrie_solidity_cases.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  std::size_t absent = 0;
  for (const json& vector : json::parse(std::ifstream(path))) {
    std::vector<Buffer> proof;
    for (const json& node : vector["proof_no_embedded"]) proof.push_back(from_hex(node.get<std::string>()));
    const Hash32 root = testing::array_from_hex<32>(vector["root"].get<std::string>());
    const std::string outcome = raw_outcome(root, from_hex(vector["key"].get<std::string>()), proof);
    if (vector["valid"].get<bool>()) {
      EXPECT_EQ(outcome, "found " + vector["value"].get<std::string>()) << vector["name"];
      ++accepted;
      // Their list also names embedded nodes one by one; that is another form, and not ours.
      if (vector["embedded_listed_separately"].get<bool>()) {
        proof.clear();
        for (const json& node : vector["proof"]) proof.push_back(from_hex(node.get<std::string>()));
        EXPECT_FALSE(is_answer(raw_outcome(root, from_hex(vector["key"].get<std::string>()), proof)));
      }
      continue;
    }
    if (outcome.starts_with("found")) {
      // The fault was in an embedded node that was also listed by itself; without that list the proof is a good one.
      proof.clear();
      for (const json& node : vector["proof"]) proof.push_back(from_hex(node.get<std::string>()));
      EXPECT_FALSE(is_answer(raw_outcome(root, from_hex(vector["key"].get<std::string>()), proof))) << vector["name"];
      ++refused;
    } else if (outcome == "absent") {
      std::printf("  proven absent: %s\n", vector["name"].get<std::string>().c_str());
      ++absent;
    } else {
      std::printf("  refused: %s (%s)\n", vector["name"].get<std::string>().c_str(), outcome.c_str());
      ++refused;
    }
  }
  EXPECT_EQ(accepted, 10U);
  EXPECT_EQ(refused + absent, 11U);
  std::printf("proof cases: %zu accepted, %zu refused, %zu proven absent\n", accepted, refused, absent);
}

TEST(trie, the_empty_trie_proves_absence_with_its_one_node_or_with_none) {
  EXPECT_EQ(crypto::keccak256(Buffer{0x80}), empty_trie_root);
  const TrieKey key = account_key(Address{});
  EXPECT_EQ(outcome_of(empty_trie_root, key, {}), "absent");
  EXPECT_EQ(outcome_of(empty_trie_root, key, {{0x80}}), "absent");
  EXPECT_EQ(outcome_of(empty_trie_root, key, {{0x80}, {0x80}}), "trie_trailing_nodes");
  EXPECT_EQ(outcome_of(hash_of("other"), key, {}), "trie_truncated");
  EXPECT_EQ(outcome_of(hash_of("other"), key, {{0x80}}), "trie_hash_mismatch");
}

TEST(trie, keys_are_computed_as_the_chain_does) {
  const Address address = testing::array_from_hex<20>("0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b");
  EXPECT_EQ(to_hex(Bytes(account_key(address).bytes).first(32)), to_hex(crypto::keccak256(address)));
  const Hash32 slot{};
  EXPECT_EQ(to_hex(Bytes(storage_key(slot).bytes).first(32)), to_hex(crypto::keccak256(slot)));
  const auto index = [](std::uint64_t number) {
    const TrieKey key = index_key(number);
    return to_hex(Bytes(key.bytes).first(key.size));
  };
  EXPECT_EQ(index(0), "80");
  EXPECT_EQ(index(1), "01");
  EXPECT_EQ(index(127), "7f");
  EXPECT_EQ(index(128), "8180");
  EXPECT_EQ(index(256), "820100");
  EXPECT_EQ(raw_key(Buffer(trie_key_size_max + 1, 1)).error(), Error::trie_too_deep);
}

// A verifier for a single node as the root of a trie.
std::string outcome_of_root(const Buffer& node, Bytes key, bool is_prefix_free = false) {
  TrieKey trie_key = *raw_key(key);
  trie_key.is_prefix_free = is_prefix_free;
  return outcome_of(crypto::keccak256(node), trie_key, {node});
}

Buffer leaf(const Buffer& path, const Buffer& value) { return rlp_list({rlp_string(path), rlp_string(value)}); }

// A branch with the given encoded items, `80` elsewhere.
Buffer branch_with(const std::map<std::size_t, Buffer>& set) {
  std::vector<Buffer> items(17, Buffer{0x80});
  for (const auto& [place, item] : set) items[place] = item;
  return rlp_list(items);
}

TEST(trie, refuses_each_malformed_node_by_its_name) {
  const Buffer key{0x12};
  const Buffer good_leaf = leaf({0x20, 0x12}, {0x55});
  EXPECT_EQ(outcome_of_root(good_leaf, key), "found 55");
  EXPECT_EQ(outcome_of_root(leaf({0x31, 0x23}, {0x55}), Buffer{0x12, 0x30}), "absent");
  for (std::uint8_t flag = 4; flag < 16; ++flag) {
    EXPECT_EQ(outcome_of_root(leaf({static_cast<std::uint8_t>(flag << 4), 0x12}, {0x55}), key), "trie_path_malformed");
  }
  EXPECT_EQ(outcome_of_root(leaf({0x21, 0x12}, {0x55}), key), "trie_path_malformed") << "padding of 1";
  EXPECT_EQ(outcome_of_root(leaf({}, {0x55}), key), "trie_path_malformed") << "no flags at all";
  EXPECT_EQ(outcome_of_root(leaf({0x00}, {0x55}), key), "trie_path_malformed") << "empty extension";
  EXPECT_EQ(outcome_of_root(rlp_list({{0xc0}, {0x55}}), key), "trie_node_malformed") << "path is a list";
  EXPECT_EQ(outcome_of_root(leaf({0x20, 0x12}, {}), key), "trie_value_malformed");
  EXPECT_EQ(outcome_of_root(rlp_list({rlp_string(Buffer{0x20, 0x12}), {0xc0}}), key), "trie_value_malformed");
  EXPECT_EQ(outcome_of_root(leaf({0x11}, {}), key), "trie_node_malformed") << "extension to nothing";
  EXPECT_EQ(outcome_of_root(leaf({0x11}, Buffer(31, 1)), key), "trie_node_malformed") << "a hash of 31 bytes";
  EXPECT_EQ(outcome_of_root(leaf({0x11}, Buffer(33, 1)), key), "trie_node_malformed");
  EXPECT_EQ(outcome_of_root(Buffer{0x83, 1, 2, 3}, key), "trie_node_malformed") << "a string for a node";
  EXPECT_EQ(outcome_of_root(Buffer{0xc0}, key), "trie_node_malformed");
  EXPECT_EQ(outcome_of_root(rlp_list({{0x01}, {0x02}, {0x03}}), key), "trie_node_malformed");
  EXPECT_EQ(outcome_of_root(rlp_list(std::vector<Buffer>(16, {0x80})), key), "trie_node_malformed");
  for (const std::size_t count : {18U, 19U, 40U}) {
    EXPECT_EQ(outcome_of_root(rlp_list(std::vector<Buffer>(count, {0x80})), key), "trie_node_malformed") << count;
  }
  EXPECT_EQ(outcome_of_root(rlp_list({{0x20}, {0x81, 0x05}}), key), "trie_node_malformed") << "a value in a longer encoding";
  EXPECT_EQ(outcome_of_root(Buffer{0xc2, 0x20, 0x81}, key), "trie_node_malformed") << "an item that leaves its node";
  Buffer trailing = good_leaf;
  trailing.push_back(0x80);
  EXPECT_EQ(outcome_of_root(trailing, key), "trie_node_malformed");
}

TEST(trie, checks_all_items_of_a_branch_not_only_the_one_on_the_path) {
  const Buffer short_leaf = leaf({0x32}, {0x55});
  const Buffer key{0x12};
  const Buffer hash_item = rlp_string(Hash32{1});
  EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}, {2, hash_item}}), key), "found 55");
  EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}}), key), "trie_node_malformed") << "one entry alone";
  EXPECT_EQ(outcome_of_root(branch_with({}), key), "trie_node_malformed");
  for (std::size_t place = 2; place < 16; ++place) {
    const Buffer not_a_hash = rlp_string(Buffer(31, 7));
    EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}, {place, not_a_hash}}), key), "trie_node_malformed");
    const Buffer embedded_32 = leaf(Buffer(10, 0x20), Buffer(19, 7));
    ASSERT_EQ(embedded_32.size(), 32U);
    EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}, {place, embedded_32}}), key), "trie_node_malformed");
  }
  EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}, {2, {0xc0}}}), key), "trie_node_malformed") << "a node of no items";
  EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}, {16, {0xc0}}}), key), "trie_value_malformed");
  EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}, {16, {0x07}}}), key), "found 55");
  EXPECT_EQ(outcome_of_root(branch_with({{1, short_leaf}, {16, {0x07}}}), key, true), "trie_value_malformed")
      << "no values in branches of a prefix-free trie";
}

TEST(trie, finds_values_in_branches_where_a_key_is_the_beginning_of_another) {
  TestTrie trie;
  trie.put(text_bytes("do"), text_bytes("verb"));
  trie.put(text_bytes("dog"), text_bytes("puppy"));
  trie.put(text_bytes("doge"), text_bytes("coin"));
  trie.put(text_bytes("horse"), text_bytes("stallion"));
  EXPECT_EQ(raw_outcome(trie.root(), text_bytes("do"), trie.prove(text_bytes("do"))), "found 76657262");
  EXPECT_EQ(raw_outcome(trie.root(), text_bytes("d"), trie.prove(text_bytes("d"))), "absent");
  EXPECT_EQ(raw_outcome(trie.root(), text_bytes(""), trie.prove(text_bytes(""))), "absent");
}

TEST(trie, reads_embedded_nodes_of_31_bytes_in_place) {
  // A leaf of 31 bytes below a branch, and a branch of less than 32 bytes below an extension.
  TestTrie leaves;
  leaves.put(Buffer{0x12, 0x34}, Buffer(26, 7));
  leaves.put(Buffer{0x52, 0x34}, Buffer(26, 8));
  EXPECT_EQ(leaves.prove(Buffer{0x12, 0x34}).size(), 1U);
  EXPECT_EQ(raw_outcome(leaves.root(), Buffer{0x12, 0x34}, leaves.prove(Buffer{0x12, 0x34})),
            "found " + to_hex(Buffer(26, 7)));
  TestTrie branches;
  branches.put(Buffer{0x12, 0x34}, Buffer{1});
  branches.put(Buffer{0x12, 0x35}, Buffer{2});
  EXPECT_EQ(branches.prove(Buffer{0x12, 0x35}).size(), 1U);
  EXPECT_EQ(raw_outcome(branches.root(), Buffer{0x12, 0x35}, branches.prove(Buffer{0x12, 0x35})), "found 02");
  EXPECT_EQ(raw_outcome(branches.root(), Buffer{0x12, 0x36}, branches.prove(Buffer{0x12, 0x36})), "absent");
}

TEST(trie, a_node_is_read_as_hash_or_embedded_never_both) {
  // The leaf is short enough to be embedded, but the branch names it by its hash.
  const Buffer short_leaf = leaf({0x32}, {0x55});
  const Buffer root = branch_with({{1, rlp_string(crypto::keccak256(short_leaf))}, {2, rlp_string(Hash32{1})}});
  EXPECT_EQ(raw_outcome(crypto::keccak256(root), Buffer{0x12}, {root, short_leaf}), "trie_node_too_short");
}

TEST(trie, an_extension_leads_to_a_branch) {
  const Buffer long_leaf = leaf({0x20}, Buffer(40, 9));
  const Buffer by_hash = leaf({0x00, 0x12}, Buffer());
  const Hash32 hash = crypto::keccak256(long_leaf);
  const Buffer root = rlp_list({rlp_string(Buffer{0x00, 0x12}), rlp_string(hash)});
  EXPECT_EQ(raw_outcome(crypto::keccak256(root), Buffer{0x12}, {root, long_leaf}), "trie_node_malformed");
  const Buffer embedded = rlp_list({rlp_string(Buffer{0x00, 0x12}), leaf({0x20}, {0x55})});
  EXPECT_EQ(outcome_of_root(embedded, Buffer{0x12}), "trie_node_malformed");
}

TEST(trie, nodes_of_state_tries_have_a_limit) {
  const Address address{};
  const TrieKey key = account_key(address);
  Buffer path{0x20};
  path.insert(path.end(), key.bytes.begin(), key.bytes.begin() + 32);
  for (const std::size_t size : {492U, 493U}) {
    const Buffer node = leaf(path, Buffer(size, 7));
    const std::string due = node.size() <= trie_node_size_max ? "found " + to_hex(Buffer(size, 7)) : "trie_node_too_large";
    EXPECT_EQ(outcome_of(crypto::keccak256(node), key, {node}), due) << node.size();
  }
  EXPECT_EQ(leaf(path, Buffer(492, 7)).size(), trie_node_size_max);
}

TEST(trie, an_error_is_kept_and_takes_the_value_with_it) {
  TestTrie trie;
  trie.put(Buffer{0x12}, Buffer(40, 1));
  const std::vector<Buffer> proof = trie.prove(Buffer{0x12});
  TrieVerifier verifier;
  EXPECT_EQ(verifier.push(proof[0]).error(), Error::not_ready) << "before begin";
  verifier.begin(trie.root(), *raw_key(Buffer{0x12}));
  ASSERT_EQ(*verifier.push(proof[0]), TrieProgress::found);
  EXPECT_EQ(verifier.value().size(), 40U);
  EXPECT_EQ(verifier.push(proof[0]).error(), Error::trie_trailing_nodes);
  EXPECT_TRUE(verifier.value().empty());
  EXPECT_EQ(verifier.progress(), TrieProgress::more);
  EXPECT_EQ(verifier.finish().error(), Error::trie_trailing_nodes);
  EXPECT_EQ(verifier.push(proof[0]).error(), Error::trie_trailing_nodes);
}

// Tries of several shapes, as the proofs of the mutation tests below need them.
std::vector<TestTrie> tries_of_several_shapes() {
  std::vector<TestTrie> tries;
  for (const std::size_t count : {1U, 2U, 17U, 300U}) {  // hashed keys: state and storage
    TestTrie trie;
    for (std::size_t i = 0; i < count; ++i) trie.put(hash_of(std::to_string(i)), Buffer(i % 3 == 0 ? 1 : 70, 9));
    tries.push_back(trie);
  }
  TestTrie indices;  // transactions and receipts
  for (std::uint64_t i = 0; i < 140; ++i) {
    const TrieKey key = index_key(i);
    indices.put(Bytes(key.bytes).first(key.size), Buffer(1 + i % 90, static_cast<std::uint8_t>(i + 1)));
  }
  tries.push_back(indices);
  TestTrie words;  // values in branches, embedded nodes
  for (const char* word : {"a", "ab", "abc", "abcd", "b", "ba", "horse", "horses", "h"}) {
    words.put(text_bytes(word), text_bytes(word));
  }
  tries.push_back(words);
  return tries;
}

// With WATTPROOF_EXHAUSTIVE=1 there are more than a thousand proofs, which takes some 20 seconds.
std::vector<Buffer> keys_of_several_shapes() {
  const std::size_t hashed_count = std::getenv("WATTPROOF_EXHAUSTIVE") != nullptr ? 170 : 4;
  std::vector<Buffer> keys;
  for (std::size_t i = 0; i < hashed_count; ++i) {
    const Hash32 hash = hash_of(std::to_string(i));
    keys.emplace_back(hash.begin(), hash.end());
  }
  for (const std::uint64_t i : {0U, 1U, 127U, 128U, 139U, 200U}) {
    const TrieKey key = index_key(i);
    keys.emplace_back(key.bytes.begin(), key.bytes.begin() + key.size);
  }
  for (const char* word : {"a", "abc", "horse", "hors", "x", ""}) keys.push_back(text_or_hex(word));
  return keys;
}

// Re-encodes the prefix of a node's list with one more length byte: the same items in a second encoding.
Buffer with_longer_prefix(const Buffer& node) {
  const codec::RlpItem item = *codec::first_rlp_item(node);
  Buffer out{0xf8, static_cast<std::uint8_t>(item.payload.size())};
  if (item.payload.size() > 255) {
    out = {0xfa, 0, static_cast<std::uint8_t>(item.payload.size() >> 8), static_cast<std::uint8_t>(item.payload.size())};
  } else if (item.payload.size() > 55) {
    out = {0xf9, 0, static_cast<std::uint8_t>(item.payload.size())};
  }
  out.insert(out.end(), item.payload.begin(), item.payload.end());
  return out;
}

// Every node dropped, doubled, swapped with the next, cut, extended, emptied and re-encoded.
std::vector<std::vector<Buffer>> mutations_of(const std::vector<Buffer>& proof) {
  std::vector<std::vector<Buffer>> all;
  for (std::size_t i = 0; i < proof.size(); ++i) {
    const auto changed = [&](const Buffer& node) {
      all.push_back(proof);
      all.back()[i] = node;
    };
    Buffer cut = proof[i];
    cut.pop_back();
    changed(cut);
    Buffer extended = proof[i];
    extended.push_back(0x80);
    changed(extended);
    changed({});
    if (codec::first_rlp_item(proof[i])->is_list) changed(with_longer_prefix(proof[i]));
    all.push_back(proof);
    all.back().erase(all.back().begin() + static_cast<std::ptrdiff_t>(i));
    all.push_back(proof);
    all.back().insert(all.back().begin() + static_cast<std::ptrdiff_t>(i), proof[i]);
    if (i + 1 < proof.size()) {
      all.push_back(proof);
      std::swap(all.back()[i], all.back()[i + 1]);
    }
  }
  return all;
}

TEST(trie, refuses_every_prefix_and_every_mutation_of_every_proof) {
  std::size_t proofs = 0;
  std::size_t mutations = 0;
  std::size_t flips = 0;
  for (const TestTrie& trie : tries_of_several_shapes()) {
    const Hash32 root = trie.root();
    for (const Buffer& key : keys_of_several_shapes()) {
      std::vector<Buffer> proof = trie.prove(key);
      ASSERT_TRUE(is_answer(raw_outcome(root, key, proof)));
      for (std::size_t length = 0; length < proof.size(); ++length) {
        const std::vector<Buffer> prefix(proof.begin(), proof.begin() + static_cast<std::ptrdiff_t>(length));
        ASSERT_EQ(raw_outcome(root, key, prefix), "trie_truncated");
      }
      for (const std::vector<Buffer>& mutation : mutations_of(proof)) {
        ASSERT_FALSE(is_answer(raw_outcome(root, key, mutation)));
        ++mutations;
      }
      for (Buffer& node : proof) {
        for (std::size_t bit = 0; bit < 8 * node.size(); ++bit) {
          node[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
          ASSERT_FALSE(is_answer(raw_outcome(root, key, proof)));
          node[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
          ++flips;
        }
      }
      ++proofs;
    }
  }
  EXPECT_GE(proofs, 90U);
  EXPECT_GT(flips, 200'000U);
  std::printf("proofs: %zu, mutations refused: %zu, flipped bits refused: %zu\n", proofs, mutations, flips);
}

TEST(trie, a_proof_answers_for_its_own_key_and_root_alone) {
  const std::vector<TestTrie> tries = tries_of_several_shapes();
  const TestTrie& trie = tries[3];
  const Hash32 key = hash_of("0");
  const Hash32 other = hash_of("1");
  const std::vector<Buffer> proof = trie.prove(key);
  EXPECT_TRUE(raw_outcome(trie.root(), key, proof).starts_with("found"));
  EXPECT_EQ(raw_outcome(trie.root(), other, proof), "trie_hash_mismatch");
  EXPECT_EQ(raw_outcome(tries[2].root(), key, proof), "trie_hash_mismatch");
}

TEST(trie, several_keys_share_one_set_of_nodes) {
  const TestTrie trie = tries_of_several_shapes()[3];
  const std::array<Hash32, 3> keys{hash_of("0"), hash_of("1"), hash_of("no such key")};
  std::array<TrieVerifier, 3> verifiers;
  std::vector<Buffer> nodes;  // each once, parents first
  std::size_t separate = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    verifiers[i].begin(trie.root(), *raw_key(keys[i]));
    for (const Buffer& node : trie.prove(keys[i])) {
      ++separate;
      if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
    }
  }
  ASSERT_LT(nodes.size(), separate);
  std::map<std::size_t, Buffer> values;
  for (const Buffer& node : nodes) {
    const Result<std::uint64_t> takers = push_shared(verifiers, node);
    ASSERT_EQ(takers.error(), Error::none);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const bool took = (*takers >> i & 1) != 0;
      if (took && verifiers[i].progress() == TrieProgress::found) {
        values[i] = Buffer(verifiers[i].value().begin(), verifiers[i].value().end());
      }
    }
  }
  EXPECT_EQ(values[0], Buffer(1, 9));
  EXPECT_EQ(values[1], Buffer(70, 9));
  EXPECT_EQ(*verifiers[2].finish(), TrieProgress::absent);
  EXPECT_EQ(push_shared(verifiers, nodes[0]).error(), Error::trie_trailing_nodes);
}

TEST(trie, a_shared_node_that_nobody_wants_is_refused) {
  const TestTrie trie = tries_of_several_shapes()[3];
  std::array<TrieVerifier, 2> verifiers;
  verifiers[0].begin(trie.root(), *raw_key(hash_of("0")));
  verifiers[1].begin(trie.root(), *raw_key(hash_of("1")));
  const std::vector<Buffer> proof = trie.prove(hash_of("0"));
  EXPECT_EQ(push_shared(verifiers, proof[1]).error(), Error::trie_hash_mismatch) << "a child before its parent";
  EXPECT_EQ(*push_shared(verifiers, proof[0]), 3U);
  EXPECT_EQ(push_shared(verifiers, proof[0]).error(), Error::trie_hash_mismatch) << "twice";

  const Buffer too_large = leaf({0x20}, Buffer(600, 1));
  verifiers[0].begin(crypto::keccak256(too_large), account_key(Address{}));
  EXPECT_EQ(push_shared(verifiers, too_large).error(), Error::trie_node_too_large);
  EXPECT_EQ(push_shared(verifiers, proof[0]).error(), Error::trie_node_too_large) << "kept";
  const Buffer malformed = rlp_list({{0x01}, {0x02}, {0x03}});
  verifiers[0].begin(crypto::keccak256(malformed), account_key(Address{}));
  EXPECT_EQ(push_shared(verifiers, malformed).error(), Error::trie_node_malformed);
  std::vector<TrieVerifier> too_many(65);
  EXPECT_DEATH((void)push_shared(too_many, malformed), "CHECK failed");
}

}  // namespace
}  // namespace wattproof::chain
