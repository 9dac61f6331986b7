// SPDX-License-Identifier: Apache-2.0
#include "node/fetch.hpp"

#include "base/check.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::node {

using message::What;

void Fetch::begin_words(const Address& contract, std::span<const Hash32> slots) {
  WATTPROOF_CHECK(outcome_ == Outcome::idle && slots.size() <= fetch_words_max);
  contract_ = contract;
  slot_count_ = static_cast<std::uint32_t>(slots.size());
  for (std::uint32_t i = 0; i < slot_count_; ++i) slots_[i] = slots[i];
  slot_ = 0;
  outcome_ = Outcome::pending;
  took_new_head_ = false;
  phase_ = Phase::header;
  block_ = 0;
  is_run_ = false;
  ask(What::header);
}

Error Fetch::begin_data(What what, Bytes key, std::uint32_t size, const Hash32& expected, MutableBytes into) {
  WATTPROOF_CHECK(outcome_ == Outcome::words_proved || outcome_ == Outcome::data_proved);
  WATTPROOF_CHECK(key.size() <= key_.size());
  if (into.size() < size) return Error::capacity;
  key_size_ = static_cast<std::uint32_t>(key.size());
  for (std::uint32_t i = 0; i < key_size_; ++i) key_[i] = key[i];
  into_ = into;
  total_ = size;
  received_ = 0;
  expected_ = expected;
  outcome_ = Outcome::pending;
  phase_ = Phase::data;
  ask(what);
  return Error::none;
}

void Fetch::ask(What what) {
  what_ = what;
  ++sequence_;
  offset_ = 0;
  tries_ = 0;
  is_sent_ = false;
}

bool Fetch::next_want(FetchContext context, message::Want& want) {
  if (outcome_ != Outcome::pending || phase_ == Phase::sealing) return false;
  if (is_sent_ && context.now.since(sent_) < context.config.link.answer_ms_max) return false;
  if (tries_ >= context.config.link.tries_max) {
    fail(Error::link_down, context);
    return false;
  }
  ++tries_;
  is_sent_ = true;
  sent_ = context.now;
  want.sequence = sequence_;
  want.what = what_;
  want.block = block_;
  want.subject = what_ == What::header ? Bytes{} : Bytes(contract_);
  want.key = Bytes(key_).first(what_ == What::header || what_ == What::account_proof ? 0 : key_size_);
  want.offset = offset_;
  return true;
}

BootMs Fetch::next_wake(BootMs now, const LinkConfig& link) const {
  if (outcome_ == Outcome::idle) return pause_until_ > now ? pause_until_ : now;
  if (outcome_ != Outcome::pending || phase_ == Phase::sealing || !is_sent_) return now;
  return sent_.plus(link.answer_ms_max);
}

void Fetch::take(const message::DownFrame& frame, FetchContext context) {
  if (outcome_ != Outcome::pending || !is_sent_) return;
  using message::FrameKind;
  switch (frame.kind) {
    case FrameKind::header:
      if (phase_ == Phase::header && frame.part.sequence == sequence_) take_header(frame.part, context);
      return;
    case FrameKind::nodes:
      if (frame.nodes.sequence == sequence_) take_nodes(frame.nodes, context);
      return;
    case FrameKind::data:
      if (phase_ == Phase::data && frame.part.sequence == sequence_) take_data(frame.part, context);
      return;
    case FrameKind::none:
      if (frame.none.sequence == sequence_ && phase_ != Phase::sealing) fail(Error::not_ready, context);
      return;
    default: return;
  }
}

// Appends a part; the next one is asked for under a new sequence so that a doubled answer is not taken twice.
Error Fetch::copy_part(const message::Part& part, MutableBytes into) {
  if (part.offset != received_ || part.total != total_) return Error::unexpected;
  if (total_ > into.size() || part.bytes.size() > total_ - received_) return Error::too_large;
  std::memcpy(into.data() + received_, part.bytes.data(), part.bytes.size());
  received_ += static_cast<std::uint32_t>(part.bytes.size());
  return Error::none;
}

