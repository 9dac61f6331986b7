// SPDX-License-Identifier: Apache-2.0
#include "node/node.hpp"

#include <gtest/gtest.h>

#include "support/node_bench.hpp"

namespace wattproof::testing {
namespace {

using node::Mode;

TEST(node, refuses_a_configuration_that_lacks_what_it_needs) {
  FakeChain chain;
  auto refuse = [&](auto change, Error error) {
    NodeBench bench(chain);
    change(bench.config);
    EXPECT_EQ(bench.boot(), error);
  };
  refuse([](node::Config& config) { config.chain.chain_id = 0; }, Error::configuration_invalid);
  refuse([](node::Config& config) { config.chain.registry = {}; }, Error::configuration_invalid);
  refuse([](node::Config& config) { config.chain.checkpoint.validators.count = 0; }, Error::configuration_invalid);
  refuse([](node::Config& config) { config.device.id = 0; }, Error::configuration_invalid);
  refuse([](node::Config& config) { config.output.has_setpoint = false; }, Error::configuration_invalid);
  refuse([](node::Config& config) { config.link.answer_ms_max = 0; }, Error::configuration_invalid);
  refuse([](node::Config& config) { config.device.grid.slots = 0; }, Error::slot_count_invalid);
}

TEST(node, refuses_a_device_whose_limits_cannot_be_met) {
  FakeChain chain;
  NodeBench bench(chain);
  solver::Device& device = bench.config.device.device;
  device.kind = solver::DeviceKind::shapeable;
  device.power_min_w = 0;
  device.power_max_w = 1000;
  device.energy_wh = 100'000;
  EXPECT_EQ(bench.boot(), Error::infeasible_below);
}

TEST(node, a_step_before_start_does_nothing) {
  node::Node node;
  EXPECT_EQ(node.step({5}, {}).count, 0u);
  EXPECT_EQ(node.start({5}, {}), Error::not_ready);
}

TEST(node, stores_its_boot_before_it_signs_and_checks_in) {
  FakeChain chain;
  NodeBench bench(chain);
  bench.is_store_working = false;
  ASSERT_EQ(bench.boot(), Error::none);
  bench.link_up();
  EXPECT_EQ(bench.check_ins, 0u);
  EXPECT_EQ(bench.node().mode(), Mode::starting);
  EXPECT_EQ(bench.node().last_error(), Error::storage_failed);
  bench.is_store_working = true;
  bench.pass(11);
  EXPECT_EQ(bench.check_ins, 1u);
  EXPECT_EQ(bench.last_nonce >> 32, 1u);
  EXPECT_EQ(bench.node().mode(), Mode::proving);
}

TEST(node, every_boot_has_a_nonce_above_the_one_before) {
  FakeChain chain;
  NodeBench bench(chain);
  std::uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(bench.boot(), Error::none);
    bench.link_up();
    EXPECT_GT(bench.last_nonce, last);
    last = bench.last_nonce;
  }
}

TEST(node, is_fresh_only_after_its_own_check_in_is_final) {
  FakeChain chain;
  NodeBench bench(chain);
  ASSERT_EQ(bench.boot(), Error::none);
  bench.link_up();
  bench.block(5);
  EXPECT_EQ(bench.node().mode(), Mode::proving);
  EXPECT_EQ(bench.node().head().number, chain.number());
  chain.set_word(chain.registry(), schedule::check_in_slot(7), number_word(bench.last_nonce + 1));
  bench.block(5);
  EXPECT_EQ(bench.node().mode(), Mode::proving);
  chain.set_word(chain.registry(), schedule::check_in_slot(7), number_word(bench.last_nonce));
  bench.block(5);
  EXPECT_EQ(bench.node().mode(), Mode::idle);
}

TEST(node, sends_its_check_in_again_until_it_is_proved) {
  FakeChain chain;
  NodeBench bench(chain);
  ASSERT_EQ(bench.boot(), Error::none);
  bench.link_up();
  bench.pass(31);
  bench.pass(31);
  EXPECT_EQ(bench.check_ins, 3u);
  bench.prove_boot();
  const std::uint32_t before = bench.check_ins;
  bench.pass(31);
  EXPECT_EQ(bench.check_ins, before);
}

TEST(node, says_hello_when_the_link_comes_up_and_reports_now_and_then) {
  FakeChain chain;
  NodeBench bench(chain);
  ASSERT_EQ(bench.boot(), Error::none);
  bench.link_up();
  ASSERT_FALSE(bench.sent.empty());
  EXPECT_EQ(bench.sent[0].kind, message::FrameKind::hello);
  EXPECT_EQ(bench.sent[0].hello.id, 7u);
  bench.sent.clear();
  bench.pass(61);
  std::uint32_t reports = 0;
  for (const auto& frame : bench.sent) reports += frame.kind == message::FrameKind::status ? 1 : 0;
  EXPECT_GE(reports, 1u);
}

TEST(node, rubbish_on_the_link_is_counted_and_changes_nothing) {
  FakeChain chain;
  NodeBench bench(chain);
  ASSERT_EQ(bench.boot(), Error::none);
  bench.prove_boot();
  const chain::TrustedHead before = bench.node().head();
  bench.give(Buffer(2000, 0xff));
  bench.give({});
  bench.give({0x83, 0x01});
  EXPECT_EQ(bench.node().error_count(), 3u);
  EXPECT_EQ(bench.node().head(), before);
  EXPECT_EQ(bench.node().mode(), Mode::idle);
}

TEST(node, a_signer_that_fails_is_asked_again) {
  FakeChain chain;
  NodeBench bench(chain);
  bench.is_signer_working = false;
  ASSERT_EQ(bench.boot(), Error::none);
  EXPECT_EQ(bench.node().last_error(), Error::hardware_failed);
  bench.is_signer_working = true;
  bench.link_up();
  EXPECT_EQ(bench.check_ins, 0u);
  bench.pass(11);
  EXPECT_EQ(bench.check_ins, 1u);
}

TEST(node, a_head_is_restored_unless_it_is_below_the_checkpoint) {
  FakeChain chain;
  NodeBench bench(chain);
  ASSERT_EQ(bench.boot(), Error::none);
  bench.prove_boot();
  const Buffer record = bench.records.at(static_cast<std::uint8_t>(node::RecordId::head));
  node::Node restored;
  ASSERT_EQ(restored.configure(bench.config), Error::none);
  ASSERT_EQ(restored.restore(node::RecordId::head, record), Error::none);
  EXPECT_EQ(restored.head(), bench.node().head());
  bench.config.chain.checkpoint.number = chain.number() + 1;
  node::Node refused;
  ASSERT_EQ(refused.configure(bench.config), Error::none);
  EXPECT_EQ(refused.restore(node::RecordId::head, record), Error::head_rolled_back);
  EXPECT_EQ(refused.restore(static_cast<node::RecordId>(99), record), Error::unknown_kind);
}

TEST(node, refuses_numbers_that_its_own_arithmetic_cannot_hold) {
  FakeChain chain;
  auto refuse = [&](auto change) {
    NodeBench bench(chain);
    change(bench.config);
    EXPECT_EQ(bench.boot(), Error::configuration_invalid);
  };
  refuse([](node::Config& config) { config.chain.freshness.age_s_max = 0; });
  refuse([](node::Config& config) { config.chain.freshness.drift_ppm_max = 1'000'000; });
  refuse([](node::Config& config) { config.output.setpoint_fallback_w = power_w_max + 1; });
  refuse([](node::Config& config) { config.output.setpoint_override_w = -power_w_max - 1; });
  refuse([](node::Config& config) { config.device.fallback_w = power_w_max + 1; });
  refuse([](node::Config& config) { config.device.own_cost.quadratic = schedule::penalty_bound; });
}

TEST(node, is_not_configured_anew_while_it_runs) {
  FakeChain chain;
  NodeBench bench(chain);
  ASSERT_EQ(bench.boot(), Error::none);
  bench.prove_boot();
  const std::uint64_t number = bench.node().head().number;
  EXPECT_EQ(bench.node().configure(bench.config), Error::unexpected);
  EXPECT_EQ(bench.node().head().number, number);
}

TEST(node, a_lost_boot_record_costs_one_check_in) {
  FakeChain chain;
  NodeBench bench(chain);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(bench.boot(), Error::none);
    bench.prove_boot();
  }
  const std::uint64_t last = bench.last_nonce;
  bench.records.clear();
  ASSERT_EQ(bench.boot(), Error::none);
  bench.link_up();
  ASSERT_LT(bench.last_nonce, last);  // the registry takes no nonce that is not above the last one
  bench.block(5);
  EXPECT_GT(bench.last_nonce, last);
  bench.prove_boot();
  EXPECT_EQ(bench.node().mode(), Mode::idle);
  const std::uint64_t found = bench.last_nonce;
  ASSERT_EQ(bench.boot(), Error::none);
  bench.link_up();
  EXPECT_GT(bench.last_nonce, found);
}

TEST(node, a_boot_too_long_without_a_header_needs_a_new_checkpoint) {
  FakeChain chain;
  NodeBench bench(chain);
  ASSERT_EQ(bench.boot(), Error::none);
  bench.prove_boot();
  ASSERT_EQ(bench.boot(), Error::none);
  bench.pass(31 * 24 * 3600);
  // Whoever holds the keys of removed validators can choose a timestamp within the trusting period.
  chain.mine(5);
  bench.link_up();
  bench.give(chain.notice(0, 0, 0));
  EXPECT_EQ(bench.node().last_error(), Error::trusting_period_over);
  EXPECT_LT(bench.node().head().number, chain.number());
}

}  // namespace
}  // namespace wattproof::testing
