// SPDX-License-Identifier: Apache-2.0
#include "node/records.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wattproof::node {
namespace {

TEST(records, a_boot_count_round_trips) {
  std::array<std::uint8_t, boot_record_size> record{};
  encode_boot(0x01020304, record);
  EXPECT_EQ(*decode_boot(record), 0x01020304u);
  EXPECT_EQ(decode_boot(Bytes(record).first(4)).error(), Error::wrong_length);
  record[0] = 9;
  EXPECT_EQ(decode_boot(record).error(), Error::unknown_version);
}

TEST(records, a_signed_update_round_trips) {
  SignedUpdate update;
  update.epoch = 5;
  update.round = 3;
  update.slots = 24;
  update.signature[64] = 1;
  update.profile_w[23] = -1234;
  std::array<std::uint8_t, 1024> buffer{};
  const Result<Bytes> record = encode_update(update, buffer);
  ASSERT_TRUE(record);
  SignedUpdate read;
  ASSERT_EQ(decode_update(*record, read), Error::none);
  EXPECT_EQ(read.epoch, 5u);
  EXPECT_EQ(read.profile()[23], -1234);
  EXPECT_EQ(read.signature, update.signature);
  EXPECT_EQ(decode_update(record->first(record->size() - 1), read), Error::wrong_length);
  EXPECT_EQ(encode_update(update, MutableBytes(buffer).first(100)).error(), Error::capacity);
}

TEST(records, a_schedule_round_trips_and_knows_its_slots) {
  Schedule schedule;
  schedule.epoch = 5;
  schedule.start = {7200};
  schedule.slots = 2;
  schedule.slot_seconds = 3600;
  schedule.block_number = 99;
  schedule.block_hash[3] = 4;
  schedule.profile_w[1] = 2000;
  std::array<std::uint8_t, 1024> buffer{};
  const Result<Bytes> record = encode_schedule(schedule, buffer);
  ASSERT_TRUE(record);
  Schedule read;
  ASSERT_EQ(decode_schedule(*record, read), Error::none);
  EXPECT_EQ(read.block_hash, schedule.block_hash);
  EXPECT_FALSE(read.covers({7199}));
  EXPECT_TRUE(read.covers({7200}));
  EXPECT_EQ(read.slot_at({10800}), 1u);
  EXPECT_TRUE(read.covers({14399}));
  EXPECT_FALSE(read.covers({14400}));
}

TEST(records, records_outside_their_ranges_are_refused) {
  Schedule schedule;
  schedule.epoch = 5;
  schedule.slots = 2;
  schedule.slot_seconds = 3600;
  std::array<std::uint8_t, 1024> buffer{};
  const Result<Bytes> good = encode_schedule(schedule, buffer);
  ASSERT_TRUE(good);
  Schedule read;
  auto refuse = [&](std::size_t at, std::uint8_t value, Error error) {
    std::vector<std::uint8_t> bytes(good->begin(), good->end());
    bytes[at] = value;
    EXPECT_EQ(decode_schedule(bytes, read), error) << at;
  };
  refuse(0, 2, Error::unknown_version);
  refuse(1, 2, Error::out_of_range);
  refuse(2, 0xff, Error::out_of_range);
  refuse(7, 0x11, Error::out_of_range);
  refuse(15, 0, Error::out_of_range);
  refuse(16, 1, Error::out_of_range);
  EXPECT_EQ(read.epoch, 0u);
}

}  // namespace
}  // namespace wattproof::node
