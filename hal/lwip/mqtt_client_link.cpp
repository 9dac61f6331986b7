// SPDX-License-Identifier: Apache-2.0
#include "hal/lwip/mqtt_client_link.hpp"

#ifdef WATTPROOF_PLUG_TLS
#include "hal/lwip/tls_psk.hpp"
#endif
#include "lwip/altcp.h"
#include "lwip/apps/mqtt.h"
#include "lwip/apps/mqtt_priv.h"
#include "lwip/pbuf.h"
#include "lwip/tcp.h"

extern "C" {
// Ports and sequence numbers: the seed is the entropy source's.
std::uint32_t wattproof_lwip_random();
}

namespace wattproof::hal {
namespace {

#ifndef WATTPROOF_PLUG_TLS
static_assert(TCP_WND >= mqtt_packet_size_max + TCP_MSS, "see lwipopts.h");
#endif

constexpr std::uint32_t steady_factor = 10;     // a connection that held so many first waits was a good one
constexpr std::uint32_t frames_in_one_go_max = 8;  // received frames between two looks at the node
constexpr std::uint32_t parts_in_one_go_max = 16;  // of what TLS decrypts: more than a packet

// lwIP's callbacks know no owner that we could trust across a reconnect, and there is one link an image.
MqttClientLink* owner = nullptr;
mqtt_client_t client;
mqtt_connect_client_info_t client_info;
altcp_recv_fn client_receive = nullptr;  // of lwIP's client
altcp_recv_fn unset_receive = nullptr;   // what a connection has before the client sets its own
pbuf* queue = nullptr;                   // received, not yet cut into packets
Splitmix noise;

bool same_text(const char* a, const char* b) {
  while (*a != 0 && *a == *b) ++a, ++b;
  return *a == *b;
}

char* append(char* to, const char* text) {
  while (*text != 0) *to++ = *text++;
  *to = 0;
  return to;
}

}  // namespace

struct MqttCallbacks {
  static err_t bytes(void* argument, altcp_pcb* connection, pbuf* received, err_t error) {
    if (received == nullptr || error != ERR_OK) return client_receive(argument, connection, received, error);
    if (queue == nullptr) queue = received;
    else pbuf_cat(queue, received);
    return ERR_OK;
  }

  static void connection(mqtt_client_t*, void*, mqtt_connection_status_t status) {
    if (status != MQTT_CONNECT_ACCEPTED) {
      owner->has_ended_ = true;
      if (status < 256) owner->failure_ = "the broker refused";
      else owner->failure_ = status == MQTT_CONNECT_TIMEOUT ? "the broker does not answer" : "the connection ended";
      return;
    }
    if (mqtt_subscribe(&client, owner->down_topic_.data(), 0, subscribed, nullptr) != ERR_OK) owner->has_ended_ = true;
  }

  static void subscribed(void*, err_t result) {
    if (result != ERR_OK) {
      owner->failure_ = "the broker refused the subscription";
      owner->has_ended_ = true;
      return;
    }
    owner->is_up_ = owner->has_been_up_ = true;
    owner->since_ms_ = owner->now_ms_;
    mqtt_publish(&client, owner->presence_topic_.data(), "online", 6, 0, 1, nullptr, nullptr);
  }

  static void announced(void*, const char* topic, u32_t size) {
    const bool is_retained = (client.rx_buffer[0] & 1) != 0;
    owner->is_wanted_ = !is_retained && size != 0 && size <= frame_size_max && same_text(topic, owner->down_topic_.data());
    owner->announced_ = size;
  }

  // The payload ends the packet, and the packet is whole in our own buffer.
  static void payload(void*, const u8_t*, u16_t, u8_t flags) {
    if ((flags & MQTT_DATA_FLAG_LAST) == 0 || !owner->is_wanted_) return;
    const Bytes packet = owner->stream_.packet();
    if (owner->announced_ <= packet.size()) owner->frame_ = packet.last(owner->announced_);
    owner->is_wanted_ = false;
  }
};

Error MqttClientLink::open(const MqttClientOptions& options) {
  if (is_zero(options.broker) || options.port == 0 || options.backoff_ms_min == 0 || options.backoff_ms_max < options.backoff_ms_min) return Error::configuration_invalid;
  options_ = options;
  owner = this;
  random_ = Splitmix(options.seed);
  noise = Splitmix(options.seed ^ 0x6c77697000000000U);
  backoff_ms_ = options.backoff_ms_min;
  write_names();
  if (!options.psk.empty()) WATTPROOF_TRY(set_up_tls());
  client_info.client_id = name_.data();
  client_info.client_user = options.is_anonymous ? nullptr : name_.data();
  client_info.client_pass = options.is_anonymous || options.password[0] == 0 ? nullptr : options_.password;
  client_info.keep_alive = options.keepalive_s;
  client_info.will_topic = presence_topic_.data();
  client_info.will_msg = "offline";
  client_info.will_retain = 1;
  Network::open(options.network);
  return Error::none;
}

#ifdef WATTPROOF_PLUG_TLS
Error MqttClientLink::set_up_tls() {
  if (options_.random == nullptr) return Error::configuration_invalid;
  const Bytes identity(reinterpret_cast<const std::uint8_t*>(name_.data()), name_.size() - 1);
  client_info.tls_config = open_tls(identity, options_.psk, *options_.random);
  return client_info.tls_config == nullptr ? Error::configuration_invalid : Error::none;
}
#else
Error MqttClientLink::set_up_tls() { return Error::configuration_invalid; }
#endif

void MqttClientLink::write_names() {
  constexpr char digits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < options_.device.size(); ++i) {
    name_[2 * i] = digits[options_.device[i] >> 4];
    name_[2 * i + 1] = digits[options_.device[i] & 15];
  }
  append(append(append(up_topic_.data(), "wp/v1/"), name_.data()), "/up");
  append(append(append(down_topic_.data(), "wp/v1/"), name_.data()), "/down");
  append(append(append(presence_topic_.data(), "wp/v1/"), name_.data()), "/presence");
}

