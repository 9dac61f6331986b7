// SPDX-License-Identifier: Apache-2.0
// What the gateway asks a node, as plain functions of a connection: they run on the worker thread and keep nothing.
#pragma once

#include <map>
#include <set>
#include <string>

#include "contract_events.hpp"
#include "header_json.hpp"
#include "rpc_client.hpp"

namespace wattproof::gateway {

using ethereum::BlockHeader;
using ethereum::Rpc;

// What was seen of the chain so far.
struct ScanState {
  ethereum::Engine engine = ethereum::Engine::qbft;
  Address registry{};
  Address scheduler{};
  std::uint64_t first_block = 0;                   // events before it are of no interest
  std::uint64_t scanned = 0;                       // events up to this block were taken; 0: none yet
  std::uint64_t newest = 0;                        // of the last poll
  std::map<std::uint64_t, Hash32> recent;          // the newest blocks, by number; the last one is `scanned`
};

constexpr std::uint64_t recent_count_max = 64;     // deepest reorganisation that is followed block by block
constexpr std::uint64_t scan_blocks_max = 2000;    // blocks of one eth_getLogs

// What is new since then.
struct ChainNews {
  bool is_reorganised = false;
  std::uint64_t common_block = 0;        // if so: the newest block that still stands
  std::uint64_t scanned = 0;             // events are complete up to this block
  std::uint64_t newest = 0;              // number of the chain's newest block; above `scanned` while catching up
  std::vector<BlockHeader> headers;      // ascending; the last one is block `scanned`
  std::vector<ContractEvent> events;     // in the chain's order
};

// Throws RpcError, or std::runtime_error for answers that cannot be right.
ChainNews poll_chain(Rpc& rpc, const ScanState& state);

BlockHeader fetch_header(Rpc& rpc, std::uint64_t number, ethereum::Engine engine);

// The address behind a name of the registry, or nothing if it is not set.
std::optional<Address> fetch_contract(Rpc& rpc, const Address& registry, std::string_view name);

// Proofs of one account and of slots of its storage, nodes root first.
struct AccountProof {
  std::vector<ByteVector> account;
  std::map<Hash32, std::vector<ByteVector>> storage;
};
using ProofRequest = std::map<Address, std::set<Hash32>>;
using ProofAnswer = std::map<Address, AccountProof>;

// All at one block. Throws RpcError (error) if the node no longer has that block's state.
ProofAnswer fetch_proofs(Rpc& rpc, std::uint64_t block, const ProofRequest& request);

struct CallRequest {
  Address from{};
  Address to{};
  ByteVector data;
};

// What eth_estimateGas says, or nothing if the call would revert; `why` is then the node's reason.
std::optional<std::uint64_t> estimate_gas(Rpc& rpc, const CallRequest& request, std::string& why);

// The answer of a call at the newest block.
ByteVector call_contract(Rpc& rpc, const Address& to, const ByteVector& data);

std::uint64_t fetch_nonce(Rpc& rpc, const Address& account);
std::uint64_t fetch_chain_id(Rpc& rpc);

enum class SendOutcome : std::uint8_t { accepted, known, nonce_too_low, refused };
struct SendResult {
  SendOutcome outcome = SendOutcome::accepted;
  std::string why;
};
SendResult send_raw_transaction(Rpc& rpc, const ByteVector& raw);

struct Receipt {
  bool is_success = false;
  std::uint64_t block = 0;
  std::uint64_t gas_used = 0;
  std::optional<Address> contract;
  std::string revert_reason;  // if the node tells it
};
// One answer a hash, nothing for a transaction that is in no block yet.
std::vector<std::optional<Receipt>> fetch_receipts(Rpc& rpc, const std::vector<Hash32>& hashes);

}  // namespace wattproof::gateway
