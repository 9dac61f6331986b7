// SPDX-License-Identifier: Apache-2.0
#include "chain/aura.hpp"

#include <bit>

#include "base/check.hpp"
#include "base/math.hpp"
#include "chain/aura_signal.hpp"
#include "chain/receipt.hpp"
#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::chain {
namespace {

using codec::RlpReader;

constexpr std::size_t extra_size_max = 32;
constexpr std::size_t signature_size = 65;

// step * step_s, or the largest number: beyond every clock.
std::uint64_t time_of_step(std::uint64_t step, std::uint32_t step_s) {
  const Result<std::uint64_t> time = checked_mul<std::uint64_t>(step, step_s);
  return time ? *time : UINT64_MAX;
}

std::uint64_t distance(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : b - a; }

Error check_form(Bytes signature) {
  const Error form = crypto::check_signature(to_array<signature_size>(signature));
  return form == Error::signature_high_s ? Error::none : form;
}

struct EmptyStep {
  Bytes signature;
  std::uint64_t step = 0;
  bool is_valid = false;
};

EmptyStep read_empty_step(RlpReader& list) {
  EmptyStep out;
  RlpReader reader(list.list());
  out.signature = reader.fixed(signature_size);
  out.step = reader.integer();
  out.is_valid = list.error() == Error::none && reader.finish() == Error::none;
  return out;
}

// What the signer of an empty step signs: keccak(RLP([step, parent hash])).
Hash32 empty_step_digest(std::uint64_t step, Bytes parent_hash) {
  const codec::RlpSmall number = codec::rlp_integer(step);
  const codec::RlpSmall prefix = codec::rlp_string_prefix(32);
  crypto::Keccak256 hash;
  hash.update(codec::rlp_list_prefix(number.size + prefix.size + 32U).view());
  hash.update(number.view());
  hash.update(prefix.view());
  hash.update(parent_hash);
  return hash.finish();
}

std::uint64_t signer_bit(const ValidatorSet& set, Bytes address) {
  const std::uint32_t index = set.index_of(address);
  return index == validator_absent ? 0 : std::uint64_t{1} << index;
}

bool is_oldest_final(const AuraState& state, const AuraConfig& config) {
  if (state.window_count == 0) return false;
  std::uint64_t signers = 0;
  for (std::uint32_t i = 0; i < state.window_count; ++i) signers |= state.window[i].signers;
  const std::uint32_t distinct = static_cast<std::uint32_t>(std::popcount(signers));
  const std::uint32_t count = state.validators.count;
  return state.number >= config.two_thirds_from ? 3 * distinct > 2 * count : 2 * distinct > count;
}

void drop_from_window(AuraState& state, std::uint32_t index) {
  for (std::uint32_t i = index; i + 1 < state.window_count; ++i) state.window[i] = state.window[i + 1];
  state.window[--state.window_count] = AuraBlock();
}

void push_to_window(AuraState& state, const AuraBlock& block) {
  if (state.window_count == aura_window_max) {
    state.window[0].signers |= state.window[1].signers;
    drop_from_window(state, 1);
  }
  state.window[state.window_count++] = block;
}

}  // namespace

const Address& AuraVerifier::validator_of(std::uint64_t step) const {
  return trusted_->validators.items[static_cast<std::uint32_t>(step % trusted_->validators.count)];
}

Error AuraVerifier::begin(Bytes encoded, const AuraState& trusted, const AuraConfig& config, TimeBounds time) {
  phase_ = Phase::idle;
  trusted_ = &trusted;
  config_ = config;
  empty_steps_ = {};
  empty_step_count_ = 0;
  empty_step_signers_ = 0;
  is_author_known_ = false;
  if (trusted.is_signal_due) return Error::validator_set_pending;
  if (trusted.validators.count == 0) return Error::validators_empty;
  if (!is_aura(config.shape)) return Error::header_field_invalid;
  WATTPROOF_TRY(decode_header(encoded, config.shape, header_));
  WATTPROOF_TRY(check_against_parent(time));
  if (header_.gas_used > header_.gas_limit) return Error::header_field_invalid;
  if (header_.extra_data.size() > extra_size_max) return Error::extra_data_invalid;
  WATTPROOF_TRY(check_step());
  if (!equal(header_.coinbase, validator_of(header_.step))) return Error::wrong_author;
  WATTPROOF_TRY(read_empty_steps());
  WATTPROOF_TRY(check_difficulty());
  WATTPROOF_TRY(check_form(header_.step_signature));
  hash_header();
  phase_ = Phase::sealing;
  return Error::none;
}

Error AuraVerifier::check_against_parent(TimeBounds time) const {
  if (header_.timestamp_s > time.at_most.s) return Error::timestamp_in_future;
  if (header_.number == 0 || header_.number < trusted_->number) return Error::number_not_newer;
  if (!trusted_->is_linked) return Error::none;
  if (header_.number == trusted_->number) return Error::number_not_newer;
  if (header_.number - trusted_->number != 1) return Error::number_not_contiguous;
  if (!equal(header_.parent_hash, trusted_->hash)) return Error::parent_hash_mismatch;
  return header_.timestamp_s > trusted_->timestamp.s ? Error::none : Error::timestamp_too_early;
}

Error AuraVerifier::check_step() const {
  if (trusted_->is_linked && header_.step <= trusted_->step) return Error::wrong_step;
  if (config_.step_s == 0) return Error::none;
  // Real blocks carry the second before their step now and then, so equality is not asked for. But the step is not under
  // the seal, so a whole step off is too much: where neither parent nor other validators are known, this alone binds it.
  // The timestamp is held against the clock, so the step is less than one ahead of it; nodes allow four.
  const std::uint64_t due_s = time_of_step(header_.step, config_.step_s);
  return distance(due_s, header_.timestamp_s) < config_.step_s ? Error::none : Error::wrong_step;
}

