// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "node/node.hpp"
#include "support/node_bench.hpp"

namespace wattproof::testing {
namespace {

schedule::EpochHead open_head(const FakeChain& chain, std::uint32_t round) {
  schedule::EpochHead head;
  head.status = schedule::EpochStatus::open;
  head.slots = 24;
  head.slot_seconds = 3600;
  head.round = round;
  head.epoch = today;
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
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 200));
  world.bench.block(5, today, 1);
  const auto updates = world.updates();
  ASSERT_EQ(updates.size(), 1u);
  std::vector<std::int32_t> profile(24);
  ASSERT_EQ(message::decode_profile(updates[0].profile, profile), Error::none);
  EXPECT_EQ(profile, std::vector<std::int32_t>(24, 200 + 1500 - 1000));  // x + z - xb, within its limits
  const Hash32 digest = message::update_digest(message::scheduler_domain(FakeChain::chain_id, world.chain.scheduler()),
                                               today, 1, profile);
  EXPECT_EQ(*crypto::recover_address(digest, updates[0].signature), world.bench.key().address);
}

TEST(node_evidence, sends_the_same_bytes_again_while_the_record_does_not_show_them) {
  World world;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  world.bench.block(5, today, 1);
  world.bench.block(5, today, 1);
  const auto updates = world.updates();
  ASSERT_EQ(updates.size(), 3u);
  EXPECT_EQ(updates[0].signature, updates[2].signature);
  EXPECT_TRUE(equal(updates[0].profile, updates[2].profile));
}

TEST(node_evidence, a_signed_update_survives_a_reboot_and_no_second_profile_is_signed) {
  World world;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  const auto first = world.updates();
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(world.bench.boot(), Error::none);
  world.bench.prove_boot();
  // The gateway now shows other vectors for the same round, as a fork would.
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(1600, 0));
  world.bench.block(5, today, 1);
  const auto all = world.updates();
  ASSERT_GE(all.size(), 2u);
  for (const auto& update : all) EXPECT_EQ(update.signature, first[0].signature);
}

TEST(node_evidence, an_update_leaves_only_after_it_is_stored) {
  World world;
  world.bench.is_store_working = false;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  EXPECT_TRUE(world.updates().empty());
  world.bench.is_store_working = true;
  world.bench.pass(11);
  EXPECT_EQ(world.updates().size(), 1u);
}

TEST(node_evidence, a_frozen_or_answered_round_is_left_alone) {
  World world;
  world.chain.set_epoch(open_head(world.chain, 3), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 3, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 3);
  EXPECT_TRUE(world.updates().empty());
  world.chain.set_record(today, 7, 2, world.bench.key().address, std::vector<std::int32_t>(24, 0), true);
  world.bench.block(5, today, 3);
  EXPECT_TRUE(world.updates().empty());
}

TEST(node_evidence, a_record_of_another_signer_is_not_its_own) {
  World world;
  Address other = world.bench.key().address;
  other[0] ^= 1;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, other, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  EXPECT_TRUE(world.updates().empty());
  EXPECT_EQ(world.bench.node().last_error(), Error::wrong_device);
}

TEST(node_evidence, another_epoch_in_the_ring_entry_is_refused) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 1);
  world.chain.set_epoch(head, flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  std::array<std::uint8_t, 8> claimed{};
  store_be64(claimed.data(), today + schedule::ring_size);
  std::array<std::uint8_t, 8> real{};
  store_be64(real.data(), today);
  world.bench.answer = [&](const message::Want& want) {
    message::Want asked = want;
    if (want.what == message::What::epoch_head) asked.key = real;
    return std::vector<Buffer>{world.chain.answer(asked)};
  };
  world.bench.block(5, today + schedule::ring_size, 1);
  EXPECT_TRUE(world.updates().empty());
  EXPECT_EQ(world.bench.node().last_error(), Error::wrong_epoch);
}

