// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "node/node.hpp"
#include "support/node_bench.hpp"

namespace wattproof::testing {
namespace {

constexpr std::uint64_t epoch = 20'000;

schedule::EpochHead open_head(const FakeChain& chain, std::uint32_t round) {
  schedule::EpochHead head;
  head.status = schedule::EpochStatus::open;
  head.slots = 24;
  head.slot_seconds = 3600;
  head.round = round;
  head.epoch = epoch;
  head.start = {(chain.time_s() / 3600 + 3) * 3600};
  head.participants = 2;
  head.rho0 = 25ull << 16;
  return head;
}

std::vector<std::int64_t> flat_vectors(std::int64_t z, std::int64_t mean) {
  std::vector<std::int64_t> vectors(96, 0);
  for (std::size_t t = 0; t < 24; ++t) {
    vectors[t] = vectors[72 + t] = z;
    vectors[48 + t] = mean;
  }
  return vectors;
}

struct World {
  FakeChain chain;
  NodeBench bench{chain};
  World() {
    EXPECT_EQ(bench.boot(), Error::none);
    bench.prove_boot();
    EXPECT_EQ(bench.node().mode(), node::Mode::idle);
    bench.sent.clear();
  }
  std::vector<message::Update> updates() const {
    std::vector<message::Update> found;
    for (const auto& frame : bench.sent) {
      if (frame.kind == message::FrameKind::update) found.push_back(frame.update);
    }
    return found;
  }
};

TEST(node_evidence, answers_an_open_round_with_its_optimum_signed_for_that_round) {
  World world;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(16 * 1500, 16 * 1000));
  world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 200));
  world.bench.block(5, epoch, 1);
  const auto updates = world.updates();
  ASSERT_EQ(updates.size(), 1u);
  std::vector<std::int32_t> profile(24);
  ASSERT_EQ(message::decode_profile(updates[0].profile, profile), Error::none);
  EXPECT_EQ(profile, std::vector<std::int32_t>(24, 200 + 1500 - 1000));  // x + z - xb, within its limits
  const Hash32 digest = message::update_digest(message::scheduler_domain(FakeChain::chain_id, world.chain.scheduler()),
                                               epoch, 1, profile);
  EXPECT_EQ(*crypto::recover_address(digest, updates[0].signature), world.bench.key().address);
}

TEST(node_evidence, sends_the_same_bytes_again_while_the_record_does_not_show_them) {
  World world;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, epoch, 1);
  world.bench.block(5, epoch, 1);
  world.bench.block(5, epoch, 1);
  const auto updates = world.updates();
  ASSERT_EQ(updates.size(), 3u);
  EXPECT_EQ(updates[0].signature, updates[2].signature);
  EXPECT_TRUE(equal(updates[0].profile, updates[2].profile));
}

TEST(node_evidence, a_signed_update_survives_a_reboot_and_no_second_profile_is_signed) {
  World world;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, epoch, 1);
  const auto first = world.updates();
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(world.bench.boot(), Error::none);
  world.bench.prove_boot();
  // The gateway now shows other vectors for the same round, as a fork would.
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(1600, 0));
  world.bench.block(5, epoch, 1);
  const auto all = world.updates();
  ASSERT_GE(all.size(), 2u);
  for (const auto& update : all) EXPECT_EQ(update.signature, first[0].signature);
}

TEST(node_evidence, an_update_leaves_only_after_it_is_stored) {
  World world;
  world.bench.is_store_working = false;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, epoch, 1);
  EXPECT_TRUE(world.updates().empty());
  world.bench.is_store_working = true;
  world.bench.pass(11);
  EXPECT_EQ(world.updates().size(), 1u);
}

TEST(node_evidence, a_frozen_or_answered_round_is_left_alone) {
  World world;
  world.chain.set_epoch(open_head(world.chain, 3), flat_vectors(800, 0));
  world.chain.set_record(epoch, 7, 3, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, epoch, 3);
  EXPECT_TRUE(world.updates().empty());
  world.chain.set_record(epoch, 7, 2, world.bench.key().address, std::vector<std::int32_t>(24, 0), true);
  world.bench.block(5, epoch, 3);
  EXPECT_TRUE(world.updates().empty());
}

TEST(node_evidence, a_record_of_another_signer_is_not_its_own) {
  World world;
  Address other = world.bench.key().address;
  other[0] ^= 1;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(epoch, 7, 0, other, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, epoch, 1);
  EXPECT_TRUE(world.updates().empty());
  EXPECT_EQ(world.bench.node().last_error(), Error::wrong_device);
}

TEST(node_evidence, another_epoch_in_the_ring_entry_is_refused) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 1);
  world.chain.set_epoch(head, flat_vectors(800, 0));
  world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  std::array<std::uint8_t, 8> claimed{};
  store_be64(claimed.data(), epoch + schedule::ring_size);
  std::array<std::uint8_t, 8> real{};
  store_be64(real.data(), epoch);
  world.bench.answer = [&](const message::Want& want) {
    message::Want asked = want;
    if (want.what == message::What::epoch_head) asked.key = real;
    return std::vector<Buffer>{world.chain.answer(asked)};
  };
  world.bench.block(5, epoch + schedule::ring_size, 1);
  EXPECT_TRUE(world.updates().empty());
  EXPECT_EQ(world.bench.node().last_error(), Error::wrong_epoch);
}

