// SPDX-License-Identifier: Apache-2.0
#include "hal/linux/relay_keeper.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "hal/linux/boot_clock.hpp"

namespace wattproof::hal {
namespace {

constexpr std::uint32_t deadline_ms_min = 100;
constexpr int answer_ms_max = 1000;  // a keeper that does not answer is as bad as a driver that refuses
// The first answer may take longer: a bus whose chip is gone is tried again by its driver, each time for up to a second.
constexpr int opened_ms_max = 5000;
constexpr std::size_t detail_size_max = 200;

enum class Request : std::uint8_t { open, close, sense };

struct Answer {
  std::uint16_t error = 0;
  std::uint8_t on = 0;
  std::uint8_t overruled = 0;  // since the answer before, the keeper has opened the relay by itself
  std::array<char, detail_size_max> detail{};
};

Answer answer_of(Error error, bool on, const std::string& detail) {
  Answer answer;
  answer.error = static_cast<std::uint16_t>(error);
  answer.on = on ? 1 : 0;
  std::copy_n(detail.begin(), std::min(detail.size(), detail_size_max - 1), answer.detail.begin());
  return answer;
}

// ---- in the keeper

class Keeper {
 public:
  Keeper(int socket, const RelayKeeperOptions& options) : socket_(socket), options_(options) {}

  // Until the owner is gone. Signals that end a group of processes end the owner, and that is what the keeper waits for.
  void run(const RelayOpener& opener) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) signal(number, SIG_IGN);
    std::string detail;
    const Error opened = opener(driver_, detail);
    if (!reply(answer_of(opened, false, detail)) || opened != Error::none) return;
    for (bool is_owned = true; is_owned;) {
      pollfd entry{socket_, POLLIN, 0};
      const int ready = poll(&entry, 1, static_cast<int>(options_.deadline_ms));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) make_safe();
      else is_owned = serve();
    }
    make_safe();
  }

 private:
  bool reply(const Answer& answer) { return ::send(socket_, &answer, sizeof(answer), MSG_NOSIGNAL) == sizeof(answer); }

  bool serve() {
    Request request{};
    if (::recv(socket_, &request, sizeof(request), 0) != sizeof(request)) return false;
    bool on = is_on_;
    Error error = Error::none;
    if (request == Request::sense) {
      error = driver_->sense(on, boot_now());
    } else {
      on = request == Request::close;
      error = driver_->command(on, boot_now());
      if (error == Error::none) is_on_ = on;
    }
    Answer answer = answer_of(error, on, driver_->detail());
    answer.overruled = std::exchange(has_overruled_, false) ? 1 : 0;
    return reply(answer);
  }

  // Opening is repeated at every deadline until it works.
  void make_safe() {
    if (options_.stays_on || !is_on_) return;
    if (driver_->command(false, boot_now()) != Error::none) return;
    is_on_ = false;
    has_overruled_ = true;
  }

  int socket_;
  RelayKeeperOptions options_;
  std::unique_ptr<RelayDriver> driver_;
  bool is_on_ = false;
  bool has_overruled_ = false;
};

// ---- in the owner

class KeptRelay final : public RelayDriver {
 public:
  KeptRelay(int socket, pid_t process) : socket_(socket), process_(process) {}
  KeptRelay(const KeptRelay&) = delete;
  KeptRelay& operator=(const KeptRelay&) = delete;
  // Lets the keeper see the end, and waits for it: the line is free again afterwards.
  ~KeptRelay() override {
    ::close(socket_);
    waitpid(process_, nullptr, 0);
  }

  Error command(bool on, BootMs) override {
    Answer answer;
    return ask(on ? Request::close : Request::open, answer);
  }

  Error sense(bool& on, BootMs) override {
    Answer answer;
    WATTPROOF_TRY(ask(Request::sense, answer));
    on = answer.on != 0;
    return Error::none;
  }

  std::string detail() const override { return detail_; }
  bool take_overruled() override { return std::exchange(was_overruled_, false); }

  Error receive(Answer& answer, int limit_ms) {
    pollfd entry{socket_, POLLIN, 0};
    if (poll(&entry, 1, limit_ms) == 1 && ::recv(socket_, &answer, sizeof(answer), 0) == sizeof(answer)) {
      answer.detail.back() = '\0';
      was_overruled_ = was_overruled_ || answer.overruled != 0;
      detail_ = answer.detail.data();
      return static_cast<Error>(answer.error);
    }
    detail_ = "the relay keeper does not answer";
    return Error::hardware_failed;
  }

 private:
  Error ask(Request request, Answer& answer) {
    // What a late keeper has answered to an older question is not the answer to this one.
    Answer stale;
    while (::recv(socket_, &stale, sizeof(stale), MSG_DONTWAIT) > 0) was_overruled_ = was_overruled_ || stale.overruled != 0;
    if (::send(socket_, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(request)) {
      detail_ = std::string("the relay keeper is gone: ") + std::strerror(errno);
      return Error::hardware_failed;
    }
    return receive(answer, answer_ms_max);
  }

  int socket_;
  pid_t process_;
  std::string detail_;
  bool was_overruled_ = false;
};

}  // namespace

Error open_relay_keeper(const RelayKeeperOptions& options, const RelayOpener& opener, std::unique_ptr<RelayDriver>& driver, std::string& detail) {
  if (options.deadline_ms < deadline_ms_min) return Error::configuration_invalid;
  std::array<int, 2> sockets{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    detail = std::string("socketpair: ") + std::strerror(errno);
    return Error::hardware_failed;
  }
  const pid_t process = fork();
  if (process == 0) {
    // Nothing else of the owner's is held open: not its store's lock, not the socket of another keeper.
    const auto own = static_cast<unsigned>(sockets[1]);
    if (own > 3) close_range(3, own - 1, 0);
    close_range(own + 1, ~0U, 0);
    prctl(PR_SET_NAME, "relay-keeper");
    Keeper(sockets[1], options).run(opener);
    _exit(0);
  }
  ::close(sockets[1]);
  if (process < 0) {
    detail = std::string("fork: ") + std::strerror(errno);
    ::close(sockets[0]);
    return Error::hardware_failed;
  }
  auto kept = std::make_unique<KeptRelay>(sockets[0], process);
  Answer opened;
  const Error error = kept->receive(opened, opened_ms_max);
  detail = kept->detail();
  if (error == Error::none) driver = std::move(kept);
  return error;
}

}  // namespace wattproof::hal
