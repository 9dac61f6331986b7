// SPDX-License-Identifier: Apache-2.0
// A configuration that is right, for tests to spoil.
#pragma once

#include <string>

namespace wattproof::testing {

inline const std::string good_linux_node_config = R"([device]
id = 3
kind = "battery"
slots = 4
slot_seconds = 900
power_min_w = -2000
power_max_w = [2000, 1000, 1500, 2000]
energy_min_wh = 0
energy_max_wh = 5000
energy_start_wh = 2500
energy_end_min_wh = 2500
energy_end_max_wh = 5000
[limits]
min_w = -2000
max_w = 2000
fallback_w = -100
[output]
relay = "simulated"
rated_w = 2000
on_ms_min = 1
off_ms_min = 2
fallback_ms = 5000
start_spread_ms_max = 3
setpoint = "log"
setpoint_fallback_w = -100
[chain]
id = 1337
registry = "0x00112233445566778899aabbccddeeff00112233"
engine = "qbft"
header = "shanghai"
period_s_min = 2
freshness_s = 60
skew_s = 5
trusting_period_s = 1000
[chain.checkpoint]
number = 7
hash = "0x1111111111111111111111111111111111111111111111111111111111111111"
timestamp = 1700000000
validators = ["0x3333333333333333333333333333333333333333", "0x2222222222222222222222222222222222222222"]
[broker]
host = "127.0.0.1"
port = 18830
anonymous = true
backoff_ms_min = 20
backoff_ms_max = 200
[store]
folder = "state"
[link]
poll_ms = 250
)";

// `text` with the one place where `from` stands replaced.
inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

}  // namespace wattproof::testing
