// SPDX-License-Identifier: Apache-2.0
// What the operator's commands share: a node, a key, transactions with their receipts, and the chain's events.
#pragma once

#include "chain_access.hpp"
#include "chain_view.hpp"
#include "command.hpp"
#include "eth_transaction.hpp"

namespace wattproof::tool {

// Options that several commands have. Empty: not given.
struct ChainOptions {
  std::string url;
  std::string registry;
  std::string key_file;
  std::string engine = "qbft";
  std::uint64_t first_block = 0;
  std::uint64_t gas_price_wei = 0;  // of every transaction; above 0 the account needs coins
};

// The chain or the contract said no. The output goes to standard output, with status 1.
class Refused : public std::runtime_error {
 public:
  Refused(const std::string& what, const std::string& detail) : std::runtime_error(detail), error(what) {}
  std::string error;
};

// One transaction of the operator.
struct OperatorCall {
  std::string name;
  std::optional<Address> to;  // none: creates a contract
  ByteVector data;
};

class Operator {
 public:
  // Throws InputError for options, RpcError if the node cannot be reached.
  Operator(const ChainOptions& options, ethereum::Rpc& rpc, bool may_make_key);
  ~Operator();
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  // Asks the node whether each call would succeed, sends all with nonces in a row, waits for the receipts. Throws Refused
  // with the contract's reason. Calls that build on one another within `calls` cannot be asked for beforehand: say so.
  std::vector<gateway::Receipt> send(const std::vector<OperatorCall>& calls, bool is_independent = true);

  const Address& address() const { return address_; }
  std::uint64_t chain_id() const { return chain_id_; }

 private:
  std::uint64_t gas_for(const OperatorCall& call);
  std::vector<gateway::Receipt> wait_for(const std::vector<Hash32>& hashes, const std::vector<OperatorCall>& calls);

  ethereum::Rpc& rpc_;
  std::uint64_t gas_price_wei_;
  crypto::PrivateKey key_{};
  Address address_{};
  std::uint64_t chain_id_ = 0;
};

// The registry's address from the options, checked.
Address registry_of(const ChainOptions& options);

// The Scheduler that the registry names. Throws Refused if it names none.
Address scheduler_of(ethereum::Rpc& rpc, const Address& registry);

// Everything that the contracts' events tell, up to the newest block.
struct ChainPicture {
  Address registry{};
  Address scheduler{};
  gateway::BlockHeader newest;
  gateway::ChainView view;
};
ChainPicture read_chain(const ChainOptions& options, ethereum::Rpc& rpc);

// A revert's data as the name of a contract's error with its arguments: "TooEarly(1700000000)".
std::string revert_reason(const std::string& data_hex);

}  // namespace wattproof::tool
