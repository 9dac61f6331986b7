// SPDX-License-Identifier: Apache-2.0
#include "hal/lwip/mqtt_stream.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wattproof::hal {
namespace {

using State = MqttStream::State;
using Packet = std::vector<std::uint8_t>;

Packet packet_of(std::uint32_t remaining) {
  Packet packet = {0x30};
  std::uint32_t left = remaining;
  do {
    packet.push_back(static_cast<std::uint8_t>((left & 0x7f) | (left > 0x7f ? 0x80 : 0)));
    left >>= 7;
  } while (left != 0);
  for (std::uint32_t i = 0; i < remaining; ++i) packet.push_back(static_cast<std::uint8_t>(i));
  return packet;
}

// All packets that come out of `bytes`, which come in parts of so many.
std::vector<Packet> cut(const Packet& bytes, std::size_t part_size) {
  MqttStream stream;
  std::vector<Packet> packets;
  for (std::size_t at = 0; at < bytes.size(); at += part_size) {
    Bytes input = Bytes(bytes).subspan(at, std::min(part_size, bytes.size() - at));
    while (!input.empty()) {
      const State state = stream.take(input);
      if (state == State::refused) return packets;
      if (state == State::whole) packets.emplace_back(stream.packet().begin(), stream.packet().end());
    }
  }
  return packets;
}

TEST(mqtt_stream, gives_whole_packets_however_they_are_split) {
  std::vector<Packet> sent = {packet_of(0), packet_of(1), packet_of(127), packet_of(128), packet_of(2), packet_of(1000)};
  Packet bytes;
  for (const Packet& packet : sent) bytes.insert(bytes.end(), packet.begin(), packet.end());
  for (std::size_t part_size = 1; part_size <= bytes.size(); ++part_size) EXPECT_EQ(cut(bytes, part_size), sent) << part_size;
}

TEST(mqtt_stream, takes_the_largest_packet_and_refuses_one_byte_more) {
  const Packet largest = packet_of(mqtt_packet_size_max - 3), larger = packet_of(mqtt_packet_size_max - 2);
  ASSERT_EQ(largest.size(), mqtt_packet_size_max);
  EXPECT_EQ(cut(largest, 100), std::vector<Packet>{largest});
  MqttStream stream;
  Bytes input(larger);
  EXPECT_EQ(stream.take(input), State::refused);
  EXPECT_EQ(larger.size() - input.size(), 3u);  // by its head alone
}

TEST(mqtt_stream, refuses_256_megabytes_by_the_head) {
  const Packet head = {0x30, 0xff, 0xff, 0xff, 0x7f, 'x', 'x'};
  MqttStream stream;
  Bytes input(head);
  EXPECT_EQ(stream.take(input), State::refused);
  EXPECT_EQ(stream.take(input), State::refused);  // and stays so
}

TEST(mqtt_stream, refuses_a_length_of_more_than_four_bytes) {
  const Packet endless(600, 0xff);
  for (const std::size_t part_size : {1u, 2u, 600u}) {
    MqttStream stream;
    State state = State::more;
    for (std::size_t at = 0; at < endless.size() && state == State::more; at += part_size) {
      Bytes input = Bytes(endless).subspan(at, part_size);
      state = stream.take(input);
      EXPECT_LE(stream.packet().size(), 5u);
    }
    EXPECT_EQ(state, State::refused);
  }
}

TEST(mqtt_stream, begins_anew_with_a_new_connection) {
  MqttStream stream;
  const Packet half = {0x30, 0x50, 1, 2, 3}, whole = packet_of(4);
  Bytes input(half);
  EXPECT_EQ(stream.take(input), State::more);
  stream.start();
  input = whole;
  EXPECT_EQ(stream.take(input), State::whole);
  EXPECT_EQ(Packet(stream.packet().begin(), stream.packet().end()), whole);
}

}  // namespace
}  // namespace wattproof::hal
