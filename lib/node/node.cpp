// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include "base/check.hpp"
#include "message/typed_data.hpp"

namespace wattproof::node {
namespace {

constexpr std::uint32_t retry_ms = 10'000;  // after the board could not store or sign
constexpr std::uint32_t idle_wake_ms_max = 3'600'000;

constexpr bool is_power(std::int32_t power_w) { return power_w >= -power_w_max && power_w <= power_w_max; }

// An update of more slots than this does not fit into a frame, nor its record into the record buffer.
constexpr std::uint32_t update_slots_max = (frame_size_max - 100) / 4;

Error check_numbers(const Config& config) {
  const bool is_freshness_valid =
      config.chain.freshness.age_s_max != 0 && config.chain.freshness.drift_ppm_max < 1'000'000;
  const bool is_output_valid =
      is_power(config.output.setpoint_fallback_w) && is_power(config.output.setpoint_override_w);
  const bool is_cost_valid = config.device.own_cost.quadratic < schedule::penalty_bound;
  if (!is_freshness_valid || !is_output_valid || !is_cost_valid) return Error::configuration_invalid;
  if (config.device.grid.slots > update_slots_max) return Error::slot_count_invalid;
  return Error::none;
}

Error check_fallback(const DeviceConfig& device) {
  const std::size_t slots = device.fallback_w.per_slot.size();
  if (slots != 0 && slots != device.grid.slots) return Error::wrong_length;
  for (std::uint32_t t = 0; t < device.grid.slots; ++t) {
    if (!is_power(device.fallback_w.at(t))) return Error::configuration_invalid;
  }
  return Error::none;
}

Error check_workspace(const DeviceConfig& device) {
  const std::size_t own = solver::workspace_words(slot_count_max);
  const std::size_t given = device.workspace.empty() ? own : device.workspace.size();
  return solver::workspace_words(device.device, device.grid) > given ? Error::workspace_too_small : Error::none;
}

}  // namespace

Error check_config(const Config& config) {
  const ChainConfig& chain = config.chain;
  if (chain.chain_id == 0 || is_zero(chain.registry) || chain.checkpoint.validators.count == 0) {
    return Error::configuration_invalid;
  }
  if (chain.is_clique && !node_knows_clique) return Error::configuration_invalid;
  if (config.device.id == 0 || is_zero(config.device.address)) return Error::configuration_invalid;
  const LinkConfig& link = config.link;
  if (link.answer_ms_max == 0 || link.tries_max == 0 || link.pause_ms_min == 0 || link.poll_ms == 0 ||
      link.status_ms == 0 || link.pause_ms_max < link.pause_ms_min) {
    return Error::configuration_invalid;
  }
  if (!config.output.has_relay && !config.output.has_setpoint) return Error::configuration_invalid;
  WATTPROOF_TRY(check_numbers(config));
  WATTPROOF_TRY(control::check_relay_limits(config.output.relay));
  WATTPROOF_TRY(solver::validate(config.device.device, config.device.grid));
  WATTPROOF_TRY(check_fallback(config.device));
  WATTPROOF_TRY(check_workspace(config.device));
  solver::Report report;
  return solver::feasible(config.device.device, config.device.grid, report);
}

Error Node::configure(const Config& config) {
  if (is_started_) return Error::unexpected;
  WATTPROOF_TRY(check_config(config));
  config_ = config;
  owner_ = owner_of(config.chain.chain_id, config.chain.registry, config.device.id, config.device.address);
  head_ = config.chain.checkpoint;
  freshness_ = chain::Freshness(config.chain.freshness);
  is_configured_ = true;
  return Error::none;
}

Error Node::restore(RecordId id, Bytes record) {
  if (!is_configured_ || is_started_) return Error::not_ready;
  switch (id) {
    case RecordId::boot: {
      const Result<std::uint32_t> count = decode_boot(record);
      if (!count) return count.error();
      boot_count_ = *count;
      return Error::none;
    }
    case RecordId::head: {
      if (record.size() < owner_.size()) return Error::wrong_length;
      chain::TrustedHead head;
      WATTPROOF_TRY(chain::decode_head(record.subspan(owner_.size()), head));
      if (!equal(record.first(owner_.size()), owner_)) return Error::wrong_device;
      WATTPROOF_TRY(chain::check_not_rolled_back(head, config_.chain.checkpoint.number));
      head_ = head;
      return Error::none;
    }
    case RecordId::message: {
      SignedUpdate update;
      WATTPROOF_TRY(decode_update(record, update));
      if (update.owner != owner_) return Error::wrong_device;
      update_ = update;
      update_state_ = UpdateState::ready;
      signed_epoch_ = update.epoch;
      signed_round_ = update.round;
      return Error::none;
    }
    case RecordId::schedule_a:
    case RecordId::schedule_b: {
      const std::size_t place = id == RecordId::schedule_b ? 1 : 0;
      Schedule schedule;
      WATTPROOF_TRY(decode_schedule(record, schedule));
      if (schedule.owner != owner_) return Error::wrong_device;
      schedules_[place] = schedule;
      is_schedule_stored_[place] = true;
      return Error::none;
    }
  }
  return Error::unknown_kind;
}

Error Node::start(BootMs now, const std::array<std::uint8_t, 32>& entropy) {
  if (!is_configured_ || is_started_) return Error::not_ready;
  now_ = started_ = looked_ = head_stored_ = now;
  ++boot_count_;
  nonce_ = std::uint64_t{boot_count_} << 32 | load_be32(entropy.data());
  // The restored head had been produced by now: a lower bound of the time, which the trusting period is held against.
  if (head_.timestamp.s != 0) freshness_.observe(head_.timestamp, now);
  guard_.emplace(config_.output.relay, now, control::spread_seed(config_.device.address, boot_count_));
  records_due_ = bit(RecordId::boot);
  is_started_ = true;
  return Error::none;
}

const Actions& Node::step(BootMs now, const Input& input) {
  actions_.count = 0;  // what the items held is nobody's: assigning all of them anew would take their size of stack
  if (!is_started_) return actions_;
  if (now > now_) now_ = now;
  update_outputs();
  take_input(input);
  advance();
  update_outputs();
  ask_signature();
  ask_record();
  send_one();
  Action wake;
  wake.kind = ActionKind::wake_at;
  wake.wake = next_wake();
  add(wake);
  return actions_;
}

void Node::take_input(const Input& input) {
  switch (input.kind) {
    case InputKind::tick: return;
    case InputKind::frame: take_frame(input.frame); return;
    case InputKind::link_up:
      is_link_up_ = hello_due_ = status_due_ = true;
      fetch_.link_up(now_);
      return;
    case InputKind::link_down: is_link_up_ = false; return;
    case InputKind::button: {
      const std::uint32_t limit_s = config_.override_s_max;
      const std::uint32_t duration_s = input.button_s < limit_s ? input.button_s : limit_s;
      status_due_ = true;
      if (input.button == ButtonCommand::release || duration_s == 0) {
        guard_->release_by_person();
      } else {
        const std::uint64_t duration_ms = std::uint64_t{duration_s} * 1000;
        guard_->command_by_person(now_, input.button == ButtonCommand::force_on,
                                  duration_ms < control::override_ms_max ? static_cast<std::uint32_t>(duration_ms)
                                                                         : control::override_ms_max);
      }
      return;
    }
    case InputKind::meter: guard_->measured(now_, input.power_w); return;
    case InputKind::sensed:
      sensed_ = input.relay_on ? message::Sensed::closed : message::Sensed::open;
      guard_->sensed(now_, input.relay_on);
      return;
    case InputKind::opened:
      note(Error::hardware_failed);
      guard_->opened(now_);
      relay_on_ = false;  // closing it again is a command again
      return;
    case InputKind::stored: take_stored(input.record_id, input.ok); return;
    case InputKind::signature: take_signature(input.signature, input.ok); return;
  }
}

void Node::take_frame(Bytes bytes) {
  message::DownFrame frame;
  const Error error = message::decode(bytes, frame);
  if (!ok(error)) {
    note(error);
    return;
  }
  if (frame.kind != message::FrameKind::notice) {
    fetch_.take(frame, context());
    return;
  }
  fetch_.nudge(now_, config_.link);
  // Only a hint: it may make the node ask, never act. The same hint twice is no news.
  if (frame.notice == notice_) return;
  notice_ = frame.notice;
  has_news_ = true;
}

void Node::take_stored(std::uint8_t record_id, bool is_ok) {
  if (record_id != record_in_flight_ || record_in_flight_ == 0) return;
  record_in_flight_ = 0;
  const auto id = static_cast<RecordId>(record_id);
  if (!is_ok) {
    note(Error::storage_failed);
    // A message that gave way to a newer round meanwhile has nothing signed to store until that one is.
    if (id != RecordId::message || update_state_ == UpdateState::storing) records_due_ |= bit(id);
    record_retry_ = now_.plus(retry_ms);
    return;
  }
  if ((records_due_ & bit(id)) != 0) return;  // changed again meanwhile: the newer one is still to be stored
  if (id == RecordId::boot) is_nonce_stored_ = true;
  if (id == RecordId::head) head_stored_ = now_;
  if (id == RecordId::schedule_a) is_schedule_stored_[0] = true;
  if (id == RecordId::schedule_b) is_schedule_stored_[1] = true;
  if (id == RecordId::message && update_state_ == UpdateState::storing) {
    update_state_ = UpdateState::ready;
    update_due_ = true;
  }
}

void Node::take_signature(const crypto::Signature& signature, bool is_ok) {
  const Signing purpose = signing_;
  signing_ = Signing::none;
  const Error error = is_ok ? crypto::check_signature(signature) : Error::hardware_failed;
  if (!ok(error)) {
    note(error);
    signing_retry_ = now_.plus(retry_ms);
  }
  if (purpose == Signing::check_in && ok(error)) {
    check_in_signature_ = signature;
    is_check_in_signed_ = check_in_due_ = true;
  }
  if (purpose != Signing::update || update_state_ != UpdateState::signing) return;
  if (!ok(error)) {
    update_state_ = UpdateState::none;  // answered anew with the next evidence
    return;
  }
  update_.signature = signature;
  signed_epoch_ = update_.epoch;
  signed_round_ = update_.round;
  update_state_ = UpdateState::storing;
  records_due_ |= bit(RecordId::message);
}

void Node::add(const Action& action) {
  WATTPROOF_CHECK(actions_.count < actions_max);
  actions_.items[actions_.count++] = action;
}

void Node::note(Error error) {
  last_error_ = error;
  ++error_count_;
  status_due_ = true;
}

// One signature at a time. The check-in leaves only after the boot count is on record, so no nonce is used twice.
void Node::ask_signature() {
  if (signing_ != Signing::none || now_ < signing_retry_) return;
  Action action;
  action.kind = ActionKind::sign;
  if (is_nonce_stored_ && !is_check_in_signed_) {
    const Hash32 domain = message::registry_domain(config_.chain.chain_id, config_.chain.registry);
    action.digest = message::check_in_digest(domain, nonce_);
    signing_ = Signing::check_in;
  } else if (update_state_ == UpdateState::unsigned_) {
    action.digest = message::update_digest(scheduler_domain_, update_.epoch, update_.round, update_.profile());
    signing_ = Signing::update;
    update_state_ = UpdateState::signing;
  } else {
    return;
  }
  add(action);
}

void Node::ask_record() {
  if (record_in_flight_ != 0 || records_due_ == 0 || now_ < record_retry_) return;
  for (std::uint8_t value = 1; value <= static_cast<std::uint8_t>(RecordId::schedule_b); ++value) {
    const auto id = static_cast<RecordId>(value);
    if ((records_due_ & bit(id)) == 0) continue;
    const Result<Bytes> bytes = encode_record(id);
    WATTPROOF_CHECK(static_cast<bool>(bytes));
    records_due_ &= ~bit(id);
    record_in_flight_ = value;
    Action action;
    action.kind = ActionKind::write_record;
    action.record_id = value;
    action.bytes = *bytes;
    add(action);
    return;
  }
}

Result<Bytes> Node::encode_record(RecordId id) {
  switch (id) {
    case RecordId::boot:
      encode_boot(boot_count_, std::span(record_buffer()).first<boot_record_size>());
      return Bytes(record_buffer()).first(boot_record_size);
    case RecordId::head:
      static_assert(std::tuple_size_v<Owner> + chain::head_record_size <= record_size_max);
      std::memcpy(record_buffer().data(), owner_.data(), owner_.size());
      chain::encode_head(head_, std::span(record_buffer()).subspan<std::tuple_size_v<Owner>, chain::head_record_size>());
      return Bytes(record_buffer()).first(owner_.size() + chain::head_record_size);
    case RecordId::message: return encode_update(update_, record_buffer());
    case RecordId::schedule_a: return encode_schedule(schedules_[0], record_buffer());
    case RecordId::schedule_b: return encode_schedule(schedules_[1], record_buffer());
  }
  return Error::unknown_kind;
}

// At most one frame a step, the most useful first: an answer is worth more than news about ourselves.
void Node::send_one() {
  if (!is_link_up_) return;
  Result<Bytes> frame = Error::none;
  message::Want want;
  if (hello_due_) {
    hello_due_ = false;
    frame = message::encode(message::Hello{head_.number, boot_count_, config_.device.id}, frame_buffer());
  } else if (check_in_due_) {
    check_in_due_ = false;
    if (!is_check_in_sent_) {
      freshness_.start_challenge(now_);
      check_in_begun_ = now_;
    }
    is_check_in_sent_ = true;
    check_in_sent_ = now_;
    frame = message::encode(message::CheckIn{nonce_, check_in_signature_}, frame_buffer());
  } else if (update_due_ && update_state_ == UpdateState::ready) {
    update_due_ = false;
    std::array<std::uint8_t, profile_size_max> profile{};
    const Result<Bytes> bytes = message::encode_profile(update_.profile(), profile);
    WATTPROOF_CHECK(static_cast<bool>(bytes));
    frame = message::encode(message::Update{update_.epoch, update_.round, *bytes, update_.signature}, frame_buffer());
  } else if (fetch_.next_want(context(), want)) {
    frame = message::encode(want, frame_buffer());
  } else if (status_due_ || now_.since(status_sent_) >= config_.link.status_ms) {
    status_due_ = false;
    status_sent_ = now_;
    message::DeviceStatus status;
    status.mode = static_cast<std::uint8_t>(mode());
    status.relay_commanded = relay_on_;
    status.relay_sensed = sensed_;
    status.setpoint_w = setpoint_w_;
    status.head_number = head_.number;
    status.epoch = followed_epoch();
    status.round = signed_round_;
    status.justified_by_block = justified_by_block_;
    status.last_error = last_error_;
    status.uptime_s = now_.since(started_) / 1000;
    frame = message::encode(status, frame_buffer());
  } else {
    return;
  }
  if (!frame) {
    note(frame.error());
    return;
  }
  Action action;
  action.kind = ActionKind::send;
  action.bytes = *frame;
  add(action);
}

BootMs Node::next_wake() {
  const bool is_frame_due = hello_due_ || check_in_due_ || status_due_ ||
                            (update_due_ && update_state_ == UpdateState::ready);
  if (fetch_.has_work() || (is_link_up_ && is_frame_due)) return now_;
  const bool is_signature_due = update_state_ == UpdateState::unsigned_ || (is_nonce_stored_ && !is_check_in_signed_);
  BootMs wake = guard_->next_wake(now_);
  const auto sooner = [&](BootMs other) {
    if (other < wake) wake = other > now_ ? other : now_;
  };
  sooner(now_.plus(idle_wake_ms_max));
  if (is_signature_due && signing_ == Signing::none) sooner(signing_retry_);
  if (records_due_ != 0 && record_in_flight_ == 0) sooner(record_retry_);
  if (is_link_up_) {
    sooner(status_sent_.plus(config_.link.status_ms));
    if (is_check_in_signed_ && !is_check_in_proved_) sooner(check_in_sent_.plus(config_.link.poll_ms));
    if (stage_ != Stage::none) sooner(fetch_.next_wake(now_, config_.link));
    if (stage_ == Stage::none && !head_.is_conflicting) sooner(next_session());  // in conflict nothing is asked any more
  }
  sooner(next_output());
  return wake;
}

}  // namespace wattproof::node
