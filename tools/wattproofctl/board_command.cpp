// SPDX-License-Identifier: Apache-2.0
#include "board_command.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "hal/linux/i2c_bus.hpp"

namespace wattproof::tool {
namespace {

using firmware::BoardRelay;
using firmware::RelayKind;

constexpr const char* compatible_file = "/proc/device-tree/compatible";

std::string hex_byte(unsigned value) {
  static constexpr char digits[] = "0123456789abcdef";
  return std::string("0x") + digits[value >> 4 & 15] + digits[value & 15];
}

struct Findings {
  Json relays = Json::array();
  Json problems = Json::array();
  Json warnings = Json::array();
};

Json check_gpio(const BoardRelay& relay, const BoardProbe& probe, Findings& findings) {
  Json output = {{"name", relay.name},
                 {"kind", "gpio"},
                 {"chip_label", relay.gpio.chip_label},
                 {"line", relay.gpio.line},
                 {"closes_when", relay.gpio.active_low ? "low" : "high"}};
  if (relay.header_pin != 0) output["header_pin"] = relay.header_pin;
  const auto problem = [&](const std::string& what) { findings.problems.push_back(relay.name + ": " + what); };
  if (relay.closes_undriven()) {
    findings.warnings.push_back(relay.name + ": its line is pulled " + (relay.gpio.active_low ? "down" : "up") +
                                " while nothing drives it, and that closes the relay: during boot, and after a crash");
  }
  const auto chip = std::find_if(probe.chips.begin(), probe.chips.end(), [&](const hal::GpioChip& each) { return each.label == relay.gpio.chip_label; });
  if (chip == probe.chips.end()) {
    problem("no GPIO chip with the label " + relay.gpio.chip_label + "; " + hal::describe_gpio_chips(probe.chips) +
            ": take the board file of this machine, or correct chip_label");
    return output;
  }
  output["chip"] = chip->path;
  hal::GpioLineState state;
  if (relay.gpio.line >= chip->lines || probe.line_state(*chip, relay.gpio.line, state) != Error::none) {
    problem("no line " + std::to_string(relay.gpio.line) + "; " + chip->label + " has 0 to " + std::to_string(chip->lines - 1) + ": correct the line");
    return output;
  }
  output["line_name"] = state.name;
  output["direction"] = state.is_output ? "output" : "input";
  if (!state.is_used) return output;
  output["used_by"] = state.consumer;
  const std::string line = relay.gpio.chip_label + " line " + std::to_string(relay.gpio.line);
  if (state.consumer.empty()) {
    problem(line + " is taken by the kernel: take the overlay that claims it out of the boot configuration, or name another line");
  } else if (state.consumer != hal::gpio_consumer) {
    problem(line + " is taken by " + state.consumer + ": stop what uses it, or name another line");
  } else if (state.is_active_low != relay.gpio.active_low) {
    problem(line + " runs with the other polarity than the board file says: find out which level closes the contact, correct active_low, restart the node");
  }
  return output;
}

Json check_i2c(const BoardRelay& relay, const BoardProbe& probe, Findings& findings) {
  Json output = {{"name", relay.name},
                 {"kind", "i2c"},
                 {"bus", relay.i2c.bus},
                 {"address", hex_byte(relay.i2c.address)},
                 {"register", hex_byte(relay.i2c.reg)},
                 {"mask", hex_byte(relay.i2c.mask)},
                 {"closes_when", relay.i2c.active_low ? "low" : "high"}};
  std::uint8_t value = 0;
  std::string detail;
  if (probe.read_register(relay.i2c, value, detail) != Error::none) {
    findings.problems.push_back(relay.name + ": " + detail);
    return output;
  }
  output["value"] = hex_byte(value);
  output["closed"] = (value & relay.i2c.mask) == (relay.i2c.active_low ? 0 : relay.i2c.mask);
  return output;
}

// Two relays on one line would switch together.
void check_twins(const firmware::BoardFile& board, Findings& findings) {
  for (std::size_t i = 0; i < board.relays.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const BoardRelay &a = board.relays[i], &b = board.relays[j];
      const bool is_one = a.kind == b.kind && (a.kind == RelayKind::gpio ? a.gpio.chip_label == b.gpio.chip_label && a.gpio.line == b.gpio.line
                                                                         : a.i2c.bus == b.i2c.bus && a.i2c.address == b.i2c.address &&
                                                                               a.i2c.reg == b.i2c.reg && (a.i2c.mask & b.i2c.mask) != 0);
      if (is_one) findings.problems.push_back(b.name + " and " + a.name + " name one line");
    }
  }
}

}  // namespace

