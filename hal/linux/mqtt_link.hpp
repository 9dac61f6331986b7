// SPDX-License-Identifier: Apache-2.0
// One device's link to its broker: MQTT 3.1.1 by libmosquitto, driven by the caller's own poll loop in one thread.
//
// What libmosquitto leaves open is closed here:
//   - frames wait in a fixed ring of ours, never in the library, and are handed over one at a time after the broker has
//     accepted connection and subscription; a full ring drops the oldest frame, since a device's newest is what counts;
//   - inbound messages above frame_size_max, retained ones and those of other topics are dropped before they are copied;
//     the rest waits in a second fixed ring, which drops the newest when full (whoever floods loses his own frames);
//   - a lost connection is tried again after 1 s to 300 s with jitter, and the wait starts over only after a connection
//     has held; a broker that accepts and then stays silent is given up after a while;
//   - a host name is resolved in the background, so that a dead name server cannot hold up the relay guard.
// The library still allocates what a broker announces for one packet (up to 256 MB): the program sets a memory limit.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "hal/splitmix.hpp"

struct mosquitto;
struct mosquitto_message;

namespace wattproof::hal {

struct MqttOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 1883;
  std::string client_id;        // the device's address, 40 hex digits
  std::string user;             // empty: none
  std::string password;
  std::string psk_hex;          // not empty: TLS-PSK, 16 to 64 bytes in hex
  std::string psk_identity;
  std::string publish_topic;
  std::string subscribe_topic;
  std::string presence_topic;   // empty: none. Retained "online", and "offline" as the broker's last will
  std::uint32_t keepalive_s = 30;      // 5..3600
  std::uint32_t backoff_ms_min = 1000; // first wait after a failure
  std::uint32_t backoff_ms_max = 300'000;
  std::uint32_t answer_ms_max = 10'000;  // a broker that has not accepted us by then is given up
  std::uint64_t seed = 1;       // of the jitter; from the entropy source
};

struct MqttCounters {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t dropped_full_out = 0;   // outbound ring full: the oldest frame
  std::uint64_t dropped_full_in = 0;    // inbound ring full: the newest frame
  std::uint64_t dropped_large = 0;      // above frame_size_max, or empty
  std::uint64_t dropped_retained = 0;
  std::uint64_t dropped_topic = 0;
  std::uint64_t connects = 0;           // accepted by the broker
  std::uint64_t failures = 0;           // attempts or connections that ended
};

class MqttLink {
 public:
  static constexpr std::uint32_t ring_frames_max = 16;

  MqttLink();
  ~MqttLink();
  MqttLink(const MqttLink&) = delete;
  MqttLink& operator=(const MqttLink&) = delete;

  // Sets up the client; the first connection is tried by the first service().
  //   configuration_invalid  an option that libmosquitto refuses, or a missing one; last_error() says which
  Error open(const MqttOptions& options);

  // Does what is due: reads, writes, keeps alive, connects again. `now_ms` is real monotonic time. Never blocks.
  void service(std::uint64_t now_ms);

  // For poll(): the socket or -1, whether it wants to write, and when service() has to be called at the latest.
  [[nodiscard]] int socket() const;
  [[nodiscard]] bool wants_write() const;
  [[nodiscard]] std::uint64_t next_ms(std::uint64_t now_ms) const;

  // True while the broker has accepted connection and subscription.
  [[nodiscard]] bool is_up() const { return state_ == State::up; }

  // Queues one frame.
  //   too_large  above frame_size_max, or empty
  //   link_down  the link is not up; nothing was queued, since a frame of before would come too late
  Error send(Bytes frame);

  // The oldest inbound frame, copied into `into` (frame_size_max bytes); its size, or 0 if there is none.
  std::uint32_t receive(MutableBytes into);

  [[nodiscard]] bool has_frames() const { return in_.count != 0; }

  // Says goodbye: presence, DISCONNECT. The link is closed afterwards.
  void close();

  [[nodiscard]] const MqttCounters& counters() const { return counters_; }
  // Why the last attempt or connection ended, in words; empty if none has.
  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  enum class State : std::uint8_t { closed, waiting, resolving, connecting, subscribing, up };

  struct Frame {
    std::uint32_t size = 0;
    std::array<std::uint8_t, frame_size_max> bytes{};
  };

  struct Ring {
    std::array<Frame, ring_frames_max> frames{};
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    void push(Bytes frame);
    void pop();
  };

  struct Resolver;

  Error set_up_client();
  int read();
  void connect();
  void resolve();
  void check_resolved();
  void flush();
  void fail(const std::string& why);
  void drop_connection();

  static void on_connect(mosquitto* client, void* self, int code);
  static void on_disconnect(mosquitto* client, void* self, int code);
  static void on_subscribe(mosquitto* client, void* self, int id, int count, const int* granted);
  static void on_message(mosquitto* client, void* self, const mosquitto_message* message);

  MqttOptions options_;
  mosquitto* client_ = nullptr;
  std::unique_ptr<Resolver> resolver_;
  std::string address_;  // of the host, resolved
  State state_ = State::closed;
  Ring out_;
  Ring in_;
  std::uint64_t now_ms_ = 0;
  std::uint64_t try_at_ms_ = 0;      // waiting: when to try again
  std::uint64_t since_ms_ = 0;       // when the present state began
  std::uint32_t backoff_ms_ = 0;
  Splitmix random_;
  bool heard_ = false;               // a callback ran
  bool ended_ = false;               // the library told of an end inside a callback
  MqttCounters counters_;
  std::string last_error_;
};

}  // namespace wattproof::hal
