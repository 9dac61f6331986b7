// SPDX-License-Identifier: Apache-2.0
// What a plug is told when it is provisioned: one CBOR document (codec/cbor.hpp: arrays, no maps), kept as one record. README.md
// lists its fields; tools/plug/plug_line.py makes it from the TOML that `wattproofctl provision` writes. All or nothing: a
// document that is refused anywhere changes nothing.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "node/config.hpp"

namespace wattproof::firmware {

constexpr std::uint8_t settings_version = 1;
constexpr std::uint32_t settings_size_max = 2048;   // bytes of a document; a record of the store
constexpr std::uint32_t secret_size_max = 64;       // password or pre-shared key

struct PlugBroker {
  std::array<std::uint8_t, 4> address{};
  std::uint16_t port = 1883;
  std::uint16_t keepalive_s = 30;                   // 5..3600
  std::uint32_t backoff_ms_min = 1000;
  std::uint32_t backoff_ms_max = 300'000;
  bool is_anonymous = false;
  std::array<char, secret_size_max + 1> password{}; // ends with zero; empty: none
  std::array<std::uint8_t, secret_size_max> psk{};
  std::uint32_t psk_size = 0;                       // 0: no TLS
};

struct PlugNetwork {
  std::array<std::uint8_t, 4> address{};            // all zero: DHCP
  std::array<std::uint8_t, 4> mask{};
  std::array<std::uint8_t, 4> gateway{};
};

// Everything but the node's own configuration, and the arrays that this one refers to: lives as long as the node.
struct PlugSettings {
  std::array<std::array<std::int32_t, slot_count_max>, 4> series{};  // three of the device description, then the fallback
  PlugBroker broker{};
  PlugNetwork network{};
  bool has_contact = false;                         // the relay has an auxiliary contact that is read back
  std::uint32_t button_s = 3600;                    // how long a short press overrides
};

// Reads a document into both; `config` is then ready for Node::configure but for the device's address, which is set here too.
//   every error of codec::CborReader, unknown_version, unknown_kind, and of node::check_config
// On an error both hold rubbish.
Error decode_settings(Bytes document, const Address& device, PlugSettings& settings, node::Config& config);

}  // namespace wattproof::firmware