BoardProbe probe_this_machine() {
  BoardProbe probe;
  std::ifstream stream(compatible_file, std::ios::binary);
  for (std::string word; std::getline(stream, word, '\0');) probe.compatible.push_back(word);
  probe.chips = hal::gpio_chips();
  probe.line_state = hal::gpio_line_state;
  probe.read_register = [](const hal::I2cRelayOptions& options, std::uint8_t& value, std::string& detail) {
    hal::KernelI2cBus bus;
    Error error = bus.open(options.bus, options.address);
    if (error == Error::none) error = bus.read(options.reg, value);
    detail = bus.detail();
    return error;
  };
  return probe;
}

Outcome board_check_command(const std::string& file, const BoardProbe& probe) {
  firmware::BoardFile board;
  const std::vector<std::string> errors = firmware::read_board_file(file, board);
  if (!errors.empty()) {
    std::string all;
    for (const std::string& error : errors) all += (all.empty() ? "" : "\n") + error;
    throw InputError("", all);
  }
  Findings findings;
  for (const BoardRelay& relay : board.relays) {
    findings.relays.push_back(relay.kind == RelayKind::i2c ? check_i2c(relay, probe, findings) : check_gpio(relay, probe, findings));
  }
  check_twins(board, findings);
  const auto is_here = [&](const std::string& name) { return std::find(probe.compatible.begin(), probe.compatible.end(), name) != probe.compatible.end(); };
  if (!board.compatible.empty() && std::none_of(board.compatible.begin(), board.compatible.end(), is_here)) {
    findings.warnings.push_back("this machine is not what the board file is for: its device tree does not name " + board.compatible.front());
  }
  Json chips = Json::array();
  for (const hal::GpioChip& chip : probe.chips) chips.push_back({{"path", chip.path}, {"label", chip.label}, {"lines", chip.lines}});
  const bool is_good = findings.problems.empty();
  return {{{"board", board.name},
           {"machine", probe.compatible.empty() ? "" : probe.compatible.front()},
           {"gpio", hal::gpio_backend_name()},
           {"chips", chips},
           {"relays", findings.relays},
           {"problems", findings.problems},
           {"warnings", findings.warnings}},
          is_good ? exit_ok : exit_refused};
}

std::string board_table(const Json& output) {
  std::string text = output["board"].get<std::string>() + "\n";
  text += "machine: " + (output["machine"] == "" ? std::string("without a device tree") : output["machine"].get<std::string>()) + "\n";
  for (const Json& chip : output["chips"]) {
    text += "chip: " + chip["path"].get<std::string>() + " [" + chip["label"].get<std::string>() + "], lines 0 to " +
            std::to_string(chip["lines"].get<unsigned>() - 1) + "\n";
  }
  for (const Json& relay : output["relays"]) {
    text += "relay " + relay["name"].get<std::string>() + ": ";
    if (relay["kind"] == "gpio") {
      text += relay["chip_label"].get<std::string>() + " line " + std::to_string(relay["line"].get<unsigned>());
      if (relay.contains("header_pin")) text += ", pin " + std::to_string(relay["header_pin"].get<unsigned>());
      if (relay.value("line_name", "") != "") text += ", named " + relay["line_name"].get<std::string>();
      if (relay.contains("direction")) text += ", " + relay["direction"].get<std::string>();
      if (relay.contains("used_by")) text += ", used by " + relay["used_by"].get<std::string>();
    } else {
      text += relay["bus"].get<std::string>() + " " + relay["address"].get<std::string>() + ", register " + relay["register"].get<std::string>() +
              ", bits " + relay["mask"].get<std::string>();
      if (relay.contains("closed")) text += relay["closed"].get<bool>() ? ", closed" : ", open";
    }
    text += ", closes when " + relay["closes_when"].get<std::string>() + "\n";
  }
  for (const char* kind : {"problems", "warnings"}) {
    for (const Json& each : output[kind]) text += std::string(kind == std::string("problems") ? "problem: " : "warning: ") + each.get<std::string>() + "\n";
  }
  return text;
}

}  // namespace wattproof::tool
