// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/mqtt_link.hpp"

#include <arpa/inet.h>
#include <mosquitto.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>

namespace wattproof::hal {
namespace {

constexpr std::uint64_t poll_ms_max = 1000;      // how often the library's keep-alive is looked at
constexpr std::uint64_t resolve_poll_ms = 50;
constexpr std::uint32_t steady_factor = 10;      // a connection that held so many first waits was a good one
constexpr int read_packets_max = 16;

void library_init() {
  static std::once_flag once;
  std::call_once(once, [] { mosquitto_lib_init(); });
}

bool is_numeric_address(const std::string& host) {
  std::array<std::uint8_t, 16> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 || inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

// libmosquitto reports most failures of a socket as "MOSQ_ERR_ERRNO".
std::string reason_of(int code) {
  if (code == MOSQ_ERR_ERRNO) return std::strerror(errno);
  return mosquitto_strerror(code);
}

}  // namespace

// getaddrinfo without waiting. glibc runs it in a thread of its own; the request must stay where it is until it is
// done or cancelled, so an unfinished one is left to glibc (leaked) rather than freed under it.
struct MqttLink::Resolver {
  gaicb request{};
  addrinfo hints{};
  std::string host;
  bool running = false;

  explicit Resolver(const std::string& name) : host(name) {
    hints.ai_socktype = SOCK_STREAM;
    request.ar_name = host.c_str();
    request.ar_request = &hints;
    gaicb* list[] = {&request};
    running = getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) == 0;
  }
  // EAI_INPROGRESS while it runs.
  int status() { return running ? gai_error(&request) : EAI_SYSTEM; }

