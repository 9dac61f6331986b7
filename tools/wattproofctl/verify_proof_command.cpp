// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "chain/receipt.hpp"
#include "chain/trie.hpp"
#include "command.hpp"

namespace wattproof::tool {
namespace {

constexpr std::size_t node_count_max = 130;  // nibbles of the longest key and the root, twice over

Outcome refused(Error error) { return {{{"error", error_name(error)}}, exit_refused}; }

chain::TrieKey key_of(ObjectReader& object, const std::string& kind) {
  if (kind == "account") return chain::account_key(object.hex_array<20>("key"));
  if (kind == "storage") return chain::storage_key(object.hex_array<32>("key"));
  if (kind == "transaction" || kind == "receipt" || kind == "log") return chain::index_key(object.uint64("key"));
  if (kind != "raw") object.fail("kind", "must be raw, account, storage, transaction, receipt or log");
  const Result<chain::TrieKey> key = chain::raw_key(object.hex("key", chain::trie_key_size_max));
  if (!key) object.fail("key", error_name(key.error()));
  return *key;
}

// Which log of a receipt is meant, and what it says.
Outcome log_of(Bytes value, std::uint32_t index) {
  chain::Receipt receipt;
  if (const Error error = chain::decode_receipt(value, receipt); !ok(error)) return refused(error);
  const Result<chain::Log> log = chain::log_at(receipt, index);
  if (!log) return refused(log.error());
  Json topics = Json::array();
  for (std::uint32_t i = 0; i < log->topic_count; ++i) topics.push_back(ethereum::to_hex(log->topics[i]));
  return {{{"result", "found"},
           {"value", ethereum::to_hex(value)},
           {"log", {{"address", ethereum::to_hex(log->address)}, {"topics", topics}, {"data", ethereum::to_hex(log->data)}}}},
          exit_ok};
}

}  // namespace

Outcome verify_proof_command(const Json& document) {
  ObjectReader object(document, "");
  const Hash32 root = object.hex_array<32>("root");
  const std::string kind = object.text("kind");
  const chain::TrieKey key = key_of(object, kind);
  const bool is_log = kind == "log";
  const auto log_index = is_log ? static_cast<std::uint32_t>(object.integer("log_index", 0, UINT32_MAX)) : 0;
  const Json& list = object.array("nodes", node_count_max);
  object.finish();

  std::vector<ByteVector> nodes;
  for (std::size_t i = 0; i < list.size(); ++i) {
    nodes.push_back(hex_of(list[i], "nodes[" + std::to_string(i) + "]", chain::trie_body_node_size_max));
  }
  const std::vector<Bytes> views(nodes.begin(), nodes.end());
  const Result<chain::TrieAnswer> answer = chain::verify_proof(root, key, views);
  if (!answer) return refused(answer.error());
  if (!answer->is_found) return {{{"result", "absent"}}, exit_ok};
  if (is_log) return log_of(answer->value, log_index);
  return {{{"result", "found"}, {"value", ethereum::to_hex(answer->value)}}, exit_ok};
}

}  // namespace wattproof::tool
