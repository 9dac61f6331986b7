// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/device_program.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "firmware/linux_node/node_config.hpp"
#include "firmware/log_names.hpp"
#include "hal/linux/service_notify.hpp"

namespace wattproof::firmware {
namespace {

// Frames taken from the link between two looks at the clock: a flood must not keep the node from its outputs.
constexpr int frames_per_turn_max = 8;

constexpr int safe_mode_poll_ms = 1000;

// A relay that is driven the wrong way round would click at every start: systemd does not restart after this status.
constexpr int exit_configuration = 3;

}  // namespace

// Signals are read in the loop, so that no handler runs between two halves of anything.
int DeviceProgram::open_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return -1;
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

int DeviceProgram::run() {
  const int signals = open_signals();
  if (signals < 0) return 1;
  if (const Error error = port_.open(); error != Error::none) return error == Error::configuration_invalid ? exit_configuration : 1;
  watchdog_ms_ = hal::watchdog_feed_ms();
  if (starts_.begin() && !outlasts_safe_mode(signals)) return stop(signals);
  if (port_.open_link() != Error::none) return 1;
  if (const Error error = node_.configure(to_node_config(configuration_, port_.address())); error != Error::none) {
    port_.log(Level::error, Event("configuration_refused").add("error", error).add("detail", check_node_config(configuration_)));
    return 1;
  }
  if (const Error error = runner_.start(); error != Error::none) {
    port_.log(Level::error, Event("start_refused").add("error", error));
    return 1;
  }
  port_.log(Level::info, Event("started").add("address", to_hex(port_.address())).add("id", configuration_.device.id)
                             .add("head", node_.head().number));
  hal::notify_service("READY=1");
  const std::uint64_t started_ms = LinuxPort::real_ms();
  pollfd entries[4] = {{signals, POLLIN, 0}, {-1, 0, 0}, {port_.button_file(), POLLIN, 0}, {-1, 0, 0}};
  while ((entries[0].revents & POLLIN) == 0) {
    runner_.run();
    serve_link();
    runner_.run();
    serve_relay();
    serve_button();
    serve_meter();
    tell_progress();
    feed_watchdog();
    if (starts_.count() != 0 && LinuxPort::real_ms() - started_ms >= StartCount::good_ms) starts_.end();
    entries[1] = {port_.link().socket(), static_cast<short>(port_.link().wants_write() ? POLLIN | POLLOUT : POLLIN), 0};
    entries[3] = {port_.meter_file(), POLLIN, 0};
    poll(entries, 4, wait_ms());
  }
  return stop(signals);
}

// After crashes in a row: the relay is held open, and nothing else is done, until a while has passed. False after a signal.
bool DeviceProgram::outlasts_safe_mode(int signals) {
  port_.log(Level::error, Event("safe_mode").add("starts", starts_.count()).add("wait_s", StartCount::safe_mode_ms / 1000)
                              .add("detail", "the starts before ended within a minute; the outputs stay safe"));
  port_.make_safe();
  hal::notify_service("READY=1");
  const std::uint64_t begin_ms = LinuxPort::real_ms();
  pollfd entry{signals, POLLIN, 0};
  while (LinuxPort::real_ms() - begin_ms < StartCount::safe_mode_ms) {
    feed_watchdog();
    if (poll(&entry, 1, safe_mode_poll_ms) == 1) return false;
  }
  return true;
}

int DeviceProgram::stop(int signals) {
  hal::notify_service("STOPPING=1");
  starts_.end();
  port_.make_safe();
  port_.link().close();
  port_.log(Level::info, Event("stopped").add("suppressed_events", log_.suppressed()));
  ::close(signals);
  return 0;
}

void DeviceProgram::serve_link() {
  hal::MqttLink& link = port_.link();
  link.service(LinuxPort::real_ms());
  if (link.is_up() != link_was_up_) {
    link_was_up_ = link.is_up();
    Event event(link_was_up_ ? "link_up" : "link_down");
    if (!link_was_up_) event.add("detail", link.last_error());
    port_.log(link_was_up_ ? Level::info : Level::warning, event);
    node::Input input;
    input.kind = link_was_up_ ? node::InputKind::link_up : node::InputKind::link_down;
    runner_.feed(input);
  } else if (!link_was_up_ && link.last_error() != link_error_) {
    port_.log(Level::warning, Event("link_refused").add("detail", link.last_error()));
  }
  link_error_ = link.last_error();
  std::array<std::uint8_t, frame_size_max> frame{};
  for (int frames = 0; frames < frames_per_turn_max; ++frames) {
    const std::uint32_t size = link.receive(frame);
    if (size == 0) return;
    node::Input input;
    input.kind = node::InputKind::frame;
    input.frame = Bytes(frame).first(size);
    runner_.feed(input);
    tell_progress();
  }
}

void DeviceProgram::serve_relay() {
  if (!port_.take_overruled()) return;
  node::Input input;
  input.kind = node::InputKind::opened;
  runner_.feed(input);
}

// A short push asks for the other state for a while, a long one ends that. Both are local and never market evidence.
void DeviceProgram::serve_button() {
  for (hal::Push push = port_.look_at_button(LinuxPort::real_ms()); push != hal::Push::none; push = port_.look_at_button(LinuxPort::real_ms())) {
    node::Input input;
    input.kind = node::InputKind::button;
    input.button = node_.relay_is_on() ? node::ButtonCommand::force_off : node::ButtonCommand::force_on;
    if (push == hal::Push::held) input.button = node::ButtonCommand::release;
    input.button_s = configuration_.button.duration_s;
    port_.log(Level::info, Event("button").add("push", push == hal::Push::held ? "long" : "short"));
    runner_.feed(input);
  }
}

void DeviceProgram::serve_meter() {
  const std::optional<std::int32_t> power_w = port_.read_meter();
  if (!power_w) return;
  node::Input input;
  input.kind = node::InputKind::meter;
  input.power_w = *power_w;
  runner_.feed(input);
}

void DeviceProgram::tell_progress() {
  if (node_.error_count() != errors_told_) {
    const std::uint32_t more = node_.error_count() - errors_told_;
    errors_told_ = node_.error_count();
    port_.log(Level::warning, Event("refused").add("error", node_.last_error()).add("count", more).add("head", node_.head().number));
  }
  if (node_.mode() != mode_) {
    mode_ = node_.mode();
    port_.log(Level::info, Event("mode").add("mode", mode_name(mode_)).add("head", node_.head().number));
  }
}

void DeviceProgram::feed_watchdog() {
  if (watchdog_ms_ == 0) return;
  const std::uint64_t now = LinuxPort::real_ms();
  if (now - watchdog_fed_ms_ < watchdog_ms_) return;
  watchdog_fed_ms_ = now;
  hal::notify_service("WATCHDOG=1");
}

int DeviceProgram::wait_ms() {
  const std::uint64_t now = LinuxPort::real_ms();
  const std::uint64_t link_wait = port_.link().next_ms(now) - now;
  const std::uint64_t node_wait = port_.real_ms_until(runner_.wake());
  std::uint64_t wait = std::min(link_wait, node_wait);
  if (watchdog_ms_ != 0) wait = std::min(wait, watchdog_ms_ / 2);
  if (port_.is_button_pressed()) wait = std::min<std::uint64_t>(wait, 100);  // until a long push is one
  // Frames that did not get their turn are not seen by poll().
  return port_.link().has_frames() ? 0 : static_cast<int>(wait);
}

}  // namespace wattproof::firmware
