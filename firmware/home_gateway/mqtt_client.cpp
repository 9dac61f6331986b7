// SPDX-License-Identifier: Apache-2.0
#include "mqtt_client.hpp"

#include <mosquitto.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>

#include "base/limits.hpp"

namespace wattproof::gateway {
namespace {

constexpr std::uint64_t wait_ms_min = 250;
constexpr std::uint64_t wait_ms_max = 15'000;
constexpr std::uint64_t probe_ms_max = 2'000;
constexpr std::uint64_t connack_ms_max = 5'000;
constexpr int keep_alive_s = 20;
constexpr const char* subscription = "wp/v1/+/up";
constexpr std::string_view topic_prefix = "wp/v1/";
constexpr std::string_view topic_suffix = "/up";
constexpr std::size_t address_digits = 40;

// "wp/v1/<40 digits>/up", lower case.
std::optional<Address> device_of_topic(std::string_view topic) {
  if (!topic.starts_with(topic_prefix) || !topic.ends_with(topic_suffix)) return std::nullopt;
  if (topic.size() != topic_prefix.size() + address_digits + topic_suffix.size()) return std::nullopt;
  const std::string digits(topic.substr(topic_prefix.size(), address_digits));
  if (std::any_of(digits.begin(), digits.end(), [](char c) { return c >= 'A' && c <= 'F'; })) return std::nullopt;
  return ethereum::parse_hex_array<20>("0x" + digits);
}

std::uint64_t with_jitter(std::uint64_t wait_ms) {
  static std::minstd_rand random{std::random_device{}()};
  return wait_ms / 2 + random() % (wait_ms / 2 + 1);
}

void check(int code, const char* what) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(std::string("mqtt: ") + what + ": " + mosquitto_strerror(code));
}

}  // namespace

MqttClient::MqttClient(MqttOptions options, OnFrame on_frame, OnLink on_link)
    : options_(std::move(options)), on_frame_(std::move(on_frame)), on_link_(std::move(on_link)) {
  static const int library = mosquitto_lib_init();
  check(library, "library");
  client_ = mosquitto_new(options_.client_id.c_str(), true, this);
  if (client_ == nullptr) throw std::runtime_error("mqtt: client id is not usable");
  try {
    configure();
  } catch (...) {
    mosquitto_destroy(client_);
    throw;
  }
}

MqttClient::~MqttClient() {
  if (probe_ >= 0) ::close(probe_);
  if (is_connected_) mosquitto_disconnect(client_);
  mosquitto_destroy(client_);
}

void MqttClient::configure() {
  mosquitto_connect_callback_set(client_, on_connect);
  mosquitto_disconnect_callback_set(client_, on_disconnect);
  mosquitto_message_callback_set(client_, on_message);
  if (!options_.username.empty()) {
    const char* const password = options_.password.empty() ? nullptr : options_.password.c_str();
    check(mosquitto_username_pw_set(client_, options_.username.c_str(), password), "username");
  }
  if (!options_.ca_file.empty()) {
    check(mosquitto_tls_set(client_, options_.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr), "ca_file");
  }
  if (!options_.psk_identity.empty()) {
    check(mosquitto_tls_psk_set(client_, options_.psk_hex.c_str(), options_.psk_identity.c_str(), nullptr), "psk");
  }
}

void MqttClient::publish(const Address& device, Bytes frame) {
  const std::string topic = std::string(topic_prefix) + ethereum::to_hex_digits(device) + "/down";
  const bool is_sent = is_connected_ && mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(frame.size()),
                                                          frame.data(), 0, false) == MOSQ_ERR_SUCCESS;
  if (!is_sent) ++lost_frames_;
}

int MqttClient::descriptor() const { return is_connecting_ ? mosquitto_socket(client_) : probe_; }

bool MqttClient::wants_write() const { return is_connecting_ ? mosquitto_want_write(client_) : probe_ >= 0; }

