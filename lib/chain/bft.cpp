// SPDX-License-Identifier: Apache-2.0
#include "chain/bft.hpp"

#include "base/check.hpp"
#include "base/math.hpp"
#include "codec/rlp.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::chain {
namespace {

using codec::RlpItem;
using codec::RlpReader;

constexpr std::size_t encoded_address_size = 21;  // 0x94 and 20 bytes
constexpr std::size_t encoded_seal_size = 67;     // 0xb8 0x41 and 65 bytes
constexpr std::uint8_t empty_string = 0x80;
constexpr std::uint8_t empty_list = 0xc0;

// "ctical byzantine fault tolerance" in ASCII.
constexpr Hash32 bft_mix_hash = {0x63, 0x74, 0x69, 0x63, 0x61, 0x6c, 0x20, 0x62, 0x79, 0x7a, 0x61,
                                 0x6e, 0x74, 0x69, 0x6e, 0x65, 0x20, 0x66, 0x61, 0x75, 0x6c, 0x74,
                                 0x20, 0x74, 0x6f, 0x6c, 0x65, 0x72, 0x61, 0x6e, 0x63, 0x65};

static_assert(validator_count_max <= 64, "signers_ is a set of 64 bits");

// A vote is absent, or [address, ff] to add, or [address, 80] (QBFT) or [address, 00] (IBFT2) to drop.
bool is_vote(const RlpItem& item, BftKind kind) {
  if (!item.is_list) return kind == BftKind::ibft2 && item.payload.empty();
  if (item.payload.empty()) return kind == BftKind::qbft;
  RlpReader reader(item.payload);
  (void)reader.fixed(20);
  const Bytes encoded = reader.any().encoded();
  if (reader.finish() != Error::none) return false;
  constexpr std::array<std::uint8_t, 2> add{0x81, 0xff};
  const std::uint8_t drop = kind == BftKind::qbft ? empty_string : 0x00;
  return equal(encoded, add) || equal(encoded, Bytes(&drop, 1));
}

// QBFT writes the round as an integer, IBFT2 as four bytes.
bool is_round(const RlpItem& item, BftKind kind) {
  if (item.is_list) return false;
  if (kind == BftKind::ibft2) return item.payload.size() == 4;
  return item.payload.empty() || (item.payload[0] != 0 && item.payload.size() <= 4);
}

}  // namespace

Error BftVerifier::begin(Bytes encoded, const TrustedHead& trusted, const BftConfig& config, TimeBounds time) {
  phase_ = Phase::idle;
  trusted_ = &trusted;
  config_ = config;
  next_seal_ = 0;
  signers_ = 0;
  trusted_signer_count_ = 0;
  block_hash_ = {};

  if (trusted.is_conflicting) return Error::conflicting_final_headers;
  WATTPROOF_TRY(decode_header(encoded, config.shape, header_));
  WATTPROOF_TRY(check_against_head(time));
  WATTPROOF_TRY(check_fields());
  WATTPROOF_TRY(read_extra_data());
  WATTPROOF_TRY(check_overlap());
  WATTPROOF_TRY(check_seal_forms());
  hash_header();
  if (is_same_height() && block_hash_ == trusted.hash) return Error::number_not_newer;
  phase_ = Phase::sealing;
  return Error::none;
}

bool BftVerifier::is_same_height() const { return trusted_->is_linked && header_.number == trusted_->number; }

