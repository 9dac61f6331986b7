// SPDX-License-Identifier: Apache-2.0
#include "firmware/plug/plug_button.hpp"

#include <gtest/gtest.h>

namespace wattproof::firmware {
namespace {

// Holds one level for a while, in turns of a millisecond; counts what it was told.
struct Finger {
  Button button;
  std::uint64_t now_ms = (std::uint64_t{1} << 32) - 3'000;  // the 32-bit wrap lies ahead
  int brief = 0, lasting = 0;

  void hold(bool is_down, std::uint64_t for_ms) {
    for (std::uint64_t i = 0; i < for_ms; ++i) {
      const Press press = button.step(is_down, now_ms++);
      brief += press == Press::brief ? 1 : 0;
      lasting += press == Press::lasting ? 1 : 0;
    }
  }
};

TEST(plug_button, tells_a_brief_press_once_it_is_let_go) {
  Finger finger;
  finger.hold(false, 100);
  finger.hold(true, 500);
  EXPECT_EQ(finger.brief, 0);
  finger.hold(false, 100);
  EXPECT_EQ(finger.brief, 1);
  EXPECT_EQ(finger.lasting, 0);
}

TEST(plug_button, tells_a_lasting_press_once_while_it_is_held) {
  Finger finger;
  finger.hold(false, 100);
  finger.hold(true, Button::lasting_ms);
  EXPECT_EQ(finger.lasting, 0);
  finger.hold(true, Button::bounce_ms + 1);
  EXPECT_EQ(finger.lasting, 1);
  finger.hold(true, 60'000);
  finger.hold(false, 100);
  EXPECT_EQ(finger.lasting, 1);
  EXPECT_EQ(finger.brief, 0);
}

TEST(plug_button, takes_no_bounce_for_a_press) {
  Finger finger;
  finger.hold(false, 100);
  for (int i = 0; i < 1'000; ++i) {
    finger.hold(true, Button::bounce_ms - 1);
    finger.hold(false, 1);
  }
  finger.hold(false, 100);
  EXPECT_EQ(finger.brief, 0);
  EXPECT_EQ(finger.lasting, 0);
}

TEST(plug_button, takes_one_that_is_held_at_boot_for_no_press) {
  Finger finger;
  finger.hold(true, 10'000);
  finger.hold(false, 100);
  EXPECT_EQ(finger.brief + finger.lasting, 0);
  finger.hold(true, 100);
  finger.hold(false, 100);
  EXPECT_EQ(finger.brief, 1);
}

}  // namespace
}  // namespace wattproof::firmware
