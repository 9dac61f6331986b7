// SPDX-License-Identifier: Apache-2.0
#include "operator.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include "crypto/secret.hpp"
#include "eth_abi.hpp"

namespace wattproof::tool {
namespace {

using NodeJson = ethereum::Json;
using ethereum::Rpc;
using ethereum::RpcError;
using ethereum::RpcFailure;

constexpr std::uint64_t dependent_call_gas = 6'000'000;
constexpr std::chrono::seconds receipt_wait_max{120};
constexpr std::chrono::milliseconds receipt_poll{200};

NodeJson call_object(const Address& from, const OperatorCall& call) {
  NodeJson object = {{"from", ethereum::to_hex(from)}, {"data", ethereum::to_hex(call.data)}};
  if (call.to) object["to"] = ethereum::to_hex(*call.to);
  return object;
}

}  // namespace

Operator::Operator(const ChainOptions& options, Rpc& rpc, bool may_make_key)
    : rpc_(rpc), gas_price_wei_(options.gas_price_wei) {
  if (options.key_file.empty()) throw InputError("--key", "is missing");
  if (may_make_key && !std::filesystem::exists(options.key_file)) {
    ethereum::write_key_file(options.key_file, ethereum::generate_key());
  }
  key_ = ethereum::load_key_file(options.key_file);
  address_ = *crypto::address_of(key_);
  chain_id_ = gateway::fetch_chain_id(rpc_);
}

Operator::~Operator() { crypto::wipe(key_); }

std::uint64_t Operator::gas_for(const OperatorCall& call) {
  try {
    const NodeJson answer = rpc_.call("eth_estimateGas", NodeJson::array({call_object(address_, call)}));
    const auto gas = answer.is_string() ? ethereum::parse_quantity(answer.get<std::string>()) : std::nullopt;
    if (!gas) throw Refused("failed", call.name + ": eth_estimateGas gives no quantity");
    return *gas + *gas / 4;
  } catch (const RpcError& error) {
    if (error.failure != RpcFailure::error) throw;
    throw Refused("refused", call.name + ": " + (error.data.size() > 2 ? revert_reason(error.data) : error.what()));
  }
}

std::vector<gateway::Receipt> Operator::send(const std::vector<OperatorCall>& calls, bool is_independent) {
  std::uint64_t nonce = gateway::fetch_nonce(rpc_, address_);
  std::vector<Hash32> hashes;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ethereum::LegacyTransaction transaction;
    transaction.nonce = nonce++;
    transaction.gas_price_wei = gas_price_wei_;
    transaction.gas_limit = is_independent || i == 0 ? gas_for(calls[i]) : dependent_call_gas;
    transaction.to = calls[i].to;
    transaction.data = calls[i].data;
    const auto signed_one = *ethereum::sign_transaction(transaction, chain_id_, key_);
    const gateway::SendResult result = gateway::send_raw_transaction(rpc_, signed_one.raw);
    const bool is_taken = result.outcome == gateway::SendOutcome::accepted || result.outcome == gateway::SendOutcome::known;
    if (!is_taken) throw Refused("refused", calls[i].name + ": " + result.why);
    hashes.push_back(signed_one.hash);
  }
  return wait_for(hashes, calls);
}

std::vector<gateway::Receipt> Operator::wait_for(const std::vector<Hash32>& hashes, const std::vector<OperatorCall>& calls) {
  const auto until = std::chrono::steady_clock::now() + receipt_wait_max;
  for (;;) {
    const auto found = gateway::fetch_receipts(rpc_, hashes);
    std::vector<gateway::Receipt> receipts;
    for (std::size_t i = 0; i < found.size() && found[i]; ++i) {
      if (!found[i]->is_success) {
        throw Refused("reverted", calls[i].name + ": " + revert_reason(found[i]->revert_reason));
      }
      receipts.push_back(*found[i]);
    }
    if (receipts.size() == hashes.size()) return receipts;
    if (std::chrono::steady_clock::now() > until) {
      throw Refused("no_receipt", calls[receipts.size()].name + ": not in a block after " +
                                      std::to_string(receipt_wait_max.count()) + " s");
    }
    std::this_thread::sleep_for(receipt_poll);
  }
}

Address registry_of(const ChainOptions& options) {
  const auto registry = ethereum::parse_hex_array<20>(options.registry);
  if (!registry) throw InputError("--registry", "must be \"0x\" and 40 hexadecimal digits");
  return *registry;
}

Address scheduler_of(Rpc& rpc, const Address& registry) {
  const auto scheduler = gateway::fetch_contract(rpc, registry, "Scheduler");
  if (!scheduler) throw Refused("no_scheduler", "the registry names no Scheduler");
  return *scheduler;
}

ChainPicture read_chain(const ChainOptions& options, Rpc& rpc) {
  ChainPicture picture;
  picture.registry = registry_of(options);
  picture.scheduler = scheduler_of(rpc, picture.registry);
  gateway::ScanState state;
  const auto engine = ethereum::engine_of_name(options.engine);
  if (!engine) throw InputError("--engine", "must be qbft, ibft2, clique or aura");
  state.engine = *engine;
  state.registry = picture.registry;
  state.scheduler = picture.scheduler;
  state.first_block = options.first_block;
  for (;;) {
    gateway::ChainNews news = gateway::poll_chain(rpc, state);
    if (news.is_reorganised) throw Refused("reorganised", "the chain changed while it was read; try again");
    for (gateway::ContractEvent& event : news.events) picture.view.apply(std::move(event));
    if (!news.headers.empty()) {
      picture.newest = news.headers.back();
      state.recent = {{picture.newest.number, picture.newest.hash}};
    }
    state.scanned = news.scanned;
    state.newest = news.newest;
    if (news.scanned == news.newest) return picture;
  }
}

std::string revert_reason(const std::string& data_hex) {
  static constexpr std::array<std::string_view, 24> known{
      "SignerNotUsable(address)", "WrongStatus(uint256,uint8)", "BadSignature()", "BadName()", "MalformedBatch()",
      "NotOperator(address)", "BadRegistry()", "BadParameters()", "EpochNotAbove(uint64)", "RingEntryBusy(uint64,uint64)",
      "WrongStatus(uint64,uint8)", "WrongRound(uint32)", "HeadMismatch()", "VectorsMismatch()", "ParametersMismatch()",
      "TooEarly(uint64)", "RecordMismatch()", "NotDisturbing()", "BadTerms()",
      "AccessControlUnauthorizedAccount(address,bytes32)", "AccessControlBadConfirmation()",
      "AccessControlInvalidDefaultAdmin(address)", "AccessControlEnforcedDefaultAdminRules()",
      "AccessControlEnforcedDefaultAdminDelay(uint48)"};
  const auto data = ethereum::parse_hex(data_hex);
  if (!data || data->size() < 4) return data_hex.empty() ? "reverted without a reason" : data_hex;
  for (const std::string_view signature : known) {
    if (!equal(ethereum::selector_of(signature), Bytes(*data).first(4))) continue;
    std::string text(signature.substr(0, signature.find('(')));
    ethereum::AbiReader reader(Bytes(*data).subspan(4));
    std::string arguments;
    for (std::size_t at = 4; at + 32 <= data->size(); at += 32) {
      const Hash32 word = reader.word();
      const auto number = ethereum::uint64_of_word(word);
      arguments += (arguments.empty() ? "" : ", ") + (number ? std::to_string(*number) : ethereum::to_hex(word));
    }
    return text + "(" + arguments + ")";
  }
  return data_hex;
}

}  // namespace wattproof::tool
