// SPDX-License-Identifier: Apache-2.0
// The gateway's frames by libcbor against the device's own codec: each reads what the other writes, and refuses what the
// other refuses.
#include "gateway_frames.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace wattproof::gateway {
namespace {

using message::DownFrame;
using message::FrameKind;
using message::UpFrame;
using message::What;

constexpr int mutation_count = 200'000;

template <class Frame>
ByteVector encoded(const Frame& frame) {
  std::array<std::uint8_t, frame_size_max> buffer{};
  const Result<Bytes> bytes = message::encode(frame, buffer);
  EXPECT_TRUE(bytes);
  return {bytes->begin(), bytes->end()};
}

std::vector<ByteVector> frames_of_a_device() {
  const std::array<std::uint8_t, 20> subject{1, 2, 3};
  const std::array<std::uint8_t, 32> key{4, 5, 6};
  const std::array<std::uint8_t, 8> profile{0, 0, 1, 0, 0xff, 0xff, 0xff, 0};
  crypto::Signature signature{};
  signature.fill(0x33);
  message::DeviceStatus status;
  status.setpoint_w = -730;
  status.uptime_s = 1'000'000;
  return {encoded(message::Hello{23, 24, 255}),
          encoded(message::Hello{256, 65536, UINT32_MAX}),
          encoded(message::Want{1, What::header, 0, {}, {}, 900}),
          encoded(message::Want{2, What::account_proof, 7, subject, {}, 0}),
          encoded(message::Want{3, What::storage_proof, UINT64_MAX, subject, key, 3}),
          encoded(message::Want{4, What::record, 7, subject, Bytes(key).first(12), 0}),
          encoded(message::Update{5, 6, profile, signature}),
          encoded(message::CheckIn{UINT64_MAX, signature}),
          encoded(status)};
}

TEST(gateway_frames, reads_every_frame_that_a_device_writes) {
  for (const ByteVector& bytes : frames_of_a_device()) {
    UpFrame frame;
    EXPECT_EQ(decode_frame(bytes, frame), Error::none) << static_cast<int>(frame.kind);
  }
}

TEST(gateway_frames, reads_the_fields_where_they_are) {
  const std::array<std::uint8_t, 20> subject{1, 2, 3};
  const std::array<std::uint8_t, 32> key{4, 5, 6};
  const ByteVector bytes = encoded(message::Want{77, What::storage_proof, 1234567, subject, key, 3});
  UpFrame frame;
  ASSERT_EQ(decode_frame(bytes, frame), Error::none);
  EXPECT_EQ(frame.kind, FrameKind::want);
  EXPECT_EQ(frame.want.sequence, 77u);
  EXPECT_EQ(frame.want.what, What::storage_proof);
  EXPECT_EQ(frame.want.block, 1234567u);
  EXPECT_TRUE(equal(frame.want.subject, subject));
  EXPECT_TRUE(equal(frame.want.key, key));
  EXPECT_EQ(frame.want.offset, 3u);
}

TEST(gateway_frames, a_device_reads_every_frame_that_the_gateway_writes) {
  const ByteVector bytes(message::part_size_max, 0xab);
  std::vector<Bytes> nodes(3, Bytes(bytes).first(trie_node_size_max));
  DownFrame frame;
  ASSERT_EQ(message::decode(encode_frame(message::Notice{1, 2, 3, UINT64_MAX}), frame), Error::none);
  EXPECT_EQ(frame.notice.followed_epoch, UINT64_MAX);
  ASSERT_EQ(message::decode(encode_frame(message::None{9, message::NoneReason::not_yet}), frame), Error::none);
  EXPECT_EQ(frame.none.reason, message::NoneReason::not_yet);
  const message::Part part{UINT32_MAX, UINT64_MAX, 3000, 1800, bytes};
  const ByteVector header = encode_header_frame(part);
  ASSERT_EQ(message::decode(header, frame), Error::none);
  EXPECT_TRUE(equal(frame.part.bytes, bytes));
  ASSERT_EQ(message::decode(encode_data_frame(part), frame), Error::none);
  EXPECT_EQ(frame.kind, FrameKind::data);
  const ByteVector proof = encode_nodes_frame(UINT32_MAX, 4, 7, nodes);
  EXPECT_LE(proof.size(), frame_size_max);
  ASSERT_EQ(message::decode(proof, frame), Error::none);
  EXPECT_EQ(frame.nodes.count, 1u);  // two full branches do not fit
  EXPECT_EQ(frame.nodes.total, 7u);
}

TEST(gateway_frames, packs_as_many_nodes_as_fit) {
  const ByteVector small(40, 1);
  const std::vector<Bytes> many(12, Bytes(small));
  DownFrame frame;
  ASSERT_EQ(message::decode(encode_nodes_frame(1, 0, 12, many), frame), Error::none);
  EXPECT_EQ(frame.nodes.count, message::nodes_per_frame_max);
}

TEST(gateway_frames, refuses_other_encodings_with_their_reason) {
  UpFrame frame;
  const auto refusal = [&frame](std::initializer_list<std::uint8_t> bytes) { return decode_frame(ByteVector(bytes), frame); };
  EXPECT_EQ(refusal({}), Error::truncated);
  EXPECT_EQ(refusal({0x85, 1, 1, 0, 0}), Error::truncated);
  EXPECT_EQ(refusal({0x85, 1, 1, 0, 0, 0, 0}), Error::trailing_bytes);
  EXPECT_EQ(refusal({0x85, 1, 1, 0x18, 0, 0, 0}), Error::non_canonical);      // 0 in two bytes
  EXPECT_EQ(refusal({0x98, 5, 1, 1, 0, 0, 0}), Error::non_canonical);         // a count in two bytes
  EXPECT_EQ(refusal({0x9f, 1, 1, 0, 0, 0, 0xff}), Error::non_canonical);      // indefinite
  EXPECT_EQ(refusal({0x85, 2, 1, 0, 0, 0}), Error::unknown_version);
  EXPECT_EQ(refusal({0x85, 1, 16, 0, 0, 0}), Error::unknown_kind);            // a frame of the other direction
  EXPECT_EQ(refusal({0x84, 1, 1, 0, 0}), Error::wrong_length);
  EXPECT_EQ(refusal({0x86, 1, 1, 0, 0, 0, 0}), Error::wrong_length);
  EXPECT_EQ(refusal({0x85, 1, 1, 0x20, 0, 0}), Error::wrong_type);            // -1
  EXPECT_EQ(refusal({0x85, 1, 1, 0x60, 0, 0}), Error::wrong_type);            // text
  EXPECT_EQ(refusal({0x85, 1, 1, 0x80, 0, 0}), Error::wrong_type);            // an array inside
  EXPECT_EQ(refusal({0xa0}), Error::wrong_type);
  EXPECT_EQ(refusal({0xf9, 0, 0}), Error::wrong_type);
  EXPECT_EQ(refusal({0xc0, 0}), Error::wrong_type);
  EXPECT_EQ(decode_frame(ByteVector(frame_size_max + 1, 0), frame), Error::too_large);
  EXPECT_EQ(refusal({0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), Error::wrong_length);
  EXPECT_EQ(refusal({0x82, 1, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), Error::truncated);
}

TEST(gateway_frames, a_want_names_its_subject_and_key_exactly) {
  const std::array<std::uint8_t, 20> subject{};
  const std::array<std::uint8_t, 32> key{};
  UpFrame frame;
  EXPECT_EQ(decode_frame(encoded(message::Want{1, What::header, 0, subject, {}, 0}), frame), Error::wrong_length);
  EXPECT_EQ(decode_frame(encoded(message::Want{1, What::storage_proof, 1, subject, Bytes(key).first(31), 0}), frame),
            Error::wrong_length);
  EXPECT_EQ(decode_frame(encoded(message::Want{1, What::epoch_head, 1, subject, Bytes(key).first(12), 0}), frame),
            Error::wrong_length);
  EXPECT_EQ(decode_frame(encoded(message::Want{1, What::vectors, 0, subject, Bytes(key).first(8), 0}), frame), Error::out_of_range);
}

// What libcbor lets pass, the device's reader lets pass too; a mutated frame means the same to both or nothing.
TEST(gateway_frames, agrees_with_the_devices_reader_on_mutated_frames) {
  const std::vector<ByteVector> seeds = frames_of_a_device();
  std::mt19937 random(20240501);
  int accepted = 0;
  for (int i = 0; i < mutation_count; ++i) {
    ByteVector bytes = seeds[random() % seeds.size()];
    for (auto edits = random() % 3; edits > 0 && !bytes.empty(); --edits) {
      const std::size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0: bytes[at] = static_cast<std::uint8_t>(random()); break;
        case 1: bytes[at] ^= static_cast<std::uint8_t>(1u << random() % 8); break;
        case 2: bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at)); break;
        default: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::uint8_t>(random()));
      }
    }
    UpFrame ours;
    UpFrame theirs;
    if (!ok(decode_frame(bytes, ours))) continue;
    ++accepted;
    ASSERT_EQ(message::decode(bytes, theirs), Error::none) << ethereum::to_hex(bytes);
    ASSERT_EQ(ours.kind, theirs.kind);
    ASSERT_EQ(ours.hello.id, theirs.hello.id);
    ASSERT_EQ(ours.want.block, theirs.want.block);
    ASSERT_EQ(ours.update.round, theirs.update.round);
    ASSERT_EQ(ours.status.setpoint_w, theirs.status.setpoint_w);
  }
  EXPECT_GT(accepted, mutation_count / 10);
}

}  // namespace
}  // namespace wattproof::gateway
