// SPDX-License-Identifier: Apache-2.0
// A small process that owns the relay for a larger one. It holds the line and a deadline, and nothing else: if the owner
// is killed it opens the relay and ends; if the owner is frozen, or too busy to call for a while, it opens the relay and
// waits. An owner that comes back is told so (take_overruled) and decides anew.
//
// The two talk over a socket pair, one datagram each way. Every call of the owner, sensing included, moves the deadline;
// hal::Runner senses once a second.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hal/linux/relay_driver.hpp"

namespace wattproof::hal {

struct RelayKeeperOptions {
  std::uint32_t deadline_ms = 10'000;  // without a call for so long: safe state; 100 or more
  bool stays_on = false;               // the load's fallback is "on": a closed relay stays closed, an open one open
};

// Makes the driver; runs in the keeper alone, so that no other process has the line. Fills `detail` if it fails.
using RelayOpener = std::function<Error(std::unique_ptr<RelayDriver>&, std::string& detail)>;

// Starts the keeper. To be called before the program starts threads.
//   configuration_invalid  a deadline below its limit
//   hardware_failed        no process could be started
//   what `opener` returned
Error open_relay_keeper(const RelayKeeperOptions& options, const RelayOpener& opener, std::unique_ptr<RelayDriver>& driver, std::string& detail);

}  // namespace wattproof::hal
