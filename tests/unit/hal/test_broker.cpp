// SPDX-License-Identifier: Apache-2.0
#include "unit/hal/test_broker.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

namespace wattproof::testing {
namespace {

constexpr int start_tries_max = 200;

std::string broker_program() {
  for (const char* path : {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return {};
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool accepts(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(socket);
  return connected;
}

// The child leads no process group of its own and dies with the test if that is killed.
pid_t spawn(const std::vector<std::string>& arguments, const std::string& log) {
  const pid_t process = fork();
  if (process != 0) return process;
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0) {
    dup2(file, 1);
    dup2(file, 2);
  }
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  _exit(127);
}

int run(const std::vector<std::string>& arguments, const std::string& log) {
  int status = -1;
  const pid_t process = spawn(arguments, log);
  if (process > 0) waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

bool has_broker() { return !broker_program().empty(); }

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

TestBroker::TestBroker(Access access) : access_(access), port_(free_port()) {
  const std::string root = folder_.path().string() + "/";
  std::string text = "listener " + std::to_string(port_) + " 127.0.0.1\n";
  // Started by root, mosquitto would drop to a user who cannot read the folder.
  if (geteuid() == 0) text += "user root\n";
  text += "allow_anonymous " + std::string(access == Access::anonymous ? "true" : "false") + "\n";
  if (access != Access::anonymous) {
    // "readwrite" lets the gateway in these tests, which has the name "gateway", reach every device.
    folder_.write("acl", "pattern readwrite wp/v1/%u/#\nuser gateway\ntopic readwrite wp/v1/#\n");
    text += "acl_file " + root + "acl\n";
  }
  if (access == Access::passwords) text += "password_file " + root + "passwords\n";
  if (access == Access::psk) text += "psk_hint wattproof\nuse_identity_as_username true\ntls_version tlsv1.2\npsk_file " + root + "psk\n";
  folder_.write("passwords", "");
  folder_.write("psk", "");
  std::filesystem::permissions(folder_ / "passwords", std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  folder_.write("broker.conf", text);
}

TestBroker::~TestBroker() { kill(); }

void TestBroker::add_user(const std::string& name, const std::string& secret) {
  if (access_ == Access::psk) {
    psk_ += name + ":" + secret + "\n";
    folder_.write("psk", psk_);
    return;
  }
  const std::string file = folder_ / "passwords";
  EXPECT_EQ(run({"/usr/bin/mosquitto_passwd", "-b", file, name, secret}, folder_ / "passwd.log"), 0) << folder_.read("passwd.log");
}

bool TestBroker::start() {
  process_ = spawn({broker_program(), "-c", folder_ / "broker.conf"}, folder_ / "broker.log");
  for (int tries = 0; tries < start_tries_max; ++tries) {
    if (accepts(port_)) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  return false;
}

void TestBroker::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

void TestBroker::freeze() { ::kill(process_, SIGSTOP); }
void TestBroker::thaw() { ::kill(process_, SIGCONT); }

HostileBroker::HostileBroker() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(::listen(listener_, 4), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

HostileBroker::~HostileBroker() {
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
}

void HostileBroker::serve() {
  constexpr std::array<std::uint8_t, 4> accepted = {0x20, 2, 0, 0};
  constexpr std::array<std::uint8_t, 5> granted = {0x90, 3, 0, 1, 0};
  constexpr std::array<std::uint8_t, 6> stray = {0x30, 4, 0, 1, 'x', 'y'};
  constexpr std::array<std::uint8_t, 9> huge = {0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 'a', 'b'};
  std::array<std::uint8_t, 2048> sink{};
  for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0;) {
    const auto send = [client](const auto& bytes) { return ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0; };
    const auto hear = [&] { return ::read(client, sink.data(), sink.size()) > 0; };
    if (hear() && send(accepted) && hear() && send(granted) && send(stray) && send(huge)) ++announced_;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ::close(client);
  }
}

TestClient::TestClient(std::uint16_t port, const std::string& user, const std::string& password, const std::string& subscribe_to)
    : topic_(subscribe_to) {
  mosquitto_lib_init();
  client_ = mosquitto_new(nullptr, true, this);
  if (!user.empty()) mosquitto_username_pw_set(client_, user.c_str(), password.c_str());
  mosquitto_connect_callback_set(client_, on_connect);
  mosquitto_subscribe_callback_set(client_, on_subscribe);
  mosquitto_message_callback_set(client_, on_message);
  mosquitto_connect(client_, "127.0.0.1", port, 60);
  for (int tries = 0; tries < start_tries_max && !is_subscribed_; ++tries) mosquitto_loop(client_, 25, 1);
}

TestClient::~TestClient() { mosquitto_destroy(client_); }

bool TestClient::publish(const std::string& topic, const std::string& payload, bool retain) {
  const int code = mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 0, retain);
  run(20);
  return code == MOSQ_ERR_SUCCESS;
}

void TestClient::run(int ms) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (std::chrono::steady_clock::now() < end) mosquitto_loop(client_, 5, 1);
}

bool TestClient::wait_for(std::size_t count, int ms_max) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms_max);
  while (messages_.size() < count && std::chrono::steady_clock::now() < end) mosquitto_loop(client_, 5, 1);
  return messages_.size() >= count;
}

void TestClient::on_connect(mosquitto* client, void* self, int code) {
  if (code == 0) mosquitto_subscribe(client, nullptr, static_cast<TestClient*>(self)->topic_.c_str(), 0);
}

void TestClient::on_subscribe(mosquitto*, void* self, int, int count, const int* granted) {
  static_cast<TestClient*>(self)->is_subscribed_ = count == 1 && granted[0] <= 2;
}

void TestClient::on_message(mosquitto*, void* self, const mosquitto_message* message) {
  static_cast<TestClient*>(self)->messages_.push_back(
      {message->topic, std::string(static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)), message->retain});
}

}  // namespace wattproof::testing
