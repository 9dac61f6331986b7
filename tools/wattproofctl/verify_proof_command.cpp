// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "chain/trie.hpp"
#include "command.hpp"

namespace wattproof::tool {
namespace {

constexpr std::size_t node_count_max = 130;  // nibbles of the longest key and the root, twice over

Outcome refused(Error error) { return {{{"error", error_name(error)}}, exit_refused}; }

chain::TrieKey key_of(ObjectReader& object, const std::string& kind) {
  if (kind == "account") return chain::account_key(object.hex_array<20>("key"));
  if (kind == "storage") return chain::storage_key(object.hex_array<32>("key"));
  if (kind == "transaction" || kind == "receipt") return chain::index_key(object.uint64("key"));
  if (kind != "raw") object.fail("kind", "must be raw, account, storage, transaction or receipt");
  const Result<chain::TrieKey> key = chain::raw_key(object.hex("key", chain::trie_key_size_max));
  if (!key) object.fail("key", error_name(key.error()));
  return *key;
}

}  // namespace

Outcome verify_proof_command(const Json& document) {
  ObjectReader object(document, "");
  const Hash32 root = object.hex_array<32>("root");
  const std::string kind = object.text("kind");
  const chain::TrieKey key = key_of(object, kind);
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
  return {{{"result", "found"}, {"value", ethereum::to_hex(answer->value)}}, exit_ok};
}

}  // namespace wattproof::tool
