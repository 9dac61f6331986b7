// SPDX-License-Identifier: Apache-2.0
#include "hal/button.hpp"

#include <gtest/gtest.h>

namespace wattproof::hal {
namespace {

TEST(button, tells_a_short_push_when_it_is_let_go) {
  Button button;
  EXPECT_EQ(button.look({0}, false), Push::none);
  EXPECT_EQ(button.look({100}, true), Push::none);
  EXPECT_EQ(button.look({300}, false), Push::brief);
  EXPECT_EQ(button.look({400}, false), Push::none);
}

TEST(button, tells_a_long_push_once_and_while_it_is_held) {
  Button button;
  button.look({0}, false);
  button.look({100}, true);
  EXPECT_TRUE(button.is_pressed());
  EXPECT_EQ(button.wake().ms, 3100u);
  EXPECT_EQ(button.look({3099}, true), Push::none);
  EXPECT_EQ(button.look({3100}, true), Push::held);
  EXPECT_FALSE(button.is_pressed());
  EXPECT_EQ(button.look({9000}, true), Push::none);
  EXPECT_EQ(button.look({9100}, false), Push::none);
}

TEST(button, does_not_take_a_bounce_for_a_push) {
  Button button;
  button.look({0}, false);
  for (std::uint64_t ms = 100; ms < 115; ms += 3) {
    EXPECT_EQ(button.look({ms}, true), Push::none);
    EXPECT_EQ(button.look({ms + 1}, false), Push::none);
  }
  button.look({120}, true);
  EXPECT_EQ(button.look({200}, false), Push::brief);
}

TEST(button, ignores_one_that_is_pressed_when_power_returns) {
  Button button;
  EXPECT_EQ(button.look({0}, true), Push::none);
  EXPECT_EQ(button.look({5000}, true), Push::none);
  EXPECT_EQ(button.look({5001}, false), Push::none);
  button.look({6000}, true);
  EXPECT_EQ(button.look({6100}, false), Push::brief);
}

}  // namespace
}  // namespace wattproof::hal