TEST(node_evidence, data_that_does_not_hash_to_the_proven_word_is_refused) {
  for (const auto what : {message::What::epoch_head, message::What::vectors, message::What::record}) {
    World world;
    world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
    world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
    world.bench.answer = [&](const message::Want& want) {
      Buffer frame = world.chain.answer(want);
      if (want.what == what) frame.back() ^= 1;
      return std::vector<Buffer>{frame};
    };
    world.bench.block(5, today, 1);
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
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(48, 0));
  world.bench.block(5, today, 1);
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
  world.chain.set_record(today, 7, 13, world.bench.key().address, profile);
  world.bench.outputs.clear();
  world.bench.block(5, 0, 0, today);
  EXPECT_EQ(world.bench.node().mode(), node::Mode::following);
  for (int hour = 0; hour < 5; ++hour) {
    for (int block = 0; block < 6; ++block) world.bench.block(600);
  }
  ASSERT_GE(world.bench.outputs.size(), 5u);
  EXPECT_TRUE(world.bench.records.contains(static_cast<std::uint8_t>(node::RecordId::head)));  // an epoch ended
  for (const OutputChange& change : world.bench.outputs) {
    EXPECT_EQ(change.evidence.reason, node::Reason::schedule);
    EXPECT_EQ(change.evidence.epoch, today);
    EXPECT_GT(change.evidence.block_number, 0u);
    EXPECT_EQ(change.power_w, profile[change.evidence.slot]);
  }
}

TEST(node_evidence, an_epoch_that_was_open_is_looked_at_again_without_a_hint) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 1);
  world.chain.set_epoch(head, flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  head.status = schedule::EpochStatus::final;
  head.start = {(world.chain.time_s() / 3600) * 3600};
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(today, 7, 1, world.bench.key().address, std::vector<std::int32_t>(24, 555));
  world.bench.block(5);
  EXPECT_EQ(world.bench.node().setpoint_w(), 555);
}

TEST(node_evidence, a_schedule_is_followed_only_once_it_is_stored) {
  World world;
  schedule::EpochHead head = open_head(world.chain, 14);
  head.status = schedule::EpochStatus::final;
  head.start = {(world.chain.time_s() / 3600) * 3600};
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(today, 7, 13, world.bench.key().address, std::vector<std::int32_t>(24, 777));
  world.bench.is_store_working = false;
  world.bench.block(5, 0, 0, today);
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
  world.chain.set_record(today, 7, 13, world.bench.key().address, std::vector<std::int32_t>(24, 777));
  world.bench.block(5, 0, 0, today);
  ASSERT_EQ(world.bench.node().setpoint_w(), 777);
  ASSERT_EQ(world.bench.boot(), Error::none);
  world.bench.link_up();
  world.bench.block(5, 0, 0, today);
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
  world.chain.set_record(today, 7, 13, world.bench.key().address, std::vector<std::int32_t>(24, 777));
  world.bench.block(5, 0, 0, today);
  EXPECT_EQ(world.bench.node().setpoint_w(), 350);
  EXPECT_EQ(world.bench.outputs.back().evidence.reason, node::Reason::fallback);
  EXPECT_EQ(world.bench.outputs.back().evidence.epoch, today);
}

// A final epoch `days` after today, with the same power in every slot.
void put_final(World& world, std::uint64_t id, std::uint64_t start_s, std::int32_t power_w) {
  schedule::EpochHead head = open_head(world.chain, 14);
  head.status = schedule::EpochStatus::final;
  head.epoch = id;
  head.start = {start_s};
  world.chain.set_epoch(head, flat_vectors(0, 0));
  world.chain.set_record(id, 7, 13, world.bench.key().address, std::vector<std::int32_t>(24, power_w));
}

std::uint64_t this_hour(const World& world) { return world.chain.time_s() / 3600 * 3600; }

TEST(node_evidence, a_round_of_an_earlier_epoch_is_not_signed_a_second_time) {
  World world;
  schedule::EpochHead later = open_head(world.chain, 1);
  later.epoch = today + 1;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.chain.set_epoch(later, flat_vectors(800, 0));
  world.chain.set_record(today + 1, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  world.bench.block(5, today + 1, 1);
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(1600, 0));
  for (int i = 0; i < 4; ++i) world.bench.block(5, today, 1);
  std::vector<message::Update> first;
  for (const auto& update : world.updates()) {
    if (update.epoch == today) first.push_back(update);
  }
  ASSERT_GE(first.size(), 1u);
  for (const auto& update : first) EXPECT_EQ(update.signature, first[0].signature);
}

