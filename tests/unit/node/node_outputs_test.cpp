// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "node/node.hpp"
#include "support/node_bench.hpp"

namespace wattproof::testing {
namespace {

struct Plug {
  FakeChain chain;
  NodeBench bench{chain};
  std::vector<std::int32_t> cycle{2000, 0, 500};

  explicit Plug(const std::vector<std::int32_t>& profile) {
    solver::Device& device = bench.config.device.device;
    device = {};
    device.kind = solver::DeviceKind::appliance;
    device.profile_w = cycle;
    bench.config.output.has_relay = true;
    bench.config.output.has_setpoint = false;
    EXPECT_EQ(bench.boot(), Error::none);
    bench.prove_boot();
    schedule::EpochHead head;
    head.status = schedule::EpochStatus::final;
    head.slots = 24;
    head.slot_seconds = 3600;
    head.round = 9;
    head.epoch = today;
    head.start = {(chain.time_s() / 3600 + 1) * 3600};
    head.participants = 1;
    head.rho0 = 65536;
    chain.set_epoch(head, std::vector<std::int64_t>(96, 0));
    chain.set_record(today, 7, 8, bench.key().address, profile);
    bench.block(5, 0, 0, today);
    seconds_to_start = head.start.s - chain.time_s();
  }
  std::uint64_t seconds_to_start = 0;