void MqttClientLink::service(std::uint64_t now_ms) {
  now_ms_ = now_ms;
  for (std::uint32_t frames = 0; frames < frames_in_one_go_max && Network::receive_one(); ++frames) watch_connection();
  Network::run_timers();
#ifdef WATTPROOF_PLUG_TLS
  for (std::uint32_t parts = 0; parts < parts_in_one_go_max && serve_tls(is_trying_ && queue == nullptr); ++parts) drain_watched();
#endif
  drain_watched();
  if (has_ended_) return fail(failure_);
  if (is_trying_ && !is_up_ && now_ms - since_ms_ > options_.answer_ms_max) return fail("the broker does not answer");
  if (!is_trying_ && now_ms >= try_at_ms_ && Network::has_address()) connect();
}

void MqttClientLink::connect() {
  ip_addr_t address;
  IP4_ADDR(&address, options_.broker[0], options_.broker[1], options_.broker[2], options_.broker[3]);
  is_trying_ = true;
  has_ended_ = false;
  since_ms_ = now_ms_;
  stream_.start();
  client_receive = unset_receive = nullptr;
  if (mqtt_client_connect(&client, &address, options_.port, MqttCallbacks::connection, nullptr, &client_info) != ERR_OK) {
    return fail("no connection could be begun");
  }
  // The call above has cleared the client.
  mqtt_set_inpub_callback(&client, MqttCallbacks::announced, MqttCallbacks::payload, nullptr);
  unset_receive = client.conn->recv;
}

// Puts ourselves between TCP and the client as soon as the client has set its callback: before the first byte, which cannot
// come with the segment that opens the connection.
void MqttClientLink::watch_connection() {
  if (!is_trying_ || client.conn == nullptr || client.conn->recv == unset_receive || client.conn->recv == MqttCallbacks::bytes) return;
  client_receive = client.conn->recv;
  altcp_recv(client.conn, MqttCallbacks::bytes);
}

void MqttClientLink::drain_watched() {
  watch_connection();
  if (is_trying_) drain();
}

void MqttClientLink::drain() {
  while (queue != nullptr && frame_.empty() && !has_ended_ && client.conn != nullptr) {
    Bytes input{static_cast<const std::uint8_t*>(queue->payload), queue->len};
    const std::size_t size = input.size();
    const MqttStream::State state = stream_.take(input);
    queue = pbuf_free_header(queue, static_cast<u16_t>(size - input.size()));
    if (state == MqttStream::State::refused) {
      failure_ = "a packet that is too large";
      has_ended_ = true;
    }
    if (state == MqttStream::State::whole) deliver();
  }
}

void MqttClientLink::deliver() {
  const Bytes packet = stream_.packet();
  pbuf* whole = pbuf_alloc_reference(const_cast<std::uint8_t*>(packet.data()), static_cast<u16_t>(packet.size()), PBUF_REF);
  if (whole == nullptr) {
    failure_ = "no room for a packet";
    has_ended_ = true;
    return;
  }
  client_receive(&client, client.conn, whole, ERR_OK);
}

// Ends the present attempt and sets the time of the next: the wait doubles, and each is drawn from half to one and a half of
// it, so that the devices of a street do not return in step.
void MqttClientLink::fail(const char* why) {
  const bool was_steady = is_up_ && now_ms_ - since_ms_ >= std::uint64_t{options_.backoff_ms_min} * steady_factor;
  if (was_steady) backoff_ms_ = options_.backoff_ms_min;
  failure_ = why;
  ++failures_;
  mqtt_disconnect(&client);
  forget_queue();
  is_trying_ = is_up_ = has_ended_ = false;
  frame_ = {};
  try_at_ms_ = now_ms_ + (backoff_ms_ >> 1) + random_.next() % (std::uint64_t{backoff_ms_} + 1);
  backoff_ms_ = backoff_ms_ > options_.backoff_ms_max >> 1 ? options_.backoff_ms_max : backoff_ms_ * 2;
}

void MqttClientLink::forget_queue() {
  if (queue != nullptr) pbuf_free(queue);
  queue = nullptr;
}

Error MqttClientLink::send(Bytes frame) {
  if (frame.empty() || frame.size() > frame_size_max) return Error::too_large;
  if (!is_up_) return Error::link_down;
  const err_t result = mqtt_publish(&client, up_topic_.data(), frame.data(), static_cast<u16_t>(frame.size()), 0, 0, nullptr, nullptr);
  return result == ERR_OK ? Error::none : Error::capacity;
}

}  // namespace wattproof::hal

std::uint32_t wattproof_lwip_random() { return static_cast<std::uint32_t>(wattproof::hal::noise.next() >> 16); }
