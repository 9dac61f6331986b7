// SPDX-License-Identifier: Apache-2.0
// Everything that a device on Linux is told by its TOML file. firmware/linux_node/README.md lists the keys.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "chain/bft.hpp"
#include "chain/head.hpp"
#include "control/relay_guard.hpp"
#include "firmware/linux_node/board_file.hpp"
#include "firmware/linux_node/config_reader.hpp"
#include "firmware/linux_node/device_configuration.hpp"
#include "firmware/linux_node/meter_service.hpp"
#include "hal/linux/relay_driver.hpp"
#include "node/config.hpp"
#include "solver/device.hpp"

namespace wattproof::firmware {

struct ChainConfiguration {
  std::uint64_t id = 0;
  Address registry{};
  chain::BftConfig engine{};
  bool is_clique = false;                // then `clique` in place of `engine`
  chain::CliqueConfig clique{};
  chain::FreshnessConfig freshness{};
  std::uint64_t checkpoint_number = 0;
  bool has_checkpoint_block = false;     // hash and timestamp are known too
  Hash32 checkpoint_hash{};
  std::uint64_t checkpoint_timestamp_s = 0;
  std::vector<Address> validators;       // ascending
};

// The enrolled terms: what the registry keeps the hashes of.
struct LimitsConfiguration {
  std::vector<std::int32_t> min_w;
  std::vector<std::int32_t> max_w;
  std::vector<std::int32_t> fallback_w;
};

enum class SetPointKind : std::uint8_t { none, log, file };

struct OutputConfiguration {
  RelayKind relay = RelayKind::none;
  hal::GpioRelayOptions gpio;
  hal::I2cRelayOptions i2c;
  bool has_keeper = false;                // a process of its own holds the relay
  std::uint32_t keeper_deadline_ms = 10'000;
  SetPointKind set_point = SetPointKind::none;
  std::filesystem::path set_point_file;
  std::int32_t set_point_fallback_w = 0;
  std::int32_t set_point_override_w = 0;  // what "on" by a person means
  std::int32_t rated_w = 0;           // what the load draws while its relay is on
  control::RelayLimits limits{};
};

// A push: the other state for a while; a long push: back to the schedule (hal/button.hpp).
struct ButtonConfiguration {
  bool is_present = false;
  hal::GpioLineOptions line;
  std::uint32_t duration_s = 3600;
};

struct BrokerConfiguration {
  std::string host;
  std::uint16_t port = 1883;
  bool is_anonymous = false;          // no user name and password
  std::filesystem::path password_file;
  std::filesystem::path psk_file;
  std::uint32_t keepalive_s = 30;
  std::uint32_t backoff_ms_min = 1000;
  std::uint32_t backoff_ms_max = 300'000;
};

struct Configuration {
  std::filesystem::path file;
  DeviceConfiguration device;
  ChainConfiguration chain;
  LimitsConfiguration limits;
  OutputConfiguration output;
  ButtonConfiguration button;
  MeterConfiguration meter;
  BrokerConfiguration broker;
  std::filesystem::path store_folder;
  std::filesystem::path key_file;
  std::filesystem::path wrapping_key_file;  // empty: the key file's mode alone protects it
  std::filesystem::path clock_file;   // empty: real time
  node::LinkConfig link{};
  std::uint32_t override_s_max = 4 * 3600;
  std::uint32_t log_level = 2;        // 0 error, 1 warning, 2 info, 3 debug
};

// Reads all of it. Returns the complaints, each with file, line and key; empty if there are none.
std::vector<std::string> read_configuration(const std::filesystem::path& file, Configuration& out);

}  // namespace wattproof::firmware
