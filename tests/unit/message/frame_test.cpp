// SPDX-License-Identifier: Apache-2.0
#include "message/frame.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace wattproof::message {
namespace {

using Buffer = std::array<std::uint8_t, frame_size_max>;
const std::vector<std::uint8_t> address(20, 0xab);
const std::vector<std::uint8_t> word(32, 0xcd);

crypto::Signature some_signature() {
  crypto::Signature signature;
  for (std::size_t i = 0; i < signature.size(); ++i) signature[i] = static_cast<std::uint8_t>(i * 3);
  return signature;
}

std::vector<std::uint8_t> copy(const Result<Bytes>& bytes) {
  EXPECT_TRUE(bytes) << error_name(bytes.error());
  return {bytes->begin(), bytes->end()};
}

std::vector<std::vector<std::uint8_t>> valid_up_frames() {
  Buffer b{};
  const std::vector<std::uint8_t> profile(4 * 24, 7);
  return {
      copy(encode(Hello{.head_number = 9, .boot_count = 3, .id = 1}, b)),
      copy(encode(Want{.sequence = 1, .what = What::header, .block = 0, .subject = {}, .key = {}, .offset = 0}, b)),
      copy(encode(Want{.sequence = 70000, .what = What::storage_proof, .block = 12345, .subject = address, .key = word,
                       .offset = 3}, b)),
      copy(encode(Update{.epoch = 20777, .round = 4, .profile = profile, .signature = some_signature()}, b)),
      copy(encode(CheckIn{.nonce = 0x0000000500112233, .signature = some_signature()}, b)),
      copy(encode(DeviceStatus{.mode = 2, .relay_commanded = true, .relay_sensed = Sensed::closed, .setpoint_w = -1500,
                               .head_number = 77, .epoch = 5, .round = 3, .justified_by_block = 70,
                               .last_error = Error::head_stale, .uptime_s = 1000}, b)),
  };
}

std::vector<std::vector<std::uint8_t>> valid_down_frames() {
  Buffer b{};
  const std::vector<std::uint8_t> part(900, 1);
  const std::vector<std::uint8_t> node(480, 2);
  Nodes nodes{.sequence = 4, .offset = 1, .total = 3, .count = 2, .items = {}};
  nodes.items[0] = nodes.items[1] = node;
  return {
      copy(encode(Notice{.head_number = 100, .negotiated_epoch = 5, .round = 2, .followed_epoch = 4}, b)),
      copy(encode_header(Part{.sequence = 1, .block = 100, .total = 3500, .offset = 2600, .bytes = part}, b)),
      copy(encode_data(Part{.sequence = 2, .block = 0, .total = 900, .offset = 0, .bytes = part}, b)),
      copy(encode(nodes, b)),
      copy(encode(None{.sequence = 9, .reason = NoneReason::not_yet}, b)),
  };
}

TEST(frame, every_frame_from_a_device_round_trips) {
  const auto frames = valid_up_frames();
  UpFrame frame;
  ASSERT_EQ(decode(frames[0], frame), Error::none);
  EXPECT_EQ(frame.kind, FrameKind::hello);
  EXPECT_EQ(frame.hello.head_number, 9u);
  ASSERT_EQ(decode(frames[2], frame), Error::none);
  EXPECT_EQ(frame.want.what, What::storage_proof);
  EXPECT_EQ(frame.want.block, 12345u);
  EXPECT_TRUE(equal(frame.want.key, word));
  ASSERT_EQ(decode(frames[3], frame), Error::none);
  EXPECT_EQ(frame.update.epoch, 20777u);
  EXPECT_EQ(frame.update.profile.size(), 96u);
  EXPECT_EQ(frame.update.signature, some_signature());
  ASSERT_EQ(decode(frames[4], frame), Error::none);
  EXPECT_EQ(frame.check_in.nonce, 0x0000000500112233u);
  ASSERT_EQ(decode(frames[5], frame), Error::none);
  EXPECT_EQ(frame.status.setpoint_w, -1500);
  EXPECT_EQ(frame.status.relay_sensed, Sensed::closed);
  EXPECT_EQ(frame.status.last_error, Error::head_stale);
}

TEST(frame, every_frame_to_a_device_round_trips) {
  const auto frames = valid_down_frames();
  DownFrame frame;
  ASSERT_EQ(decode(frames[0], frame), Error::none);
  EXPECT_EQ(frame.notice.negotiated_epoch, 5u);
  ASSERT_EQ(decode(frames[1], frame), Error::none);
  EXPECT_EQ(frame.part.offset, 2600u);
  EXPECT_EQ(frame.part.bytes.size(), 900u);
  ASSERT_EQ(decode(frames[3], frame), Error::none);
  EXPECT_EQ(frame.nodes.count, 2u);
  EXPECT_EQ(frame.nodes.items[1].size(), 480u);
  ASSERT_EQ(decode(frames[4], frame), Error::none);
  EXPECT_EQ(frame.none.reason, NoneReason::not_yet);
}

TEST(frame, an_update_of_the_most_slots_fits_in_one_frame) {
  Buffer b{};
  const std::vector<std::uint8_t> profile(profile_size_max, 0xff);
  const Result<Bytes> bytes =
      encode(Update{.epoch = UINT64_MAX, .round = UINT32_MAX, .profile = profile, .signature = some_signature()}, b);
  if (slot_count_max <= 220) {
    EXPECT_TRUE(bytes);
  } else {
    EXPECT_EQ(bytes.error(), Error::too_large);
  }
}

TEST(frame, every_proper_prefix_and_every_extension_is_refused) {
  for (const auto& bytes : valid_up_frames()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      UpFrame frame;
      EXPECT_NE(decode(Bytes(bytes).first(size), frame), Error::none) << size;
    }
    std::vector<std::uint8_t> longer = bytes;
    longer.push_back(0);
    UpFrame frame;
    EXPECT_EQ(decode(longer, frame), Error::trailing_bytes);
  }
  for (const auto& bytes : valid_down_frames()) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      DownFrame frame;
      EXPECT_NE(decode(Bytes(bytes).first(size), frame), Error::none) << size;
    }
  }
}