TEST(node_evidence, data_that_does_not_hash_to_the_proven_word_is_refused) {
  for (const auto what : {message::What::epoch_head, message::What::vectors, message::What::record}) {
    World world;
    world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
    world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
    world.bench.answer = [&](const message::Want& want) {
      Buffer frame = world.chain.answer(want);
      if (want.what == what) frame.back() ^= 1;
      return std::vector<Buffer>{frame};
    };
    world.bench.block(5, epoch, 1);
    EXPECT_TRUE(world.updates().empty());
    EXPECT_EQ(world.bench.node().last_error(), Error::value_mismatch);
  }
}

TEST(node_evidence, an_epoch_of_another_grid_is_named_and_left_alone) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 1);
  head.slots = 48;
  head.slot_seconds = 1800;
  world.chain.set_epoch(head, std::vector<std::int64_t>(192, 0));
  world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(48, 0));
  world.bench.block(5, epoch, 1);
  EXPECT_TRUE(world.updates().empty());
  EXPECT_EQ(world.bench.node().last_error(), Error::slot_count_invalid);
}

TEST(node_evidence, a_final_epoch_is_followed_as_the_own_record_has_it) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 14);
  head.status = schedule::EpochStatus::final;
  head.start = {(world.chain.time_s() / 3600) * 3600};
  std::vector<std::int32_t> profile(24, 0);
  for (std::size_t t = 0; t < 24; ++t) profile[t] = static_cast<std::int32_t>(100 * t);
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(epoch, 7, 13, world.bench.key().address, profile);
  world.bench.outputs.clear();
  world.bench.block(5, 0, 0, epoch);
  EXPECT_EQ(world.bench.node().mode(), node::Mode::following);
  for (int hour = 0; hour < 5; ++hour) {
    for (int block = 0; block < 6; ++block) world.bench.block(600);
  }
  ASSERT_GE(world.bench.outputs.size(), 5u);
  EXPECT_TRUE(world.bench.records.contains(static_cast<std::uint8_t>(node::RecordId::head)));  // an epoch ended
  for (const OutputChange& change : world.bench.outputs) {
    EXPECT_EQ(change.evidence.reason, node::Reason::schedule);
    EXPECT_EQ(change.evidence.epoch, epoch);
    EXPECT_GT(change.evidence.block_number, 0u);
    EXPECT_EQ(change.power_w, profile[change.evidence.slot]);
  }
}

TEST(node_evidence, an_epoch_that_was_open_is_looked_at_again_without_a_hint) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 1);
  world.chain.set_epoch(head, flat_vectors(800, 0));
  world.chain.set_record(epoch, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, epoch, 1);
  head.status = schedule::EpochStatus::final;
  head.start = {(world.chain.time_s() / 3600) * 3600};
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(epoch, 7, 1, world.bench.key().address, std::vector<std::int32_t>(24, 555));
  world.bench.block(5);
  EXPECT_EQ(world.bench.node().setpoint_w(), 555);
}

TEST(node_evidence, a_schedule_is_followed_only_once_it_is_stored) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 14);
  head.status = schedule::EpochStatus::final;
  head.start = {(world.chain.time_s() / 3600) * 3600};
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(epoch, 7, 13, world.bench.key().address, std::vector<std::int32_t>(24, 777));
  world.bench.is_store_working = false;
  world.bench.block(5, 0, 0, epoch);
  EXPECT_EQ(world.bench.node().setpoint_w(), 0);
  world.bench.is_store_working = true;
  world.bench.pass(11);
  EXPECT_EQ(world.bench.node().setpoint_w(), 777);
}

TEST(node_evidence, after_a_reboot_the_stored_schedule_waits_for_the_challenge) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 14);
  head.status = schedule::EpochStatus::final;
  head.start = {(world.chain.time_s() / 3600) * 3600};
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(epoch, 7, 13, world.bench.key().address, std::vector<std::int32_t>(24, 777));
  world.bench.block(5, 0, 0, epoch);
  ASSERT_EQ(world.bench.node().setpoint_w(), 777);
  ASSERT_EQ(world.bench.boot(), Error::none);
  world.bench.link_up();
  world.bench.block(5, 0, 0, epoch);
  EXPECT_EQ(world.bench.node().setpoint_w(), 0);
  world.bench.prove_boot();
  EXPECT_EQ(world.bench.node().setpoint_w(), 777);
}

TEST(node_evidence, a_failed_epoch_means_the_enrolled_fallback) {
  World world;
  world.bench.config.device.fallback_w = 350;
  ASSERT_EQ(world.bench.boot(), Error::none);
  world.bench.prove_boot();
  schedule::EpochHead head = open_head(world.chain, 60);
  head.status = schedule::EpochStatus::failed;
  head.reason = schedule::FailReason::cap_cannot_be_met;
  head.start = {(world.chain.time_s() / 3600) * 3600};
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(epoch, 7, 13, world.bench.key().address, std::vector<std::int32_t>(24, 777));
  world.bench.block(5, 0, 0, epoch);
  EXPECT_EQ(world.bench.node().setpoint_w(), 350);
  EXPECT_EQ(world.bench.outputs.back().evidence.reason, node::Reason::fallback);
  EXPECT_EQ(world.bench.outputs.back().evidence.epoch, epoch);
}

}  // namespace
}  // namespace wattproof::testing
