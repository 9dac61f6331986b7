// SPDX-License-Identifier: Apache-2.0
// What the state trie and the storage tries hold, decoded from proven values (yellow paper 4.1).
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "chain/trie.hpp"

namespace wattproof::chain {

// keccak of nothing: the code hash of an account without code.
extern const Hash32 empty_code_hash;

struct Account {
  std::uint64_t nonce = 0;
  Hash32 balance{};  // 256-bit big-endian integer
  Hash32 storage_root{};
  Hash32 code_hash{};

  bool operator==(const Account&) const = default;
};

// The account that an answer of the state trie stands for. Proven absence is the empty account: no coins, no storage.
//   not_ready          the verifier still wants nodes
//   account_malformed  not exactly [nonce, balance, storage root, code hash] in their one encoding
Result<Account> account_of(const TrieVerifier& verifier);

// The same where a contract is expected.
//   value_absent  there is no account, or it has no code
Result<Account> contract_of(const TrieVerifier& verifier);

// The word that an answer of a storage trie stands for; proven absence is zero.
//   not_ready          as above
//   storage_malformed  no integer of 1 to 32 bytes without leading zeros (zero is never stored)
Result<Hash32> word_of(const TrieVerifier& verifier);

}  // namespace wattproof::chain