  std::string address() const {
    std::array<char, NI_MAXHOST> text{};
    const addrinfo* result = request.ar_result;
    if (result == nullptr) return {};
    if (getnameinfo(result->ai_addr, result->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) return {};
    return text.data();
  }
  ~Resolver() {
    if (request.ar_result != nullptr) freeaddrinfo(request.ar_result);
  }
};

void MqttLink::Ring::push(Bytes frame) {
  Frame& slot = frames[(first + count) % ring_frames_max];
  slot.size = static_cast<std::uint32_t>(frame.size());
  std::copy(frame.begin(), frame.end(), slot.bytes.begin());
  ++count;
}

void MqttLink::Ring::pop() {
  first = (first + 1) % ring_frames_max;
  --count;
}

MqttLink::MqttLink() = default;

MqttLink::~MqttLink() {
  close();
  if (resolver_ && resolver_->status() == EAI_INPROGRESS) {
    gaicb* pending = &resolver_->request;
    if (gai_cancel(pending) == EAI_NOTCANCELED) static_cast<void>(resolver_.release());
  }
}

Error MqttLink::open(const MqttOptions& options) {
  options_ = options;
  random_ = Splitmix(options.seed);
  backoff_ms_ = options.backoff_ms_min;
  const auto refuse = [this](const char* what) {
    last_error_ = what;
    return Error::configuration_invalid;
  };
  if (options.host.empty()) return refuse("host is empty");
  if (options.client_id.empty()) return refuse("client id is empty");
  if (options.publish_topic.empty() || options.subscribe_topic.empty()) return refuse("topic is empty");
  if (options.keepalive_s < 5 || options.keepalive_s > 3600) return refuse("keepalive_s must be 5..3600");
  if (options.backoff_ms_min == 0 || options.backoff_ms_max < options.backoff_ms_min) return refuse("back-off range is empty");
  library_init();
  return set_up_client();
}

Error MqttLink::set_up_client() {
  const auto refuse = [this](const char* what, int code) {
    last_error_ = std::string(what) + ": " + mosquitto_strerror(code);
    mosquitto_destroy(client_);
    client_ = nullptr;
    return Error::configuration_invalid;
  };
  client_ = mosquitto_new(options_.client_id.c_str(), true, this);
  if (client_ == nullptr) return refuse("client", MOSQ_ERR_NOMEM);
  if (const int code = mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311); code != 0) return refuse("protocol", code);
  if (!options_.user.empty()) {
    const char* password = options_.password.empty() ? nullptr : options_.password.c_str();
    if (const int code = mosquitto_username_pw_set(client_, options_.user.c_str(), password); code != 0) return refuse("user", code);
  }
  if (!options_.psk_hex.empty()) {
    if (const int code = mosquitto_tls_psk_set(client_, options_.psk_hex.c_str(), options_.psk_identity.c_str(), nullptr); code != 0) return refuse("psk", code);
    if (const int code = mosquitto_tls_opts_set(client_, 1, "tlsv1.2", nullptr); code != 0) return refuse("tls", code);
  }
  if (!options_.presence_topic.empty()) {
    if (const int code = mosquitto_will_set(client_, options_.presence_topic.c_str(), 7, "offline", 0, true); code != 0) return refuse("will", code);
  }
  mosquitto_connect_callback_set(client_, on_connect);
  mosquitto_disconnect_callback_set(client_, on_disconnect);
  mosquitto_subscribe_callback_set(client_, on_subscribe);
  mosquitto_message_callback_set(client_, on_message);
  state_ = State::waiting;
  try_at_ms_ = 0;
  return Error::none;
}

void MqttLink::service(std::uint64_t now_ms) {
  now_ms_ = now_ms;
  if (state_ == State::closed) return;
  if (state_ == State::waiting && now_ms >= try_at_ms_) resolve();
  if (state_ == State::resolving) check_resolved();
  if (state_ < State::connecting) return;
  int code = read();
  if (code == MOSQ_ERR_SUCCESS) code = mosquitto_loop_write(client_, 1);
  if (code == MOSQ_ERR_SUCCESS) code = mosquitto_loop_misc(client_);
  if (code != MOSQ_ERR_SUCCESS || ended_ || mosquitto_socket(client_) < 0) {
    fail(last_error_.empty() || !ended_ ? reason_of(code == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_LOST : code) : last_error_);
    return;
  }
  if (state_ != State::up && now_ms - since_ms_ > options_.answer_ms_max) {
    drop_connection();
    fail("the broker did not answer");
    return;
  }
  flush();
}

// The library reads one packet a call, and a TLS record may hold several that poll() cannot see.
int MqttLink::read() {
  int code = MOSQ_ERR_SUCCESS;
  for (int packets = 0; packets < read_packets_max && code == MOSQ_ERR_SUCCESS; ++packets) {
    heard_ = false;
    code = mosquitto_loop_read(client_, 1);
    if (!heard_) break;
  }
  return code;
}

// A numeric address needs no resolver. Otherwise every attempt resolves anew: a broker may move.
void MqttLink::resolve() {
  ended_ = false;
  since_ms_ = now_ms_;
  if (is_numeric_address(options_.host)) {
    address_ = options_.host;
    connect();
    return;
  }
  resolver_ = std::make_unique<Resolver>(options_.host);
  state_ = State::resolving;
}

void MqttLink::check_resolved() {
  const int status = resolver_->status();
  if (status == EAI_INPROGRESS) return;
  const std::string address = status == 0 ? resolver_->address() : std::string();
  resolver_.reset();
  if (!address.empty()) address_ = address;
  // A name server that is down does not stop us if we have known the address before.
  if (address_.empty()) return fail(options_.host + ": " + gai_strerror(status));
  connect();
}

void MqttLink::connect() {
  state_ = State::connecting;
  since_ms_ = now_ms_;
  const int code = mosquitto_connect_async(client_, address_.c_str(), options_.port, static_cast<int>(options_.keepalive_s));
  if (code != MOSQ_ERR_SUCCESS) fail(reason_of(code));
}

// At most one frame lies in the library: what waits there cannot be dropped any more.
void MqttLink::flush() {
  while (state_ == State::up && out_.count != 0 && !mosquitto_want_write(client_)) {
    const Frame& frame = out_.frames[out_.first];
    const int code = mosquitto_publish(client_, nullptr, options_.publish_topic.c_str(), static_cast<int>(frame.size), frame.bytes.data(), 0, false);
    if (code != MOSQ_ERR_SUCCESS) {
      drop_connection();
      return fail(reason_of(code));
    }
    out_.pop();
    ++counters_.sent;
  }
}

// Ends the present attempt and sets the time of the next: the wait doubles, and each is drawn from half to one and a
// half of it, so that the devices of a street do not return in step after a broker's restart.
void MqttLink::fail(const std::string& why) {
  const bool steady = state_ == State::up && now_ms_ - since_ms_ >= std::uint64_t{options_.backoff_ms_min} * steady_factor;
  if (steady) backoff_ms_ = options_.backoff_ms_min;
  const std::string reason = why;  // dropping the connection calls back and may write last_error_
  ++counters_.failures;
  drop_connection();
  last_error_ = reason;
  out_.first = out_.count = 0;
  state_ = State::waiting;
  since_ms_ = now_ms_;
  try_at_ms_ = now_ms_ + backoff_ms_ / 2 + random_.next() % (std::uint64_t{backoff_ms_} + 1);
  backoff_ms_ = backoff_ms_ > options_.backoff_ms_max / 2 ? options_.backoff_ms_max : backoff_ms_ * 2;
}

// The library has no call that drops a connection at once: shut the socket down and let it find out.
void MqttLink::drop_connection() {
  const int socket = mosquitto_socket(client_);
  if (socket < 0) return;
  ::shutdown(socket, SHUT_RDWR);
  static_cast<void>(mosquitto_loop_read(client_, 1));
}

int MqttLink::socket() const { return client_ != nullptr && state_ >= State::connecting ? mosquitto_socket(client_) : -1; }

bool MqttLink::wants_write() const {
  if (client_ == nullptr || state_ < State::connecting) return false;
  return mosquitto_want_write(client_) || (state_ == State::up && out_.count != 0);
}

std::uint64_t MqttLink::next_ms(std::uint64_t now_ms) const {
  if (state_ == State::waiting) return std::max(now_ms, try_at_ms_);
  if (state_ == State::resolving) return now_ms + resolve_poll_ms;
  return now_ms + poll_ms_max;
}

Error MqttLink::send(Bytes frame) {
  if (frame.empty() || frame.size() > frame_size_max) return Error::too_large;
  if (state_ != State::up) return Error::link_down;
  if (out_.count == ring_frames_max) {
    out_.pop();
    ++counters_.dropped_full_out;
  }
  out_.push(frame);
  flush();
  return Error::none;
}

std::uint32_t MqttLink::receive(MutableBytes into) {
  if (in_.count == 0 || into.size() < frame_size_max) return 0;
  const Frame& frame = in_.frames[in_.first];
  const std::uint32_t size = frame.size;
  std::copy_n(frame.bytes.begin(), size, into.begin());
  in_.pop();
  return size;
}

void MqttLink::close() {
  if (client_ == nullptr) return;
  if (state_ == State::up) {
    if (!options_.presence_topic.empty()) mosquitto_publish(client_, nullptr, options_.presence_topic.c_str(), 7, "offline", 0, true);
    mosquitto_disconnect(client_);
    mosquitto_loop_write(client_, 1);
  }
  mosquitto_destroy(client_);
  client_ = nullptr;
  state_ = State::closed;
}

void MqttLink::on_connect(mosquitto* client, void* self, int code) {
  auto& link = *static_cast<MqttLink*>(self);
  link.heard_ = true;
  if (code != 0) {
    link.last_error_ = std::string("the broker refused: ") + mosquitto_connack_string(code);
    link.ended_ = true;
    return;
  }
  link.state_ = State::subscribing;
  const int subscribed = mosquitto_subscribe(client, nullptr, link.options_.subscribe_topic.c_str(), 0);
  if (subscribed != MOSQ_ERR_SUCCESS) {
    link.last_error_ = std::string("subscribe: ") + mosquitto_strerror(subscribed);
    link.ended_ = true;
  }
}

void MqttLink::on_subscribe(mosquitto* client, void* self, int, int count, const int* granted) {
  auto& link = *static_cast<MqttLink*>(self);
  link.heard_ = true;
  if (link.state_ != State::subscribing) return;
  if (count != 1 || granted[0] > 2) {
    link.last_error_ = "the broker refused the subscription";
    link.ended_ = true;
    return;
  }
  link.state_ = State::up;
  link.since_ms_ = link.now_ms_;
  link.last_error_.clear();
  ++link.counters_.connects;
  if (!link.options_.presence_topic.empty()) mosquitto_publish(client, nullptr, link.options_.presence_topic.c_str(), 6, "online", 0, true);
}

void MqttLink::on_disconnect(mosquitto*, void* self, int code) {
  auto& link = *static_cast<MqttLink*>(self);
  link.heard_ = true;
  if (!link.ended_) link.last_error_ = reason_of(code == 0 ? MOSQ_ERR_CONN_LOST : code);
  link.ended_ = true;
}

void MqttLink::on_message(mosquitto*, void* self, const mosquitto_message* message) {
  auto& link = *static_cast<MqttLink*>(self);
  link.heard_ = true;
  if (message->retain) {
    ++link.counters_.dropped_retained;
  } else if (message->payloadlen <= 0 || static_cast<std::uint32_t>(message->payloadlen) > frame_size_max) {
    ++link.counters_.dropped_large;
  } else if (link.options_.subscribe_topic != message->topic) {
    ++link.counters_.dropped_topic;
  } else if (link.in_.count == ring_frames_max) {
    ++link.counters_.dropped_full_in;
  } else {
    link.in_.push({static_cast<const std::uint8_t*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
    ++link.counters_.received;
  }
}

}  // namespace wattproof::hal
