// SPDX-License-Identifier: Apache-2.0
#include "firmware/plug/plug_program.hpp"

#include <new>

#include "base/check.hpp"
#include "crypto/secret.hpp"
#include "firmware/log_names.hpp"
#include "firmware/plug/update_hooks.hpp"
#include "hal/cortex_m/cortex_m.hpp"

namespace wattproof::firmware {
namespace {

[[gnu::section(".image_note"), gnu::used]] constexpr ImageNote image_note{
    image_note_magic, WATTPROOF_VERSION_MAJOR << 16 | WATTPROOF_VERSION_MINOR << 8 | WATTPROOF_VERSION_PATCH, WATTPROOF_VERSION_COUNTER};

constexpr std::uint64_t error_told_ms_min = 1'000;  // a flood of refusals is told once a second, with its count

const char* cause_name(board::ResetNote::Cause cause) {
  switch (cause) {
    case board::ResetNote::Cause::power: return "power";
    case board::ResetNote::Cause::asked: return "asked";
    case board::ResetNote::Cause::check: return "check";
    case board::ResetNote::Cause::fault: return "fault";
    case board::ResetNote::Cause::watchdog: return "watchdog";
  }
  return "unknown";
}

const char* life_name(Life life) {
  switch (life) {
    case Life::running: return "running";
    case Life::unprovisioned: return "unprovisioned";
    case Life::safe: return "safe";
  }
  return "unknown";
}

[[gnu::noinline]] void tell_boot() {
  const board::ResetNote& note = board::reset_note();
  Line line = event("boot");
  line.add("board", board::name()).add("version", WATTPROOF_VERSION).add("cause", cause_name(note.cause)).add("failures", std::uint64_t{note.failures});
  if (note.cause == board::ResetNote::Cause::check && note.file != nullptr) line.add("file", note.file).add("line", std::uint64_t{note.line});
  if (note.cause == board::ResetNote::Cause::fault) line.add("pc", std::uint64_t{note.line});
  tell(line);
}

[[gnu::noinline]] void tell_started() { tell(event("started")); }

[[gnu::noinline]] void tell_press(Press press) {
  Line line = event("button");
  tell(line.add("press", press == Press::brief ? "brief" : "lasting"));
}

}  // namespace

void Plug::boot() {
  tell_boot();
  if (prepare()) start();
}

// False if there is nothing to run: the reason was told.
bool Plug::prepare() {
  if (const Error error = port_.open(); error != Error::none) {
    refuse("refused", error);
    return false;
  }
  Line line = event("identity");
  line.add("address", Bytes(port_.address()));
  tell(line);
  Error error = check_version();
  if (board::reset_note().failures >= failures_max) refuse("boot_loop", Error::hardware_failed);
  else if (error != Error::none) refuse("image_refused", error);
  else if (error = configure(); error == Error::record_absent) tell(event("unprovisioned"));
  else if (error != Error::none) refuse("settings_refused", error);
  else return true;
  return false;
}

void Plug::start() {
  if (const Error error = runner_.start(); error != Error::none) return refuse("refused", error);
  life_ = Life::running;
  tell_started();
}

void Plug::refuse(const char* what, Error error) {
  life_ = Life::safe;
  Line line = event(what);
  line.add("error", error_name(error));
  tell(line);
}

// version counter u32: of the newest image that was healthy here.
Error Plug::check_version() {
  std::array<std::uint8_t, 4> record{};
  const Result<std::uint32_t> size = port_.read_record(version_record, record);
  if (size.error() == Error::record_absent) return Error::none;
  if (!size) return size.error();
  if (*size != record.size()) return Error::record_corrupt;
  version_counter_min_ = load_be32(record.data());
  return version_counter_min_ <= image_note.version_counter ? Error::none : Error::unknown_version;
}

Error Plug::configure() {
  const Result<std::uint32_t> size = port_.read_record(settings_record, console_.room());
  if (!size) return size.error();
  if (*size == 0) return Error::record_absent;
  node::Config config;
  WATTPROOF_TRY(decode_settings(Bytes(console_.room()).first(*size), port_.address(), settings_, config));
  port_.set_has_contact(settings_.has_contact);
  WATTPROOF_TRY(node_.configure(config));
  std::array<std::uint8_t, 8> seed{};
  WATTPROOF_TRY(port_.entropy(seed));
  return open_link(link_, settings_, port_.address(), port_.random(), load_be64(seed.data()));
}

void Plug::turn() {
  board::feed_watchdog();
  const std::uint64_t now_ms = board::now_ms();
  if (life_ == Life::running) {
    runner_.run();
    serve_button(now_ms);
    serve_link(now_ms);
    runner_.run();
    tell_progress();
    watch_health(now_ms);
  }
  serve_console();
  show(now_ms);
  if (life_ == Life::safe && now_ms > safe_mode_ms) {
    board::reset_note().failures = 0;
    resets_soon_ = true;
  }
  if (resets_soon_) board::reset();
  board::sleep();
}

// One frame a turn: a flood must not keep the node from its outputs.
void Plug::serve_link(std::uint64_t now_ms) {
  link_.service(now_ms);
  const bool has_changed = link_.is_up() != link_was_up_;
  if (has_changed || link_.failure_count() != link_failures_) tell_link();
  link_failures_ = link_.failure_count();
  link_was_up_ = link_.is_up();
  if (has_changed) runner_.feed({.kind = link_was_up_ ? node::InputKind::link_up : node::InputKind::link_down});
  const Bytes frame = link_.frame();
  if (frame.empty()) return;
  runner_.feed({.kind = node::InputKind::frame, .frame = frame});
  link_.release();
}

void Plug::tell_link() {
  Line line = event(link_.is_up() ? "link_up" : link_was_up_ ? "link_down" : "link_refused");
  if (!link_.is_up()) line.add(" detail=").add(link_.last_failure());
  tell(line);
}

void Plug::serve_button(std::uint64_t now_ms) {
  const Press press = button_.step(board::is_button_down(), now_ms);
  if (press == Press::none) return;
  node::Input input{.kind = node::InputKind::button};
  if (press == Press::brief) {
    input.button = node_.relay_is_on() ? node::ButtonCommand::force_off : node::ButtonCommand::force_on;
    input.button_s = settings_.button_s;
  }
  tell_press(press);
  runner_.feed(input);
}

void Plug::tell_refused() {
  Line line = event("refused");
  line.add("error", error_name(node_.last_error())).add("count", std::uint64_t{node_.error_count() - errors_told_}).add("head", node_.head().number);
  tell(line);
}

void Plug::tell_mode() {
  Line line = event("mode");
  tell(line.add("mode", mode_name(mode_)).add("head", node_.head().number));
}

void Plug::tell_progress() {
  const std::uint64_t now_ms = board::now_ms();
  if (node_.error_count() != errors_told_ && now_ms - error_told_ms_ >= error_told_ms_min) {
    tell_refused();
    errors_told_ = node_.error_count();
    error_told_ms_ = now_ms;
  }
  if (node_.mode() == mode_) return;
  mode_ = node_.mode();
  tell_mode();
  // A step drives the outputs before it takes anything in: what was proved just now moves them in the next one, which need not wait.
  runner_.feed({.kind = node::InputKind::tick});
}

void Plug::watch_health(std::uint64_t now_ms) {
  if (is_healthy_ || now_ms < healthy_ms || !link_.has_been_up() || port_.write_failures() != 0) return;
  if (image_note.version_counter > version_counter_min_) {
    std::array<std::uint8_t, 4> record{};
    store_be32(record.data(), image_note.version_counter);
    if (port_.write_record(version_record, record) != Error::none) return;
    version_counter_min_ = image_note.version_counter;
  }
  is_healthy_ = true;
  board::reset_note().failures = 0;
  tell(event("healthy"));
  on_healthy();
}

void Plug::serve_console() {
  // At most a line's worth a turn.
  for (std::uint32_t i = 0; i < command_size_max; ++i) {
    const int letter = board::read_console();
    if (letter < 0) break;
    Line reply;
    const Command command = console_.take(static_cast<char>(letter), board::now_ms(), reply);
    if (command != Command::none) answer(command, reply);
    if (reply.begin() != reply.end()) tell(reply);
  }
  Line reply;
  console_.watch(board::now_ms(), reply);
  if (reply.begin() != reply.end()) tell(reply);
}

void Plug::answer(Command command, Line& reply) {
  Error error = Error::none;
  switch (command) {
    case Command::identity:
      reply.add("ok").add("address", Bytes(port_.address())).add("version", WATTPROOF_VERSION).add("board", board::name());
      return;
    case Command::status:
      reply.add("ok").add("life", life_name(life_)).add("mode", mode_name(mode_)).add("link", std::uint64_t{link_was_up_});
      reply.add("relay", std::uint64_t{node_.relay_is_on()}).add("head", node_.head().number).add("epoch", node_.followed_epoch());
      reply.add("healthy", std::uint64_t{is_healthy_}).add("stack", std::uint64_t{board::stack_size() - board::stack_free()});
      reply.add("room", std::uint64_t{link_room_used()});
      return;
    case Command::commit: return commit(reply);
    case Command::forget_settings: error = port_.forget_settings(); break;
    case Command::forget_everything: error = port_.forget_everything(); break;
    case Command::none: return;
  }
  resets_soon_ = error == Error::none;
  if (error == Error::none) reply.add("ok");
  else reply.add("error ").add(error_name(error));
}

// The document is tried on a node of its own, which is none: only check_config judges, so that nothing of a running plug changes
// before all of it is known to be good.
void Plug::commit(Line& reply) {
  // A running plug's arrays must stay as they are; so it opens its relay, stops, and begins anew with the next reset.
  board::set_relay(false);
  life_ = Life::unprovisioned;
  resets_soon_ = true;
  node::Config config;
  Error error = decode_settings(console_.document(), port_.address(), settings_, config);
  if (error == Error::none) error = port_.write_record(settings_record, console_.document());
  console_.forget_document();
  if (error == Error::none) reply.add("ok");
  else reply.add("error ").add(error_name(error));
}

// LED: lit while following; a slow blink where the plug waits for evidence or a link; a fast one where it waits for a person.
void Plug::show(std::uint64_t now_ms) {
  const bool is_good = life_ == Life::running && mode_ == node::Mode::following && link_was_up_;
  const std::uint64_t half_period_ms = life_ == Life::running ? 1'000 : 128;
  board::set_led(is_good || now_ms / half_period_ms % 2 == 0);
}

namespace {

alignas(Plug) std::array<std::uint8_t, sizeof(Plug)> plug_memory;  // a constructed object would lie in flash as well
Plug* plug = nullptr;

}  // namespace

bool healthy() { return plug != nullptr && plug->is_healthy(); }
std::uint32_t version_counter_min() { return plug == nullptr ? 0 : plug->version_counter_min(); }
[[gnu::weak]] void on_healthy() {}

}  // namespace wattproof::firmware

int main() {
  using namespace wattproof;
  board::start_watchdog();
  firmware::plug = new (firmware::plug_memory.data()) firmware::Plug;
  firmware::plug->boot();
  for (;;) firmware::plug->turn();
}
