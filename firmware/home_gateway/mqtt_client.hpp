// SPDX-License-Identifier: Apache-2.0
// The gateway's connection to the broker, by libmosquitto, driven by the caller's poll loop on one thread. Subscribes to
// wp/v1/+/up, publishes to wp/v1/<address>/down, QoS 0, never retained.
//
// Traps of libmosquitto that are avoided here: QoS above 0 queues without bound while offline; its own reconnecting has
// no jitter and needs a thread; a connect to a dead address blocks, so the address is first tried without blocking.
#pragma once

#include <functional>
#include <string>

#include "hex_text.hpp"

struct mosquitto;
struct mosquitto_message;

namespace wattproof::gateway {

using ethereum::ByteVector;

struct MqttOptions {
  std::string host;  // an address, or a name that resolves quickly
  std::uint16_t port = 1883;
  std::string client_id;
  std::string username;
  std::string password;
  std::string ca_file;       // TLS with certificates, if set
  std::string psk_identity;  // TLS with a shared key, if set
  std::string psk_hex;
};

class MqttClient {
 public:
  using OnFrame = std::function<void(const Address& device, Bytes frame)>;
  using OnLink = std::function<void(bool is_up, const std::string& why)>;

  // Throws std::runtime_error for options that libmosquitto refuses.
  MqttClient(MqttOptions options, OnFrame on_frame, OnLink on_link);
  ~MqttClient();
  MqttClient(const MqttClient&) = delete;
  MqttClient& operator=(const MqttClient&) = delete;

  // Loses the frame while there is no connection, or while too much waits to be sent.
  void publish(const Address& device, Bytes frame);

  // For poll(): the descriptor or -1, and whether it must be watched for writing.
  int descriptor() const;
  bool wants_write() const;
  // After poll(), and at least every 100 ms.
  void work(bool is_readable, bool is_writable, std::uint64_t now_ms);

  bool is_connected() const { return is_connected_; }
  std::uint64_t lost_frames() const { return lost_frames_; }     // to devices
  std::uint64_t ignored_frames() const { return ignored_frames_; }  // from devices: retained, too long, foreign topic

 private:
  static void on_connect(mosquitto* client, void* self, int code);
  static void on_disconnect(mosquitto* client, void* self, int code);
  static void on_message(mosquitto* client, void* self, const mosquitto_message* message);
  void configure();
  void try_connect(std::uint64_t now_ms);
  void begin_probe();
  bool probe_succeeded();
  void lost(const std::string& why, std::uint64_t now_ms);

  MqttOptions options_;
  OnFrame on_frame_;
  OnLink on_link_;
  mosquitto* client_ = nullptr;
  int probe_ = -1;  // a plain socket that finds out whether the broker is there
  bool is_connected_ = false;   // CONNACK came
  bool is_connecting_ = false;  // libmosquitto has a socket
  std::uint64_t next_try_ms_ = 0;
  std::uint64_t probe_until_ms_ = 0;
  std::uint64_t wait_ms_ = 0;
  std::uint64_t now_ms_ = 0;
  std::uint64_t lost_frames_ = 0;
  std::uint64_t ignored_frames_ = 0;
};

}  // namespace wattproof::gateway
