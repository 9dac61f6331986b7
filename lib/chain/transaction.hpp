// SPDX-License-Identifier: Apache-2.0
// What a proven transaction says, and who sent it: legacy (with and without EIP-155), EIP-2930, EIP-1559, by the rules of
// London. For tools that show evidence; a device judges by records and logs and has no need of this.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::chain {

// Views into the bytes that were decoded. Integers that may be wider than 64 bits are minimal big-endian, at most 32 bytes.
struct Transaction {
  std::uint8_t type = 0;          // 0 legacy, 1 EIP-2930, 2 EIP-1559
  bool has_chain_id = false;      // false for a legacy one without replay protection
  std::uint64_t chain_id = 0;
  std::uint64_t nonce = 0;
  Bytes priority_fee_per_gas;     // type 2 alone
  Bytes fee_per_gas_max;          // the gas price of the other types
  std::uint64_t gas_limit = 0;
  Bytes to;                       // 20 bytes; empty: creates a contract
  Bytes value;
  Bytes data;
  Bytes access_list;              // payload of the list; empty in legacy transactions
  crypto::Signature signature{};  // v as parity
  Hash32 signing_digest{};
};

// Decodes a transaction as its trie stores it; `out` is meaningful only after Error::none.
//   unknown_kind           a type that London does not have
//   transaction_malformed  not the fields of its type in their one encoding
//   wrong_chain            it names another chain than `chain_id`; without one, every chain will do
//   out_of_range           no London chain could hold it: nonce 2^64 - 1, a priority above the fee, a fee times gas beyond 256
//                          bits, or less gas than its bytes and access list cost
//   bad_signature          a v that is none; r and s are looked at by sender_of
Error decode_transaction(Bytes encoded, std::optional<std::uint64_t> chain_id, Transaction& out);

// One recovery.
//   bad_signature, signature_high_s
Result<Address> sender_of(const Transaction& transaction);

}  // namespace wattproof::chain