TEST(node_evidence, what_is_stored_as_signed_was_signed) {
  World world;
  world.bench.is_store_working = false;
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  world.bench.is_signer_working = false;
  world.chain.set_epoch(open_head(world.chain, 2), flat_vectors(1600, 0));
  world.bench.block(5, today, 2);
  world.bench.is_store_working = true;
  world.bench.pass(11);
  const auto record = world.bench.records.find(static_cast<std::uint8_t>(node::RecordId::message));
  if (record != world.bench.records.end()) {
    node::SignedUpdate update;
    ASSERT_EQ(node::decode_update(record->second, update), Error::none);
    const Hash32 digest = message::update_digest(message::scheduler_domain(FakeChain::chain_id, world.chain.scheduler()),
                                                 update.epoch, update.round, update.profile());
    EXPECT_EQ(*crypto::recover_address(digest, update.signature), world.bench.key().address);
  }
  world.bench.is_signer_working = true;
  world.bench.block(11, today, 2);
  ASSERT_EQ(world.updates().size(), 1u);
  EXPECT_EQ(world.updates()[0].round, 2u);
}

TEST(node_evidence, the_schedule_that_is_followed_makes_no_room_for_a_later_one) {
  World world;
  const std::uint64_t day = this_hour(world);
  for (std::uint64_t i = 0; i < 3; ++i) {
    put_final(world, today + i, day + i * 86'400, static_cast<std::int32_t>(100 * (i + 1)));
    world.bench.block(5, 0, 0, today + i);
  }
  EXPECT_EQ(world.bench.node().setpoint_w(), 100);
  for (std::uint64_t i = 0; i < 3; ++i) {
    while (world.chain.time_s() < day + i * 86'400 + 7200) world.bench.block(600, 0, 0, today + i);
    EXPECT_EQ(world.bench.node().setpoint_w(), static_cast<std::int32_t>(100 * (i + 1)));
  }
}

TEST(node_evidence, schedules_of_a_far_future_do_not_keep_today_s_out) {
  World world;
  const std::uint64_t day = this_hour(world);
  put_final(world, today, day + 300 * 86'400, 100);
  world.bench.block(5, 0, 0, today);
  put_final(world, today + 1, day + 200 * 86'400, 200);
  world.bench.block(5, 0, 0, today + 1);
  put_final(world, today + 2, day, 300);
  world.bench.block(5, 0, 0, today + 2);
  EXPECT_EQ(world.bench.node().setpoint_w(), 300);
}

TEST(node_evidence, hints_at_many_schedules_do_not_wear_the_store) {
  World world;
  const std::uint64_t day = this_hour(world);
  for (std::uint64_t i = 0; i < 8; ++i) put_final(world, today + i, day - (4 - i) * 86'400, 100);
  std::uint32_t writes = 0;
  world.bench.on_step = [&](const node::Input&, const node::Actions& actions) {
    for (std::uint32_t i = 0; i < actions.count; ++i) {
      writes += actions.items[i].kind == node::ActionKind::write_record && actions.items[i].record_id >= 4 ? 1u : 0u;
    }
  };
  for (std::uint64_t i = 0; i < 80; ++i) world.bench.block(5, 0, 0, today + (5 * i) % 8);
  EXPECT_EQ(world.bench.node().followed_epoch(), today + 4);
  EXPECT_LE(writes, 4u);  // each that begins sooner may take the place of one that begins later, once
}

TEST(node_evidence, of_two_schedules_of_one_day_the_newer_final_one_counts) {
  World world;
  const std::uint64_t day = this_hour(world);
  put_final(world, today, day, 100);
  world.bench.block(5, 0, 0, today);
  put_final(world, today + 1, day, 200);
  world.bench.block(5, 0, 0, today + 1);
  EXPECT_EQ(world.bench.node().setpoint_w(), 200);
  schedule::EpochHead failed = open_head(world.chain, 3);
  failed.status = schedule::EpochStatus::failed;
  failed.epoch = today + 2;
  failed.start = {day};
  world.chain.set_epoch(failed, flat_vectors(0, 0));
  world.chain.set_record(today + 2, 7, 2, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, 0, 0, today + 2);
  EXPECT_EQ(world.bench.node().setpoint_w(), 200);
}

TEST(node_evidence, a_long_negotiation_does_not_keep_today_s_schedule_away) {
  World world;
  put_final(world, today, this_hour(world), 100);
  schedule::EpochHead entering = open_head(world.chain, 0);
  entering.status = schedule::EpochStatus::entering;
  entering.epoch = today + 1;
  world.chain.set_epoch(entering, flat_vectors(0, 0));
  world.bench.block(5, today + 1, 0, today);
  world.bench.block(5, today + 1, 0, today);
  EXPECT_EQ(world.bench.node().setpoint_w(), 100);
}

TEST(node_evidence, the_ring_s_old_record_says_that_it_takes_no_part) {
  World world;
  put_final(world, today, this_hour(world), 100);
  world.chain.set_record(today - schedule::ring_size, 7, 3, world.bench.key().address, std::vector<std::int32_t>(24, 50));
  std::array<std::uint8_t, 12> old_key{}, key{};
  store_be64(old_key.data(), today - schedule::ring_size);
  store_be64(key.data(), today);
  old_key[11] = key[11] = 7;
  world.bench.answer = [&](const message::Want& want) {
    message::Want asked = want;
    if (want.what == message::What::record && equal(want.key, key)) asked.key = old_key;
    return std::vector<Buffer>{world.chain.answer(asked)};
  };
  const std::uint32_t errors = world.bench.node().error_count();
  for (int i = 0; i < 3; ++i) world.bench.block(5, 0, 0, today);
  EXPECT_EQ(world.bench.node().setpoint_w(), 0);
  EXPECT_EQ(world.bench.node().error_count(), errors);
}

TEST(node_evidence, records_of_another_device_chain_or_community_are_not_its_own) {
  const auto refuse = [](auto change) {
    World world;
    put_final(world, today, this_hour(world), 777);
    world.bench.block(5, 0, 0, today);
    ASSERT_EQ(world.bench.node().setpoint_w(), 777);
    const auto records = world.bench.records;
    change(world.bench.config);
    world.bench.records.clear();
    ASSERT_EQ(world.bench.boot(), Error::none);
    node::Node other;
    ASSERT_EQ(other.configure(world.bench.config), Error::none);
    for (const node::RecordId id : {node::RecordId::head, node::RecordId::schedule_a}) {
      EXPECT_EQ(other.restore(id, records.at(static_cast<std::uint8_t>(id))), Error::wrong_device);
    }
    EXPECT_EQ(other.head(), world.bench.config.chain.checkpoint);
  };
  refuse([](node::Config& config) { config.device.address[3] ^= 1; });
  refuse([](node::Config& config) { config.device.id += 1; });
  refuse([](node::Config& config) { config.chain.chain_id += 1; });
  refuse([](node::Config& config) { config.chain.registry[3] ^= 1; });
}

TEST(node_evidence, a_boot_clock_that_may_drift_never_interrupts_a_schedule) {
  World world;
  world.bench.config.chain.freshness.drift_ppm_max = 20'000;  // the anchor of one check-in is worn out after half a day
  ASSERT_EQ(world.bench.boot(), Error::none);
  world.bench.prove_boot();
  put_final(world, today, this_hour(world), 777);
  world.bench.block(5, 0, 0, today);
  ASSERT_EQ(world.bench.node().setpoint_w(), 777);
  world.bench.outputs.clear();
  const std::uint64_t nonce_before = world.bench.last_nonce;
  for (int i = 0; i < 12 * 20; ++i) {
    world.chain.set_word(world.chain.registry(), schedule::check_in_slot(7), number_word(world.bench.last_nonce));
    world.bench.block(300, 0, 0, today);
  }
  EXPECT_TRUE(world.bench.outputs.empty());
  EXPECT_GT(world.bench.last_nonce, nonce_before);
  EXPECT_LE(world.bench.last_nonce, nonce_before + 12);
}

TEST(node_evidence, a_renewed_check_in_that_does_not_arrive_costs_no_round) {
  World world;
  world.bench.config.chain.freshness.drift_ppm_max = 20'000;
  ASSERT_EQ(world.bench.boot(), Error::none);
  world.bench.prove_boot();
  const std::uint64_t nonce = world.bench.last_nonce;
  for (int i = 0; i < 100 && world.bench.last_nonce == nonce; ++i) world.bench.block(300);
  ASSERT_EQ(world.bench.last_nonce, nonce + 1);
  ASSERT_EQ(world.bench.node().mode(), node::Mode::idle);
  world.bench.sent.clear();
  world.chain.set_epoch(open_head(world.chain, 1), flat_vectors(800, 0));
  world.chain.set_record(today, 7, 0, world.bench.key().address, std::vector<std::int32_t>(24, 0));
  world.bench.block(5, today, 1);
  world.bench.block(5, today, 1);
  EXPECT_GE(world.updates().size(), 1u);
}

}  // namespace
}  // namespace wattproof::testing
