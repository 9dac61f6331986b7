// SPDX-License-Identifier: Apache-2.0
#include "chain/receipt.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "chain/header.hpp"
#include "support/json_vectors.hpp"
#include "support/vectors.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::Buffer;
using testing::buffers_of;
using testing::find_vectors;
using testing::from_hex;
using testing::rlp_list;
using testing::rlp_number;
using testing::rlp_string;
using testing::TestTrie;
using testing::to_hex;

Bytes key_bytes(const TrieKey& key) { return Bytes(key.bytes).first(key.size); }

TestTrie trie_of_items(const std::vector<Buffer>& items) {
  TestTrie trie;
  for (std::size_t i = 0; i < items.size(); ++i) trie.put(key_bytes(index_key(i)), items[i]);
  return trie;
}

// The verifier after the proof of one index.
TrieVerifier verified(const TestTrie& trie, std::uint64_t index, const std::vector<Buffer>& nodes) {
  TrieVerifier verifier;
  verifier.begin(trie.root(), index_key(index));
  for (const Buffer& node : nodes) EXPECT_EQ(verifier.push(node).error(), Error::none);
  return verifier;
}

// Header fields of the recorded chain, which has another shape every few blocks.
struct Roots {
  Buffer encoded;
  Header header;
};
void decode_recorded(const json& vector, Roots& out) {
  out.encoded = from_hex(vector["header_rlp"].get<std::string>());
  for (const HeaderShape shape : {HeaderShape::frontier, HeaderShape::london, HeaderShape::shanghai,
                                  HeaderShape::cancun, HeaderShape::prague}) {
    if (decode_header(out.encoded, shape, out.header) == Error::none) return;
  }
  ADD_FAILURE() << "no shape fits";
}

TEST(receipt, every_transaction_of_a_recorded_chain_is_proved_under_its_header) {
  const auto path = find_vectors("execution-apis/chain_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::size_t transactions = 0;
  std::size_t counts = 0;
  for (const json& vector : json::parse(std::ifstream(path))) {
    Roots roots;
    decode_recorded(vector, roots);
    const std::vector<Buffer> items = buffers_of(vector["transactions"]);
    const TestTrie trie = trie_of_items(items);
    ASSERT_EQ(to_hex(trie.root()), to_hex(roots.header.transactions_root));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::vector<Buffer> nodes = trie.prove(key_bytes(index_key(i)));
      const TrieVerifier verifier = verified(trie, i, nodes);
      EXPECT_EQ(verifier.progress(), TrieProgress::found);
      EXPECT_EQ(to_hex(verifier.value()), to_hex(items[i]));
      ++transactions;
    }
    // Presence at count - 1 and absence at count prove the count.
    EXPECT_EQ(verified(trie, items.size(), trie.prove(key_bytes(index_key(items.size())))).progress(),
              TrieProgress::absent);
    ++counts;
  }
  EXPECT_EQ(transactions, 249U);
  EXPECT_EQ(counts, 54U);
  std::printf("transactions proved: %zu in %zu blocks\n", transactions, counts);
}

TEST(receipt, recorded_receipts_and_logs_are_proved_under_their_header) {
  const auto path = find_vectors("execution-apis/rpc_io.json");
  const auto chain_path = find_vectors("execution-apis/chain_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  WATTPROOF_REQUIRE_INPUT(chain_path);
  const json recorded = json::parse(std::ifstream(path));
  const json& raw = recorded["tests/debug_getRawReceipts/get-block-n.io"][0]["response"]["result"];
  Roots roots;
  decode_recorded(json::parse(std::ifstream(chain_path))[2], roots);
  ASSERT_EQ(roots.header.number, 3U);
  const std::vector<Buffer> items = buffers_of(raw);
  const TestTrie trie = trie_of_items(items);
  ASSERT_EQ(to_hex(trie.root()), to_hex(roots.header.receipts_root));

  std::size_t receipts = 0;
  std::size_t logs = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::vector<Buffer> nodes = trie.prove(key_bytes(index_key(i)));
    Receipt receipt;
    ASSERT_EQ(receipt_of(verified(trie, i, nodes), receipt), Error::none);
    ++receipts;
    for (std::uint32_t place = 0; place < receipt.log_count; ++place, ++logs) {
      const Result<Log> log = log_at(receipt, place);
      ASSERT_EQ(log.error(), Error::none);
      EXPECT_TRUE(bloom_admits(receipt.bloom, log->address));
      EXPECT_TRUE(bloom_admits(roots.header.logs_bloom, log->address));
      for (std::uint32_t topic = 0; topic < log->topic_count; ++topic) {
        EXPECT_TRUE(bloom_admits(receipt.bloom, log->topics[topic]));
      }
    }
    EXPECT_EQ(log_at(receipt, receipt.log_count).error(), Error::log_absent);
  }
  EXPECT_EQ(receipts, 3U);
  EXPECT_GT(logs, 0U);
  std::printf("recorded receipts proved: %zu with %zu logs\n", receipts, logs);
  EXPECT_FALSE(bloom_admits(roots.header.logs_bloom, Address{1, 2, 3}));
}

