// SPDX-License-Identifier: Apache-2.0
// Without a GPIO chip only the complaints can be tested here; the lines themselves are watched from outside an emulated
// board (tests/board/vm_test.py).
#include <gtest/gtest.h>

#include "hal/linux/gpio_line.hpp"
#include "hal/linux/relay_driver.hpp"

namespace wattproof::hal {
namespace {

TEST(gpio_relay, names_the_chips_that_are_there_when_the_label_is_wrong) {
  for (const GpioBackend backend : {GpioBackend::automatic, GpioBackend::chardev}) {
    std::unique_ptr<RelayDriver> driver;
    std::string detail;
    GpioRelayOptions options{.chip_label = "no-such-chip"};
    options.backend = backend;
    EXPECT_EQ(open_gpio_relay(options, driver, detail), Error::hardware_failed);
    EXPECT_EQ(driver, nullptr);
    EXPECT_NE(detail.find("no-such-chip"), std::string::npos) << detail;
    EXPECT_TRUE(detail.find("GPIO chip") != std::string::npos || detail.find("there are: gpiochip") != std::string::npos) << detail;
  }
}

TEST(gpio_line, describes_chips_by_name_and_label) {
  EXPECT_EQ(describe_gpio_chips({{"/dev/gpiochip0", "pinctrl-bcm2711", 58}, {"/dev/gpiochip1", "raspberrypi-exp-gpio", 8}}),
            "there are: gpiochip0 [pinctrl-bcm2711], gpiochip1 [raspberrypi-exp-gpio]");
  EXPECT_NE(describe_gpio_chips({}).find("GPIO chip"), std::string::npos);
}

TEST(gpio_line, says_nothing_about_a_chip_that_is_gone) {
  GpioLineState state;
  EXPECT_EQ(gpio_line_state({"/dev/gpiochip-absent", "x", 1}, 0, state), Error::hardware_failed);
  std::unique_ptr<GpioLine> line;
  EXPECT_EQ(open_chardev_line({"x", 0, false, GpioUse::output}, "/dev/gpiochip-absent", line), Error::hardware_failed);
  EXPECT_EQ(open_chardev_line({"x", 0, false, GpioUse::output}, "/dev/null", line), Error::hardware_failed);  // no GPIO chip at all
  EXPECT_EQ(line, nullptr);
}

}  // namespace
}  // namespace wattproof::hal
