// SPDX-License-Identifier: Apache-2.0
// A receipt as the leaf of a trie: rubbish, or a good one that the input edits. It decodes inside its bytes or not at all, each
// log in it can be read, and if it announces a validator set, that is a set. The trie's root is made to fit.
#include "chain/aura_signal.hpp"
#include "edits.hpp"
#include "oracle.hpp"
#include "unit/chain/aura_maker.hpp"

namespace {

using namespace wattproof;
using testing::Buffer;

constexpr Address contract{0x12, 0x04};
constexpr Hash32 parent_hash{0x77};

// Types 0, 1 and 2; a log that announces two validators, and an ordinary one.
Buffer good_receipt(std::uint8_t type) {
  const Buffer other = testing::rlp_list({testing::rlp_string(Address{1}), testing::rlp_list({testing::rlp_string(Hash32{2})}),
                                          testing::rlp_string(Buffer(40, 3))});
  const Buffer change = testing::change_log(contract, chain::initiate_change_topic, parent_hash,
                                            testing::address_list_data({Address{5}, Address{6}}));
  const Buffer list = testing::receipt_with({other, change});
  Buffer out;
  if (type != 0) out.push_back(type);
  out.insert(out.end(), list.begin(), list.end());
  return out;
}

void check_logs(const chain::Receipt& receipt, Bytes value) {
  fuzz::require(fuzz::inside(receipt.logs, value) && fuzz::inside(receipt.bloom, value) && receipt.bloom.size() == 256);
  for (std::uint32_t i = 0; i < receipt.log_count; ++i) {
    const Result<chain::Log> log = chain::log_at(receipt, i);
    fuzz::require(log && log->address.size() == 20 && fuzz::inside(log->address, value) && fuzz::inside(log->data, value));
    fuzz::require(log->topic_count <= chain::log_topic_count_max);
    for (std::uint32_t topic = 0; topic < log->topic_count; ++topic) {
      fuzz::require(log->topics[topic].size() == 32 && fuzz::inside(log->topics[topic], value));
    }
  }
  fuzz::require(chain::log_at(receipt, receipt.log_count).error() == Error::log_absent);
}

// The only leaf of a receipt trie.
Buffer leaf_of(const chain::TrieKey& key, const Buffer& value) {
  Buffer path{0x20};
  path.insert(path.end(), key.bytes.begin(), key.bytes.begin() + key.size);
  return testing::rlp_list({testing::rlp_string(path), testing::rlp_string(value)});
}

void check_signal(const Buffer& leaf, const Hash32& root) {
  static chain::AuraState state;
  state.is_signal_due = true;
  state.signal_receipts_root = root;
  state.signal_parent_hash = parent_hash;
  chain::AuraConfig config;
  config.validator_contract = contract;
  static chain::AuraSignal signal;
  signal.start(state, config, 1);
  Result<chain::SignalProgress> progress = signal.push(leaf);  // no receipt at 1
  if (progress && *progress == chain::SignalProgress::next_proof) progress = signal.push(leaf);
  if (!progress || *progress != chain::SignalProgress::announced) return;
  fuzz::require(signal.set().count > 0 && signal.set().count <= validator_count_max);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest(data + 1, size - 1);
  Buffer value(rest.begin(), rest.end());
  if (data[0] % 4 != 3) {
    value = good_receipt(data[0] % 4);
    fuzz::apply_edits(rest, value);
  }
  const chain::TrieKey key = chain::index_key(0);
  const Buffer leaf = leaf_of(key, value);
  const Hash32 root = crypto::keccak256(leaf);
  chain::TrieVerifier verifier;
  verifier.begin(root, key);
  const Result<chain::TrieProgress> progress = verifier.push(leaf);
  fuzz::require(value.empty() ? !progress : progress && *progress == chain::TrieProgress::found);
  chain::Receipt receipt;
  if (chain::receipt_of(verifier, receipt) == Error::none) check_logs(receipt, verifier.value());
  check_signal(leaf, root);
  return 0;
}
