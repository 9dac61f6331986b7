// SPDX-License-Identifier: Apache-2.0
// A mosquitto of a test's own on a free port of the loopback interface, with a rule for every device. It can be killed,
// frozen and started again on the same port.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "unit/hal/scratch_folder.hpp"

struct mosquitto;
struct mosquitto_message;

namespace wattproof::testing {

// True if the broker program is installed; tests that need it skip otherwise, and fail under CI=true.
bool has_broker();

// A port that nobody listens on at this moment.
std::uint16_t free_port();

class TestBroker {
 public:
  enum class Access { anonymous, passwords, psk };

  explicit TestBroker(Access access);
  ~TestBroker();
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;

  // Before start(). With Access::psk `secret` is the key in hex.
  void add_user(const std::string& name, const std::string& secret);
  // Returns when the port accepts connections.
  bool start();
  void kill();
  void freeze();
  void thaw();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string log() const { return folder_.read("broker.log"); }

 private:
  ScratchFolder folder_;
  Access access_;
  std::uint16_t port_;
  std::string psk_;
  std::vector<std::string> users_;
  pid_t process_ = -1;
};

// A broker that accepts, grants the first subscription, sends a message of another topic, and then announces a message of 256 MB of which only the first bytes
// come, again and again, until it is destroyed. It holds each connection for 200 ms.
class HostileBroker {
 public:
  HostileBroker();
  ~HostileBroker();
  HostileBroker(const HostileBroker&) = delete;
  HostileBroker& operator=(const HostileBroker&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Connections on which the announcement was made.
  [[nodiscard]] int announced() const { return announced_; }

 private:
  void serve();

  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> announced_{0};
  std::thread thread_;
};

// The other side of the link in a test: a plain libmosquitto client that blocks for at most a few seconds.
class TestClient {
 public:
  TestClient(std::uint16_t port, const std::string& user, const std::string& password, const std::string& subscribe_to);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  [[nodiscard]] bool is_connected() const { return is_subscribed_; }
  bool publish(const std::string& topic, const std::string& payload, bool retain = false);
  // Runs the client until `count` messages have come in all, or the time is over.
  bool wait_for(std::size_t count, int ms_max = 5000);
  void run(int ms);

  struct Message {
    std::string topic;
    std::string payload;
    bool retain;
  };
  [[nodiscard]] const std::vector<Message>& messages() const { return messages_; }

 private:
  static void on_connect(mosquitto* client, void* self, int code);
  static void on_subscribe(mosquitto* client, void* self, int id, int count, const int* granted);
  static void on_message(mosquitto* client, void* self, const mosquitto_message* message);

  mosquitto* client_;
  std::string topic_;
  bool is_subscribed_ = false;
  std::vector<Message> messages_;
};

}  // namespace wattproof::testing
