// SPDX-License-Identifier: Apache-2.0
// Transaction receipts and their logs (yellow paper 4.4.1; EIP-658, EIP-2718), decoded from proven values.
//
// A log is bound by block (the header whose receipts root was used), receipt index (the trie key, which we compute), index
// within the receipt, address and topics. The `logIndex` of JSON-RPC counts over the block and cannot be proved from one
// receipt. A bloom filter hit is evidence of nothing; a miss in a final header proves that the block has no such log.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "chain/trie.hpp"

namespace wattproof::chain {

constexpr std::uint32_t log_topic_count_max = 4;

// Views into the value that was decoded.
struct Receipt {
  std::uint8_t type = 0;      // 0 legacy, 1 EIP-2930, 2 EIP-1559; others are refused
  bool is_success = false;    // false too for a receipt with a state root, which does not say
  Bytes state_root;           // 32 bytes before EIP-658, else empty
  std::uint64_t gas_cumulative = 0;
  Bytes bloom;                // 256 bytes
  Bytes logs;                 // payload of the list; every log in it has been checked
  std::uint32_t log_count = 0;
};

struct Log {
  Bytes address;  // 20 bytes
  std::array<Bytes, log_topic_count_max> topics;  // 32 bytes each
  std::uint32_t topic_count = 0;
  Bytes data;
};

// Decodes a receipt with all its logs; `out` is meaningful only after Error::none.
//   receipt_malformed
Error decode_receipt(Bytes value, Receipt& out);

// The receipt that an answer of a receipt trie stands for.
//   not_ready     the verifier still wants nodes
//   value_absent  the block has no transaction of this index
//   receipt_malformed
Error receipt_of(const TrieVerifier& verifier, Receipt& out);

// The log at a place within the receipt, counted from zero.
//   log_absent
Result<Log> log_at(const Receipt& receipt, std::uint32_t index);

// Error::none if the log has this address and exactly these topics.
//   value_mismatch
Error check_log(const Log& log, const Address& address, std::span<const Hash32> topics);

// Whether a bloom filter of 256 bytes (yellow paper 4.4.3) admits `item`, an address or a topic. False is certain.
bool bloom_admits(Bytes bloom, Bytes item);

}  // namespace wattproof::chain