const Address emitter{0xaa, 0xbb};
const std::array<Hash32, 2> topics{Hash32{1}, Hash32{2}};

Buffer log_item(const Address& address, std::span<const Hash32> topic_list, const Buffer& data) {
  std::vector<Buffer> encoded;
  for (const Hash32& topic : topic_list) encoded.push_back(rlp_string(topic));
  return rlp_list({rlp_string(address), rlp_list(encoded), rlp_string(data)});
}

std::vector<Buffer> good_receipt() {
  return {{0x01}, rlp_number(21'000), rlp_string(Buffer(256, 0)),
          rlp_list({log_item(emitter, topics, {7, 8, 9}), log_item(emitter, {}, {})})};
}

Error error_of(const Buffer& value) {
  Receipt receipt;
  return decode_receipt(value, receipt);
}

Buffer typed(std::uint8_t type, const Buffer& list) {
  Buffer out{type};
  out.insert(out.end(), list.begin(), list.end());
  return out;
}

TEST(receipt, decodes_legacy_and_typed_receipts) {
  for (const std::uint8_t type : std::to_array<std::uint8_t>({0, 1, 2})) {
    const Buffer list = rlp_list(good_receipt());
    const Buffer value = type == 0 ? list : typed(type, list);
    Receipt receipt;
    ASSERT_EQ(decode_receipt(value, receipt), Error::none);
    EXPECT_EQ(receipt.type, type);
    EXPECT_TRUE(receipt.is_success);
    EXPECT_EQ(receipt.gas_cumulative, 21'000U);
    EXPECT_EQ(receipt.log_count, 2U);
    const Result<Log> log = log_at(receipt, 0);
    ASSERT_EQ(log.error(), Error::none);
    EXPECT_EQ(to_hex(log->data), "070809");
    EXPECT_EQ(check_log(*log, emitter, topics), Error::none);
    EXPECT_EQ(log_at(receipt, 1)->topic_count, 0U);
  }
  std::vector<Buffer> failed = good_receipt();
  failed[0] = {0x80};
  Receipt receipt;
  const Buffer failed_value = rlp_list(failed);
  ASSERT_EQ(decode_receipt(failed_value, receipt), Error::none);
  EXPECT_FALSE(receipt.is_success);
  failed[0] = rlp_string(Hash32{5});
  const Buffer old_value = rlp_list(failed);
  ASSERT_EQ(decode_receipt(old_value, receipt), Error::none);
  EXPECT_EQ(receipt.state_root.size(), 32U);
}

TEST(receipt, refuses_any_other_form) {
  const auto error_with = [](const std::function<void(std::vector<Buffer>&)>& change) {
    std::vector<Buffer> items = good_receipt();
    change(items);
    return error_of(rlp_list(items));
  };
  using Items = std::vector<Buffer>;
  const Error bad = Error::receipt_malformed;
  EXPECT_EQ(error_with([](Items&) {}), Error::none);
  EXPECT_EQ(error_with([](Items& items) { items[0] = {0x02}; }), bad);
  EXPECT_EQ(error_with([](Items& items) { items[0] = {0x00}; }), bad);
  EXPECT_EQ(error_with([](Items& items) { items[0] = rlp_string(Buffer(31, 1)); }), bad);
  EXPECT_EQ(error_with([](Items& items) { items[0] = {0xc0}; }), bad);
  EXPECT_EQ(error_with([](Items& items) { items[1] = {0x00}; }), bad);
  EXPECT_EQ(error_with([](Items& items) { items[2] = rlp_string(Buffer(255, 0)); }), bad);
  EXPECT_EQ(error_with([](Items& items) { items[3] = {0x80}; }), bad);
  EXPECT_EQ(error_with([](Items& items) { items.pop_back(); }), bad);
  EXPECT_EQ(error_with([](Items& items) { items.push_back({0x80}); }), bad);
  const auto error_with_log = [&](const Buffer& log) {
    return error_with([&](Items& items) { items[3] = rlp_list({log}); });
  };
  const std::array<Hash32, 5> five{};
  EXPECT_EQ(error_with_log(log_item(emitter, std::span(five).first(4), {})), Error::none);
  EXPECT_EQ(error_with_log(log_item(emitter, five, {})), bad);
  EXPECT_EQ(error_with_log(rlp_list({rlp_string(Buffer(19, 1)), {0xc0}, {0x80}})), bad);
  EXPECT_EQ(error_with_log(rlp_list({rlp_string(emitter), {0xc0}})), bad);
  EXPECT_EQ(error_with_log(rlp_list({rlp_string(emitter), {0xc0}, {0x80}, {0x80}})), bad);
  EXPECT_EQ(error_with_log(rlp_list({rlp_string(emitter), {0x80}, {0x80}})), bad);
  EXPECT_EQ(error_with_log(rlp_list({rlp_string(emitter), {0xc0}, {0xc0}})), bad);
  EXPECT_EQ(error_with_log(rlp_list({rlp_string(emitter), rlp_list({rlp_string(Buffer(31, 1))}), {0x80}})), bad);
  EXPECT_EQ(error_with_log({0x05}), bad);

  const Buffer list = rlp_list(good_receipt());
  EXPECT_EQ(error_of({}), bad);
  EXPECT_EQ(error_of(typed(0, list)), bad);
  EXPECT_EQ(error_of(typed(3, list)), bad);
  EXPECT_EQ(error_of(typed(0x7f, list)), bad);
  EXPECT_EQ(error_of(typed(1, {})), bad);
  EXPECT_EQ(error_of(Buffer(3, 0x80)), bad);
  std::vector<Buffer> with_root = good_receipt();
  with_root[0] = rlp_string(Hash32{5});
  EXPECT_EQ(error_of(typed(2, rlp_list(with_root))), bad) << "a typed receipt has a status";
  Buffer trailing = list;
  trailing.push_back(0x80);
  EXPECT_EQ(error_of(trailing), bad);
}

TEST(receipt, a_log_is_bound_by_index_address_and_topics) {
  const Buffer value = rlp_list(good_receipt());
  Receipt receipt;
  ASSERT_EQ(decode_receipt(value, receipt), Error::none);
  const Log log = *log_at(receipt, 0);
  EXPECT_EQ(check_log(log, Address{1}, topics), Error::value_mismatch);
  EXPECT_EQ(check_log(log, emitter, std::span(topics).first(1)), Error::value_mismatch);
  const std::array<Hash32, 2> swapped{topics[1], topics[0]};
  EXPECT_EQ(check_log(log, emitter, swapped), Error::value_mismatch);
  EXPECT_EQ(check_log(*log_at(receipt, 1), emitter, topics), Error::value_mismatch);
}

TEST(receipt, absence_and_unfinished_proofs_have_their_own_errors) {
  const TestTrie trie = trie_of_items({rlp_list(good_receipt()), rlp_list(good_receipt())});
  Receipt receipt;
  const std::vector<Buffer> absent = trie.prove(key_bytes(index_key(2)));
  EXPECT_EQ(receipt_of(verified(trie, 2, absent), receipt), Error::value_absent);
  EXPECT_EQ(receipt_of(verified(trie, 0, {}), receipt), Error::not_ready);
}

}  // namespace
}  // namespace wattproof::chain
