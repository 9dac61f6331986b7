// SPDX-License-Identifier: Apache-2.0
// Merkle-Patricia trie proofs (yellow paper, appendix D), node by node from the root, in RAM bounded by one node.
//
// The answer is found, proven absent, or an error, and nothing between: success is reached only by using up the key or by
// an explicit divergence from it. Running out of nodes is an error, never absence. A node's bytes are hashed before any
// field of it is believed; nodes of less than 32 bytes stand inside their parents and are read there.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace wattproof::chain {

constexpr std::uint32_t trie_key_size_max = 64;  // bytes; keys of the chain's own tries have at most 32

// Leaves of transaction and receipt tries hold whole transactions and receipts. A device is bounded by its buffer first.
constexpr std::uint32_t trie_body_node_size_max = 1U << 20;

// keccak(80): the root of a trie that holds nothing.
extern const Hash32 empty_trie_root;

// A key and what the trie that it belongs to may hold. Made by the functions below, since the keys are ours to compute:
// a key that came with a proof proves nothing.
struct TrieKey {
  std::array<std::uint8_t, trie_key_size_max> bytes{};
  std::uint8_t size = 0;
  bool is_prefix_free = true;  // no key is the beginning of another, so branches hold no values
  std::uint32_t node_size_max = trie_node_size_max;
};

TrieKey account_key(const Address& address);    // keccak(address), in the state trie
TrieKey storage_key(const Hash32& slot);        // keccak(slot), in the storage trie of an account
TrieKey index_key(std::uint64_t index);         // RLP(index), in the transaction or receipt trie of a block
// The key as it is, in a trie of unknown kind.
//   trie_too_deep  longer than trie_key_size_max
Result<TrieKey> raw_key(Bytes key);

enum class TrieProgress : std::uint8_t { more, found, absent };

// Follows one key from a root. One error ends it: every later call returns the same.
class TrieVerifier {
 public:
  void begin(const Hash32& root, const TrieKey& key);

  // The next node. After `found`, value() is a view into it.
  //   trie_trailing_nodes   the answer is known already
  //   trie_node_too_large   above the key's node_size_max
  //   trie_node_too_short   a hashed node below 32 bytes that is not the root
  //   trie_hash_mismatch    not the node that the root or the parent names
  //   trie_node_malformed   no list of 17 or 2 items, a child of another form, a branch with less than two entries, an
  //                         extension that does not lead to a branch
  //   trie_path_malformed   flag nibble above 3, padding that is not 0, an extension of no nibbles
  //   trie_value_malformed  an empty value, a list for a value, a value in a branch of a prefix-free trie
  Result<TrieProgress> push(Bytes node);

  // After the last node. Only the root of the empty trie needs none.
  //   trie_truncated  a node is needed and none is left
  Result<TrieProgress> finish();

  TrieProgress progress() const { return progress_; }
  Bytes value() const { return value_; }            // the value as stored, after `found`
  const Hash32& wanted() const { return wanted_; }  // hash of the node that is due, while `more`

 private:
  friend Result<std::uint64_t> push_shared(std::span<TrieVerifier> verifiers, Bytes node);

  Error check_and_walk(Bytes node, const Hash32& hash);
  Error walk(Bytes node);
  Error take_branch(Bytes items, Bytes& embedded);
  Error take_path(Bytes items, Bytes& embedded);
  Error descend(bool is_list, Bytes payload, Bytes encoded, Bytes& embedded);
  std::uint32_t nibble_count() const { return 2U * key_.size; }
  Result<TrieProgress> answer(Error error);

  TrieKey key_;
  Hash32 wanted_{};
  Bytes value_;
  std::uint32_t position_ = 0;  // nibbles of the key that are used up
  TrieProgress progress_ = TrieProgress::more;
  bool is_root_ = true;
  bool is_branch_due_ = false;  // the parent is an extension
  Error error_ = Error::not_ready;
};

// One node for several keys: it goes to every verifier that wants it, so evidence of several slots holds each node once,
// parents before children. The answer is the set of verifiers that took it (bit i: verifiers[i]); at most 64 verifiers.
//   trie_trailing_nodes  every verifier has its answer
//   trie_hash_mismatch   nobody wants this node
//   and what push returns, for the first verifier that refuses
Result<std::uint64_t> push_shared(std::span<TrieVerifier> verifiers, Bytes node);

// A proof that is in memory as a whole: its nodes root first, none left over. `value` is a view into the last of them.
struct TrieAnswer {
  bool is_found = false;
  Bytes value;
};
Result<TrieAnswer> verify_proof(const Hash32& root, const TrieKey& key, std::span<const Bytes> nodes);

}  // namespace wattproof::chain
