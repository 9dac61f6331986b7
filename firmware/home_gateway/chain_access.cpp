// SPDX-License-Identifier: Apache-2.0
#include "chain_access.hpp"

#include <algorithm>

#include "eth_abi.hpp"

namespace wattproof::gateway {
namespace {

using ethereum::Json;
using ethereum::RpcAnswer;
using ethereum::RpcCall;
using ethereum::RpcError;
using ethereum::RpcFailure;
using ethereum::to_hex;
using ethereum::to_quantity;

constexpr std::size_t proof_slots_max = 64;     // of one eth_getProof
constexpr std::size_t proof_nodes_max = 65;     // nibbles of a key and the root

[[noreturn]] void malformed(const std::string& what) { throw RpcError(RpcFailure::malformed, what); }

void require(const RpcAnswer& answer) {
  if (answer.failed) throw RpcError(RpcFailure::error, answer.message, answer.code, answer.data);
}

RpcCall block_call(const std::string& block) { return {"eth_getBlockByNumber", Json::array({block, false})}; }

RpcCall logs_call(const ScanState& state, std::uint64_t from, const std::string& to) {
  Json filter = {{"fromBlock", to_quantity(from)}, {"toBlock", to}};
  filter["address"] = Json::array({to_hex(state.registry), to_hex(state.scheduler)});
  return {"eth_getLogs", Json::array({filter})};
}

// Events of blocks from..to, in order. A node may have mined on meanwhile: later ones come with the next poll.
void take_events(const Json& logs, std::uint64_t from, std::uint64_t to, std::vector<ContractEvent>& events) {
  if (!logs.is_array()) malformed("eth_getLogs: the answer is no array");
  const std::size_t first = events.size();
  for (const Json& log : logs) {
    std::optional<ContractEvent> event = event_from_json(log);
    if (event && event->block >= from && event->block <= to) events.push_back(std::move(*event));
  }
  std::sort(events.begin() + static_cast<std::ptrdiff_t>(first), events.end(),
            [](const ContractEvent& a, const ContractEvent& b) {
              return a.block != b.block ? a.block < b.block : a.log_index < b.log_index;
            });
}

// The newest of our recent blocks that the chain still has.
std::uint64_t find_common_block(Rpc& rpc, const ScanState& state) {
  std::vector<RpcCall> calls;
  for (const auto& [number, hash] : state.recent) calls.push_back(block_call(to_quantity(number)));
  const std::vector<RpcAnswer> answers = rpc.batch(calls);
  std::optional<std::uint64_t> common;
  std::size_t index = 0;
  for (const auto& [number, hash] : state.recent) {
    const RpcAnswer& answer = answers.at(index++);
    const bool is_there = !answer.failed && answer.result.is_object() && answer.result.contains("hash");
    if (is_there && answer.result["hash"] == to_hex(hash)) common = number;
  }
  // Deeper than we remember: begin anew.
  return common.value_or(0);
}

// Headers between the last one seen and the newest, for chains whose headers must be followed one by one.
void take_headers_between(Rpc& rpc, const ScanState& state, std::uint64_t from, const BlockHeader& newest, ChainNews& news) {
  const std::uint64_t first = newest.number - std::min(newest.number, recent_count_max - 1);
  std::vector<RpcCall> calls;
  for (std::uint64_t number = std::max(from, first); number < newest.number; ++number) {
    calls.push_back(block_call(to_quantity(number)));
  }
  if (!calls.empty()) {
    for (const RpcAnswer& answer : rpc.batch(calls)) {
      require(answer);
      news.headers.push_back(ethereum::header_from_json(answer.result, state.engine));
    }
  }
  news.headers.push_back(newest);
}

// A long gap is read in parts, so that one poll stays short and memory bounded.
ChainNews catch_up(Rpc& rpc, const ScanState& state, std::uint64_t from, const BlockHeader& newest, ChainNews news) {
  if (from > newest.number) from = newest.number;
  const std::uint64_t to = std::min(newest.number, from + scan_blocks_max - 1);
  const std::vector<RpcAnswer> answers = rpc.batch({logs_call(state, from, to_quantity(to))});
  require(answers.at(0));
  take_events(answers[0].result, from, to, news.events);
  news.scanned = to;
  const BlockHeader last = to == newest.number ? newest : fetch_header(rpc, to, state.engine);
  if (to == newest.number) {
    take_headers_between(rpc, state, from, last, news);
  } else {
    news.headers.push_back(last);
  }
  return news;
}

std::vector<ByteVector> nodes_of(const Json& list, const char* name) {
  if (!list.is_array() || list.size() > proof_nodes_max) malformed(std::string("eth_getProof: ") + name + " is no list of nodes");
  std::vector<ByteVector> nodes;
  for (const Json& item : list) {
    std::optional<ByteVector> node = item.is_string() ? ethereum::parse_hex(item.get_ref<const std::string&>()) : std::nullopt;
    if (!node || node->empty() || node->size() > trie_node_size_max) malformed(std::string("eth_getProof: ") + name + " holds no node");
    nodes.push_back(std::move(*node));
  }
  return nodes;
}

void take_proof(const Json& answer, const std::vector<Hash32>& slots, AccountProof& proof) {
  if (!answer.is_object() || !answer.contains("accountProof") || !answer.contains("storageProof")) {
    malformed("eth_getProof: accountProof or storageProof is missing");
  }
  proof.account = nodes_of(answer["accountProof"], "accountProof");
  const Json& storage = answer["storageProof"];
  if (!storage.is_array() || storage.size() != slots.size()) malformed("eth_getProof: not one proof a slot");
  for (std::size_t i = 0; i < slots.size(); ++i) {  // in the order asked
    if (!storage[i].is_object() || !storage[i].contains("proof")) malformed("eth_getProof: a slot without proof");
    proof.storage[slots[i]] = nodes_of(storage[i]["proof"], "storageProof");
  }
}

std::uint64_t quantity_of(const Json& value, const char* what) {
  const auto number = value.is_string() ? ethereum::parse_quantity(value.get_ref<const std::string&>()) : std::nullopt;
  if (!number) malformed(std::string(what) + ": the answer is no quantity");
  return *number;
}

bool says(const std::string& message, const char* words) { return message.find(words) != std::string::npos; }

}  // namespace

BlockHeader fetch_header(Rpc& rpc, std::uint64_t number, ethereum::Engine engine) {
  return ethereum::header_from_json(rpc.call("eth_getBlockByNumber", Json::array({to_quantity(number), false})), engine);
}

ChainNews poll_chain(Rpc& rpc, const ScanState& state) {
  const std::uint64_t next = state.scanned == 0 ? state.first_block : state.scanned + 1;
  // In the usual case one request tells everything: the newest block, and the events since the last one.
  const bool is_following = !state.recent.empty() && state.scanned == state.newest;
  std::vector<RpcCall> calls{block_call("latest")};
  if (is_following) calls.push_back(logs_call(state, next, "latest"));
  const std::vector<RpcAnswer> answers = rpc.batch(calls);
  require(answers.at(0));
  const BlockHeader newest = ethereum::header_from_json(answers[0].result, state.engine);
  ChainNews news;
  news.newest = newest.number;
  news.scanned = state.scanned;
  if (state.recent.empty()) return catch_up(rpc, state, next, newest, std::move(news));

  const auto& [last_number, last_hash] = *state.recent.rbegin();
  if (newest.hash == last_hash) return news;
  const bool is_child = newest.number == last_number + 1 && newest.parent_hash == last_hash;
  if (is_following && is_child && !answers.at(1).failed) {
    take_events(answers[1].result, next, newest.number, news.events);
    news.scanned = newest.number;
    news.headers.push_back(newest);
    return news;
  }
  const std::uint64_t common = find_common_block(rpc, state);
  if (common == last_number) return catch_up(rpc, state, next, newest, std::move(news));
  news.is_reorganised = true;
  news.common_block = common;
  return catch_up(rpc, state, std::max(common + 1, state.first_block), newest, std::move(news));
}

std::optional<Address> fetch_contract(Rpc& rpc, const Address& registry, std::string_view name) {
  const ByteVector answer =
      call_contract(rpc, registry, ethereum::AbiArguments().word(ethereum::word_of_text(name)).call("contractOf(bytes32)"));
  ethereum::AbiReader reader(answer);
  const Address address = reader.address();
  if (!reader.ok()) malformed("contractOf: the answer is no address; is the registry's address right?");
  if (is_zero(address)) return std::nullopt;
  return address;
}

ProofAnswer fetch_proofs(Rpc& rpc, std::uint64_t block, const ProofRequest& request) {
  std::vector<RpcCall> calls;
  std::vector<std::pair<Address, std::vector<Hash32>>> asked;
  for (const auto& [address, slots] : request) {
    auto slot = slots.begin();
    do {
      std::vector<Hash32> part;
      while (slot != slots.end() && part.size() < proof_slots_max) part.push_back(*slot++);
      Json keys = Json::array();
      for (const Hash32& key : part) keys.push_back(to_hex(key));
      calls.push_back({"eth_getProof", Json::array({to_hex(address), keys, to_quantity(block)})});
      asked.emplace_back(address, std::move(part));
    } while (slot != slots.end());
  }
  ProofAnswer proofs;
  const std::vector<RpcAnswer> answers = rpc.batch(calls);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    require(answers[i]);
    take_proof(answers[i].result, asked[i].second, proofs[asked[i].first]);
  }
  return proofs;
}

