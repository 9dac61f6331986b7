// SPDX-License-Identifier: Apache-2.0
#include "board_command.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "unit/hal/scratch_folder.hpp"

namespace wattproof::tool {
namespace {

namespace fs = std::filesystem;
using testing::ScratchFolder;

const fs::path boards = fs::path(WATTPROOF_SOURCE_DIR) / "boards";

BoardProbe raspberry_pi_4() {
  BoardProbe probe;
  probe.compatible = {"raspberrypi,4-model-b", "brcm,bcm2711"};
  probe.chips = {{"/dev/gpiochip0", "pinctrl-bcm2711", 58}, {"/dev/gpiochip1", "raspberrypi-exp-gpio", 8}};
  probe.line_state = [](const hal::GpioChip& chip, unsigned line, hal::GpioLineState& state) {
    state = {"GPIO" + std::to_string(line), "", false, false, false};
    return chip.label == "pinctrl-bcm2711" ? Error::none : Error::hardware_failed;
  };
  probe.read_register = [](const hal::I2cRelayOptions&, std::uint8_t& value, std::string&) {
    value = 0xfe;
    return Error::none;
  };
  return probe;
}

TEST(board_command, says_which_line_is_which) {
  const Outcome outcome = board_check_command(boards / "raspberry_pi_4/waveshare_relay_3ch.toml", raspberry_pi_4());
  EXPECT_EQ(outcome.status, exit_ok);
  ASSERT_EQ(outcome.output["relays"].size(), 3u);
  EXPECT_EQ(outcome.output["relays"][0]["line_name"], "GPIO26");
  EXPECT_EQ(outcome.output["relays"][2]["header_pin"], 40);
  EXPECT_EQ(outcome.output["problems"].size(), 0u);
  EXPECT_EQ(outcome.output["warnings"].size(), 3u);  // active low, and pulled down at boot
  const std::string text = board_table(outcome.output);
  EXPECT_NE(text.find("relay ch1: pinctrl-bcm2711 line 26, pin 37, named GPIO26, input, closes when low\n"), std::string::npos) << text;
}

TEST(board_command, finds_nothing_to_warn_of_in_a_board_that_is_safe_by_itself) {
  const Outcome outcome = board_check_command(boards / "raspberry_pi_4/gpio_relay.toml", raspberry_pi_4());
  EXPECT_EQ(outcome.status, exit_ok);
  EXPECT_EQ(outcome.output["warnings"].size(), 0u) << outcome.output;
}

TEST(board_command, names_a_chip_a_line_and_a_user_that_are_in_the_way) {
  BoardProbe probe = raspberry_pi_4();
  Outcome outcome = board_check_command(boards / "raspberry_pi_5/pi5_gpio_relay.toml", probe);
  EXPECT_EQ(outcome.status, exit_refused);
  EXPECT_EQ(outcome.output["problems"][0], "main: no GPIO chip with the label pinctrl-rp1; there are: gpiochip0 [pinctrl-bcm2711], gpiochip1 [raspberrypi-exp-gpio]: "
                                            "take the board file of this machine, or correct chip_label");
  EXPECT_NE(outcome.output["warnings"].dump().find("raspberrypi,5-model-b"), std::string::npos);
  probe.line_state = [](const hal::GpioChip&, unsigned, hal::GpioLineState& state) {
    state = {"GPIO17", "w1", true, true, false};
    return Error::none;
  };
  outcome = board_check_command(boards / "raspberry_pi_4/gpio_relay.toml", probe);
  EXPECT_EQ(outcome.output["problems"][0], "main: pinctrl-bcm2711 line 17 is taken by w1: stop what uses it, or name another line");
  probe.line_state = [](const hal::GpioChip&, unsigned, hal::GpioLineState& state) {
    state = {"GPIO17", "", true, false, false};
    return Error::none;
  };
  outcome = board_check_command(boards / "raspberry_pi_4/gpio_relay.toml", probe);
  EXPECT_NE(outcome.output["problems"].dump().find("line 17 is taken by the kernel: take the overlay"), std::string::npos) << outcome.output;
  probe.line_state = [](const hal::GpioChip&, unsigned, hal::GpioLineState& state) {
    state = {"GPIO17", "wattproof", true, true, true};
    return Error::none;
  };
  outcome = board_check_command(boards / "raspberry_pi_4/gpio_relay.toml", probe);
  EXPECT_NE(outcome.output["problems"].dump().find("main: pinctrl-bcm2711 line 17 runs with the other polarity than the board file says"), std::string::npos);
  probe.chips[0].lines = 8;
  outcome = board_check_command(boards / "raspberry_pi_4/gpio_relay.toml", probe);
  EXPECT_EQ(outcome.output["problems"][0], "main: no line 17; pinctrl-bcm2711 has 0 to 7: correct the line");
}

TEST(board_command, reads_the_register_of_an_i2c_board) {
  BoardProbe probe = raspberry_pi_4();
  Outcome outcome = board_check_command(boards / "raspberry_pi_4/seeed_relay_4ch.toml", probe);
  EXPECT_EQ(outcome.status, exit_ok) << outcome.output;
  EXPECT_EQ(outcome.output["relays"][0]["closed"], true);
  EXPECT_EQ(outcome.output["relays"][1]["closed"], false);
  EXPECT_NE(board_table(outcome.output).find("relay ch1: /dev/i2c-1 0x20, register 0x06, bits 0x01, closed"), std::string::npos);
  probe.read_register = [](const hal::I2cRelayOptions&, std::uint8_t&, std::string& detail) {
    detail = "/dev/i2c-1 0x20: open: No such file or directory";
    return Error::hardware_failed;
  };
  outcome = board_check_command(boards / "raspberry_pi_4/seeed_relay_4ch.toml", probe);
  EXPECT_EQ(outcome.output["problems"].size(), 4u);
}

TEST(board_command, refuses_a_file_without_a_polarity_and_two_names_for_one_line) {
  const ScratchFolder folder;
  const fs::path file = folder.write("b.toml", "[relay.a]\nchip_label = \"c\"\nline = 1\n");
  try {
    board_check_command(file, raspberry_pi_4());
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("b.toml:1: relay.a.active_low: is missing"), std::string::npos) << error.what();
  }
  folder.write("b.toml", "[relay.a]\nchip_label = \"pinctrl-bcm2711\"\nline = 1\nactive_low = true\n"
                         "[relay.b]\nchip_label = \"pinctrl-bcm2711\"\nline = 1\nactive_low = false\n");
  EXPECT_EQ(board_check_command(file, raspberry_pi_4()).output["problems"][0], "a and b name one line");
}

TEST(board_command, accepts_every_board_file_of_this_repository) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(boards)) {
    if (entry.path().extension() != ".toml") continue;
    firmware::ConfigReader reader;
    ASSERT_TRUE(reader.open(entry.path()));
    if (reader.root().section("relay").section_names().empty()) continue;  // a device's configuration
    firmware::BoardFile board;
    EXPECT_EQ(firmware::read_board_file(entry.path(), board).size(), 0u) << entry.path();
    EXPECT_FALSE(board.relays.empty());
    ++files;
  }
  EXPECT_GE(files, 7);
}

}  // namespace
}  // namespace wattproof::tool
