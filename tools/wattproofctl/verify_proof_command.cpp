// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"
#include "chain/receipt.hpp"
#include "chain/transaction.hpp"
#include "chain/trie.hpp"
#include "codec/rlp.hpp"
#include "command.hpp"
#include "crypto/keccak.hpp"

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

// A wide number as JSON-RPC writes it.
std::string quantity(Bytes integer) {
  std::string digits = ethereum::to_hex(integer).substr(2);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  return "0x" + (digits.empty() ? "0" : digits);
}

// Of a list that decode_transaction has accepted.
Json access_list_of(Bytes list) {
  Json entries = Json::array();
  for (codec::RlpReader reader(list); !reader.at_end();) {
    codec::RlpReader entry(reader.list());
    const std::string address = ethereum::to_hex(entry.fixed(20));
    Json keys = Json::array();
    for (codec::RlpReader key(entry.list()); !key.at_end();) keys.push_back(ethereum::to_hex(key.fixed(32)));
    entries.push_back({{"address", address}, {"storage_keys", keys}});
  }
  return entries;
}

// What a proven transaction says. The proof stands whatever it is: a type that is not known here has an error in its place.
Json transaction_of(Bytes value) {
  chain::Transaction transaction;
  if (const Error error = chain::decode_transaction(value, std::nullopt, transaction); !ok(error)) {
    return {{"error", error_name(error)}};
  }
  Json out{{"hash", ethereum::to_hex(crypto::keccak256(value))}, {"type", transaction.type}};
  out["chain_id"] = transaction.has_chain_id ? Json(transaction.chain_id) : Json();
  const Result<Address> sender = chain::sender_of(transaction);
  out["from"] = sender ? Json(ethereum::to_hex(*sender)) : Json();  // null: nobody signed it
  out["to"] = transaction.to.empty() ? Json() : Json(ethereum::to_hex(transaction.to));  // null: it creates a contract
  out["nonce"] = transaction.nonce;
  out["value"] = quantity(transaction.value);
  out["gas_limit"] = transaction.gas_limit;
  if (transaction.type == 2) {
    out["max_fee_per_gas"] = quantity(transaction.fee_per_gas_max);
    out["max_priority_fee_per_gas"] = quantity(transaction.priority_fee_per_gas);
  } else {
    out["gas_price"] = quantity(transaction.fee_per_gas_max);
  }
  out["data"] = ethereum::to_hex(transaction.data);
  if (transaction.type != 0) out["access_list"] = access_list_of(transaction.access_list);
  return out;
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
  Outcome found{{{"result", "found"}, {"value", ethereum::to_hex(answer->value)}}, exit_ok};
  if (kind == "transaction") found.output["transaction"] = transaction_of(answer->value);
  return found;
}

}  // namespace wattproof::tool