TEST(frame, a_frame_of_the_other_direction_or_of_the_future_is_unknown) {
  DownFrame down;
  UpFrame up;
  for (const auto& bytes : valid_up_frames()) EXPECT_EQ(decode(bytes, down), Error::unknown_kind);
  for (const auto& bytes : valid_down_frames()) EXPECT_EQ(decode(bytes, up), Error::unknown_kind);
  std::vector<std::uint8_t> next_version = valid_up_frames()[0];
  next_version[1] = 2;
  EXPECT_EQ(decode(next_version, up), Error::unknown_version);
}

TEST(frame, parts_beyond_their_total_and_unknown_wants_are_refused) {
  Buffer b{};
  const std::vector<std::uint8_t> part(10, 1);
  DownFrame down;
  EXPECT_EQ(decode(copy(encode_data(Part{.sequence = 1, .block = 0, .total = 9, .offset = 0, .bytes = part}, b)), down),
            Error::out_of_range);
  EXPECT_EQ(decode(copy(encode_data(Part{.sequence = 1, .block = 0, .total = 12, .offset = 3, .bytes = part}, b)), down),
            Error::out_of_range);
  EXPECT_EQ(decode(copy(encode_data(Part{.sequence = 1, .block = 0, .total = 12, .offset = 3, .bytes = {}}, b)), down),
            Error::out_of_range);
  UpFrame up;
  std::vector<std::uint8_t> want = valid_up_frames()[1];
  want[4] = 7;
  EXPECT_EQ(decode(want, up), Error::unknown_kind);
}

TEST(frame, whatever_decodes_encodes_to_the_same_bytes) {
  std::mt19937 random(1);
  std::uint32_t accepted = 0;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    const auto frames = valid_up_frames();
    std::vector<std::uint8_t> bytes = frames[i % frames.size()];
    bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(1u << random() % 8);
    UpFrame frame;
    if (decode(bytes, frame) != Error::none) continue;
    ++accepted;
    Buffer b{};
    std::vector<std::uint8_t> again;
    switch (frame.kind) {
      case FrameKind::hello: again = copy(encode(frame.hello, b)); break;
      case FrameKind::want: again = copy(encode(frame.want, b)); break;
      case FrameKind::update: again = copy(encode(frame.update, b)); break;
      case FrameKind::check_in: again = copy(encode(frame.check_in, b)); break;
      default: again = copy(encode(frame.status, b)); break;
    }
    EXPECT_EQ(again, bytes);
  }
  EXPECT_GT(accepted, 1000u);
}

}  // namespace
}  // namespace wattproof::message
