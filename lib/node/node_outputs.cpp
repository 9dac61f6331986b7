// SPDX-License-Identifier: Apache-2.0
// The two outputs. What a schedule wishes passes through the relay guard, which owns minimum times, fallback, trips and the
// person at the button; nothing that came over the link can go around it.
#include "node/node.hpp"

namespace wattproof::node {
namespace {

Reason reason_of(control::Cause cause) {
  switch (cause) {
    case control::Cause::schedule: return Reason::schedule;
    case control::Cause::person: return Reason::override_by_person;
    case control::Cause::trip: return Reason::trip;
    case control::Cause::fallback: break;
  }
  return Reason::fallback;
}

}  // namespace

Mode Node::mode() const {
  if (head_.is_conflicting) return Mode::conflict;
  if (!is_nonce_stored_) return Mode::starting;
  if (!freshness_.is_proved()) return Mode::proving;
  if (!ok(freshness_.check(head_, now_))) return Mode::stale;
  return followed_epoch() != 0 ? Mode::following : Mode::idle;
}

std::uint64_t Node::followed_epoch() const {
  if (!is_started_ || !ok(freshness_.check(head_, now_))) return 0;
  const Schedule* schedule = current_schedule(freshness_.bounds(now_).at_least);
  return schedule == nullptr ? 0 : schedule->epoch;
}

// Where two epochs overlap, a final one counts before a failed one, then the one with the higher number.
const Schedule* Node::current_schedule(ChainSeconds chain_now) const {
  const Schedule* found = nullptr;
  for (std::size_t i = 0; i < schedules_.size(); ++i) {
    const Schedule& schedule = schedules_[i];
    if (!is_schedule_stored_[i] || !schedule.covers(chain_now)) continue;
    const bool is_better = found == nullptr || (schedule.is_fallback == found->is_fallback ? schedule.epoch > found->epoch
                                                                                            : found->is_fallback);
    if (is_better) found = &schedule;
  }
  return found;
}

// A relay follows whether power is due at all. The cycle of an appliance is not cut at a step of 0 W inside it.
bool Node::wants_relay(const Schedule& schedule, std::uint32_t slot) const {
  const std::span<const std::int32_t> profile = schedule.profile();
  if (profile[slot] != 0) return true;
  const solver::Device& device = config_.device.device;
  if (device.kind != solver::DeviceKind::appliance || device.interruptible || device.runs != 1) return false;
  bool is_before = false;
  bool is_after = false;
  for (std::uint32_t t = 0; t < profile.size(); ++t) {
    if (profile[t] != 0 && t < slot) is_before = true;
    if (profile[t] != 0 && t > slot) is_after = true;
  }
  return is_before && is_after;
}

void Node::update_outputs() {
  const Schedule* schedule = nullptr;
  std::uint32_t slot = 0;
  if (ok(freshness_.check(head_, now_))) {
    const ChainSeconds chain_now = freshness_.bounds(now_).at_least;
    schedule = current_schedule(chain_now);
    if (schedule != nullptr) slot = schedule->slot_at(chain_now);
  }
  if (schedule != nullptr) {
    guard_->instruct(now_, wants_relay(*schedule, slot));
  } else {
    guard_->withdraw();
  }
  drive(guard_->step(now_), schedule, slot);
}

void Node::drive(const control::RelayOutput& output, const Schedule* schedule, std::uint32_t slot) {
  Action action;
  action.evidence.reason = reason_of(output.cause);
  const bool is_scheduled = output.cause == control::Cause::schedule && schedule != nullptr;
  if (is_scheduled) {
    action.evidence.epoch = schedule->epoch;
    action.evidence.slot = slot;
    action.evidence.block_number = schedule->block_number;
    action.evidence.block_hash = schedule->block_hash;
    if (schedule->is_fallback) action.evidence.reason = Reason::fallback;  // a failed epoch, proved as such
  }
  justified_by_block_ = action.evidence.block_number;
  if (config_.output.has_relay && (output.on != relay_on_ || !are_outputs_driven_)) {
    action.kind = ActionKind::set_relay;
    action.on = output.on;
    add(action);
    status_due_ = true;
  }
  relay_on_ = output.on;

  std::int32_t setpoint_w = config_.output.setpoint_fallback_w;
  if (is_scheduled) setpoint_w = schedule->profile()[slot];
  if (output.cause == control::Cause::person) setpoint_w = output.on ? config_.output.setpoint_override_w : 0;
  if (output.cause == control::Cause::trip) setpoint_w = 0;
  if (config_.output.has_relay && !output.on) setpoint_w = 0;  // behind an open contactor nothing flows
  if (config_.output.has_setpoint && (setpoint_w != setpoint_w_ || !are_outputs_driven_)) {
    action.kind = ActionKind::set_point;
    action.power_w = setpoint_w;
    add(action);
    status_due_ = true;
  }
  setpoint_w_ = setpoint_w;
  are_outputs_driven_ = true;
}

BootMs Node::next_output() const {
  constexpr std::uint64_t look_ms_max = 3'600'000;
  const Result<std::uint64_t> age_s = freshness_.age_s(head_.timestamp, now_);
  if (!age_s) return now_.plus(look_ms_max);
  std::uint64_t wait_s = look_ms_max / 1000;
  const std::uint64_t age_s_max = config_.chain.freshness.age_s_max;
  if (*age_s <= age_s_max && age_s_max - *age_s + 1 < wait_s) wait_s = age_s_max - *age_s + 1;
  const ChainSeconds chain_now = freshness_.bounds(now_).at_least;
  for (const Schedule& schedule : schedules_) {
    if (schedule.epoch == 0 || chain_now >= schedule.end()) continue;
    const std::uint64_t next_s = chain_now < schedule.start
                                     ? schedule.start.s - chain_now.s
                                     : schedule.slot_seconds - (chain_now.s - schedule.start.s) % schedule.slot_seconds;
    if (next_s < wait_s) wait_s = next_s;
  }
  return now_.plus(wait_s * 1000);
}

}  // namespace wattproof::node
