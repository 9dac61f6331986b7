// SPDX-License-Identifier: Apache-2.0
// A home whose gateway lies. The chain behind the gateway is honest and holds a final schedule; the device is the shipped
// node. What the device does is judged from outside: by the chain itself, never by what the node says of itself.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "support/node_bench.hpp"

namespace wattproof::testing {

class LiedToHome {
 public:
  static constexpr std::uint64_t epoch = 20'100;
  static constexpr std::uint32_t slots = 24;
  static constexpr std::uint64_t age_s_max = 900;
  static constexpr std::uint64_t block_s = 60;

  // The device has booted, is fresh, and has not yet seen the schedule of `epoch`, which begins within the hour.
  LiedToHome() {
    bench.config.output.has_relay = true;
    bench.config.output.has_setpoint = true;
    bench.config.chain.freshness.age_s_max = static_cast<std::uint32_t>(age_s_max);
    EXPECT_EQ(bench.boot(), Error::none);
    bench.prove_boot();
    EXPECT_EQ(bench.node().mode(), node::Mode::idle);
    for (std::uint32_t t = 0; t < slots; ++t) profile.push_back(static_cast<std::int32_t>(500 + 100 * t));
    head.status = schedule::EpochStatus::final;
    head.slots = slots;
    head.slot_seconds = 3600;
    head.round = 12;
    head.epoch = epoch;
    head.start = {(chain.time_s() / 3600 + 1) * 3600};
    head.participants = 2;
    head.rho0 = 65536;
    put_schedule();
    errors_before_ = bench.node().error_count();
    bench.outputs.clear();
  }

  FakeChain chain;
  NodeBench bench{chain};
  std::vector<std::int32_t> profile;
  schedule::EpochHead head;

  void put_schedule() {
    chain.set_epoch(head, std::vector<std::int64_t>(4 * slots, 0));
    chain.set_record(epoch, bench.config.device.id, 11, bench.key().address, profile);
    chain.set_record(epoch, bench.config.device.id + 1, 11, chain.keys()[0].address, std::vector<std::int32_t>(slots, 4999));
  }

  using Answer = NodeBench::Answer;
  void lie(Answer answer) {
    bench.answer = std::move(answer);
    errors_before_ = bench.node().error_count();
  }
  void be_honest() {
    bench.answer = [this](const message::Want& want) { return std::vector<Buffer>{chain.answer(want)}; };
  }

  // The gateway tells of a new block so many times.
  void hear(std::uint32_t notices) {
    for (std::uint32_t i = 0; i < notices; ++i) bench.block(block_s, 0, 0, epoch);
  }
  void hear_until(std::uint64_t chain_s) {
    while (chain.time_s() < chain_s) hear(1);
  }

  [[nodiscard]] std::uint32_t errors() { return bench.node().error_count() - errors_before_; }
  [[nodiscard]] std::uint64_t slot_start(std::uint32_t slot) const { return head.start.s + std::uint64_t{slot} * head.slot_seconds; }

  // Nothing has moved since the outputs were last cleared.
  [[nodiscard]] bool has_not_moved() const { return bench.outputs.empty(); }
  // Both outputs are in their fallback state, as they were driven.
  [[nodiscard]] bool is_in_fallback() { return !bench.node().relay_is_on() && bench.node().setpoint_w() == 0; }
  [[nodiscard]] bool follows(std::uint32_t slot) { return bench.node().relay_is_on() && bench.node().setpoint_w() == profile[slot]; }

  // Every output that left the fallback state did so on the device's own record under a block of the honest chain, in its
  // slot or late, never early.
  void check_outputs() {
    for (const OutputChange& change : bench.outputs) {
      const bool is_active = change.is_relay ? change.on : change.power_w != 0;
      if (!is_active) continue;
      ASSERT_EQ(change.evidence.reason, node::Reason::schedule);
      ASSERT_EQ(change.evidence.epoch, epoch);
      ASSERT_LE(change.evidence.block_number, chain.number());
      ASSERT_EQ(change.evidence.block_hash, chain.block(change.evidence.block_number).header.block_hash());
      ASSERT_LT(change.evidence.slot, slots);
      EXPECT_TRUE(change.is_relay || change.power_w == profile[change.evidence.slot]) << change.power_w;
      const std::uint64_t chain_s = chain.time_s() - bench.now.since(change.at) / 1000;
      EXPECT_GE(chain_s, slot_start(change.evidence.slot)) << "early";
      EXPECT_LE(chain_s, slot_start(change.evidence.slot) + head.slot_seconds + age_s_max) << "too late to act on";
    }
  }

  // The whole proof that an honest gateway would give.
  std::vector<Buffer> proof(const message::Want& want, std::uint64_t block, Bytes subject, Bytes key) {
    FakeChain::Block& at = chain.block(block);
    if (want.what == message::What::account_proof) return at.state.prove(crypto::keccak256(subject));
    return at.storage.at(to_array<20>(subject)).prove(crypto::keccak256(key));
  }

  // Answers headers with what `change` makes of the newest one, and everything else honestly.
  Answer with_header(std::function<void(BftHeader&)> change) {
    return [this, change](const message::Want& want) {
      if (want.what != message::What::header) return std::vector<Buffer>{chain.answer(want)};
      BftHeader header = chain.block(chain.number()).header;
      change(header);
      return std::vector<Buffer>{FakeChain::part(want, header.fields.number, header.encode(), true)};
    };
  }

  // Answers proofs of one kind with what `change` makes of the nodes, and everything else honestly.
  Answer with_nodes(message::What what, std::function<void(std::vector<Buffer>&)> change) {
    return [this, what, change](const message::Want& want) {
      if (want.what != what) return std::vector<Buffer>{chain.answer(want)};
      std::vector<Buffer> nodes = proof(want, want.block, want.subject, want.key);
      change(nodes);
      return std::vector<Buffer>{FakeChain::nodes(want, nodes)};
    };
  }

 private:
  std::uint32_t errors_before_ = 0;
};

}  // namespace wattproof::testing
