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
    case Fetch::Outcome::failed: end_session(fetch_.error()); return;
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
  if (!is_scheduler_known_ || !is_check_in_proved_) {
    const std::array<Hash32, 2> slots{schedule::contract_slot("Scheduler"), schedule::check_in_slot(config_.device.id)};
    stage_ = Stage::check_in;
    fetch_.begin_words(config_.chain.registry, slots);
    return;
  }
  const std::uint64_t epoch = epoch_to_look_at();
  if (epoch != 0) {
    epoch_ = epoch;
    const std::array<Hash32, 2> slots{schedule::epoch_word_slot(epoch), schedule::record_slot(epoch, config_.device.id)};
    stage_ = Stage::words;
    fetch_.begin_words(scheduler_, slots);
    return;
  }
  stage_ = Stage::head;
  fetch_.begin_words(scheduler_, {});
}

// The negotiated epoch first, then one that was open when last seen (whether or not the gateway still speaks of it), then the
// one that is being followed if this device has missed it.
std::uint64_t Node::epoch_to_look_at() const {
  for (const std::uint64_t epoch : {notice_.negotiated_epoch, open_epoch_, notice_.followed_epoch}) {
    if (epoch != 0 && !is_settled(epoch)) return epoch;
  }
  return 0;
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
  end_session(Error::none);
}

// A check-in that was long on its way leaves an anchor so loose that even the newest head looks stale. Then the nonce after
// it is sent; not more often than a head may age, since each costs the community a storage write.
void Node::renew_check_in() {
  if (!is_check_in_proved_ || freshness_.check(head_, now_) != Error::head_stale) return;
  if (now_.since(check_in_begun_) < std::uint64_t{config_.chain.freshness.age_s_max} * 1000) return;
  if ((nonce_ & 0xffffffff) == 0xffffffff) return;  // the next one would be of another boot
  ++nonce_;
  is_check_in_signed_ = is_check_in_sent_ = is_check_in_proved_ = false;
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
  switch (epoch_head_.status) {
    case schedule::EpochStatus::entering: end_session(Error::none); return;
    case schedule::EpochStatus::failed:
      open_epoch_ = 0;
      if (is_participant) adopt(true);
      settle(epoch_);
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
  open_epoch_ = epoch_head_.status == schedule::EpochStatus::open ? epoch_ : 0;
  if (epoch_head_.status == schedule::EpochStatus::final) {
    ask_data(What::record, Stage::record, schedule::record_fixed_size + 4 * slots, record_word_, record_bytes_);
  } else {
    ask_data(What::vectors, Stage::vectors, 32 * slots, epoch_head_.vectors_hash, fetch_.buffer());
  }
}

void Node::on_vectors() {
  const std::uint32_t slots = epoch_head_.slots;
  const Error error = schedule::Vectors::decode(Bytes(fetch_.buffer()).first(32 * std::size_t{slots}), slots, vectors_);
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
  if (ok(error) && record.epoch != epoch_) error = Error::wrong_epoch;
  if (ok(error)) error = message::decode_profile(record.profile, std::span(own_x_).first(slots));
  if (!ok(error)) {
    end_session(error);
    return;
  }
  if (epoch_head_.status == schedule::EpochStatus::final) {
    adopt(false);
    settle(epoch_);
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
  const std::uint32_t slots = head.slots;
  const std::span<std::int32_t> own(own_x_.data(), slots);
  const solver::Device device = schedule::Participant::frozen(config_.device.device, head, own);
  const Schedule* before = head.round == 1 ? schedule_before(head) : nullptr;
  const std::span<std::int32_t> target(target_w_.data(), slots);
  Error error = participant_.aim(head, vectors_, record.round, before == nullptr ? own : before->profile(), target);
  solver::Report report;
  if (ok(error)) {
    error = solver::optimise(device, config_.device.grid, target, schedule::Participant::cost(head, config_.device.own_cost),
                             workspace_, std::span(update_.profile_w).first(slots), report);
  }
  if (!ok(error)) {
    update_state_ = UpdateState::none;
    note(error);
    return;
  }
  update_.epoch = head.epoch;
  update_.round = head.round;
  update_.slots = slots;
  update_state_ = UpdateState::unsigned_;
}

// A settled epoch becomes a schedule: the profile that the own record proves, or the fallback of a failed epoch. It is
// followed once it is stored.
void Node::adopt(bool is_fallback) {
  const schedule::EpochHead& head = epoch_head_;
  if (schedule_of(head.epoch) != nullptr) return;
  const std::size_t place = schedules_[0].epoch <= schedules_[1].epoch ? 0 : 1;
  if (schedules_[place].epoch > head.epoch) return;
  Schedule& schedule = schedules_[place];
  schedule.epoch = head.epoch;
  schedule.start = head.start;
  schedule.slots = head.slots;
  schedule.slot_seconds = head.slot_seconds;
  schedule.is_fallback = is_fallback;
  schedule.block_number = head_.number;
  schedule.block_hash = head_.hash;
  for (std::uint32_t t = 0; t < head.slots; ++t) {
    schedule.profile_w[t] = is_fallback ? config_.device.fallback_w.at(t) : own_x_[t];
  }
  is_schedule_stored_[place] = false;
  records_due_ |= 1u << static_cast<std::uint8_t>(place == 1 ? RecordId::schedule_b : RecordId::schedule_a);
  head_stored_ = now_;
  records_due_ |= 1u << static_cast<std::uint8_t>(RecordId::head);
  participant_.reset();
  status_due_ = true;
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
  const bool is_new_set = !(head_.validators == stored_validators_);
  if (!is_new_set && now_.since(head_stored_) < store_ms_max) return;
  stored_validators_ = head_.validators;
  head_stored_ = now_;
  records_due_ |= 1u << static_cast<std::uint8_t>(RecordId::head);
}

}  // namespace wattproof::node
