// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sim/device_life_port.hpp"

namespace wattproof::testing {

Error DeviceLife::Port::send(Bytes frame) {
  if (!life_.is_link_up_) return Error::link_down;
  life_.trace(frame);
  message::UpFrame sent;
  if (message::decode(frame, sent) == Error::none && sent.kind == message::FrameKind::update) {
    const auto [at, is_new] = life_.updates_.try_emplace({sent.update.epoch, sent.update.round}, std::vector<std::uint8_t>(frame.begin(), frame.end()));
    if (!is_new && !equal(at->second, frame)) ++life_.violations_.two_profiles;
  }
  if (sent.kind == message::FrameKind::check_in) {
    if (sent.check_in.nonce < life_.highest_nonce_) ++life_.violations_.nonce_reused;
    life_.highest_nonce_ = sent.check_in.nonce;
  }
  life_.up_.send(frame, life_.world_now());
  return Error::none;
}

Error DeviceLife::Port::write_record(std::uint8_t id, Bytes record) {
  life_.in_write_ = {id, {record.begin(), record.end()}};
  const Error error = store_.write(id, record);
  if (error == Error::none) life_.acknowledged_[id] = life_.in_write_->second;
  life_.in_write_.reset();
  return error;
}

// After a cut within a write, old and new are both right; from then on what was read is what stands.
Result<std::uint32_t> DeviceLife::Port::read_record(std::uint8_t id, MutableBytes into) {
  const Result<std::uint32_t> size = store_.read(id, into);
  const auto old_record = life_.acknowledged_.find(id);
  const bool is_in_write = life_.in_write_ && life_.in_write_->first == id;
  if (size) {
    const Bytes read = Bytes(into).first(*size);
    const bool is_old = old_record != life_.acknowledged_.end() && equal(read, old_record->second);
    const bool is_new = is_in_write && equal(read, life_.in_write_->second);
    if (!is_old && !is_new) ++life_.violations_.lost_record;
    if (is_new) life_.acknowledged_[id] = life_.in_write_->second;
  } else if (size.error() != Error::record_absent || old_record != life_.acknowledged_.end()) {
    ++life_.violations_.lost_record;
  }
  return size;
}

Error DeviceLife::Port::set_relay(bool on, const node::Evidence& why) {
  WATTPROOF_TRY(life_.relay_.command(on, life_.world_now()));
  life_.note_relay(on, why);
  return Error::none;
}

Error DeviceLife::Port::set_point(std::int32_t power_w, const node::Evidence& why) {
  life_.note_set_point(power_w, why);
  return Error::none;
}

// A boot may be cut short within its own first writes; then the power comes back a moment later.
void DeviceLife::boot() {
  static constexpr std::uint64_t clock_bases[] = {0, (std::uint64_t{1} << 32) - 90'000, (std::uint64_t{1} << 32) + 7};
  ++counts_.boots;
  boot_ms_ = ms_;
  clock_base_ms_ = clock_bases[random_.next() % 3];
  const bool is_cut_short = happens(faults_.flash_cut_permille);
  const std::uint64_t budget = is_cut_short ? random_.next() % 400 : ~std::uint64_t{0};
  flash_.power_up(budget, static_cast<store::Tear>(random_.next() % store::tear_count));
  is_on_ = true;
  is_link_up_ = false;
  link_back_ms_ = std::max(link_back_ms_, ms_ + 500);
  board_ = std::make_unique<Board>(*this);
  try {
    ASSERT_EQ(board_->port.mount(), Error::none);
    ASSERT_EQ(board_->node.configure(config_), Error::none);
    ASSERT_EQ(board_->runner.start(), Error::none);
    in_write_.reset();
  } catch (const store::PowerCut&) {
    ++counts_.flash_cuts;
    power_off();
  }
}

// The contact of a relay opens by itself without power, whatever a fault had made of it.
void DeviceLife::power_off() {
  is_on_ = is_link_up_ = false;
  if (relay_on_) {
    relay_on_ = false;
    relay_changed_ms_ = ms_;
  }
  power_w_ = 0;
  relay_ = hal::SimulatedRelay();
  power_back_ms_ = ms_ + 50 + (random_.next() % 4 == 0 ? random_.next() % 600'000 : random_.next() % 5000);
}

void DeviceLife::turn() {
  if (ms_ >= contact_back_ms_) relay_.set_fault(hal::RelayFault::none);
  if (!is_on_) {
    if (ms_ >= power_back_ms_) boot();
    return;
  }
  try {
    const bool is_reachable = ms_ >= link_back_ms_;
    if (is_reachable != is_link_up_) {
      is_link_up_ = is_reachable;
      node::Input input;
      input.kind = is_reachable ? node::InputKind::link_up : node::InputKind::link_down;
      board_->runner.feed(input);
    }
    std::array<std::uint8_t, frame_size_max> frame{};
    for (std::uint32_t size = 0; (size = down_.receive(frame, world_now())) != 0;) {
      if (!is_link_up_) continue;
      reached_ms_ = ms_;
      node::Input input;
      input.kind = node::InputKind::frame;
      input.frame = Bytes(frame).first(size);
      board_->runner.feed(input);
    }
    board_->runner.run();
  } catch (const store::PowerCut&) {
    ++counts_.flash_cuts;
    power_off();
  }
}

void DeviceLife::note_relay(bool on, const node::Evidence& why) {
  const std::array<std::uint8_t, 2> mark = {1, on ? std::uint8_t{1} : std::uint8_t{0}};
  trace(mark);
  if (on && !is_justified(true, 0, why)) ++violations_.unjustified;
  if (on == relay_on_) return;
  ++counts_.switches;
  const std::uint64_t held_ms = ms_ - relay_changed_ms_;
  if (on && held_ms < off_ms_min && counts_.switches > 1) ++violations_.short_pause;
  if (!on && held_ms < on_ms_min) ++violations_.short_run;
  relay_on_ = on;
  relay_changed_ms_ = ms_;
}

void DeviceLife::note_set_point(std::int32_t power_w, const node::Evidence& why) {
  std::array<std::uint8_t, 5> mark{2};
  store_be32(mark.data() + 1, static_cast<std::uint32_t>(power_w));
  trace(mark);
  power_w_ = power_w;
  if (power_w != 0 && !is_justified(false, power_w, why)) ++violations_.unjustified;
}

// A relay may also stay closed on a fallback's account while its minimum on time runs, but it never closes on one.
bool DeviceLife::is_justified(bool is_relay, std::int32_t power_w, const node::Evidence& why) {
  const auto found = epochs_.find(why.epoch);
  if (why.reason != node::Reason::schedule || found == epochs_.end()) return false;
  const Epoch& epoch = found->second;
  if (epoch.final_since_block == 0 || why.block_number < epoch.final_since_block || why.block_number > chain_.number()) return false;
  if (why.block_hash != chain_.block(why.block_number).header.block_hash() || why.slot >= slots) return false;
  const std::uint64_t chain_s = chain_base_s_ + ms_ / 1000;
  if (chain_s < epoch.head.start.s + std::uint64_t{why.slot} * slot_s) ++violations_.early;
  return is_relay ? epoch.profile[why.slot] != 0 : epoch.profile[why.slot] == power_w;
}

// Nothing that reached the device is fresher than the last frame, so what it knows is at least that old.
void DeviceLife::check_staleness() {
  const std::uint64_t allowed_ms = (age_s_max + 1) * 1000;
  if (!is_on_ || ms_ - reached_ms_ <= allowed_ms) return;
  const bool relay_must_be_off = ms_ - reached_ms_ > allowed_ms + on_ms_min;
  if (power_w_ != 0 || (relay_on_ && relay_must_be_off && ms_ >= contact_back_ms_)) ++violations_.stale;
}

void DeviceLife::check_slot() {
  if (!is_following()) return;
  const auto found = epochs_.find(board_->node.followed_epoch());
  if (found == epochs_.end()) return;
  const std::uint64_t chain_s = chain_base_s_ + ms_ / 1000;
  const std::uint64_t start_s = found->second.head.start.s;
  if (chain_s < start_s || (chain_s - start_s) % slot_s < slot_s - block_s) return;
  if (power_w_ == found->second.profile[(chain_s - start_s) / slot_s]) ++counts_.slots_followed;
}

}  // namespace wattproof::testing
