// SPDX-License-Identifier: Apache-2.0
// The LM3S6965's Ethernet controller: frames pass through one data register, word by word. A received frame begins with 16 bits
// of length that count themselves and the checksum; a frame to send begins with the length of its payload.
#include "hal/lm3s/lm3s_registers.hpp"
#include "hal/lwip/network.hpp"
#include "lwip/pbuf.h"

namespace wattproof::hal::ethernet {
namespace {

using lm3s::reg;

constexpr std::uint32_t receive_control = lm3s::ethernet + 0x08, transmit_control = lm3s::ethernet + 0x0c;
constexpr std::uint32_t data = lm3s::ethernet + 0x10, address_0 = lm3s::ethernet + 0x14, address_1 = lm3s::ethernet + 0x18;
constexpr std::uint32_t packets_waiting = lm3s::ethernet + 0x34, transmit_request = lm3s::ethernet + 0x38;
constexpr std::uint32_t user_register_0 = 0x400fe1e0, user_register_1 = 0x400fe1e4;  // the board's address, programmed by its maker

constexpr std::uint32_t frame_size_max = 1514, frame_size_min = 60, header_size = 14, overhead = 6;
constexpr std::uint32_t transmit_tries_max = 100'000;  // a full frame takes 1.2 ms at 10 Mbit/s

}  // namespace

std::array<std::uint8_t, 6> address() {
  const std::uint32_t low = reg(user_register_0), high = reg(user_register_1);
  std::array<std::uint8_t, 6> bytes{};
  for (std::uint32_t i = 0; i < 3; ++i) {
    bytes[i] = static_cast<std::uint8_t>(low >> 8 * i);
    bytes[3 + i] = static_cast<std::uint8_t>(high >> 8 * i);
  }
  const bool is_programmed = (low & 0xffffff) != 0xffffff && (low & 0xffffff) != 0 && (bytes[0] & 1) == 0;
  if (!is_programmed) bytes = {0x02, 0x57, 0x50, 0x00, 0x00, 0x01};  // locally administered
  return bytes;
}

void start() {
  const std::array<std::uint8_t, 6> own = address();
  reg(address_0) = std::uint32_t{own[0]} | std::uint32_t{own[1]} << 8 | std::uint32_t{own[2]} << 16 | std::uint32_t{own[3]} << 24;
  reg(address_1) = std::uint32_t{own[4]} | std::uint32_t{own[5]} << 8;
  reg(receive_control) = 0x18;            // empties the FIFO, drops frames with a bad checksum
  reg(transmit_control) = 0x17;           // full duplex, checksum, padding, on
  reg(receive_control) = 0x09;            // on, own address and broadcast
}

pbuf* receive() {
  if ((reg(packets_waiting) & 0x3f) == 0) return nullptr;
  std::uint32_t word = reg(data);
  const std::uint32_t total = word & 0xffff;
  const std::uint32_t size = total > overhead ? total - overhead : 0;
  const bool is_wanted = size >= header_size && size <= frame_size_max;
  pbuf* frame = is_wanted ? pbuf_alloc(PBUF_RAW, static_cast<u16_t>(size), PBUF_POOL) : nullptr;
  pbuf* part = frame;
  std::uint32_t at = 0;
  // The length's own two bytes are taken; the checksum at the end is read and thrown away.
  for (std::uint32_t i = 2; i < total; ++i) {
    if ((i & 3) == 0) word = reg(data);
    if (part == nullptr || i - 2 >= size) continue;
    static_cast<std::uint8_t*>(part->payload)[at] = static_cast<std::uint8_t>(word >> 8 * (i & 3));
    if (++at == part->len) {
      part = part->next;
      at = 0;
    }
  }
  return frame;
}

bool transmit(const pbuf* frame) {
  std::uint32_t tries = 0;
  while ((reg(transmit_request) & 1) != 0) {
    if (++tries > transmit_tries_max) return false;
  }
  if (frame->tot_len < header_size || frame->tot_len > frame_size_max) return false;
  const std::uint32_t size = frame->tot_len < frame_size_min ? frame_size_min : frame->tot_len;
  std::uint32_t word = size - header_size, at = 2;
  const auto put = [&](std::uint8_t byte) {
    word |= std::uint32_t{byte} << 8 * (at & 3);
    if ((++at & 3) == 0) {
      reg(data) = word;
      word = 0;
    }
  };
  for (const pbuf* part = frame; part != nullptr; part = part->next) {
    for (std::uint32_t i = 0; i < part->len; ++i) put(static_cast<const std::uint8_t*>(part->payload)[i]);
  }
  for (std::uint32_t i = frame->tot_len; i < size; ++i) put(0);
  if ((at & 3) != 0) reg(data) = word;
  reg(transmit_request) = 1;
  return true;
}

}  // namespace wattproof::hal::ethernet