  void hours(double count) {
    for (int i = 0; i < static_cast<int>(count * 12); ++i) bench.block(300);
  }
};

std::vector<std::int32_t> cycle_at(std::uint32_t start) {
  std::vector<std::int32_t> profile(24, 0);
  profile[start] = 2000;
  profile[start + 2] = 500;
  return profile;
}

TEST(node_outputs, the_first_step_drives_every_output_to_its_fallback) {
  FakeChain chain;
  NodeBench bench(chain);
  bench.config.output.has_relay = true;
  bench.config.output.setpoint_fallback_w = 0;
  ASSERT_EQ(bench.boot(), Error::none);
  ASSERT_EQ(bench.outputs.size(), 2u);
  EXPECT_FALSE(bench.outputs[0].on);
  EXPECT_EQ(bench.outputs[0].evidence.reason, node::Reason::fallback);
}

TEST(node_outputs, an_appliance_runs_through_its_whole_cycle_once) {
  Plug plug(cycle_at(2));
  plug.hours(8);
  std::vector<OutputChange> relay;
  for (const OutputChange& change : plug.bench.outputs) {
    if (change.is_relay) relay.push_back(change);
  }
  ASSERT_EQ(relay.size(), 3u);  // off at boot, on, off
  EXPECT_TRUE(relay[1].on);
  EXPECT_EQ(relay[1].evidence.slot, 2u);
  EXPECT_FALSE(relay[2].on);
  EXPECT_EQ(relay[2].evidence.slot, 5u);  // the pause in slot 3 is part of the cycle
  EXPECT_EQ((relay[2].at.ms - relay[1].at.ms) / 1000, 3u * 3600u);
}

TEST(node_outputs, without_a_fresh_head_the_relay_falls_back) {
  Plug plug(cycle_at(0));
  plug.hours(1.5);
  ASSERT_TRUE(plug.bench.node().relay_is_on());
  plug.bench.pass(880);
  EXPECT_TRUE(plug.bench.node().relay_is_on());
  plug.bench.pass(60);
  EXPECT_FALSE(plug.bench.node().relay_is_on());
  EXPECT_EQ(plug.bench.node().mode(), node::Mode::stale);
  EXPECT_EQ(plug.bench.outputs.back().evidence.reason, node::Reason::fallback);
  EXPECT_EQ(plug.bench.outputs.back().evidence.block_number, 0u);
}

TEST(node_outputs, the_person_at_the_button_wins_for_the_stated_time) {
  Plug plug(cycle_at(0));
  plug.hours(1.5);
  ASSERT_TRUE(plug.bench.node().relay_is_on());
  node::Input button;
  button.kind = node::InputKind::button;
  button.button = node::ButtonCommand::force_off;
  button.button_s = 600;
  plug.bench.feed(button);
  EXPECT_FALSE(plug.bench.node().relay_is_on());
  EXPECT_EQ(plug.bench.outputs.back().evidence.reason, node::Reason::override_by_person);
  EXPECT_EQ(plug.bench.outputs.back().evidence.block_number, 0u);
  plug.bench.block(300);
  EXPECT_FALSE(plug.bench.node().relay_is_on());
  plug.bench.block(301);
  EXPECT_TRUE(plug.bench.node().relay_is_on());
}

TEST(node_outputs, a_relay_that_the_board_opened_is_commanded_anew) {
  Plug plug(cycle_at(0));
  plug.hours(1.5);
  ASSERT_TRUE(plug.bench.node().relay_is_on());
  const std::size_t before = plug.bench.outputs.size();
  node::Input opened;
  opened.kind = node::InputKind::opened;
  plug.bench.feed(opened);
  EXPECT_FALSE(plug.bench.node().relay_is_on());
  EXPECT_EQ(plug.bench.outputs.size(), before);  // it is open already
  plug.bench.pass(1);
  ASSERT_EQ(plug.bench.outputs.size(), before + 1);
  EXPECT_TRUE(plug.bench.outputs.back().on);
}

TEST(node_outputs, a_contactor_is_open_when_the_set_point_is_zero) {
  FakeChain chain;
  NodeBench bench(chain);
  bench.config.output.has_relay = true;
  ASSERT_EQ(bench.boot(), Error::none);
  bench.prove_boot();
  schedule::EpochHead head;
  head.status = schedule::EpochStatus::final;
  head.slots = 24;
  head.slot_seconds = 3600;
  head.epoch = today;
  head.start = {(chain.time_s() / 3600) * 3600};
  head.rho0 = 65536;
  std::vector<std::int32_t> profile(24, 0);
  profile[1] = -700;
  chain.set_epoch(head, std::vector<std::int64_t>(96, 0));
  chain.set_record(today, 7, 8, bench.key().address, profile);
  bench.block(5, 0, 0, today);
  for (int i = 0; i < 36; ++i) bench.block(300);
  std::uint32_t closed = 0;
  for (const OutputChange& change : bench.outputs) closed += change.is_relay && change.on ? 1u : 0u;
  EXPECT_EQ(closed, 1u);
  EXPECT_EQ(bench.node().setpoint_w(), 0);
  EXPECT_FALSE(bench.node().relay_is_on());
}

TEST(node_outputs, conflicting_final_headers_end_all_trust) {
  Plug plug(cycle_at(0));
  plug.hours(1.5);
  ASSERT_TRUE(plug.bench.node().relay_is_on());
  // The same validators seal another header at the next height twice; the gateway shows one, then the other.
  FakeChain& chain = plug.chain;
  chain.mine(5);
  plug.bench.now = plug.bench.now.plus(5000);
  BftHeader other = chain.block(chain.number()).header;
  other.fields.gas_used += 1;
  other.seal_with(chain.keys(), 3);
  plug.bench.give(chain.notice(0, 0, today));
  bool is_shown = false;
  plug.bench.answer = [&](const message::Want& want) {
    if (want.what != message::What::header) return std::vector<Buffer>{chain.answer(want)};
    is_shown = true;
    // Claims to be newer, so that the node looks at it.
    return std::vector<Buffer>{FakeChain::part(want, chain.number() + 1, other.encode(), true)};
  };
  plug.bench.pass(31);
  EXPECT_TRUE(is_shown);
  EXPECT_EQ(plug.bench.node().mode(), node::Mode::conflict);
  EXPECT_FALSE(plug.bench.node().relay_is_on());
  // It rests, and a power cut does not make it forget.
  plug.bench.pass(3600);
  ASSERT_EQ(plug.bench.boot(), Error::none);
  EXPECT_EQ(plug.bench.node().mode(), node::Mode::conflict);
}

}  // namespace
}  // namespace wattproof::testing
