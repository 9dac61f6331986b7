// SPDX-License-Identifier: Apache-2.0
#include "chain/aura_signal.hpp"

#include "base/check.hpp"

namespace wattproof::chain {
namespace {

constexpr std::size_t word_size = 32;

// True if the word is the number `value`.
bool is_word(Bytes word, std::uint64_t value) {
  return is_zero(word.first(word_size - 8)) && load_be64(&word[word_size - 8]) == value;
}

// The ABI encoding of one address[]: offset 32, count, addresses. Exactly that, with nothing around it.
Error read_address_list(Bytes data, ValidatorSet& out) {
  if (data.size() < 2 * word_size || data.size() % word_size != 0) return Error::receipt_malformed;
  const std::size_t count = data.size() / word_size - 2;
  const bool is_list = is_word(data.first(word_size), word_size) && is_word(data.subspan(word_size, word_size), count);
  if (!is_list) return Error::receipt_malformed;
  if (count == 0) return Error::validators_empty;
  if (count > validator_count_max) return Error::validators_too_many;
  out = ValidatorSet();
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes word = data.subspan((2 + i) * word_size, word_size);
    if (!is_zero(word.first(12))) return Error::receipt_malformed;
    out.items[out.count++] = to_array<20>(word.subspan(12));
  }
  return Error::none;
}

}  // namespace

const Hash32 initiate_change_topic = {0x55, 0x25, 0x2f, 0xa6, 0xee, 0xe4, 0x74, 0x1b, 0x4e, 0x24, 0xa7,
                                      0x4a, 0x70, 0xe9, 0xc1, 0x1f, 0xd2, 0xc2, 0x28, 0x1d, 0xf8, 0xd6,
                                      0xea, 0x13, 0x12, 0x6f, 0xf8, 0x45, 0xf7, 0x82, 0x5c, 0x89};

void AuraSignal::start(const AuraState& state, const AuraConfig& config, std::uint64_t receipt_count) {
  WATTPROOF_CHECK(state.is_signal_due);
  *this = AuraSignal();
  receipts_root_ = state.signal_receipts_root;
  parent_hash_ = state.signal_parent_hash;
  contract_ = config.validator_contract;
  number_ = state.number;
  count_ = receipt_count;
  index_ = receipt_count;
  proof_.begin(receipts_root_, index_key(index_));
  error_ = Error::none;
}

Result<SignalProgress> AuraSignal::push(Bytes node) {
  if (error_ != Error::none) return error_;
  if (is_done()) {
    error_ = Error::trie_trailing_nodes;
    return error_;
  }
  const Result<TrieProgress> answer = proof_.push(node);
  error_ = answer.error();
  progress_ = SignalProgress::more;
  if (error_ == Error::none && *answer != TrieProgress::more) error_ = take_receipt();
  if (error_ != Error::none) return error_;
  return progress_;
}

Error AuraSignal::take_receipt() {
  const bool is_found = proof_.progress() == TrieProgress::found;
  if (index_ == count_) {
    if (is_found) return Error::value_mismatch;
  } else {
    Receipt receipt;
    WATTPROOF_TRY(receipt_of(proof_, receipt));
    for (std::uint32_t i = 0; i < receipt.log_count; ++i) {
      bool is_match = false;
      WATTPROOF_TRY(take_log(*log_at(receipt, i), is_match));
      if (!is_match) continue;
      progress_ = SignalProgress::announced;
      return Error::none;
    }
  }
  if (index_ == 0) {
    progress_ = SignalProgress::nothing;
    return Error::none;
  }
  proof_.begin(receipts_root_, index_key(--index_));
  progress_ = SignalProgress::next_proof;
  return Error::none;
}

Error AuraSignal::take_log(const Log& log, bool& is_match) {
  const std::array<Hash32, 2> topics{initiate_change_topic, parent_hash_};
  is_match = check_log(log, contract_, topics) == Error::none;
  return is_match ? read_address_list(log.data, set_) : Error::none;
}

Error AuraSignal::commit(AuraState& state) const {
  WATTPROOF_CHECK(error_ == Error::none && is_done() && state.is_signal_due && state.number == number_);
  if (progress_ == SignalProgress::announced) {
    if (state.pending_count == aura_pending_max) return Error::capacity;
    state.pending[state.pending_count++] = {number_, set_};
  }
  state.is_signal_due = false;
  state.signal_receipts_root = {};
  state.signal_parent_hash = {};
  apply_pending_sets(state);  // a set of one or two may have made its own block final at once
  return Error::none;
}

}  // namespace wattproof::chain