Error BftVerifier::check_against_head(TimeBounds time) const {
  const TrustedHead& head = *trusted_;
  if (header_.number < head.number || header_.number == 0) return Error::number_not_newer;
  if (header_.timestamp_s > time.at_most.s) return Error::timestamp_in_future;
  if (!head.is_linked) return Error::none;

  // Before the exception for the head's own height: keys that left the set long ago must not be able to latch a conflict.
  const std::uint64_t now_s = time.at_least.s > header_.timestamp_s ? time.at_least.s : header_.timestamp_s;
  if (now_s > head.timestamp.s && now_s - head.timestamp.s > config_.trusting_period_s) {
    return Error::trusting_period_over;
  }
  if (is_same_height()) return Error::none;

  const std::uint64_t blocks = header_.number - head.number;
  const Result<std::uint64_t> least_s = checked_mul<std::uint64_t>(blocks, config_.period_s_min);
  if (header_.timestamp_s < head.timestamp.s) return Error::timestamp_too_early;
  if (!least_s || header_.timestamp_s - head.timestamp.s < *least_s) return Error::timestamp_too_early;
  if (blocks == 1 && !equal(header_.parent_hash, head.hash)) return Error::parent_hash_mismatch;
  return Error::none;
}

Error BftVerifier::check_fields() const {
  const bool is_valid = equal(header_.mix_hash, bft_mix_hash) && difficulty_is(header_, 1) &&
                        header_.gas_used <= header_.gas_limit;
  if (!is_valid) return Error::header_field_invalid;
  // Besu checks these for IBFT2 only. For QBFT the seals bind them anyway, and being stricter than the nodes could
  // stall a device on a block that its chain has accepted.
  if (config_.kind == BftKind::ibft2 && !(equal(header_.ommers_hash, no_ommers_hash) && is_zero(header_.nonce))) {
    return Error::header_field_invalid;
  }
  return Error::none;
}

Error BftVerifier::read_extra_data() {
  RlpReader reader = codec::open_rlp_list(header_.extra_data);
  const Bytes items = reader.rest();
  (void)reader.fixed(32);  // vanity
  const Bytes validators = reader.list();
  const RlpItem vote = reader.any();
  extra_before_round_ = items.first(items.size() - reader.rest().size());
  const RlpItem round = reader.any();
  extra_round_ = round.encoded();
  const Bytes seals = reader.list();
  if (reader.finish() != Error::none) return Error::extra_data_invalid;
  if (!is_vote(vote, config_.kind) || !is_round(round, config_.kind)) return Error::extra_data_invalid;

  if (config_.source == ValidatorSource::configuration && !(validators.empty() && vote.payload.empty())) {
    return Error::extra_data_invalid;
  }
  WATTPROOF_TRY(read_validators(validators));
  return read_seals(seals);
}

Error BftVerifier::read_validators(Bytes list) {
  validators_ = list;
  if (config_.source == ValidatorSource::configuration) {
    validator_count_ = trusted_->validators.count;
  } else {
    RlpReader reader(list);
    while (!reader.at_end()) (void)reader.fixed(20);
    if (reader.error() != Error::none) return Error::extra_data_invalid;
    if (list.size() > validator_count_max * encoded_address_size) return Error::validators_too_many;
    validator_count_ = static_cast<std::uint32_t>(list.size() / encoded_address_size);
  }
  if (validator_count_ == 0) return Error::validators_empty;

  bool has_coinbase = false;
  for (std::uint32_t i = 0; i < validator_count_; ++i) {
    const Bytes address = validator(i);
    if (i != 0 && std::memcmp(validator(i - 1).data(), address.data(), address.size()) >= 0) {
      return Error::validators_not_ascending;
    }
    has_coinbase = has_coinbase || equal(address, header_.coinbase);
  }
  return has_coinbase ? Error::none : Error::coinbase_not_validator;
}

Error BftVerifier::read_seals(Bytes list) {
  RlpReader reader(list);
  while (!reader.at_end()) {
    const Bytes seal = reader.string();
    if (reader.error() == Error::none && seal.size() != 65) return Error::seal_length;
  }
  if (reader.error() != Error::none) return Error::extra_data_invalid;
  seals_ = list;
  seal_count_ = static_cast<std::uint32_t>(list.size() / encoded_seal_size);
  // With more seals than validators one is doubled or foreign; which one would cost curve work to say.
  if (seal_count_ > validator_count_) return Error::seals_too_many;
  if (seal_count_ < bft_quorum(validator_count_)) return Error::seal_below_quorum;
  return Error::none;
}

