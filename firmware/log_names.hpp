// SPDX-License-Identifier: Apache-2.0
// What a device's log calls its mode and what failed at its port: the same words on Linux and on a plug.
#pragma once

#include "hal/port.hpp"
#include "node/node.hpp"

namespace wattproof::firmware {

inline const char* mode_name(node::Mode mode) {
  switch (mode) {
    case node::Mode::starting: return "starting";
    case node::Mode::proving: return "proving";
    case node::Mode::idle: return "idle";
    case node::Mode::following: return "following";
    case node::Mode::stale: return "stale";
    case node::Mode::conflict: return "conflict";
  }
  return "unknown";
}

inline const char* fault_name(hal::Fault fault) {
  switch (fault) {
    case hal::Fault::restore: return "restore_failed";
    case hal::Fault::send: return "send_failed";
    case hal::Fault::store: return "store_failed";
    case hal::Fault::sign: return "sign_failed";
    case hal::Fault::relay: return "relay_failed";
    case hal::Fault::set_point: return "setpoint_failed";
    case hal::Fault::overrun: return "overrun";
  }
  return "fault";
}

}  // namespace wattproof::firmware