void Fetch::take_header(const message::Part& part, FetchContext context) {
  if (offset_ == 0) {
    if (context.config.chain.is_clique) {
      if (!is_run_ && !begin_run(part.block, context)) return;
    } else if (part.block == context.head.number && context.head.is_linked) {
      take_known_head(context);
      return;
    } else {
      block_ = part.block;
    }
    total_ = part.total;
    received_ = 0;
  }
  Error error = part.block == block_ ? Error::none : Error::unexpected;
  if (ok(error)) error = copy_part(part, delivery_);
  if (!ok(error)) {
    fail(error, context);
    return;
  }
  if (received_ < total_) {
    ask(What::header);
    offset_ = received_;
    return;
  }
  begin_header(context);
}

// Nothing newer, and the head is proved already; only of a checkpoint the state is not known.
void Fetch::take_known_head(FetchContext context) {
  if (is_zero(context.head.state_root)) {
    fail(Error::not_ready, context);
  } else {
    begin_account(context);
  }
}

// The newest block of a Clique chain is nobody's word yet. The one that counts has so many headers on it that more than half of
// the signers have sealed. False if the present part is not of it: it is known already, or asked for now.
bool Fetch::begin_run(std::uint64_t newest, FetchContext context) {
  const std::uint64_t above = chain::majority(context.head.validators.count) - 1;
  const std::uint64_t settled = newest < above ? 0 : newest - above;
  if (settled <= context.head.number) {
    take_known_head(context);
    return false;
  }
  suffix_.start(context.head, context.config.chain.clique);
  is_run_ = true;
  block_ = settled;
  if (settled == newest) return true;
  ask(What::header);
  return false;
}

Result<chain::Progress> Fetch::step_run(FetchContext context) {
  const Result<chain::Progress> progress = suffix_.step();
  if (!progress) return progress;
  if (*progress == chain::Progress::accepted) {
    suffix_.commit(context.head);
    is_run_ = false;
  } else {
    ++block_;
    phase_ = Phase::header;
    ask(What::header);
  }
  return progress;
}

// Which block it is says the header itself; a second final one at the head's height is found out by its seals.
void Fetch::begin_header(FetchContext context) {
  const Bytes header = Bytes(delivery_).first(total_);
  const chain::TimeBounds time = context.freshness.bounds(context.now);
  const Error error = is_run_ ? suffix_.begin(header, time)
                              : verifier_.begin(header, context.head, context.config.chain.engine, time);
  if (!ok(error)) {
    fail(error, context);
    return;
  }
  phase_ = Phase::sealing;
}

void Fetch::work(FetchContext context) {
  if (phase_ != Phase::sealing) return;
  const Result<chain::Progress> progress = is_run_ ? step_run(context) : verifier_.step();
  if (!progress) {
    if (progress.error() == Error::conflicting_final_headers) context.head.is_conflicting = true;
    fail(progress.error(), context);
    return;
  }
  if (*progress == chain::Progress::accepted) accept_head(context);
}

void Fetch::accept_head(FetchContext context) {
  if (!context.config.chain.is_clique) commit_head(context.head);
  context.freshness.observe(context.head.timestamp, context.now);
  took_new_head_ = true;
  begin_account(context);
}

// Apart and never inlined: its copy of a set must not lie below the work on seals.
[[gnu::noinline]] void Fetch::commit_head(chain::TrustedHead& head) {
  const chain::ValidatorSet before = head.validators;
  verifier_.commit(head);
  if (!(head.validators == before)) has_new_set_ = true;
}

void Fetch::begin_account(FetchContext context) {
  block_ = context.head.number;
  if (slot_count_ == 0) {
    succeed(Outcome::words_proved);
    return;
  }
  proof_.begin(context.head.state_root, chain::account_key(contract_));
  phase_ = Phase::account;
  ask(What::account_proof);
}

