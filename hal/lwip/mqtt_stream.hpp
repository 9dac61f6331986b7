// SPDX-License-Identifier: Apache-2.0
// Cuts a broker's bytes into whole MQTT packets (version 3.1.1, section 2.2) before any client sees them. lwIP's own client
// must not be given anything else: a remaining length of more than four bytes makes it write past its buffer, and a packet
// that is split between two TCP segments makes it lose bytes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/bytes.hpp"

namespace wattproof::hal {

// The largest packet that a device takes: a frame, its topic, and the packet's own head.
constexpr std::uint32_t mqtt_packet_size_max = 1152;

class MqttStream {
 public:
  enum class State : std::uint8_t {
    more,      // all input is taken, the packet is not whole yet
    whole,     // packet() is one whole packet; the rest of the input comes after it
    refused,   // a packet above mqtt_packet_size_max, or no packet at all: the connection is worth nothing
  };

  // Takes bytes from the front of `input` and shortens it by what it took.
  State take(Bytes& input) {
    if (state_ == State::whole) start();
    while (state_ == State::more && !input.empty()) {
      const std::size_t part = is_head_whole_ ? std::min<std::size_t>(input.size(), size_ - filled_) : 1;
      std::copy_n(input.begin(), part, packet_.begin() + filled_);
      filled_ += static_cast<std::uint32_t>(part);
      input = input.subspan(part);
      if (!is_head_whole_) look_at_head();
      if (state_ == State::more && is_head_whole_ && filled_ == size_) state_ = State::whole;
    }
    return state_;
  }

  [[nodiscard]] Bytes packet() const { return Bytes(packet_).first(filled_); }

  // A new connection.
  void start() {
    filled_ = size_ = 0;
    is_head_whole_ = false;
    state_ = State::more;
  }

 private:
  static constexpr std::uint32_t head_size_max = 5;

  // One byte of kind, one to four of remaining length, seven bits each, the lowest first.
  void look_at_head() {
    if (filled_ < 2) return;
    if ((packet_[filled_ - 1] & 0x80) != 0) {
      if (filled_ == head_size_max) state_ = State::refused;
      return;
    }
    std::uint32_t remaining = 0;
    for (std::uint32_t i = 1; i < filled_; ++i) remaining |= (packet_[i] & 0x7fu) << 7 * (i - 1);
    is_head_whole_ = true;
    if (remaining > mqtt_packet_size_max - filled_) state_ = State::refused;
    size_ = filled_ + remaining;
  }

  std::array<std::uint8_t, mqtt_packet_size_max> packet_{};
  std::uint32_t filled_ = 0;
  std::uint32_t size_ = 0;
  bool is_head_whole_ = false;
  State state_ = State::more;
};

}  // namespace wattproof::hal
