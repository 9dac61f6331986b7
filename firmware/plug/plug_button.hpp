// SPDX-License-Identifier: Apache-2.0
// One button: a short press turns the load the other way for a stated time, a long one gives it back to the schedule. The long
// press counts while it is still held, so that a person sees the LED answer and lets go.
#pragma once

#include <cstdint>

namespace wattproof::firmware {

enum class Press : std::uint8_t { none, brief, lasting };

class Button {
 public:
  static constexpr std::uint64_t bounce_ms = 30;    // a level counts once it stood so long
  static constexpr std::uint64_t lasting_ms = 2'000;

  Press step(bool is_down, std::uint64_t now_ms) {
    if (!is_seen_) raw_ = settled_ = is_down;  // one that is held at boot is no press
    is_seen_ = true;
    if (is_down != raw_) {
      raw_ = is_down;
      raw_since_ms_ = now_ms;
    }
    if (raw_ != settled_ && now_ms - raw_since_ms_ >= bounce_ms) {
      settled_ = raw_;
      if (settled_) {
        pressed_ms_ = now_ms;
        is_told_ = false;
      } else if (!is_told_) {
        return Press::brief;
      }
    }
    if (settled_ && !is_told_ && now_ms - pressed_ms_ >= lasting_ms) {
      is_told_ = true;
      return Press::lasting;
    }
    return Press::none;
  }

 private:
  bool is_seen_ = false;
  bool raw_ = false;
  bool settled_ = false;
  bool is_told_ = true;
  std::uint64_t raw_since_ms_ = 0;
  std::uint64_t pressed_ms_ = 0;
};

}  // namespace wattproof::firmware
