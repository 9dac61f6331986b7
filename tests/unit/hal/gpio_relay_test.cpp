// SPDX-License-Identifier: Apache-2.0
// Without a GPIO chip only the complaints can be tested here; the lines themselves are watched from outside an emulated
// board.
#include <gtest/gtest.h>

#include "hal/linux/relay_driver.hpp"

namespace wattproof::hal {
namespace {

TEST(gpio_relay, names_the_chips_that_are_there_when_the_label_is_wrong) {
  std::unique_ptr<RelayDriver> driver;
  std::string detail;
  const Error error = open_gpio_relay({.chip_label = "no-such-chip"}, driver, detail);
  EXPECT_EQ(driver, nullptr);
  if (has_gpio()) {
    EXPECT_EQ(error, Error::hardware_failed);
    EXPECT_NE(detail.find("no-such-chip"), std::string::npos) << detail;
    EXPECT_TRUE(detail.find("there is no GPIO chip") != std::string::npos || detail.find("there are: gpiochip") != std::string::npos) << detail;
  } else {
    EXPECT_EQ(error, Error::not_ready);
    EXPECT_FALSE(detail.empty());
  }
}

}  // namespace
}  // namespace wattproof::hal
