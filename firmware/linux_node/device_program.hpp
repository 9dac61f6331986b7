// SPDX-License-Identifier: Apache-2.0
// A device's main loop on Linux: one thread that waits for the broker, for the node's wake-up time and for signals.
#pragma once

#include <cstdint>

#include "firmware/linux_node/configuration.hpp"
#include "firmware/linux_node/linux_port.hpp"
#include "firmware/linux_node/start_count.hpp"
#include "hal/runner.hpp"
#include "node/node.hpp"

namespace wattproof::firmware {

class DeviceProgram {
 public:
  DeviceProgram(const Configuration& configuration, LinuxPort& port, node::Node& node, EventLog& log)
      : configuration_(configuration), port_(port), node_(node), log_(log), runner_(node, port), starts_(configuration.store_folder) {}

  // Runs until SIGTERM, SIGINT or SIGHUP, then drives the outputs to their safe state and takes leave of the broker. The exit
  // status: 0 after a signal, 1 if it could not start (the log says why), 3 if the relay is driven the wrong way round.
  int run();

 private:
  int open_signals();
  bool outlasts_safe_mode(int signals);
  int stop(int signals);
  void serve_link();
  void serve_relay();
  void serve_button();
  void serve_meter();
  void tell_progress();
  void feed_watchdog();
  [[nodiscard]] int wait_ms();

  const Configuration& configuration_;
  LinuxPort& port_;
  node::Node& node_;
  EventLog& log_;
  hal::Runner<LinuxPort, node::Node> runner_;
  StartCount starts_;

  bool link_was_up_ = false;
  std::string link_error_;
  node::Mode mode_ = node::Mode::starting;
  std::uint32_t errors_told_ = 0;
  std::uint64_t watchdog_ms_ = 0;
  std::uint64_t watchdog_fed_ms_ = 0;
};

}  // namespace wattproof::firmware
