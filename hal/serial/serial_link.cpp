// SPDX-License-Identifier: Apache-2.0
#include "hal/serial/serial_link.hpp"

#include "store/crc32.hpp"

namespace wattproof::hal {

bool SlipReader::take(std::uint8_t byte) {
  size_ = 0;
  if (byte == end) return finish();
  if (is_escaped_) {
    is_bad_ = is_bad_ || (byte != escaped_end && byte != escaped_escape);
    byte = byte == escaped_end ? end : escape;
    is_escaped_ = false;
  } else if (byte == escape) {
    is_escaped_ = true;
    return false;
  }
  if (filled_ < bytes_.size()) bytes_[filled_++] = byte;
  else is_bad_ = true;
  return false;
}

bool SlipReader::finish() {
  const std::uint32_t filled = filled_;
  const bool is_bad = is_bad_ || is_escaped_;
  filled_ = 0;
  is_bad_ = is_escaped_ = false;
  if (is_bad || filled < crc_size) return false;
  if (store::crc32(Bytes(bytes_).first(filled - crc_size)) != load_be32(&bytes_[filled - crc_size])) return false;
  size_ = filled - crc_size;
  return true;
}

void SerialLink::service(std::uint64_t now_ms) {
  write_out();
  // A frame that waits holds the line back: its bytes stay in the board's queue.
  while (!has_frame_) {
    const int byte = board::read_link();
    if (byte < 0) break;
    if (!reader_.take(static_cast<std::uint8_t>(byte))) continue;
    heard_ms_ = now_ms;
    is_up_ = has_been_up_ = true;
    has_frame_ = !reader_.frame().empty();
  }
  if (is_up_ && now_ms - heard_ms_ > silence_ms_max) is_up_ = false;
  if (!has_signed_ || now_ms - signed_ms_ >= sign_ms) {
    has_signed_ = true;
    signed_ms_ = now_ms;
    put({});
  }
  write_out();
}

Error SerialLink::send(Bytes frame) {
  if (frame.empty() || frame.size() > frame_size_max) return Error::too_large;
  if (!is_up_) return Error::link_down;
  return put(frame) ? Error::none : Error::capacity;
}

// All of it or nothing.
bool SerialLink::put(Bytes frame) {
  std::array<std::uint8_t, SlipReader::crc_size> crc{};
  store_be32(crc.data(), store::crc32(frame));
  std::uint32_t size = 2;
  const auto each = [&](auto&& work) {
    for (const std::uint8_t byte : frame) work(byte);
    for (const std::uint8_t byte : crc) work(byte);
  };
  each([&](std::uint8_t byte) { size += byte == SlipReader::end || byte == SlipReader::escape ? 2 : 1; });
  if (size > out_size - (in_ - gone_)) return false;
  push(SlipReader::end);
  each([&](std::uint8_t byte) {
    if (byte != SlipReader::end && byte != SlipReader::escape) return push(byte);
    push(SlipReader::escape);
    push(byte == SlipReader::end ? SlipReader::escaped_end : SlipReader::escaped_escape);
  });
  push(SlipReader::end);
  return true;
}

void SerialLink::push(std::uint8_t byte) { out_[in_++ & (out_size - 1)] = byte; }

void SerialLink::write_out() {
  while (in_ != gone_ && board::write_link(out_[gone_ & (out_size - 1)])) ++gone_;
}

}  // namespace wattproof::hal
