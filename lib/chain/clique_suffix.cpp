// SPDX-License-Identifier: Apache-2.0
#include "chain/clique_suffix.hpp"

#include "base/check.hpp"
#include "base/math.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::chain {
namespace {

// Whether `blocks` blocks of at least `period_s` can lie between two times.
bool is_time_enough(std::uint64_t from_s, std::uint64_t to_s, std::uint64_t blocks, std::uint32_t period_s) {
  const Result<std::uint64_t> least_s = checked_mul<std::uint64_t>(blocks, period_s);
  return to_s >= from_s && least_s && to_s - from_s >= *least_s;
}

}  // namespace

void CliqueSuffix::start(const CliqueState& trusted, const CliqueConfig& config) {
  *this = CliqueSuffix();
  trusted_ = {&trusted.signers, trusted.number, trusted.hash, trusted.timestamp, trusted.is_linked};
  config_ = config;
  phase_ = Phase::between;
}

void CliqueSuffix::start(const TrustedHead& trusted, const CliqueConfig& config) {
  *this = CliqueSuffix();
  trusted_ = {&trusted.validators, trusted.number, trusted.hash, trusted.timestamp, trusted.is_linked};
  config_ = config;
  phase_ = Phase::between;
}

Error CliqueSuffix::begin(Bytes encoded, TimeBounds time) {
  if (phase_ != Phase::between) return Error::not_ready;
  phase_ = Phase::idle;
  if (trusted_.signers->count == 0) return Error::validators_empty;
  CliqueHeader header;
  WATTPROOF_TRY(decode_clique_header(encoded, config_, header));
  WATTPROOF_TRY(check_link(header, time));
  if (header.is_epoch && !is_clique_list_of(header.signers, *trusted_.signers)) return Error::validators_mismatch;

  last_ = {header.header.number, hash_as_delivered(header.header), {header.header.timestamp_s},
           to_array<32>(header.header.state_root), Address{}};
  if (signer_count_ == 0) first_ = last_;
  difficulty_ = header.header.difficulty[0];
  seal_hash_ = clique_seal_hash(header);
  seal_ = to_array<65>(header.seal);
  phase_ = Phase::sealing;
  return Error::none;
}

Error CliqueSuffix::check_link(const CliqueHeader& clique, TimeBounds time) const {
  const Header& header = clique.header;
  if (header.timestamp_s > time.at_most.s) return Error::timestamp_in_future;
  if (signer_count_ != 0) {
    if (header.number - last_.number != 1) return Error::number_not_contiguous;
    if (!equal(header.parent_hash, last_.hash)) return Error::parent_hash_mismatch;
    const bool is_late = is_time_enough(last_.timestamp.s, header.timestamp_s, 1, config_.period_s_min);
    return is_late ? Error::none : Error::timestamp_too_early;
  }
  if (header.number <= trusted_.number) return Error::number_not_newer;
  if (!trusted_.is_linked) return Error::none;
  const std::uint64_t blocks = header.number - trusted_.number;
  if (!is_time_enough(trusted_.timestamp.s, header.timestamp_s, blocks, config_.period_s_min)) {
    return Error::timestamp_too_early;
  }
  const std::uint64_t now_s = time.at_least.s > header.timestamp_s ? time.at_least.s : header.timestamp_s;
  if (now_s - trusted_.timestamp.s > config_.trusting_period_s) return Error::trusting_period_over;
  if (blocks == 1 && !equal(header.parent_hash, trusted_.hash)) return Error::parent_hash_mismatch;
  return Error::none;
}

Result<Progress> CliqueSuffix::step() {
  if (phase_ != Phase::sealing) return Error::not_ready;
  phase_ = Phase::idle;
  const Result<Address> signer = crypto::recover_address_any_s(seal_hash_, seal_);
  if (!signer) return signer.error();
  const ValidatorSet& set = *trusted_.signers;
  const std::uint32_t index = set.index_of(*signer);
  if (index == validator_absent) return Error::unknown_signer;
  const std::uint64_t bit = std::uint64_t{1} << index;
  if ((signers_ & bit) != 0) return Error::signed_recently;
  if (difficulty_ != clique_difficulty(last_.number, index, set.count)) return Error::wrong_difficulty;
  signers_ |= bit;
  last_.signer = *signer;
  if (signer_count_ == 0) first_.signer = *signer;
  ++signer_count_;
  phase_ = Phase::between;
  return signer_count_ >= majority(set.count) ? Progress::accepted : Progress::more;
}

Result<CliqueBlock> CliqueSuffix::settled() const {
  if (trusted_.signers == nullptr || signer_count_ < majority(trusted_.signers->count)) return Error::not_final;
  return first_;
}

void CliqueSuffix::commit(CliqueState& state) const {
  const Result<CliqueBlock> block = settled();
  WATTPROOF_CHECK(bool(block));
  const ValidatorSet signers = state.signers;
  const std::uint64_t difficulty_sum = state.difficulty_sum;
  state = CliqueState();
  state.signers = signers;
  state.difficulty_sum = difficulty_sum;
  state.number = block->number;
  state.hash = block->hash;
  state.timestamp = block->timestamp;
  state.is_linked = true;
  state.recent[0] = *block;
  state.recent_count = 1;
}

void CliqueSuffix::commit(TrustedHead& head) const {
  const Result<CliqueBlock> block = settled();
  WATTPROOF_CHECK(bool(block));
  head.number = block->number;
  head.hash = block->hash;
  head.timestamp = block->timestamp;
  head.state_root = block->state_root;
  head.is_linked = true;
}

}  // namespace wattproof::chain
