// SPDX-License-Identifier: Apache-2.0
#include "schedule/epoch.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wattproof::schedule {
namespace {

EpochHead some_head() {
  EpochHead head;
  head.status = EpochStatus::open;
  head.penalty_exponent = -3;
  head.slots = 24;
  head.slot_seconds = 3600;
  head.round = 7;
  head.epoch = 20777;
  head.start = {1'795'132'800};
  head.deadline = {1'795'100'000};
  head.changed = {1'795'099'990};
  head.participants = 12;
  head.rho0 = 25ull << 16;
  head.parameters_hash[0] = 1;
  head.vectors_hash[31] = 2;
  return head;
}

std::array<std::uint8_t, head_size> encoded(const EpochHead& head) {
  std::array<std::uint8_t, head_size> bytes{};
  encode_head(head, bytes);
  return bytes;
}

TEST(epoch, a_head_round_trips) {
  const EpochHead head = some_head();
  const auto bytes = encoded(head);
  EpochHead read;
  ASSERT_EQ(decode_head(bytes, read), Error::none);
  EXPECT_EQ(encoded(read), bytes);
  EXPECT_EQ(read.penalty_exponent, -3);
  EXPECT_EQ(read.round, 7u);
  EXPECT_EQ(end_of(read).s, 1'795'132'800u + 86400u);
}

TEST(epoch, a_head_outside_its_ranges_is_refused) {
  EpochHead read;
  auto refuse = [&](auto change) {
    EpochHead head = some_head();
    change(head);
    EXPECT_EQ(decode_head(encoded(head), read), Error::out_of_range);
  };
  refuse([](EpochHead& head) { head.slots = 0; });
  refuse([](EpochHead& head) { head.slots = slot_count_max + 1; });
  refuse([](EpochHead& head) { head.slot_seconds = 7; });
  refuse([](EpochHead& head) { head.slot_seconds = 0; });
  refuse([](EpochHead& head) { head.start.s += 1; });
  refuse([](EpochHead& head) { head.start.s = 3600ull << 40; });
  refuse([](EpochHead& head) { head.worst_slot = 24; });
  refuse([](EpochHead& head) { head.rho0 = 0; });
  refuse([](EpochHead& head) { head.rho0 = penalty_bound; });
  refuse([](EpochHead& head) { head.penalty_exponent = 25; });
  auto bytes = encoded(some_head());
  EXPECT_EQ(decode_head(Bytes(bytes).first(127), read), Error::wrong_length);
  bytes[0] = 2;
  EXPECT_EQ(decode_head(bytes, read), Error::unknown_version);
  bytes[0] = 1;
  bytes[1] = 5;
  EXPECT_EQ(decode_head(bytes, read), Error::out_of_range);
}

TEST(epoch, the_penalty_is_a_power_of_two_of_its_start_and_never_zero) {
  EpochHead head = some_head();
  EXPECT_EQ(penalty(head), (25ull << 16) >> 3);
  head.penalty_exponent = 24;
  head.rho0 = penalty_bound - 1;
  EXPECT_EQ(penalty(head), (penalty_bound - 1) << 24);
  head.penalty_exponent = -24;
  head.rho0 = 1;
  EXPECT_EQ(penalty(head), 1u);
}

TEST(epoch, vectors_are_read_in_their_order_and_bounded) {
  std::vector<std::uint8_t> bytes(vectors_slot_size * 2);
  for (std::uint32_t i = 0; i < 8; ++i) store_be64(bytes.data() + 8 * i, static_cast<std::uint64_t>(-std::int64_t{i}));
  Vectors vectors;
  ASSERT_EQ(Vectors::decode(bytes, 2, vectors), Error::none);
  EXPECT_EQ(vectors.z(1), -1);
  EXPECT_EQ(vectors.u(0), -2);
  EXPECT_EQ(vectors.mean(1), -5);
  EXPECT_EQ(vectors.z_before(1), -7);
  EXPECT_EQ(Vectors::decode(bytes, 3, vectors), Error::wrong_length);
  EXPECT_EQ(Vectors::decode(bytes, slot_count_max + 1, vectors), Error::wrong_length);
  store_be64(bytes.data(), static_cast<std::uint64_t>(vector_bound));
  EXPECT_EQ(Vectors::decode(bytes, 2, vectors), Error::out_of_range);
}

TEST(epoch, a_record_is_read_field_by_field) {
  std::vector<std::uint8_t> bytes(record_fixed_size + 8);
  store_be64(bytes.data(), 5);
  store_be32(bytes.data() + 8, 6);
  store_be32(bytes.data() + 12, 7);
  bytes[16] = 1;
  bytes[17] = 0xaa;
  bytes[37] = 0xbb;
  store_be64(bytes.data() + 69, 8);
  store_be64(bytes.data() + 77, 9);
  bytes[85] = 0xcc;
  Record record;
  ASSERT_EQ(decode_record(bytes, 2, record), Error::none);
  EXPECT_EQ(record.epoch, 5u);
  EXPECT_EQ(record.id, 6u);
  EXPECT_EQ(record.round, 7u);
  EXPECT_TRUE(record.is_frozen);
  EXPECT_EQ(record.signer[0], 0xaa);
  EXPECT_EQ(record.limits_hash[0], 0xbb);
  EXPECT_EQ(record.change2, 8u);
  EXPECT_EQ(record.change2_before, 9u);
  EXPECT_EQ(record.profile[0], 0xcc);
  EXPECT_EQ(decode_record(bytes, 3, record), Error::wrong_length);
  bytes[16] = 2;
  EXPECT_EQ(decode_record(bytes, 2, record), Error::out_of_range);
}

TEST(epoch, storage_slots_separate_epochs_devices_and_names) {
  EXPECT_EQ(epoch_word_slot(3), epoch_word_slot(11));
  EXPECT_NE(epoch_word_slot(3), epoch_word_slot(4));
  EXPECT_NE(record_slot(3, 1), record_slot(3, 2));
  EXPECT_NE(record_slot(3, 1), record_slot(4, 1));
  EXPECT_EQ(record_slot(3, 1), record_slot(11, 1));
  EXPECT_NE(contract_slot("Scheduler"), contract_slot("Settlement"));
  EXPECT_NE(check_in_slot(1), check_in_slot(2));
}

}  // namespace
}  // namespace wattproof::schedule
