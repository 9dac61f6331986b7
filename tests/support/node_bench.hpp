// SPDX-License-Identifier: Apache-2.0
// A node on a bench: software key, records in memory, a link whose answers a test may change. Time moves only when told to.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "node/node.hpp"
#include "support/fake_chain.hpp"

namespace wattproof::testing {

// The epoch that is played where a test plays one.
constexpr std::uint64_t today = 20'000;

struct OutputChange {
  bool is_relay = false;
  bool on = false;
  std::int32_t power_w = 0;
  node::Evidence evidence;
  BootMs at{};
};

class NodeBench {
 public:
  using Answer = std::function<std::vector<Buffer>(const message::Want&)>;

  explicit NodeBench(FakeChain& chain) : chain_(chain), device_key_(500) {
    config.chain.chain_id = FakeChain::chain_id;
    config.chain.registry = chain.registry();
    config.chain.checkpoint = chain.checkpoint();
    config.chain.freshness.age_s_max = 900;
    config.device.id = 7;
    config.device.address = device_key_.address;
    config.device.grid = {24, 3600};
    config.device.device.kind = solver::DeviceKind::curtailable;
    config.device.device.power_min_w = -5000;
    config.device.device.power_max_w = 5000;
    config.output.has_setpoint = true;
    config.output.relay = {.on_ms_min = 0, .off_ms_min = 0, .fallback_ms = 900'000, .start_spread_ms_max = 0};
    answer = [this](const message::Want& want) { return std::vector<Buffer>{chain_.answer(want)}; };
  }

  node::Config config;
  // Sees every step of the node.
  std::function<void(const node::Input&, const node::Actions&)> on_step;
  Answer answer;                       // what the gateway sends for a want; honest unless a test says otherwise
  bool is_store_working = true;
  bool is_signer_working = true;
  std::map<std::uint8_t, Buffer> records;
  std::vector<OutputChange> outputs;
  std::vector<message::UpFrame> sent;  // everything but wants; spans of updates point into kept_
  std::uint32_t wants = 0;
  std::uint32_t check_ins = 0;
  std::uint64_t last_nonce = 0;
  BootMs now{1000};

  const TestKey& key() const { return device_key_; }
  node::Node& node() { return *node_; }

  Error boot() {
    node_ = std::make_unique<node::Node>();
    const Error error = node_->configure(config);
    if (!ok(error)) return error;
    for (const auto& [id, bytes] : records) {
      (void)node_->restore(static_cast<node::RecordId>(id), bytes);
    }
    std::array<std::uint8_t, 32> entropy{};
    entropy[0] = static_cast<std::uint8_t>(++boots_);
    const Error started = node_->start(now, entropy);
    feed({});
    return started;
  }

  void feed(const node::Input& input) {
    queue_.clear();
    step(input);
    // A node that never comes to rest is broken; the bound is far above what any step needs.
    for (std::uint32_t turns = 0; turns < 20'000; ++turns) {
      if (!queue_.empty()) {
        const node::Input next = queue_.front();
        queue_.pop_front();
        step(next);
      } else if (!inbox_.empty()) {
        const Buffer frame = inbox_.front();
        inbox_.pop_front();
        node::Input next;
        next.kind = node::InputKind::frame;
        next.frame = frame;
        step(next);
      } else if (wake_ <= now) {
        step({});
      } else {
        return;
      }
    }
    ADD_FAILURE() << "the node does not come to rest";
  }

  void link_up() {
    node::Input input;
    input.kind = node::InputKind::link_up;
    feed(input);
  }

  void give(const Buffer& frame) {
    inbox_.push_back(frame);
    feed({});
  }

  // Boot time and chain time pass together.
  void pass(std::uint64_t seconds) {
    now = now.plus(seconds * 1000);
    feed({});
  }

  // The chain goes on for `seconds` in one block and the node hears of it.
  void block(std::uint64_t seconds, std::uint64_t negotiated = 0, std::uint32_t round = 0, std::uint64_t followed = 0) {
    chain_.mine(seconds);
    now = now.plus(seconds * 1000);
    give(chain_.notice(negotiated, round, followed));
  }

  // Puts the check-in that was sent on the chain, and lets the node see it.
  void prove_boot() {
    link_up();
    chain_.set_word(chain_.registry(), schedule::check_in_slot(config.device.id), number_word(last_nonce));
    block(5);
  }

 private:
  void step(const node::Input& input) {
    const node::Actions& actions = node_->step(now, input);
    if (on_step) on_step(input, actions);
    for (std::uint32_t i = 0; i < actions.count; ++i) take(actions.items[i]);
  }

  void take(const node::Action& action) {
    switch (action.kind) {
      case node::ActionKind::send: take_frame(action.bytes); return;
      case node::ActionKind::set_relay: outputs.push_back({true, action.on, 0, action.evidence, now}); return;
      case node::ActionKind::set_point: outputs.push_back({false, false, action.power_w, action.evidence, now}); return;
      case node::ActionKind::write_record: {
        if (is_store_working) records[action.record_id] = Buffer(action.bytes.begin(), action.bytes.end());
        node::Input input;
        input.kind = node::InputKind::stored;
        input.record_id = action.record_id;
        input.ok = is_store_working;
        queue_.push_back(input);
        return;
      }
      case node::ActionKind::sign: {
        node::Input input;
        input.kind = node::InputKind::signature;
        input.ok = is_signer_working;
        if (is_signer_working) input.signature = device_key_.sign(action.digest);
        queue_.push_back(input);
        return;
      }
      case node::ActionKind::wake_at: wake_ = action.wake; return;
    }
  }

  void take_frame(Bytes bytes) {
    kept_.emplace_back(bytes.begin(), bytes.end());
    message::UpFrame frame;
    ASSERT_EQ(message::decode(kept_.back(), frame), Error::none);
    if (frame.kind == message::FrameKind::want) {
      ++wants;
      for (const Buffer& reply : answer(frame.want)) inbox_.push_back(reply);
      return;
    }
    if (frame.kind == message::FrameKind::check_in) {
      ++check_ins;
      last_nonce = frame.check_in.nonce;
    }
    sent.push_back(frame);
  }

  FakeChain& chain_;
  TestKey device_key_;
  std::unique_ptr<node::Node> node_;
  std::deque<node::Input> queue_;
  std::deque<Buffer> inbox_;
  std::deque<Buffer> kept_;
  BootMs wake_{};
  std::uint32_t boots_ = 0;
};

}  // namespace wattproof::testing