// Whether the seals could satisfy rule 1 at all: every seal will have to be by a member of L.
Error BftVerifier::check_overlap() const {
  std::uint32_t common = 0;
  for (std::uint32_t i = 0; i < validator_count_; ++i) common += trusted_->validators.contains(validator(i)) ? 1U : 0U;
  return 3 * common > trusted_->validators.count ? Error::none : Error::overlap_too_small;
}

Error BftVerifier::check_seal_forms() const {
  for (std::uint32_t i = 0; i < seal_count_; ++i) {
    WATTPROOF_TRY(crypto::check_signature(to_array<65>(seal(i))));
  }
  return Error::none;
}

// extraData without its seals; the block hash leaves out the round too, so that a block keeps its hash whichever round
// and whichever quorum sealed it.
void BftVerifier::hash_header() {
  const bool is_qbft = config_.kind == BftKind::qbft;
  const Bytes no_seals = is_qbft ? Bytes(&empty_list, 1) : Bytes();
  const Bytes no_round = is_qbft ? Bytes(&empty_string, 1) : Bytes();
  const auto hash_with_round = [&](Bytes round) {
    const std::size_t size = extra_before_round_.size() + round.size() + no_seals.size();
    const codec::RlpSmall prefix = codec::rlp_list_prefix(static_cast<std::uint32_t>(size));
    const std::array<Bytes, 4> parts{prefix.view(), extra_before_round_, round, no_seals};
    return hash_with_extra(header_, parts);
  };
  seal_hash_ = hash_with_round(extra_round_);
  block_hash_ = equal(extra_round_, no_round) ? seal_hash_ : hash_with_round(no_round);
}

Result<Progress> BftVerifier::step() {
  if (phase_ != Phase::sealing) return Error::not_ready;
  phase_ = Phase::idle;  // until this seal has proved good

  const Result<Address> signer = crypto::recover_address(seal_hash_, to_array<65>(seal(next_seal_)));
  if (!signer) return signer.error();
  if (const Error error = take_signer(*signer); error != Error::none) return error;
  if (++next_seal_ < seal_count_) {
    phase_ = Phase::sealing;
    return Progress::more;
  }
  if (3 * trusted_signer_count_ <= trusted_->validators.count) return Error::overlap_too_small;
  if (is_same_height()) return Error::conflicting_final_headers;
  phase_ = Phase::accepted;
  return Progress::accepted;
}

Error BftVerifier::take_signer(const Address& signer) {
  for (std::uint32_t i = 0; i < validator_count_; ++i) {
    if (!equal(validator(i), signer)) continue;
    const std::uint64_t bit = std::uint64_t{1} << i;
    if ((signers_ & bit) != 0) return Error::duplicate_signer;
    signers_ |= bit;
    trusted_signer_count_ += trusted_->validators.contains(signer) ? 1U : 0U;
    return Error::none;
  }
  return Error::unknown_signer;
}

void BftVerifier::commit(TrustedHead& head) const {
  WATTPROOF_CHECK(phase_ == Phase::accepted);
  head.number = header_.number;
  head.hash = block_hash_;
  head.timestamp = {header_.timestamp_s};
  head.state_root = to_array<32>(header_.state_root);
  head.is_linked = true;
  if (config_.source == ValidatorSource::configuration) return;
  head.validators = ValidatorSet();
  head.validators.count = validator_count_;
  for (std::uint32_t i = 0; i < validator_count_; ++i) head.validators.items[i] = to_array<20>(validator(i));
}

Bytes BftVerifier::validator(std::uint32_t index) const {
  if (config_.source == ValidatorSource::configuration) return trusted_->validators.items[index];
  return validators_.subspan(index * encoded_address_size + 1, 20);
}

Bytes BftVerifier::seal(std::uint32_t index) const { return seals_.subspan(index * encoded_seal_size + 2, 65); }

}  // namespace wattproof::chain
