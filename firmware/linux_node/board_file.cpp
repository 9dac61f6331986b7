// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/board_file.hpp"

#include <array>
#include <string_view>

namespace wattproof::firmware {
namespace {

constexpr std::size_t compatible_count_max = 16;
constexpr std::int64_t line_max = 4095;
constexpr std::int64_t i2c_address_min = 0x03;  // the others are reserved
constexpr std::int64_t i2c_address_max = 0x77;

void read_relay(ConfigSection section, BoardRelay& relay) {
  static constexpr std::array<std::string_view, 3> pulls = {"unknown", "up", "down"};
  relay.kind = section.has("i2c_bus") ? RelayKind::i2c : RelayKind::gpio;
  relay.header_pin = static_cast<unsigned>(section.integer("header_pin", 0, 40, 0));
  if (relay.kind == RelayKind::i2c) {
    read_i2c_relay(section, relay.i2c);
  } else {
    read_gpio_relay(section, relay.gpio);
    relay.boot_pull = static_cast<BootPull>(section.choice("boot_pull", pulls, 0));
  }
  section.finish();
}

}  // namespace

void read_gpio_relay(ConfigSection& section, hal::GpioRelayOptions& gpio) {
  gpio.chip_label = section.text("chip_label");
  gpio.line = static_cast<unsigned>(section.integer("line", 0, line_max));
  gpio.active_low = section.boolean("active_low");
  gpio.sense_line = static_cast<int>(section.integer("sense_line", 0, line_max, -1));
  gpio.sense_active_low = section.boolean("sense_active_low", false);
}

void read_i2c_relay(ConfigSection& section, hal::I2cRelayOptions& i2c) {
  const auto byte = [&](std::string_view key, std::int64_t min, std::int64_t max) {
    return static_cast<std::uint8_t>(section.integer(key, min, max));
  };
  i2c.bus = section.text("i2c_bus");
  i2c.address = byte("i2c_address", i2c_address_min, i2c_address_max);
  i2c.reg = byte("i2c_register", 0, 255);
  i2c.mask = byte("i2c_mask", 1, 255);
  i2c.active_low = section.boolean("active_low");
}

std::vector<std::string> read_board_file(const std::filesystem::path& file, BoardFile& board) {
  ConfigReader reader;
  if (!reader.open(file)) return reader.errors();
  ConfigSection root = reader.root();
  board.name = root.text("name", file.stem().string());
  if (root.has("compatible")) board.compatible = root.texts("compatible", compatible_count_max);
  ConfigSection relays = root.section("relay");
  for (const std::string& name : relays.section_names()) {
    BoardRelay& relay = board.relays.emplace_back();
    relay.name = name;
    read_relay(relays.section(name), relay);
  }
  if (board.relays.empty()) root.complain("relay", "there is no [relay.NAME]");
  root.finish();
  return reader.errors();
}

}  // namespace wattproof::firmware
