// SPDX-License-Identifier: Apache-2.0
#include "chain/clique.hpp"

#include "base/check.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::chain {
namespace {

constexpr std::size_t vanity_size = 32;
constexpr std::size_t seal_size = 65;
constexpr std::size_t address_size = 20;
constexpr std::uint8_t nonce_add = 0xff;  // eight of them; eight zeros drop

bool is_repeated(Bytes bytes, std::uint8_t value) {
  for (const std::uint8_t byte : bytes) {
    if (byte != value) return false;
  }
  return true;
}

Error check_list(Bytes list) {
  const std::size_t count = list.size() / address_size;
  if (count == 0) return Error::validators_empty;
  if (count > validator_count_max) return Error::validators_too_many;
  for (std::size_t i = 1; i < count; ++i) {
    const std::uint8_t* before = &list[(i - 1) * address_size];
    if (std::memcmp(before, before + address_size, address_size) >= 0) return Error::validators_not_ascending;
  }
  return Error::none;
}

void insert_sorted(ValidatorSet& set, const Address& address) {
  std::uint32_t place = set.count++;
  while (place > 0 && std::memcmp(set.items[place - 1].data(), address.data(), address_size) > 0) {
    set.items[place] = set.items[place - 1];
    --place;
  }
  set.items[place] = address;
}

void erase(ValidatorSet& set, std::uint32_t index) {
  for (std::uint32_t i = index; i + 1 < set.count; ++i) set.items[i] = set.items[i + 1];
  set.items[--set.count] = Address{};
}

// Keeps the votes for which `keep` holds, in order. What lies beyond the count stays zero, so equal states are equal bytes.
void keep_votes(CliqueState& state, auto keep) {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < state.vote_count; ++i) {
    if (keep(state.votes[i])) state.votes[kept++] = state.votes[i];
  }
  for (std::uint32_t i = kept; i < state.vote_count; ++i) state.votes[i] = CliqueVote();
  state.vote_count = kept;
}

// The votes on a target are all in one direction, since only a change of its membership could turn it, and that ends them.
struct Tally {
  std::uint32_t count = 0;
  bool is_add = false;
};

Tally tally_of(const CliqueState& state, const Address& target) {
  Tally tally;
  for (std::uint32_t i = 0; i < state.vote_count; ++i) {
    if (state.votes[i].target != target) continue;
    ++tally.count;
    tally.is_add = state.votes[i].is_add;
  }
  return tally;
}

void remember(CliqueState& state, const CliqueBlock& block) {
  if (state.recent_count == clique_recent_max) {
    for (std::uint32_t i = 1; i < clique_recent_max; ++i) state.recent[i - 1] = state.recent[i];
    --state.recent_count;
  }
  state.recent[state.recent_count++] = block;
}

// Signers of the last `limit - 1` blocks must wait. How many that are follows from the present size of the set, so a
// changed set needs no other care than geth's explicit forgetting has in effect.
bool has_signed_recently(const CliqueState& state, const Address& signer, std::uint64_t number) {
  const std::uint64_t limit = majority(state.signers.count);
  for (std::uint32_t i = 0; i < state.recent_count; ++i) {
    const CliqueBlock& block = state.recent[i];
    if (number - block.number < limit && block.signer == signer) return true;
  }
  return false;
}

}  // namespace

bool is_clique_list_of(Bytes list, const ValidatorSet& set) {
  if (list.size() != set.count * address_size) return false;
  for (std::uint32_t i = 0; i < set.count; ++i) {
    if (!equal(list.subspan(i * address_size, address_size), set.items[i])) return false;
  }
  return true;
}

std::uint8_t clique_difficulty(std::uint64_t number, std::uint32_t signer_index, std::uint32_t signer_count) {
  return number % signer_count == signer_index ? 2 : 1;
}

Error decode_clique_header(Bytes encoded, const CliqueConfig& config, CliqueHeader& out) {
  out = CliqueHeader();
  Header& header = out.header;
  if (config.shape != HeaderShape::frontier && config.shape != HeaderShape::london) return Error::header_field_invalid;
  WATTPROOF_TRY(decode_header(encoded, config.shape, header));
  out.is_epoch = config.epoch_length != 0 && header.number % config.epoch_length == 0;
  out.is_add = header.nonce[0] == nonce_add;
  const bool is_vote = is_repeated(header.nonce, nonce_add) || is_zero(header.nonce);
  const bool is_valid = is_vote && is_zero(header.mix_hash) && equal(header.ommers_hash, no_ommers_hash) &&
                        header.gas_used <= header.gas_limit;
  if (!is_valid) return Error::header_field_invalid;
  if (out.is_epoch && (out.is_add || !is_zero(header.coinbase))) return Error::header_field_invalid;
  if (!difficulty_is(header, 1) && !difficulty_is(header, 2)) return Error::wrong_difficulty;

  const Bytes extra = header.extra_data;
  if (extra.size() < vanity_size + seal_size) return Error::extra_data_invalid;
  const std::size_t list_size = extra.size() - vanity_size - seal_size;
  if (list_size % address_size != 0 || (!out.is_epoch && list_size != 0)) return Error::extra_data_invalid;
  out.signers = extra.subspan(vanity_size, list_size);
  out.seal = extra.last(seal_size);
  if (out.is_epoch) WATTPROOF_TRY(check_list(out.signers));
  const Error form = crypto::check_signature(to_array<seal_size>(out.seal));
  return form == Error::signature_high_s ? Error::none : form;
}

