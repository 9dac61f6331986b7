// SPDX-License-Identifier: Apache-2.0
// One device's link to its broker on bare metal: lwIP's MQTT client, fenced in. The broker is not trusted:
//   - its bytes reach the client as whole packets of bounded size alone (mqtt_stream.hpp); anything else ends the connection;
//   - one frame waits for the node at a time; the rest waits in TCP's window, so that whoever floods is slowed by TCP itself;
//   - retained messages, other topics and frames above frame_size_max are dropped;
//   - a lost connection is tried again after a time that doubles, with jitter; a broker that accepts and then stays silent is
//     given up after answer_ms_max.
// One per image: lwIP's callbacks have one owner.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "crypto/drbg.hpp"
#include "hal/lwip/mqtt_stream.hpp"
#include "hal/lwip/network.hpp"
#include "hal/splitmix.hpp"

namespace wattproof::hal {

struct MqttClientOptions {
  NetworkOptions network{};
  std::array<std::uint8_t, 4> broker{};
  std::uint16_t port = 1883;
  Address device{};                     // its 40 hex digits are client id, user name and TLS identity
  bool is_anonymous = false;            // no user name and password
  const char* password = "";            // stays the caller's
  Bytes psk{};                          // not empty: TLS with this key; stays the caller's
  crypto::Drbg* random = nullptr;       // for TLS
  std::uint16_t keepalive_s = 30;
  std::uint32_t backoff_ms_min = 1000;
  std::uint32_t backoff_ms_max = 300'000;
  std::uint32_t answer_ms_max = 10'000;
  std::uint64_t seed = 1;               // of the jitter
};

class MqttClientLink {
 public:
  // Starts the network; the first connection is tried once there is an address.
  //   configuration_invalid  no broker, or TLS is wanted and not built in
  Error open(const MqttClientOptions& options);

  // Does what is due. Never waits.
  void service(std::uint64_t now_ms);

  [[nodiscard]] bool is_up() const { return is_up_; }

  //   too_large  above frame_size_max, or empty
  //   link_down
  //   capacity   the ring or the requests in flight are full
  Error send(Bytes frame);

  // The frame that waits, or nothing. Stays valid until it is released.
  [[nodiscard]] Bytes frame() const { return frame_; }
  void release() { frame_ = {}; }

  // Why the last connection ended.
  [[nodiscard]] const char* last_failure() const { return failure_; }
  [[nodiscard]] std::uint32_t failure_count() const { return failures_; }
  [[nodiscard]] bool has_been_up() const { return has_been_up_; }

 private:
  friend struct MqttCallbacks;
  void write_names();
  Error set_up_tls();
  void connect();
  void watch_connection();
  void drain_watched();
  void drain();
  void deliver();
  void fail(const char* why);
  void forget_queue();

  MqttClientOptions options_{};
  std::array<char, 41> name_{};
  std::array<char, 56> up_topic_{}, down_topic_{}, presence_topic_{};  // "wp/v1/", 40 digits, at most "/presence"
  MqttStream stream_;
  Bytes frame_{};
  std::uint32_t announced_ = 0;     // bytes of the payload that is being delivered
  bool is_wanted_ = false;
  bool is_trying_ = false;
  bool is_up_ = false;
  bool has_been_up_ = false;
  bool has_ended_ = false;          // a callback said so
  std::uint64_t now_ms_ = 0;
  std::uint64_t since_ms_ = 0;      // of the present attempt or connection
  std::uint64_t try_at_ms_ = 0;
  std::uint32_t backoff_ms_ = 0;
  std::uint32_t failures_ = 0;
  const char* failure_ = "";
  Splitmix random_;
};

}  // namespace wattproof::hal