std::optional<std::uint64_t> estimate_gas(Rpc& rpc, const CallRequest& request, std::string& why) {
  const Json call = {{"from", to_hex(request.from)}, {"to", to_hex(request.to)}, {"data", to_hex(request.data)}};
  try {
    return quantity_of(rpc.call("eth_estimateGas", Json::array({call})), "eth_estimateGas");
  } catch (const RpcError& error) {
    if (error.failure != RpcFailure::error) throw;
    why = error.what();
    if (!error.data.empty()) why += " (" + error.data.substr(0, 138) + ")";
    return std::nullopt;
  }
}

ByteVector call_contract(Rpc& rpc, const Address& to, const ByteVector& data) {
  const Json call = {{"to", to_hex(to)}, {"data", to_hex(data)}};
  const Json answer = rpc.call("eth_call", Json::array({call, "latest"}));
  std::optional<ByteVector> bytes = answer.is_string() ? ethereum::parse_hex(answer.get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) malformed("eth_call: the answer is not hexadecimal");
  return std::move(*bytes);
}

std::uint64_t fetch_nonce(Rpc& rpc, const Address& account) {
  return quantity_of(rpc.call("eth_getTransactionCount", Json::array({to_hex(account), "pending"})), "eth_getTransactionCount");
}

std::uint64_t fetch_chain_id(Rpc& rpc) { return quantity_of(rpc.call("eth_chainId"), "eth_chainId"); }