Error AuraVerifier::read_empty_steps() {
  if (header_.empty_steps.empty()) return Error::none;
  RlpReader list = codec::open_rlp_list(header_.empty_steps);
  empty_steps_ = list.rest();
  std::uint64_t last = trusted_->is_linked ? trusted_->step : 0;
  while (!list.at_end()) {
    if (empty_step_count_++ == aura_empty_steps_max) return Error::too_large;
    const EmptyStep empty = read_empty_step(list);
    if (!empty.is_valid) return Error::header_field_invalid;
    if (empty.step <= last || empty.step >= header_.step) return Error::wrong_step;
    WATTPROOF_TRY(check_form(empty.signature));
    last = empty.step;
  }
  return Error::none;
}

// 2^128 - 1 + parent step - step + empty steps. The steps between are at least the empty ones, so it stays below 2^128
// and its upper half is all ones.
Error AuraVerifier::check_difficulty() const {
  if (!trusted_->is_linked) return Error::none;
  const std::uint64_t below = header_.step - trusted_->step - empty_step_count_;
  std::array<std::uint8_t, 16> due;
  store_be64(due.data(), UINT64_MAX);
  store_be64(due.data() + 8, UINT64_MAX - below);
  return equal(header_.difficulty, due) ? Error::none : Error::wrong_difficulty;
}

void AuraVerifier::hash_header() {
  // Fields 0 to 12 stand together; the base fee, if any, follows the seal fields but belongs to what is sealed.
  const std::uint8_t* first = header_.before_extra.data();
  const Bytes sealed(first, static_cast<std::size_t>(header_.after_extra.data() - first));
  const std::size_t size = sealed.size() + header_.base_fee.size();
  crypto::Keccak256 hash;
  hash.update(codec::rlp_list_prefix(static_cast<std::uint32_t>(size)).view());
  hash.update(sealed);
  hash.update(header_.base_fee);
  seal_hash_ = hash.finish();
  if (!header_.empty_steps.empty()) {
    hash.update(seal_hash_);
    hash.update(header_.empty_steps);
    seal_hash_ = hash.finish();
  }
  block_hash_ = hash_as_delivered(header_);
}

Error AuraVerifier::check_signer(const Hash32& digest, Bytes signature, std::uint64_t step) const {
  const Result<Address> signer = crypto::recover_address_any_s(digest, to_array<signature_size>(signature));
  if (!signer) return signer.error();
  if (*signer == validator_of(step)) return Error::none;
  return trusted_->validators.contains(*signer) ? Error::wrong_author : Error::unknown_signer;
}

Result<Progress> AuraVerifier::step() {
  if (phase_ != Phase::sealing) return Error::not_ready;
  phase_ = Phase::idle;
  if (!is_author_known_) {
    const Error error = check_signer(seal_hash_, header_.step_signature, header_.step);
    if (error != Error::none) return error;
    is_author_known_ = true;
  } else {
    RlpReader list(empty_steps_);
    const EmptyStep empty = read_empty_step(list);
    empty_steps_ = list.rest();
    const Hash32 digest = empty_step_digest(empty.step, header_.parent_hash);
    const Error error = check_signer(digest, empty.signature, empty.step);
    if (error != Error::none) return error;
    empty_step_signers_ |= signer_bit(trusted_->validators, validator_of(empty.step));
  }
  phase_ = empty_steps_.empty() ? Phase::accepted : Phase::sealing;
  return phase_ == Phase::accepted ? Progress::accepted : Progress::more;
}

void AuraVerifier::commit(AuraState& state) const {
  WATTPROOF_CHECK(phase_ == Phase::accepted);
  // Empty steps approve the parent, which is the newest open block unless the set has just changed.
  if (state.window_count != 0) state.window[state.window_count - 1].signers |= empty_step_signers_;
  state.number = header_.number;
  state.hash = block_hash_;
  state.timestamp = {header_.timestamp_s};
  state.step = header_.step;
  state.is_linked = true;
  push_to_window(state, {header_.number, block_hash_, {header_.timestamp_s}, to_array<32>(header_.state_root),
                         signer_bit(state.validators, header_.coinbase)});
  while (is_oldest_final(state, config_)) {
    state.final_block = state.window[0];
    state.final_block.signers = 0;
    state.has_final = true;
    drop_from_window(state, 0);
  }
  apply_pending_sets(state);
  state.is_signal_due = !is_zero(config_.validator_contract) &&
                        bloom_admits(header_.logs_bloom, config_.validator_contract) &&
                        bloom_admits(header_.logs_bloom, initiate_change_topic);
  if (!state.is_signal_due) return;
  state.signal_receipts_root = to_array<32>(header_.receipts_root);
  state.signal_parent_hash = to_array<32>(header_.parent_hash);
}

void apply_pending_sets(AuraState& state) {
  while (state.has_final && state.pending_count != 0 && state.pending[0].signal_number <= state.final_block.number) {
    state.validators = state.pending[0].validators;
    for (std::uint32_t i = 1; i < state.pending_count; ++i) state.pending[i - 1] = state.pending[i];
    state.pending[--state.pending_count] = AuraPending();
    // Finality is counted anew: what the old set has not finished becomes final with the new set's first final block.
    while (state.window_count != 0) drop_from_window(state, state.window_count - 1);
  }
}

}  // namespace wattproof::chain
