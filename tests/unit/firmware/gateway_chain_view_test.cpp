// SPDX-License-Identifier: Apache-2.0
#include "chain_view.hpp"

#include <gtest/gtest.h>

namespace wattproof::gateway {
namespace {

ContractEvent event_of(EventKind kind, std::uint64_t block, std::uint64_t epoch = 0, std::uint32_t id = 0, std::uint32_t round = 0) {
  ContractEvent event;
  event.kind = kind;
  event.block = block;
  event.epoch = epoch;
  event.id = id;
  event.round = round;
  return event;
}

ByteVector head_bytes(schedule::EpochStatus status, std::uint64_t epoch, std::uint32_t round) {
  schedule::EpochHead head;
  head.status = status;
  head.slots = 2;
  head.slot_seconds = 3600;
  head.round = round;
  head.epoch = epoch;
  head.start.s = 7200;
  head.participants = 1;
  head.rho0 = 1;
  ByteVector bytes(schedule::head_size);
  schedule::encode_head(head, std::span<std::uint8_t, schedule::head_size>(bytes));
  return bytes;
}

ByteVector profile_of(std::int32_t first, std::int32_t second) {
  ByteVector bytes(8);
  store_be32(bytes.data(), static_cast<std::uint32_t>(first));
  store_be32(bytes.data() + 4, static_cast<std::uint32_t>(second));
  return bytes;
}

ContractEvent head_event(EventKind kind, std::uint64_t block, schedule::EpochStatus status, std::uint64_t epoch, std::uint32_t round) {
  ContractEvent event = event_of(kind, block, epoch, 0, round);
  event.first = head_bytes(status, epoch, round);
  event.second = ByteVector(kind == EventKind::epoch_opened ? 8 + 24 : 64, static_cast<std::uint8_t>(round));
  return event;
}

ContractEvent profile_event(std::uint64_t block, std::uint32_t round, std::int32_t first, std::int32_t second) {
  ContractEvent event = event_of(EventKind::profile, block, 1, 7, round);
  event.first = profile_of(first, second);
  return event;
}

// Device 7 in epoch 1: entered at block 10, rounds 1 and 2 opened at 11 and 13, answered at 12 and 14.
ChainView busy_view() {
  ChainView view;
  ContractEvent added = event_of(EventKind::device_added, 2, 0, 7);
  added.address[0] = 0x77;
  view.apply(added);
  view.apply(head_event(EventKind::epoch_opened, 9, schedule::EpochStatus::entering, 1, 0));
  ContractEvent entered = event_of(EventKind::device_entered, 10, 1, 7);
  entered.address[0] = 0x77;
  entered.first = profile_of(5, 5);
  view.apply(entered);
  view.apply(head_event(EventKind::round_opened, 11, schedule::EpochStatus::open, 1, 1));
  view.apply(profile_event(12, 1, 8, 1));
  view.apply(head_event(EventKind::round_opened, 13, schedule::EpochStatus::open, 1, 2));
  view.apply(profile_event(14, 2, 8, 3));
  return view;
}

TEST(gateway_chain_view, a_record_is_rebuilt_as_the_contract_hashes_it) {
  const ChainView view = busy_view();
  schedule::Record record;
  const ByteVector bytes = view.record_at(1, 7, 14);
  ASSERT_EQ(schedule::decode_record(bytes, 2, record), Error::none);
  EXPECT_EQ(record.epoch, 1u);
  EXPECT_EQ(record.id, 7u);
  EXPECT_EQ(record.round, 2u);
  EXPECT_EQ(record.signer[0], 0x77);
  EXPECT_EQ(record.change2, 4u);           // (3 - 1)^2
  EXPECT_EQ(record.change2_before, 25u);   // (8 - 5)^2 + (1 - 5)^2, of the round just before
  EXPECT_TRUE(equal(record.profile, profile_of(8, 3)));
}

TEST(gateway_chain_view, a_missed_round_leaves_no_change_before) {
  ChainView view = busy_view();
  view.apply(head_event(EventKind::round_opened, 15, schedule::EpochStatus::open, 1, 3));
  view.apply(head_event(EventKind::round_opened, 16, schedule::EpochStatus::open, 1, 4));
  view.apply(profile_event(17, 4, 8, 4));
  schedule::Record record;
  ASSERT_EQ(schedule::decode_record(view.record_at(1, 7, 17), 2, record), Error::none);
  EXPECT_EQ(record.change2_before, 0u);
}

TEST(gateway_chain_view, an_answer_about_a_block_is_what_was_true_there) {
  const ChainView view = busy_view();
  EXPECT_TRUE(view.head_at(1, 8).empty());
  EXPECT_EQ(view.head_at(1, 10), head_bytes(schedule::EpochStatus::entering, 1, 0));
  EXPECT_TRUE(view.vectors_at(1, 10).empty());
  EXPECT_EQ(view.head_at(1, 12), head_bytes(schedule::EpochStatus::open, 1, 1));
  EXPECT_EQ(view.vectors_at(1, 13), ByteVector(64, 2));
  EXPECT_TRUE(view.record_at(1, 7, 9).empty());
  EXPECT_NE(view.record_at(1, 7, 11), view.record_at(1, 7, 12));
  EXPECT_TRUE(view.record_at(1, 8, 14).empty());
  EXPECT_TRUE(view.record_at(2, 7, 14).empty());
}

TEST(gateway_chain_view, a_reorganisation_takes_back_what_was_above) {
  ChainView view = busy_view();
  const ByteVector before = view.record_at(1, 7, 12);
  view.roll_back(12);
  EXPECT_EQ(view.record_at(1, 7, 99), before);
  EXPECT_EQ(view.negotiated()->newest().head.round, 1u);
  EXPECT_EQ(view.negotiated()->answered(), 1u);
  view.roll_back(1);
  EXPECT_TRUE(view.devices().empty());
  EXPECT_EQ(view.negotiated(), nullptr);
}

TEST(gateway_chain_view, the_ring_forgets_the_epoch_whose_entry_is_taken) {
  ChainView view = busy_view();
  view.apply(head_event(EventKind::epoch_opened, 20, schedule::EpochStatus::entering, 8, 0));
  EXPECT_NE(view.epoch(1), nullptr);
  view.apply(head_event(EventKind::epoch_opened, 21, schedule::EpochStatus::entering, 9, 0));
  EXPECT_EQ(view.epoch(1), nullptr);
  view.roll_back(20);
  EXPECT_EQ(view.epoch(9), nullptr);
}

TEST(gateway_chain_view, a_final_epoch_is_followed_until_its_last_slot_ends) {
  ChainView view = busy_view();
  EXPECT_EQ(view.followed(0), nullptr);
  view.apply(head_event(EventKind::schedule_final, 15, schedule::EpochStatus::final, 1, 2));
  ASSERT_NE(view.followed(0), nullptr);
  EXPECT_NE(view.followed(7200 + 7199), nullptr);
  EXPECT_EQ(view.followed(7200 + 7200), nullptr);
  EXPECT_EQ(view.negotiated(), nullptr);
}

TEST(gateway_chain_view, refuses_events_that_contradict_what_is_known) {
  ChainView view = busy_view();
  EXPECT_THROW(view.apply(event_of(EventKind::device_suspended, 20, 0, 99)), std::runtime_error);
  EXPECT_THROW(view.apply(event_of(EventKind::profile, 20, 1, 99, 2)), std::runtime_error);
  EXPECT_THROW(view.apply(event_of(EventKind::profile, 20, 5, 7, 2)), std::runtime_error);
  ContractEvent short_one = profile_event(20, 2, 1, 1);
  short_one.first.pop_back();
  EXPECT_THROW(view.apply(short_one), std::runtime_error);
  ContractEvent bad_head = head_event(EventKind::round_opened, 20, schedule::EpochStatus::open, 1, 3);
  bad_head.first[0] = 9;
  EXPECT_THROW(view.apply(bad_head), std::runtime_error);
}

TEST(gateway_chain_view, knows_devices_by_their_present_key) {
  ChainView view = busy_view();
  Address before{};
  before[0] = 0x77;
  ContractEvent replaced = event_of(EventKind::key_replaced, 20, 0, 7);
  replaced.address[0] = 0x88;
  view.apply(replaced);
  EXPECT_EQ(view.device_of(before), nullptr);
  ASSERT_NE(view.device_of(replaced.address), nullptr);
  EXPECT_EQ(view.device_of(replaced.address)->id, 7u);
}

}  // namespace
}  // namespace wattproof::gateway
