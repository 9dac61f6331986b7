// SPDX-License-Identifier: Apache-2.0
// The network interface of a board, under lwIP. One per image.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

struct pbuf;  // lwIP's

namespace wattproof::hal {

// What the board's own driver does. It must take whole frames only and never wait longer than one frame takes to leave.
namespace ethernet {
std::array<std::uint8_t, 6> address();
void start();
// The next received frame as an lwIP pbuf, or nullptr; frames for which there is no room are dropped.
pbuf* receive();
// False if the transmitter stays busy; lwIP then counts the frame as lost.
bool transmit(const pbuf* frame);
}  // namespace ethernet

// Own address; all zero: by DHCP.
struct NetworkOptions {
  std::array<std::uint8_t, 4> address{};
  std::array<std::uint8_t, 4> mask{};
  std::array<std::uint8_t, 4> gateway{};
};

class Network {
 public:
  static void open(const NetworkOptions& options);
  // Takes one received frame; false if there was none.
  static bool receive_one();
  // lwIP's timers. Call it every few milliseconds.
  static void run_timers();
  static bool has_address();
};

}  // namespace wattproof::hal
