// SPDX-License-Identifier: Apache-2.0
// Headers, receipts and proofs that real validators have made (tests/vectors/real_networks.md): all are accepted, and none
// with a flipped bit.
#include <gtest/gtest.h>

#include <concepts>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "chain/account.hpp"
#include "chain/bft.hpp"
#include "chain/clique.hpp"
#include "chain/receipt.hpp"
#include "support/json_vectors.hpp"
#include "support/vectors.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::array_from_hex;
using testing::Buffer;
using testing::buffers_of;
using testing::from_hex;
using testing::TestTrie;
using testing::to_hex;

json recorded(const char* name) {
  std::ifstream file(std::filesystem::path(WATTPROOF_SOURCE_DIR) / "tests/vectors" / name);
  EXPECT_TRUE(file.is_open()) << name;
  return file.is_open() ? json::parse(file) : json::object();
}

ValidatorSet set_of(const json& addresses) {
  ValidatorSet set;
  for (const json& address : addresses) set.items[set.count++] = array_from_hex<20>(address.get<std::string>());
  std::sort(set.items.begin(), set.items.begin() + set.count);
  return set;
}

// Every bit of a header takes a recovery to be refused; so all bits of the first headers, and of the rest one of each byte.
// WATTPROOF_FLIP_ALL=1 flips all bits of all of them.
bool flips_bit(std::size_t header, std::size_t bit, std::size_t whole_headers) {
  static const bool is_all = std::getenv("WATTPROOF_FLIP_ALL") != nullptr;
  return is_all || header < whole_headers || bit % 8 == (bit / 8 + header) % 8;
}

void flip(Buffer& bytes, std::size_t bit) { bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ (1U << bit % 8)); }

HeaderShape shape_of(const json& network) {
  return network["fork"] == "london" ? HeaderShape::london : HeaderShape::frontier;
}

// ---- QBFT

struct QbftNetwork {
  json document;
  BftConfig config;
  TrustedHead start;
};

void open_qbft(QbftNetwork& network) {
  network.document = recorded("goquorum_qbft.json");
  network.config.shape = shape_of(network.document);
  network.config.period_s_min = network.document["period_s"].get<std::uint32_t>();
  network.start.number = 0;
  network.start.validators = set_of(network.document["validators"]);
}

Error accept(Bytes encoded, TrustedHead& head, const BftConfig& config) {
  BftVerifier verifier;
  WATTPROOF_TRY(verifier.begin(encoded, head, config, {}));
  for (;;) {
    const Result<Progress> progress = verifier.step();
    if (!progress) return progress.error();
    if (*progress == Progress::accepted) break;
  }
  verifier.commit(head);
  return Error::none;
}

TEST(recorded_networks, every_qbft_header_is_accepted_with_its_hash_and_set) {
  QbftNetwork network;
  open_qbft(network);
  TrustedHead head = network.start;
  std::size_t above_round_zero = 0, set_changes = 0;
  for (const json& vector : network.document["headers"]) {
    const ValidatorSet before = head.validators;
    const Buffer encoded = from_hex(vector["rlp"].get<std::string>());
    ASSERT_EQ(accept(encoded, head, network.config), Error::none) << vector["number"];
    EXPECT_EQ(head.number, vector["number"].get<std::uint64_t>());
    EXPECT_EQ("0x" + to_hex(head.hash), vector["hash"].get<std::string>());
    EXPECT_EQ(head.validators, set_of(vector["validators"]));
    above_round_zero += vector["round"] != 0;
    set_changes += !(head.validators == before);
  }
  EXPECT_GE(network.document["headers"].size(), 20U);
  EXPECT_GE(above_round_zero, 3U);
  EXPECT_EQ(set_changes, 2U);
  std::printf("headers: %zu, round above 0: %zu, set changes: %zu\n", network.document["headers"].size(), above_round_zero,
              set_changes);
}

TEST(recorded_networks, any_qbft_header_is_reached_from_the_first_set) {
  QbftNetwork network;
  open_qbft(network);
  for (const json& vector : network.document["headers"]) {
    TrustedHead head = network.start;
    EXPECT_EQ(accept(from_hex(vector["rlp"].get<std::string>()), head, network.config), Error::none) << vector["number"];
  }
}

