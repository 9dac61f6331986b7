// SPDX-License-Identifier: Apache-2.0
// The plug: boots, then turns for ever. One turn looks at everything once and takes at most one frame; the watchdog is fed here
// and nowhere else.
#pragma once

#include <optional>

#include "firmware/plug/plug_button.hpp"
#include "firmware/plug/plug_console.hpp"
#include "firmware/plug/plug_link.hpp"
#include "firmware/plug/plug_port.hpp"
#include "firmware/plug/plug_settings.hpp"
#include "hal/runner.hpp"
#include "node/node.hpp"

namespace wattproof::firmware {

constexpr std::uint64_t healthy_ms = 60'000;      // so long without a fault makes an image healthy
constexpr std::uint32_t failures_max = 4;         // resets in a row that nobody asked for, then safe mode
constexpr std::uint64_t safe_mode_ms = 300'000;   // which ends with a reset

// What the plug is, beside what its node says.
enum class Life : std::uint8_t {
  running = 0,
  unprovisioned = 1,   // a key but no settings: waits on the serial line
  safe = 2,            // something is wrong with image, store, entropy or settings: relay open, serial line alone
};

class Plug {
 public:
  Plug() : port_(link_), runner_(node_, port_) {}
  Plug(const Plug&) = delete;
  Plug& operator=(const Plug&) = delete;

  void boot();
  void turn();

  [[nodiscard]] bool is_healthy() const { return is_healthy_; }
  [[nodiscard]] std::uint32_t version_counter_min() const { return version_counter_min_; }

 private:
  // Apart and never inlined, so that the frames of one do not lie below the other: what they hold is a kilobyte each.
  [[gnu::noinline]] bool prepare();
  [[gnu::noinline]] Error configure();
  [[gnu::noinline]] void start();
  Error check_version();
  [[gnu::noinline]] void refuse(const char* what, Error error);
  [[gnu::noinline]] void serve_console();
  [[gnu::noinline]] void answer(Command command, Line& reply);
  [[gnu::noinline]] void commit(Line& reply);
  [[gnu::noinline]] void serve_button(std::uint64_t now_ms);
  void serve_link(std::uint64_t now_ms);
  [[gnu::noinline]] void tell_progress();
  [[gnu::noinline]] void tell_refused();
  [[gnu::noinline]] void tell_mode();
  [[gnu::noinline]] void tell_link();
  void watch_health(std::uint64_t now_ms);
  void show(std::uint64_t now_ms);

  PlugSettings settings_{};
  Console console_{};
  Button button_{};
  PlugLink link_{};
  node::Node node_{};
  PlugPort port_;
  hal::Runner<PlugPort, node::Node> runner_;
  Life life_ = Life::unprovisioned;
  bool is_healthy_ = false;
  bool resets_soon_ = false;
  std::uint64_t reset_ms_ = 0;
  std::uint32_t version_counter_min_ = 0;
  bool link_was_up_ = false;
  std::uint32_t link_failures_ = 0;
  node::Mode mode_ = node::Mode::starting;
  std::uint32_t errors_told_ = 0;
  std::uint64_t error_told_ms_ = 0;
};

}  // namespace wattproof::firmware
