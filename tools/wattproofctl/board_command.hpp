// SPDX-License-Identifier: Apache-2.0
// wattproofctl board check: what a board file names, and what this machine has of it. Touches no line: a line that is asked
// about keeps its direction and its level.
#pragma once

#include <functional>

#include "command.hpp"
#include "firmware/linux_node/board_file.hpp"
#include "hal/linux/gpio_line.hpp"

namespace wattproof::tool {

// The machine, as the check sees it; a test gives another one.
struct BoardProbe {
  std::vector<std::string> compatible;  // of the device tree; empty: it has none
  std::vector<hal::GpioChip> chips;
  std::function<Error(const hal::GpioChip&, unsigned, hal::GpioLineState&)> line_state;
  std::function<Error(const hal::I2cRelayOptions&, std::uint8_t& value, std::string& detail)> read_register;
};

BoardProbe probe_this_machine();

// {"board","machine","chips":[..],"relays":[{"name","line","found","state",..}],"problems":[..],"warnings":[..]}; status
// exit_refused if there are problems.
Outcome board_check_command(const std::string& file, const BoardProbe& probe);

// The same for people: a line for each relay, then problems and warnings.
std::string board_table(const Json& output);

}  // namespace wattproof::tool
