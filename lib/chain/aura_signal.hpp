// SPDX-License-Identifier: Apache-2.0
// Whether an AuRa block has announced a validator set, from its receipts alone.
//
// Nodes take the first matching log of the last receipt that has one. So the receipts are proved from the last one down
// to that: absence at `count`, which shows that no receipt follows, then presence at count - 1, count - 2, ... until one
// holds the log, or all have been seen. Each proof is fed node by node.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "chain/aura.hpp"
#include "chain/receipt.hpp"
#include "chain/trie.hpp"

namespace wattproof::chain {

// keccak("InitiateChange(bytes32,address[])")
extern const Hash32 initiate_change_topic;

enum class SignalProgress : std::uint8_t {
  more,        // the next node of this proof
  next_proof,  // this receipt is done: the proof of index() comes next
  announced,   // set() is announced
  nothing,     // no receipt of the block announces anything
};

class AuraSignal {
 public:
  // For the state's last block, which is_signal_due, and its claimed number of receipts.
  void start(const AuraState& state, const AuraConfig& config, std::uint64_t receipt_count);

  // The next node of the proof of index(). A refusal ends it.
  //   what TrieVerifier::push returns
  //   value_mismatch       there is a receipt beyond the claimed count
  //   value_absent         there is none within it
  //   receipt_malformed    the receipt, or the announced list in it
  //   validators_empty, validators_too_many   an announced set that this build cannot hold
  Result<SignalProgress> push(Bytes node);

  std::uint64_t index() const { return index_; }
  const ValidatorSet& set() const { return set_; }

  // Only after `announced` or `nothing`: queues the set, or clears the way.
  //   capacity  more sets are announced than aura_pending_max; the state is unchanged
  Error commit(AuraState& state) const;

 private:
  bool is_done() const { return progress_ == SignalProgress::announced || progress_ == SignalProgress::nothing; }
  Error take_receipt();
  Error take_log(const Log& log, bool& is_match);

  TrieVerifier proof_;
  Hash32 receipts_root_{};
  Hash32 parent_hash_{};
  Address contract_{};
  std::uint64_t number_ = 0;
  std::uint64_t count_ = 0;
  std::uint64_t index_ = 0;
  ValidatorSet set_;
  SignalProgress progress_ = SignalProgress::more;
  Error error_ = Error::not_ready;
};

}  // namespace wattproof::chain
