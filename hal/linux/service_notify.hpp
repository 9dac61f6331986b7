// SPDX-License-Identifier: Apache-2.0
// Tells systemd how this service is: one datagram to $NOTIFY_SOCKET, no library. Without that variable nothing is sent.
#pragma once

#include <cstdint>
#include <string_view>

namespace wattproof::hal {

// `state` is one of sd_notify(3)'s: "READY=1", "WATCHDOG=1", "STOPPING=1", "STATUS=...". True if it was sent.
bool notify_service(std::string_view state);

// How often the watchdog has to be fed, at half of the period that systemd set; 0 if it set none.
std::uint64_t watchdog_feed_ms();

}  // namespace wattproof::hal
