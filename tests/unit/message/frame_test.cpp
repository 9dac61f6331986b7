// SPDX-License-Identifier: Apache-2.0
#include "message/frame.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

#include "codec/cbor.hpp"

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

// A frame as no encoder of ours writes it: this many items announced, then version, kind and what `add` writes.
std::vector<std::uint8_t> raw_frame(std::uint64_t kind, std::uint32_t items, const std::function<void(codec::CborWriter&)>& add) {
  Buffer b{};
  codec::CborWriter writer(b);
  writer.array(items + 2);
  writer.uint(1);
  writer.uint(kind);
  add(writer);
  return copy(writer.finish());
}

TEST(frame, refuses_each_fault_to_a_device_by_its_name) {
  const auto error_of = [](const std::vector<std::uint8_t>& bytes) {
    static DownFrame frame;
    return decode(bytes, frame);
  };
  const auto of_numbers = [&](std::uint64_t kind, const std::vector<std::uint64_t>& numbers) {
    return error_of(raw_frame(kind, static_cast<std::uint32_t>(numbers.size()), [&](codec::CborWriter& w) {
      for (const std::uint64_t number : numbers) w.uint(number);
    }));
  };
  EXPECT_EQ(error_of(std::vector<std::uint8_t>(frame_size_max + 1, 0)), Error::too_large);
  EXPECT_EQ(error_of({0x80}), Error::wrong_length) << "no version";
  EXPECT_EQ(of_numbers(256 + 16, {1, 2, 3, 4}), Error::unknown_kind) << "a kind is one byte";
  EXPECT_EQ(of_numbers(15, {1}), Error::unknown_kind);
  EXPECT_EQ(of_numbers(21, {1}), Error::unknown_kind);
  EXPECT_EQ(of_numbers(16, {1, 2, 3, 4}), Error::none);
  EXPECT_EQ(of_numbers(16, {1, 2, 3}), Error::wrong_length) << "an item short";
  EXPECT_EQ(of_numbers(16, {1, 2, 3, 4, 5}), Error::wrong_length) << "an item more";
  EXPECT_EQ(of_numbers(20, {1, 0}), Error::out_of_range) << "no such reason";
  EXPECT_EQ(of_numbers(20, {1, 3}), Error::none);
  EXPECT_EQ(of_numbers(20, {1, 4}), Error::out_of_range);

  const auto nodes = [&](std::uint64_t offset, std::uint64_t total, std::uint32_t count) {
    return error_of(raw_frame(18, 4, [&](codec::CborWriter& w) {
      for (const std::uint64_t number : {std::uint64_t{1}, offset, total}) w.uint(number);
      w.array(count);
      for (std::uint32_t i = 0; i < count; ++i) w.bytes(word);
    }));
  };
  EXPECT_EQ(nodes(0, 1, 1), Error::none);
  EXPECT_EQ(nodes(0, 1, 0), Error::out_of_range) << "no node at all";
  EXPECT_EQ(nodes(2, 1, 1), Error::out_of_range) << "beyond the last";
  EXPECT_EQ(nodes(1, 2, 2), Error::out_of_range) << "more than there are";
  EXPECT_EQ(nodes(0, 20, nodes_per_frame_max + 1), Error::too_large);
  const auto part = [&](std::uint64_t offset, std::uint64_t total, std::size_t size) {
    return error_of(raw_frame(19, 4, [&](codec::CborWriter& w) {
      for (const std::uint64_t number : {std::uint64_t{1}, total, offset}) w.uint(number);
      w.bytes(std::vector<std::uint8_t>(size, 7));
    }));
  };
  EXPECT_EQ(part(0, 10, 10), Error::none);
  EXPECT_EQ(part(11, 10, 1), Error::out_of_range) << "behind the end";
  EXPECT_EQ(part(0, 10, 0), Error::out_of_range);
}

TEST(frame, refuses_each_fault_from_a_device_by_its_name) {
  const auto error_of = [](const std::vector<std::uint8_t>& bytes) {
    static UpFrame frame;
    return decode(bytes, frame);
  };
  const auto update = [&](std::size_t profile_size) {
    return error_of(raw_frame(3, 4, [&](codec::CborWriter& w) {
      w.uint(1);
      w.uint(2);
      w.bytes(std::vector<std::uint8_t>(profile_size, 7));
      w.bytes(some_signature());
    }));
  };
  EXPECT_EQ(update(96), Error::none);
  EXPECT_EQ(update(0), Error::wrong_length);
  EXPECT_EQ(update(95), Error::wrong_length) << "no whole number of slots";
  EXPECT_EQ(error_of(raw_frame(0, 0, [](codec::CborWriter&) {})), Error::unknown_kind);
  EXPECT_EQ(error_of(raw_frame(6, 0, [](codec::CborWriter&) {})), Error::unknown_kind);
  EXPECT_EQ(error_of(raw_frame(1, 0, [](codec::CborWriter&) {})), Error::wrong_length);
}

TEST(frame, is_not_written_if_it_is_empty_or_does_not_fit) {
  Buffer b{};
  Nodes nodes;
  EXPECT_EQ(encode(nodes, b).error(), Error::out_of_range) << "no node at all";
  nodes.count = nodes_per_frame_max + 1;
  EXPECT_EQ(encode(nodes, b).error(), Error::out_of_range);
  const std::vector<std::uint8_t> node(500, 2);
  nodes.count = 3;
  for (Bytes& item : nodes.items) item = node;
  EXPECT_EQ(encode(nodes, b).error(), Error::too_large) << "no frame is longer, whatever the buffer";
  EXPECT_EQ(encode(nodes, MutableBytes(b).first(700)).error(), Error::capacity) << "the buffer is at fault";
  std::vector<std::uint8_t> large(2 * frame_size_max);
  EXPECT_EQ(encode(nodes, large).error(), Error::too_large);
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