Hash32 clique_seal_hash(const CliqueHeader& header) {
  const Bytes extra = header.header.extra_data;
  const std::array<Bytes, 1> parts{extra.first(extra.size() - seal_size)};
  return hash_with_extra(header.header, parts);
}

Result<CliqueBlock> settled_block(const CliqueState& state) {
  std::uint64_t seen = 0;
  std::uint32_t distinct = 0;
  for (std::uint32_t i = state.recent_count; i-- > 0;) {
    const std::uint32_t index = state.signers.index_of(state.recent[i].signer);
    if (index == validator_absent || (seen >> index & 1) != 0) continue;
    seen |= std::uint64_t{1} << index;
    if (++distinct >= majority(state.signers.count)) return state.recent[i];
  }
  return Error::not_final;
}

Error CliqueVerifier::begin(Bytes encoded, const CliqueState& trusted, const CliqueConfig& config, TimeBounds time) {
  phase_ = Phase::idle;
  trusted_ = &trusted;
  if (trusted.signers.count == 0) return Error::validators_empty;
  WATTPROOF_TRY(decode_clique_header(encoded, config, header_));
  const Header& header = header_.header;
  WATTPROOF_TRY(check_against_parent(time));
  if (trusted.is_linked) {
    const std::uint64_t passed_s = header.timestamp_s - trusted.timestamp.s;
    if (header.timestamp_s < trusted.timestamp.s || passed_s < config.period_s_min) return Error::timestamp_too_early;
  }
  if (header_.is_epoch && !is_clique_list_of(header_.signers, trusted.signers)) return Error::validators_mismatch;
  seal_hash_ = clique_seal_hash(header_);
  block_hash_ = hash_as_delivered(header);
  phase_ = Phase::sealing;
  return Error::none;
}

Error CliqueVerifier::check_against_parent(TimeBounds time) const {
  const Header& header = header_.header;
  if (header.timestamp_s > time.at_most.s) return Error::timestamp_in_future;
  if (header.number == 0 || header.number < trusted_->number) return Error::number_not_newer;
  if (!trusted_->is_linked) return Error::none;
  if (header.number == trusted_->number) return Error::number_not_newer;
  if (header.number - trusted_->number != 1) return Error::number_not_contiguous;
  return equal(header.parent_hash, trusted_->hash) ? Error::none : Error::parent_hash_mismatch;
}

Result<Progress> CliqueVerifier::step() {
  if (phase_ != Phase::sealing) return Error::not_ready;
  phase_ = Phase::idle;
  const Result<Address> signer = crypto::recover_address_any_s(seal_hash_, to_array<seal_size>(header_.seal));
  if (!signer) return signer.error();
  signer_ = *signer;
  const ValidatorSet& signers = trusted_->signers;
  const std::uint32_t index = signers.index_of(signer_);
  if (index == validator_absent) return Error::unknown_signer;
  const std::uint64_t number = header_.header.number;
  if (has_signed_recently(*trusted_, signer_, number)) return Error::signed_recently;
  if (!difficulty_is(header_.header, clique_difficulty(number, index, signers.count))) return Error::wrong_difficulty;
  if (const Error error = check_vote(); error != Error::none) return error;
  phase_ = Phase::accepted;
  return Progress::accepted;
}

// Whether commit will have room for what the vote does.
Error CliqueVerifier::check_vote() const {
  const Address target = to_array<address_size>(header_.header.coinbase);
  const bool is_member = trusted_->signers.contains(target);
  std::uint32_t others = 0;
  std::uint32_t on_target = 0;
  for (std::uint32_t i = 0; !header_.is_epoch && i < trusted_->vote_count; ++i) {
    const CliqueVote& vote = trusted_->votes[i];
    if (vote.signer == signer_ && vote.target == target) continue;
    ++others;
    on_target += vote.target == target ? 1U : 0U;
  }
  if (is_member != header_.is_add) {
    if (others == clique_vote_count_max) return Error::votes_too_many;
    ++on_target;
  }
  const bool grows = !is_member && on_target > trusted_->signers.count / 2;
  return grows && trusted_->signers.count == validator_count_max ? Error::validators_too_many : Error::none;
}

void CliqueVerifier::commit(CliqueState& state) const {
  WATTPROOF_CHECK(phase_ == Phase::accepted);
  const Header& header = header_.header;
  state.number = header.number;
  state.hash = block_hash_;
  state.timestamp = {header.timestamp_s};
  state.is_linked = true;
  state.difficulty_sum += header.difficulty[0];
  remember(state, {header.number, block_hash_, {header.timestamp_s}, to_array<32>(header.state_root), signer_});

  const Address target = to_array<address_size>(header.coinbase);
  keep_votes(state, [&](const CliqueVote& vote) {
    return !header_.is_epoch && !(vote.signer == signer_ && vote.target == target);
  });
  // A vote counts if it could change something: add somebody who is no signer, or drop one who is.
  if (state.signers.contains(target) != header_.is_add) {
    WATTPROOF_CHECK(state.vote_count < clique_vote_count_max);
    state.votes[state.vote_count++] = {signer_, target, header_.is_add};
  }
  // Only this target may change now; others whose majority a smaller set has made wait until they are voted on.
  const Tally tally = tally_of(state, target);
  if (tally.count <= state.signers.count / 2) return;
  if (tally.is_add) {
    insert_sorted(state.signers, target);
  } else {
    erase(state.signers, state.signers.index_of(target));
    keep_votes(state, [&](const CliqueVote& vote) { return vote.signer != target; });
  }
  keep_votes(state, [&](const CliqueVote& vote) { return vote.target != target; });
}

}  // namespace wattproof::chain
