// SPDX-License-Identifier: Apache-2.0
// A board file names the relays of a board once for everybody: [relay.NAME] with the line or register of each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "firmware/linux_node/config_reader.hpp"
#include "hal/linux/i2c_relay.hpp"
#include "hal/linux/relay_driver.hpp"

namespace wattproof::firmware {

enum class RelayKind : std::uint8_t { none, simulated, gpio, i2c };

// What the line is pulled to while nothing drives it: during boot, and after the last program is gone.
enum class BootPull : std::uint8_t { unknown, up, down };

struct BoardRelay {
  std::string name;
  RelayKind kind = RelayKind::gpio;
  hal::GpioRelayOptions gpio;
  hal::I2cRelayOptions i2c;
  unsigned header_pin = 0;  // where to look for it on the board; 0: not stated
  BootPull boot_pull = BootPull::unknown;

  // The relay closes by itself whenever nothing drives its line.
  [[nodiscard]] bool closes_undriven() const { return boot_pull == (gpio.active_low ? BootPull::down : BootPull::up); }
};

struct BoardFile {
  std::string name;
  std::vector<std::string> compatible;  // of the machine's device tree; any of them will do; empty: any machine
  std::vector<BoardRelay> relays;
};

// The keys of one relay, which may stand in a configuration as well as in a board file.
void read_gpio_relay(ConfigSection& section, hal::GpioRelayOptions& gpio);
void read_i2c_relay(ConfigSection& section, hal::I2cRelayOptions& i2c);

// Returns the complaints, each with file, line and key; empty if there are none.
std::vector<std::string> read_board_file(const std::filesystem::path& file, BoardFile& board);

}  // namespace wattproof::firmware
