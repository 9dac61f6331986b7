// SPDX-License-Identifier: Apache-2.0
// What a push on a button means, from its raw state and the time: short (the person wants the other state for a while) or
// long (the person gives the device back to its schedule). A contact bounces for milliseconds; what lasts less than
// bounce_ms_max is not a push. Long is told while the button is still held, so that a lamp can answer at once.
#pragma once

#include <cstdint>

#include "base/time.hpp"

namespace wattproof::hal {

enum class Push : std::uint8_t { none, brief, held };

class Button {
 public:
  static constexpr std::uint64_t bounce_ms_max = 20;
  static constexpr std::uint64_t held_ms_min = 3000;

  // To be called whenever the state changed, and at wake() while it is pressed. A button that is pressed at the first call
  // counts only once it was released: it may be stuck, or somebody leant on the device while power came back.
  Push look(BootMs now, bool is_pressed) {
    if (!is_known_) {
      is_known_ = true;
      state_ = is_pressed ? State::ignored : State::released;
      return Push::none;
    }
    switch (state_) {
      case State::released:
        if (is_pressed) {
          state_ = State::pressed;
          since_ = now;
        }
        return Push::none;
      case State::pressed:
        if (is_pressed && now.since(since_) < held_ms_min) return Push::none;
        state_ = is_pressed ? State::ignored : State::released;
        if (is_pressed) return Push::held;
        return now.since(since_) >= bounce_ms_max ? Push::brief : Push::none;
      case State::ignored:
        if (!is_pressed) state_ = State::released;
        return Push::none;
    }
    return Push::none;
  }

  // Whether look() is to be called at wake() even if nothing changes.
  [[nodiscard]] bool is_pressed() const { return state_ == State::pressed; }
  [[nodiscard]] BootMs wake() const { return since_.plus(held_ms_min); }

 private:
  enum class State : std::uint8_t { released, pressed, ignored };
  State state_ = State::released;
  bool is_known_ = false;
  BootMs since_{};
};

}  // namespace wattproof::hal