SendResult send_raw_transaction(Rpc& rpc, const ByteVector& raw) {
  try {
    rpc.call("eth_sendRawTransaction", Json::array({to_hex(raw)}));
    return {};
  } catch (const RpcError& error) {
    if (error.failure != RpcFailure::error) throw;
    // Nodes differ in words and agree in these.
    const std::string why = error.what();
    if (says(why, "already known") || says(why, "Known transaction") || says(why, "known transaction")) {
      return {SendOutcome::known, why};
    }
    if (says(why, "nonce too low") || says(why, "Nonce too low")) return {SendOutcome::nonce_too_low, why};
    return {SendOutcome::refused, why};
  }
}

std::vector<std::optional<Receipt>> fetch_receipts(Rpc& rpc, const std::vector<Hash32>& hashes) {
  std::vector<RpcCall> calls;
  for (const Hash32& hash : hashes) calls.push_back({"eth_getTransactionReceipt", Json::array({to_hex(hash)})});
  std::vector<std::optional<Receipt>> receipts;
  if (calls.empty()) return receipts;
  for (const RpcAnswer& answer : rpc.batch(calls)) {
    require(answer);
    if (answer.result.is_null()) {
      receipts.emplace_back();
      continue;
    }
    const Json& object = answer.result;
    if (!object.is_object()) malformed("eth_getTransactionReceipt: the answer is no receipt");
    Receipt receipt;
    receipt.is_success = quantity_of(object.value("status", Json()), "receipt status") == 1;
    receipt.block = quantity_of(object.value("blockNumber", Json()), "receipt blockNumber");
    receipt.gas_used = quantity_of(object.value("gasUsed", Json()), "receipt gasUsed");
    if (object.contains("contractAddress") && object["contractAddress"].is_string()) {
      receipt.contract = ethereum::parse_hex_array<20>(object["contractAddress"].get_ref<const std::string&>());
    }
    if (object.contains("revertReason") && object["revertReason"].is_string()) {
      receipt.revert_reason = object["revertReason"].get<std::string>().substr(0, 138);
    }
    receipts.push_back(std::move(receipt));
  }
  return receipts;
}

}  // namespace wattproof::gateway