void Fetch::begin_storage() {
  // A contract that stores nothing proves every word zero by its root alone.
  while (slot_ < slot_count_ && storage_root_ == chain::empty_trie_root) words_[slot_++] = Hash32{};
  if (slot_ == slot_count_) {
    succeed(Outcome::words_proved);
    return;
  }
  key_ = slots_[slot_];
  key_size_ = 32;
  proof_.begin(storage_root_, chain::storage_key(slots_[slot_]));
  phase_ = Phase::storage;
  ask(What::storage_proof);
}

void Fetch::take_nodes(const message::Nodes& nodes, FetchContext context) {
  if (phase_ != Phase::account && phase_ != Phase::storage) return;
  if (nodes.offset != offset_) return;
  const Phase before = phase_;
  const std::uint32_t slot_before = slot_;
  for (std::uint32_t i = 0; i < nodes.count; ++i) {
    const Error error = phase_ == before && slot_ == slot_before
                            ? push_node(nodes.items[i], nodes.offset + i + 1 == nodes.total)
                            : Error::trie_trailing_nodes;
    if (!ok(error)) {
      fail(error, context);
      return;
    }
  }
  if (phase_ != before || slot_ != slot_before || outcome_ != Outcome::pending) return;  // complete: the next piece is asked for
  const std::uint32_t next = nodes.offset + nodes.count;
  ask(what_);
  offset_ = next;
}

Error Fetch::push_node(Bytes node, bool is_last) {
  const Result<chain::TrieProgress> progress = proof_.push(node);
  if (!progress) return progress.error();
  const bool is_answered = *progress != chain::TrieProgress::more;
  if (is_last && !is_answered) return Error::trie_truncated;
  if (!is_last && is_answered) return Error::trie_trailing_nodes;
  return is_answered ? take_answer() : Error::none;
}

Error Fetch::take_answer() {
  if (phase_ == Phase::account) {
    const Result<chain::Account> account = chain::contract_of(proof_);
    if (!account) return account.error();
    storage_root_ = account->storage_root;
  } else {
    const Result<Hash32> word = chain::word_of(proof_);
    if (!word) return word.error();
    words_[slot_] = *word;
    ++slot_;
  }
  begin_storage();
  return Error::none;
}

void Fetch::take_data(const message::Part& part, FetchContext context) {
  const Error error = copy_part(part, into_);
  if (!ok(error)) {
    fail(error, context);
    return;
  }
  if (received_ < total_) {
    const What what = what_;
    ask(what);
    offset_ = received_;
    return;
  }
  if (crypto::keccak256(Bytes(into_).first(total_)) != expected_) {
    fail(Error::value_mismatch, context);
    return;
  }
  succeed(Outcome::data_proved);
}

void Fetch::succeed(Outcome outcome) {
  phase_ = Phase::idle;
  outcome_ = outcome;
  error_ = Error::none;
  // Only progress ends a row of failures: a true answer about a head that is known already costs a gateway nothing.
  if (took_new_head_) pause_ms_ = 0;
}

void Fetch::fail(Error error, FetchContext context) {
  const LinkConfig& link = context.config.link;
  if (pause_ms_ > link.pause_ms_max / 2) {
    pause_ms_ = link.pause_ms_max;
  } else {
    pause_ms_ = pause_ms_ == 0 ? link.pause_ms_min : pause_ms_ * 2;
  }
  pause_until_ = context.now.plus(pause_ms_);
  phase_ = Phase::idle;
  outcome_ = Outcome::failed;
  error_ = error;
}

void Fetch::forget() {
  phase_ = Phase::idle;
  outcome_ = Outcome::idle;
}

void Fetch::nudge(BootMs now, const LinkConfig& link) {
  if (outcome_ == Outcome::pending && is_sent_ && now.since(sent_) >= link.pause_ms_min) is_sent_ = false;
}

void Fetch::link_up(BootMs now) {
  const bool was_silent = error_ == Error::link_down || error_ == Error::not_ready;
  if (was_silent) pause_until_ = now;
  if (outcome_ == Outcome::pending) is_sent_ = false;
}

}  // namespace wattproof::node
