// SPDX-License-Identifier: Apache-2.0
// What the node proves next, and what follows from what was proved.
#include "message/typed_data.hpp"
#include "node/node.hpp"

namespace wattproof::node {

using message::What;

BootMs Node::next_session() const {
  const BootMs paused = fetch_.next_wake(now_, config_.link);
  if (has_news_) return paused;
  const BootMs poll = looked_.plus(config_.link.poll_ms);
  return poll > paused ? poll : paused;
}

void Node::advance() {
  fetch_.work(context());
  if (is_check_in_signed_ && !is_check_in_proved_ && is_check_in_sent_ &&
      now_.since(check_in_sent_) >= config_.link.poll_ms) {
    check_in_due_ = true;
    check_in_sent_ = now_;
  }
  switch (fetch_.outcome()) {
    case Fetch::Outcome::idle: begin_session(); return;
    case Fetch::Outcome::pending: return;
    case Fetch::Outcome::failed:
      // The latch outlives a power cut.
      if (fetch_.error() == Error::conflicting_final_headers) records_due_ |= bit(RecordId::head);
      end_session(fetch_.error());
      return;
    case Fetch::Outcome::words_proved: on_words(); return;
    case Fetch::Outcome::data_proved: break;
  }
  switch (stage_) {
    case Stage::epoch_head: on_epoch_head(); return;
    case Stage::vectors: on_vectors(); return;
    default: on_record(); return;
  }
}

// One session proves one thing under the newest header. It begins when the gateway hints at something new or after a quiet
// while; a hint that led nowhere is not followed twice.
void Node::begin_session() {
  if (!is_link_up_ || head_.is_conflicting || !fetch_.may_begin(now_)) return;
  if (!has_news_ && now_.since(looked_) < config_.link.poll_ms) return;
  has_news_ = false;
  // While the head is fresh a renewed check-in takes turns with the epochs: it must not cost a round.
  const bool is_blind = !is_scheduler_known_ || !ok(freshness_.check(head_, now_));
  const bool is_turn = !is_check_in_turn_over_ || epoch_to_look_at() == 0;
  is_check_in_turn_over_ = !is_check_in_proved_ && (is_blind || is_turn);
  if (!is_scheduler_known_ || is_check_in_turn_over_) {
    const std::array<Hash32, 2> slots{schedule::contract_slot("Scheduler"), schedule::check_in_slot(config_.device.id)};
    stage_ = Stage::check_in;
    fetch_.begin_words(config_.chain.registry, slots);
    return;
  }
  const std::uint64_t epoch = epoch_to_look_at();
  if (epoch != 0) {
    epoch_ = epoch;
    // A round does not wait: the negotiation is looked at right after anything else.
    has_news_ = epoch != notice_.negotiated_epoch && notice_.negotiated_epoch != 0 && !is_settled(notice_.negotiated_epoch);
    const std::array<Hash32, 2> slots{schedule::epoch_word_slot(epoch), schedule::record_slot(epoch, config_.device.id)};
    stage_ = Stage::words;
    fetch_.begin_words(scheduler_, slots);
    return;
  }
  stage_ = Stage::head;
  fetch_.begin_words(scheduler_, {});
}

// The negotiated epoch first, then one that was open when last seen (whether or not the gateway still speaks of it), then the
// one that is being followed if this device has missed it. None twice in a row while another waits: an epoch that takes hours to
// enter, or a hint that leads nowhere, must not keep today's schedule away.
std::uint64_t Node::epoch_to_look_at() const {
  std::uint64_t again = 0;
  for (const std::uint64_t epoch : {notice_.negotiated_epoch, open_epoch_, notice_.followed_epoch}) {
    if (epoch == 0 || is_settled(epoch)) continue;
    if (epoch != epoch_) return epoch;
    again = epoch;
  }
  return again;
}

void Node::end_session(Error error) {
  // "not there yet" and a silent link are the weather, not evidence.
  if (!ok(error) && error != Error::not_ready && error != Error::link_down) note(error);
  stage_ = Stage::none;
  looked_ = now_;
  fetch_.forget();
}

void Node::on_words() {
  if (fetch_.took_new_head()) {
    keep_head();
    renew_check_in();
  }
  switch (stage_) {
    case Stage::check_in: on_check_in(); return;
    case Stage::words: break;
    default: end_session(Error::none); return;
  }
  if (is_zero(fetch_.word(0))) {
    end_session(Error::not_ready);  // the contract knows no such epoch
    return;
  }
  record_word_ = fetch_.word(1);
  ask_data(What::epoch_head, Stage::epoch_head, schedule::head_size, fetch_.word(0), head_bytes_);
}

void Node::on_check_in() {
  const Hash32& name = fetch_.word(0);
  if (!is_zero(Bytes(name).first(12)) || is_zero(name)) {
    end_session(Error::value_absent);
    return;
  }
  if (!is_scheduler_known_) {
    scheduler_ = to_array<20>(Bytes(name).subspan(12));
    scheduler_domain_ = message::scheduler_domain(config_.chain.chain_id, scheduler_);
    is_scheduler_known_ = true;
  }
  Hash32 expected{};
  store_be64(expected.data() + 24, nonce_);
  if (is_check_in_sent_ && fetch_.word(1) == expected && !is_check_in_proved_) {
    const Error error = freshness_.prove(head_.timestamp);
    is_check_in_proved_ = true;
    status_due_ = true;
    has_news_ = true;  // now there may be an epoch to look at
    end_session(error);
    return;
  }
  const bool is_seen_a_nonce = is_zero(Bytes(fetch_.word(1)).first(24));
  const std::uint64_t nonce_seen = load_be64(fetch_.word(1).data() + 24);
  if (is_check_in_sent_ && !is_check_in_proved_ && is_seen_a_nonce && nonce_seen > nonce_) raise_boot_count(nonce_seen);
  end_session(Error::none);
}

// The registry takes no nonce below the last one. A device that has lost its boot record would begin again at 1 and never be
// heard; the proven nonce tells how far it had come.
void Node::raise_boot_count(std::uint64_t nonce_seen) {
  const std::uint64_t count_seen = nonce_seen >> 32;
  if (is_boot_count_raised_ || count_seen >= 0xffffffff) return;
  is_boot_count_raised_ = true;
  boot_count_ = static_cast<std::uint32_t>(count_seen + 1);
  nonce_ = std::uint64_t{boot_count_} << 32 | (nonce_ & 0xffffffff);
  forget_check_in();
  is_nonce_stored_ = false;
  records_due_ |= bit(RecordId::boot);
}

void Node::forget_check_in() {
  is_check_in_signed_ = is_check_in_sent_ = is_check_in_proved_ = check_in_due_ = false;
}

// A check-in that was long on its way leaves a loose anchor, and every anchor gets looser as the boot clock drifts, until even the
// newest head looks stale. The next nonce is sent well before that, when a head that has just come looks half as old as it
// may be; not more often than a head may age, since each costs the community a storage write.
void Node::renew_check_in() {
  if (!is_check_in_proved_) return;
  const std::uint32_t age_s_max = config_.chain.freshness.age_s_max;
  const Result<std::uint64_t> age_s = freshness_.age_s(head_.timestamp, now_);
  if (!age_s || *age_s <= age_s_max / 2) return;
  if (now_.since(check_in_begun_) < std::uint64_t{age_s_max} * 1000) return;
  if ((nonce_ & 0xffffffff) == 0xffffffff) return;  // the next one would be of another boot
  ++nonce_;
  forget_check_in();
}

void Node::ask_data(What what, Stage stage, std::uint32_t size, const Hash32& expected, MutableBytes into) {
  std::array<std::uint8_t, 12> key{};
  store_be64(key.data(), epoch_);
  store_be32(key.data() + 8, config_.device.id);
  stage_ = stage;
  const Error error = fetch_.begin_data(what, Bytes(key).first(what == What::record ? 12 : 8), size, expected, into);
  if (!ok(error)) end_session(error);
}

void Node::on_epoch_head() {
  Error error = schedule::decode_head(head_bytes_, epoch_head_);
  // The ring entry may hold another epoch than the one that the gateway spoke of.
  if (ok(error) && epoch_head_.epoch != epoch_) error = Error::wrong_epoch;
  const solver::Grid& grid = config_.device.grid;
  if (ok(error) && (epoch_head_.slots != grid.slots || epoch_head_.slot_seconds != grid.slot_seconds)) {
    settle(epoch_);
    error = Error::slot_count_invalid;
  }
  if (!ok(error)) {
    end_session(error);
    return;
  }
  const bool is_participant = !is_zero(record_word_);
  if (epoch_head_.status == schedule::EpochStatus::open) {
    open_epoch_ = epoch_;
  } else if (open_epoch_ == epoch_) {
    open_epoch_ = 0;
  }
  switch (epoch_head_.status) {
    case schedule::EpochStatus::entering: end_session(Error::none); return;
    case schedule::EpochStatus::failed:
      if (is_participant) {
        adopt(true);
      } else {
        settle(epoch_);
      }
      end_session(Error::none);
      return;
    case schedule::EpochStatus::open:
    case schedule::EpochStatus::final: break;
  }
  if (!is_participant) {
    settle(epoch_);
    end_session(Error::none);
    return;
  }
  const std::uint32_t slots = epoch_head_.slots;
  if (epoch_head_.status == schedule::EpochStatus::final) {
    ask_data(What::record, Stage::record, schedule::record_fixed_size + 4 * slots, record_word_, record_bytes_);
  } else {
    ask_data(What::vectors, Stage::vectors, vectors_slot_size * slots, epoch_head_.vectors_hash, fetch_.buffer());
  }
}

void Node::on_vectors() {
  const std::uint32_t slots = epoch_head_.slots;
  const Error error = schedule::Vectors::decode(Bytes(fetch_.buffer()).first(vectors_slot_size * std::size_t{slots}), slots, vectors_);
  if (!ok(error)) {
    end_session(error);
    return;
  }
  ask_data(What::record, Stage::record, schedule::record_fixed_size + 4 * slots, record_word_, record_bytes_);
}

void Node::on_record() {
  const std::uint32_t slots = epoch_head_.slots;
  schedule::Record record;
  const Bytes bytes = Bytes(record_bytes_).first(schedule::record_fixed_size + 4 * std::size_t{slots});
  Error error = schedule::decode_record(bytes, slots, record);
  if (ok(error) && (record.id != config_.device.id || record.signer != config_.device.address)) error = Error::wrong_device;
  if (ok(error) && record.epoch < epoch_) {
    // What an earlier epoch has left in the ring: this device has not entered the present one.
    settle(epoch_);
    end_session(Error::none);
    return;
  }
  if (ok(error) && record.epoch != epoch_) error = Error::wrong_epoch;
  if (ok(error)) error = message::decode_profile(record.profile, std::span(own_x_).first(slots));
  if (!ok(error)) {
    end_session(error);
    return;
  }
  if (epoch_head_.status == schedule::EpochStatus::final) {
    adopt(false);
  } else if (!record.is_frozen && record.round < epoch_head_.round) {
    answer(record);
  }
  end_session(Error::none);
}

// Answers the open round, or sends again what was signed for it.
void Node::answer(const schedule::Record& record) {
  const schedule::EpochHead& head = epoch_head_;
  if (update_state_ != UpdateState::none && update_.epoch == head.epoch && update_.round == head.round) {
    update_due_ = true;
    return;
  }
  // The signature of an older answer is still to come; the next evidence finds the way free.
  if (update_state_ == UpdateState::signing) return;
  // Epochs and rounds only ascend. What lies before the newest signature may have been signed already.
  if (head.epoch < signed_epoch_ || (head.epoch == signed_epoch_ && head.round <= signed_round_)) return;
  records_due_ &= ~bit(RecordId::message);  // of the older answer, which is about to be overwritten
  const std::uint32_t slots = head.slots;
  const std::span<std::int32_t> own(own_x_.data(), slots);
  const solver::Device device = schedule::Participant::frozen(config_.device.device, head, own);
  const Schedule* before = head.round == 1 ? schedule_before(head) : nullptr;
  const std::span<std::int32_t> target(target_w_.data(), slots);
  Error error = participant_.aim(head, vectors_, record.round, before == nullptr ? own : before->profile(), target);
  solver::Report report;
  if (ok(error)) {
    error = solver::optimise(device, config_.device.grid, target, schedule::Participant::cost(head, config_.device.own_cost),
                             config_.device.workspace.empty() ? workspace() : config_.device.workspace,
                             std::span(update_.profile_w).first(slots), report);
  }
  if (!ok(error)) {
    update_state_ = UpdateState::none;
    note(error);
    return;
  }
  update_.epoch = head.epoch;
  update_.round = head.round;
  update_.slots = slots;
  update_.owner = owner_;
  update_state_ = UpdateState::unsigned_;
}

// A settled epoch becomes a schedule: the profile that the own record proves, or the fallback of a failed epoch. It is
// followed once it is stored. Of one that is over there is nothing to follow, and storing it would let hints wear the store.
void Node::adopt(bool is_fallback) {
  const schedule::EpochHead& head = epoch_head_;
  const bool is_over = schedule::end_of(head) <= freshness_.bounds(now_).at_least;
  const std::size_t place = place_for(is_fallback);
  if (place == schedules_.size() && !is_fallback && !is_over && open_epoch_ == 0) open_epoch_ = head.epoch;  // look again later
  if (place < schedules_.size() || is_fallback || is_over) settle(head.epoch);
  if (is_over || place == schedules_.size()) return;
  Schedule& schedule = schedules_[place];
  schedule.epoch = head.epoch;
  schedule.start = head.start;
  schedule.slots = head.slots;
  schedule.slot_seconds = head.slot_seconds;
  schedule.is_fallback = is_fallback;
  schedule.block_number = head_.number;
  schedule.block_hash = head_.hash;
  schedule.owner = owner_;
  for (std::uint32_t t = 0; t < head.slots; ++t) {
    schedule.profile_w[t] = is_fallback ? config_.device.fallback_w.at(t) : own_x_[t];
  }
  is_schedule_stored_[place] = false;
  records_due_ |= bit(place == 1 ? RecordId::schedule_b : RecordId::schedule_a);
  head_stored_ = now_;
  records_due_ |= bit(RecordId::head);
  status_due_ = true;
}

// An empty place or one that is over; else, for a final epoch, a failed epoch's, or that of the one that begins last if it
// begins later. So the next two are kept, the one being followed stays, and no order of hints makes places change hands for ever.
std::size_t Node::place_for(bool is_fallback) const {
  const std::size_t none = schedules_.size();
  const ChainSeconds chain_now = freshness_.bounds(now_).at_least;
  std::size_t over = none;
  std::size_t failed = none;
  std::size_t later = none;
  for (std::size_t i = 0; i < schedules_.size(); ++i) {
    const Schedule& schedule = schedules_[i];
    const bool is_free = schedule.epoch == 0 || schedule.end() <= chain_now;
    if (is_free && (over == none || schedule.epoch < schedules_[over].epoch)) over = i;
    if (schedule.is_fallback) failed = i;
    if (schedule.start > epoch_head_.start && (later == none || schedule.start > schedules_[later].start)) later = i;
  }
  if (over != none || is_fallback) return over;
  return failed != none ? failed : later;
}

void Node::settle(std::uint64_t epoch) {
  if (is_settled(epoch)) return;
  settled_[settled_next_] = epoch;
  settled_next_ = (settled_next_ + 1) % settled_max;
}

bool Node::is_settled(std::uint64_t epoch) const {
  for (const std::uint64_t settled : settled_) {
    if (settled == epoch) return true;
  }
  return schedule_of(epoch) != nullptr;
}

const Schedule* Node::schedule_of(std::uint64_t epoch) const {
  for (const Schedule& schedule : schedules_) {
    if (schedule.epoch == epoch && epoch != 0) return &schedule;
  }
  return nullptr;
}

// The newest profile of an earlier epoch of the same form: where a warm epoch starts from.
const Schedule* Node::schedule_before(const schedule::EpochHead& head) const {
  const Schedule* newest = nullptr;
  for (const Schedule& schedule : schedules_) {
    const bool fits = schedule.epoch != 0 && schedule.epoch < head.epoch && !schedule.is_fallback &&
                      schedule.slots == head.slots && schedule.slot_seconds == head.slot_seconds;
    if (fits && (newest == nullptr || schedule.epoch > newest->epoch)) newest = &schedule;
  }
  return newest;
}

// A head is stored when the validators changed, with each schedule (adopt), else every six hours: flash wears.
void Node::keep_head() {
  constexpr std::uint64_t store_ms_max = 6 * 3'600'000;
  const bool is_new_set = fetch_.take_new_set();
  if (!is_new_set && now_.since(head_stored_) < store_ms_max) return;
  head_stored_ = now_;
  records_due_ |= bit(RecordId::head);
}

}  // namespace wattproof::node
