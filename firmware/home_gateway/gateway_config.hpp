// SPDX-License-Identifier: Apache-2.0
// The gateway's configuration, a TOML file. Every key is known, or the file is refused with the key's name and line.
//
//   [chain]    url, id, registry (0x..), engine = "qbft", first_block = 0, poll_ms = 250
//   [account]  key_file (64 hexadecimal digits; made if it does not exist)
//   [mqtt]     host, port = 1883, client_id = "gateway", username, password_file, ca_file, psk_identity, psk_file
//   [batch]    count_max = 50, wait_ms = 400, closing = true
//   [log]      metrics_s = 60
#pragma once

#include "gateway.hpp"
#include "mqtt_client.hpp"

namespace wattproof::gateway {

struct GatewayConfig {
  std::string url;
  std::string key_file;
  GatewayOptions gateway;
  MqttOptions mqtt;
  std::uint64_t metrics_s = 60;
};

// Throws std::runtime_error that names file, line and key. Relative paths inside count from the file's folder.
GatewayConfig load_config(const std::string& path);

}  // namespace wattproof::gateway