void MqttClient::work(bool is_readable, bool is_writable, std::uint64_t now_ms) {
  now_ms_ = now_ms;
  if (!is_connecting_) return try_connect(now_ms);
  int code = MOSQ_ERR_SUCCESS;
  if (is_readable) code = mosquitto_loop_read(client_, 1);
  if (code == MOSQ_ERR_SUCCESS && (is_writable || mosquitto_want_write(client_))) code = mosquitto_loop_write(client_, 1);
  if (code == MOSQ_ERR_SUCCESS) code = mosquitto_loop_misc(client_);
  if (code != MOSQ_ERR_SUCCESS) return lost(mosquitto_strerror(code), now_ms);
  if (!is_connected_ && now_ms > probe_until_ms_) lost("no answer to the connect packet", now_ms);
}

void MqttClient::try_connect(std::uint64_t now_ms) {
  if (probe_ < 0) {
    if (now_ms < next_try_ms_) return;
    begin_probe();
    probe_until_ms_ = now_ms + probe_ms_max;
    if (probe_ < 0) return lost("the broker's address does not resolve or is not reachable", now_ms);
  }
  if (!probe_succeeded()) {
    if (probe_ < 0 || now_ms > probe_until_ms_) lost("the broker does not accept connections", now_ms);
    return;
  }
  ::close(probe_);
  probe_ = -1;
  const int code = mosquitto_connect(client_, options_.host.c_str(), options_.port, keep_alive_s);
  if (code != MOSQ_ERR_SUCCESS) return lost(mosquitto_strerror(code), now_ms);
  is_connecting_ = true;
  probe_until_ms_ = now_ms + connack_ms_max;
}

void MqttClient::begin_probe() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(options_.host.c_str(), std::to_string(options_.port).c_str(), &hints, &found) != 0) return;
  for (const addrinfo* at = found; at != nullptr && probe_ < 0; at = at->ai_next) {
    probe_ = ::socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (probe_ < 0) continue;
    if (::connect(probe_, at->ai_addr, at->ai_addrlen) != 0 && errno != EINPROGRESS) {
      ::close(probe_);
      probe_ = -1;
    }
  }
  ::freeaddrinfo(found);
}

// True when the connection stands. Closes the probe when it never will.
bool MqttClient::probe_succeeded() {
  pollfd writable{probe_, POLLOUT, 0};
  if (::poll(&writable, 1, 0) != 1) return false;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(probe_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) return true;
  ::close(probe_);
  probe_ = -1;
  return false;
}

void MqttClient::lost(const std::string& why, std::uint64_t now_ms) {
  if (probe_ >= 0) ::close(probe_);
  probe_ = -1;
  wait_ms_ = std::min(wait_ms_max, std::max(wait_ms_min, 2 * wait_ms_));
  next_try_ms_ = now_ms + with_jitter(wait_ms_);
  is_connecting_ = false;
  is_connected_ = false;
  on_link_(false, why);
}

void MqttClient::on_connect(mosquitto* client, void* self, int code) {
  MqttClient& link = *static_cast<MqttClient*>(self);
  if (code != 0) {
    mosquitto_disconnect(client);
    return link.lost(std::string("the broker refuses: ") + mosquitto_connack_string(code), link.now_ms_);
  }
  link.is_connected_ = true;
  link.wait_ms_ = 0;
  mosquitto_subscribe(client, nullptr, subscription, 0);
  link.on_link_(true, "");
}

void MqttClient::on_disconnect(mosquitto*, void* self, int code) {
  MqttClient& link = *static_cast<MqttClient*>(self);
  if (link.is_connecting_) link.lost(mosquitto_strerror(code), link.now_ms_);
}

void MqttClient::on_message(mosquitto*, void* self, const mosquitto_message* message) {
  MqttClient& link = *static_cast<MqttClient*>(self);
  const std::optional<Address> device = device_of_topic(message->topic);
  const bool is_ours = device && !message->retain && message->payloadlen > 0 &&
                       static_cast<std::size_t>(message->payloadlen) <= frame_size_max;
  if (!is_ours) {
    ++link.ignored_frames_;
    return;
  }
  link.on_frame_(*device, {static_cast<const std::uint8_t*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
}

}  // namespace wattproof::gateway
