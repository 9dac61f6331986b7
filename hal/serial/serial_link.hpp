// SPDX-License-Identifier: Apache-2.0
// Frames over a serial line, for a plug without a network: SLIP (RFC 1055) around the frame and its CRC-32, big-endian. An empty frame is
// a sign of life; the link is up while the other side gave one within silence_ms_max. What carries frames on to the broker is
// tools/plug/serial_bridge.py or another program of the home.
//
// The line is not trusted: a frame counts whole and with a right checksum, and what is longer than frame_size_max is dropped.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace wattproof::board {

// The board's own line, apart from the console. read gives -1 where nothing has come; write false where there is no room.
int read_link();
bool write_link(std::uint8_t byte);

}  // namespace wattproof::board

namespace wattproof::hal {

// Cuts a line's bytes into frames.
class SlipReader {
 public:
  static constexpr std::uint8_t end = 0xc0, escape = 0xdb, escaped_end = 0xdc, escaped_escape = 0xdd;
  static constexpr std::uint32_t crc_size = 4;

  // True when a frame is whole and sound; it is frame() until the next byte.
  bool take(std::uint8_t byte);
  [[nodiscard]] Bytes frame() const { return Bytes(bytes_).first(size_); }

 private:
  bool finish();

  std::array<std::uint8_t, frame_size_max + crc_size> bytes_{};
  std::uint32_t filled_ = 0;
  std::uint32_t size_ = 0;
  bool is_escaped_ = false;
  bool is_bad_ = false;
};

class SerialLink {
 public:
  static constexpr std::uint64_t silence_ms_max = 10'000;
  static constexpr std::uint64_t sign_ms = 2'000;

  void open() {}
  void service(std::uint64_t now_ms);
  [[nodiscard]] bool is_up() const { return is_up_; }
  //   too_large  above frame_size_max, or empty;  link_down;  capacity  the line is behind
  Error send(Bytes frame);
  [[nodiscard]] Bytes frame() const { return has_frame_ ? reader_.frame() : Bytes{}; }
  void release() { has_frame_ = false; }
  [[nodiscard]] const char* last_failure() const { return "silence"; }
  [[nodiscard]] std::uint32_t failure_count() const { return 0; }
  [[nodiscard]] bool has_been_up() const { return has_been_up_; }

 private:
  bool put(Bytes frame);
  void push(std::uint8_t byte);
  void write_out();

  static constexpr std::uint32_t out_size = 2048;
  static_assert((out_size & (out_size - 1)) == 0);

  SlipReader reader_;
  std::array<std::uint8_t, out_size> out_{};
  std::uint32_t in_ = 0;
  std::uint32_t gone_ = 0;
  bool has_frame_ = false;
  bool is_up_ = false;
  bool has_been_up_ = false;
  bool has_signed_ = false;
  std::uint64_t heard_ms_ = 0;
  std::uint64_t signed_ms_ = 0;
};

}  // namespace wattproof::hal