// `take` moves a state by one header if it accepts it. A refused header must leave the state as it was.
template <class State, class Take>
void refuse_every_flipped_bit(const json& headers, State state, Take take) {
  std::size_t flips = 0, index = 0;
  for (const json& vector : headers) {
    Buffer encoded = from_hex(vector["rlp"].get<std::string>());
    for (std::size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
      if (!flips_bit(index, bit, 1)) continue;
      flip(encoded, bit);
      State trusted = state;
      ASSERT_NE(take(encoded, trusted), Error::none) << vector["number"] << " bit " << bit;
      if constexpr (std::equality_comparable<State>) {
        ASSERT_TRUE(trusted == state);
      }
      flip(encoded, bit);
      ++flips;
    }
    ASSERT_EQ(take(encoded, state), Error::none);
    ++index;
  }
  EXPECT_GT(flips, 10'000U);
  std::printf("flipped bits refused: %zu in %zu headers\n", flips, index);
}

TEST(recorded_networks, no_qbft_header_is_accepted_with_a_flipped_bit) {
  QbftNetwork network;
  open_qbft(network);
  static_assert(std::equality_comparable<TrustedHead>);
  refuse_every_flipped_bit(network.document["headers"], network.start,
                           [&](const Buffer& encoded, TrustedHead& head) { return accept(encoded, head, network.config); });
}

// ---- receipts and proofs, whatever the engine

const char* const network_files[] = {"goquorum_qbft.json", "geth_clique.json"};

// The decoded header of a number; its bytes stay in `encoded`.
void header_at(const json& network, std::uint64_t number, Buffer& encoded, Header& header) {
  for (const json& vector : network["headers"]) {
    if (vector["number"] != number) continue;
    encoded = from_hex(vector["rlp"].get<std::string>());
    ASSERT_EQ(decode_header(encoded, shape_of(network), header), Error::none);
    return;
  }
  FAIL() << "no header " << number;
}

Error prove(const Hash32& root, const TrieKey& key, const std::vector<Buffer>& nodes, TrieVerifier& verifier) {
  verifier.begin(root, key);
  for (const Buffer& node : nodes) {
    const Result<TrieProgress> progress = verifier.push(node);
    if (!progress) return progress.error();
  }
  return verifier.finish().error();
}

// Refused with any bit of any node flipped.
std::size_t flip_all(const Hash32& root, const TrieKey& key, std::vector<Buffer> nodes) {
  std::size_t flips = 0;
  for (Buffer& node : nodes) {
    for (std::size_t bit = 0; bit < 8 * node.size(); ++bit, ++flips) {
      flip(node, bit);
      TrieVerifier verifier;
      EXPECT_NE(prove(root, key, nodes, verifier), Error::none) << bit;
      flip(node, bit);
    }
  }
  return flips;
}

TEST(recorded_networks, every_receipt_is_proved_under_its_header) {
  std::size_t proved = 0, logs = 0, flips = 0;
  for (const char* const name : network_files) {
    const json network = recorded(name);
    for (const json& block : network["receipts"]) {
      Buffer encoded;
      Header header;
      header_at(network, block["number"].get<std::uint64_t>(), encoded, header);
      TestTrie trie;
      std::vector<Buffer> items;
      for (const json& item : block["receipts"]) items.push_back(from_hex(item.get<std::string>()));
      for (std::size_t i = 0; i < items.size(); ++i) {
        const TrieKey key = index_key(i);
        trie.put(Bytes(key.bytes).first(key.size), items[i]);
      }
      const Hash32 root = to_array<32>(header.receipts_root);
      ASSERT_EQ(to_hex(trie.root()), to_hex(root));
      for (std::size_t i = 0; i < items.size(); ++i) {
        const TrieKey key = index_key(i);
        const std::vector<Buffer> nodes = trie.prove(Bytes(key.bytes).first(key.size));
        TrieVerifier verifier;
        ASSERT_EQ(prove(root, key, nodes, verifier), Error::none);
        Receipt receipt;
        ASSERT_EQ(receipt_of(verifier, receipt), Error::none);
        EXPECT_EQ(to_hex(verifier.value()), to_hex(items[i]));
        logs += receipt.log_count;
        ++proved;
        if (i == 0) flips += flip_all(root, key, nodes);
      }
    }
  }
  EXPECT_GE(proved, 4U);
  EXPECT_GE(logs, 8U);
  std::printf("receipts proved: %zu with %zu logs; flipped bits refused: %zu\n", proved, logs, flips);
}

// A JSON-RPC quantity as a 32-byte word.
Hash32 word_of_quantity(std::string text) {
  text = text.substr(2);
  return array_from_hex<32>(std::string(64 - text.size(), '0') + text);
}

TEST(recorded_networks, every_account_and_word_is_proved_under_its_header) {
  std::size_t words = 0, zeros = 0, flips = 0;
  for (const char* const name : network_files) {
    const json network = recorded(name);
    for (const json& vector : network["proofs"]) {
      Buffer encoded;
      Header header;
      header_at(network, vector["number"].get<std::uint64_t>(), encoded, header);
      const TrieKey account = account_key(array_from_hex<20>(vector["address"].get<std::string>()));
      const std::vector<Buffer> nodes = buffers_of(vector["account"]);
      TrieVerifier verifier;
      ASSERT_EQ(prove(to_array<32>(header.state_root), account, nodes, verifier), Error::none);
      const Result<Account> contract = contract_of(verifier);
      ASSERT_TRUE(contract) << error_name(contract.error());
      flips += flip_all(to_array<32>(header.state_root), account, nodes);
      for (const json& word : vector["words"]) {
        const TrieKey key = storage_key(array_from_hex<32>(word["slot"].get<std::string>()));
        const std::vector<Buffer> path = buffers_of(word["nodes"]);
        TrieVerifier storage;
        ASSERT_EQ(prove(contract->storage_root, key, path, storage), Error::none);
        const Result<Hash32> value = chain::word_of(storage);
        ASSERT_TRUE(value);
        EXPECT_EQ(*value, word_of_quantity(word["value"].get<std::string>()));
        flips += flip_all(contract->storage_root, key, path);
        zeros += is_zero(*value);
        ++words;
      }
    }
  }
  EXPECT_GE(words, 6U);
  EXPECT_GE(zeros, 1U);
  EXPECT_LT(zeros, words);
  std::printf("words proved: %zu, of them absent: %zu; flipped bits refused: %zu\n", words, zeros, flips);
}

// ---- Clique

struct CliqueNetwork {
  json document;
  CliqueConfig config;
  CliqueState start;
};

void open_clique(CliqueNetwork& network) {
  network.document = recorded("geth_clique.json");
  network.config.shape = shape_of(network.document);
  network.config.period_s_min = network.document["period_s"].get<std::uint32_t>();
  network.start.signers = set_of(network.document["validators"]);
}

Error follow(Bytes encoded, CliqueState& state, const CliqueConfig& config) {
  CliqueVerifier verifier;
  WATTPROOF_TRY(verifier.begin(encoded, state, config, {}));
  const Result<Progress> progress = verifier.step();
  if (!progress) return progress.error();
  verifier.commit(state);
  return Error::none;
}

TEST(recorded_networks, every_clique_header_is_followed_from_the_first_on) {
  CliqueNetwork network;
  open_clique(network);
  CliqueState state = network.start;
  std::size_t out_of_turn = 0, set_changes = 0;
  for (const json& vector : network.document["headers"]) {
    const ValidatorSet before = state.signers;
    const std::uint64_t weight = state.difficulty_sum;
    ASSERT_EQ(follow(from_hex(vector["rlp"].get<std::string>()), state, network.config), Error::none) << vector["number"];
    EXPECT_EQ("0x" + to_hex(state.hash), vector["hash"].get<std::string>());
    out_of_turn += state.difficulty_sum - weight == 1;
    set_changes += !(state.signers == before);
  }
  EXPECT_GE(network.document["headers"].size(), 20U);
  EXPECT_GE(out_of_turn, 1U);
  EXPECT_EQ(set_changes, 2U);
  std::printf("headers: %zu, out of turn: %zu, set changes: %zu\n", network.document["headers"].size(), out_of_turn,
              set_changes);
}

TEST(recorded_networks, the_branch_that_the_network_left_is_valid_and_lighter) {
  CliqueNetwork network;
  open_clique(network);
  std::size_t branches = 0;
  for (const json& branch : network.document["abandoned"]) {
    CliqueState state = network.start;
    std::map<std::uint64_t, std::uint64_t> weight;  // of the chain that stayed, by number
    CliqueState at_fork;
    const std::uint64_t first = branch.at(0)["number"].get<std::uint64_t>();
    for (const json& vector : network.document["headers"]) {
      if (vector["number"] == first) at_fork = state;
      ASSERT_EQ(follow(from_hex(vector["rlp"].get<std::string>()), state, network.config), Error::none);
      weight[state.number] = state.difficulty_sum;
    }
    for (const json& vector : branch) {
      ASSERT_EQ(follow(from_hex(vector["rlp"].get<std::string>()), at_fork, network.config), Error::none);
      EXPECT_EQ("0x" + to_hex(at_fork.hash), vector["hash"].get<std::string>());
    }
    EXPECT_NE(at_fork.hash, state.hash);
    EXPECT_LT(at_fork.difficulty_sum, state.difficulty_sum);
    // Nothing of the abandoned branch was ever settled: too few signers had built on it.
    const Result<CliqueBlock> settled = settled_block(at_fork);
    EXPECT_TRUE(!settled || settled->number < first);
    ++branches;
  }
  EXPECT_GE(branches, 1U);
}

TEST(recorded_networks, no_clique_header_is_accepted_with_a_flipped_bit) {
  CliqueNetwork network;
  open_clique(network);
  refuse_every_flipped_bit(network.document["headers"], network.start,
                           [&](const Buffer& encoded, CliqueState& state) { return follow(encoded, state, network.config); });
}

}  // namespace
}  // namespace wattproof::chain
