// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/linux_port.hpp"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "firmware/log_names.hpp"
#include "hal/linux/boot_clock.hpp"
#include "hal/linux/kernel_entropy.hpp"
#include "hal/linux/relay_keeper.hpp"
#include "hal/runner.hpp"
#include "hal/sim/simulated_relay.hpp"
#include "message/frame.hpp"
#include "node/records.hpp"

namespace wattproof::firmware {
namespace {

constexpr std::uint64_t scaled_poll_ms_min = 5;   // a scaled clock must not turn waiting into spinning
constexpr std::uint64_t poll_ms_max = 1000;
constexpr std::uint64_t meter_told_ms = 60'000;
constexpr std::uint64_t edge_age_ms_max = 10'000;
constexpr std::size_t secret_file_size_max = 1024;

class SimulatedRelayDriver final : public hal::RelayDriver {
 public:
  Error command(bool on, BootMs now) override { return relay_.command(on, now); }
  Error sense(bool& on, BootMs now) override {
    on = relay_.sensed(now);
    return Error::none;
  }

 private:
  hal::SimulatedRelay relay_;
};

// A password or key in a file of one line. False if it cannot be read, is empty or too long.
bool read_secret(const std::filesystem::path& file, std::string& out) {
  std::ifstream stream(file, std::ios::binary);
  if (!std::getline(stream, out) || out.size() > secret_file_size_max) return false;
  while (!out.empty() && (out.back() == '\r' || out.back() == ' ')) out.pop_back();
  return !out.empty();
}

}  // namespace

std::uint64_t LinuxPort::real_ms() { return hal::boot_now().ms; }

Error LinuxPort::open() {
  if (!configuration_.clock_file.empty()) {
    if (const Error error = clock_.open(configuration_.clock_file); error != Error::none) {
      log(Level::error, Event("clock_refused").add("file", configuration_.clock_file.string()).add("error", error));
      return error;
    }
    start_ms_ = clock_.now_ms();
  }
  if (const Error error = store_.open(configuration_.store_folder); error != Error::none) {
    const char* hint = error == Error::not_ready ? "another process uses this store" : "";
    log(Level::error, Event("store_refused").add("error", error).add("detail", store_.detail()).add("hint", hint));
    return error;
  }
  WATTPROOF_TRY(open_relay());
  WATTPROOF_TRY(open_button());
  return open_meter();
}

Error LinuxPort::open_meter() {
  if (configuration_.meter.kind == MeterKind::none) return Error::none;
  meter_ = std::make_unique<MeterService>(configuration_.meter, configuration_.output.gpio.backend);
  const Error error = meter_->open(configuration_.store_folder / "energy.journal", now());
  if (error != Error::none) log(Level::error, Event("meter_refused").add("error", error).add("detail", meter_->detail()));
  return error;
}

int LinuxPort::meter_file() const { return meter_ == nullptr ? -1 : meter_->poll_file(); }

// Tells of the meter once a minute, when it comes and when it goes; "unavailable" is a word of its own, never 0 W.
std::optional<std::int32_t> LinuxPort::read_meter() {
  if (meter_ == nullptr) return {};
  const BootMs present = now();
  const bool is_closed = relay_commanded_.value_or(false);
  const bool has_reading = meter_->serve(present, is_closed);
  if (meter_was_closed_ && !is_closed && meter_->keep(present) != Error::none) report(hal::Fault::store, Error::storage_failed);
  meter_was_closed_ = is_closed;
  const bool is_available = meter_->filter().is_available(present);
  if (is_available != meter_was_available_ || present.since(meter_told_) >= meter_told_ms) {
    if (is_available) {
      const store::EnergyTotals& totals = meter_->filter().totals();
      Event event("meter");
      if (const auto power_w = meter_->filter().power_w(present)) event.add("power_w", *power_w);
      log(Level::info, event.add("import_wh", totals.import_mwh / 1000).add("export_wh", totals.export_mwh / 1000)
                           .add("journal_age_s", meter_->journal_age_ms(present) / 1000).add("degraded", meter_->filter().is_degraded()));
    } else {
      log(Level::warning, Event("meter_unavailable").add("detail", meter_->detail()));
    }
    meter_was_available_ = is_available;
    meter_told_ = present;
  }
  if (!has_reading) return {};
  return meter_->filter().power_w(present);
}

// A device without its button still does its work; it says what is wrong.
Error LinuxPort::open_button() {
  if (!configuration_.button.is_present) return Error::none;
  std::string detail;
  const Error error = hal::open_gpio_line(configuration_.button.line, configuration_.output.gpio.backend, button_line_, detail);
  if (error != Error::none) log(Level::error, Event("button_refused").add("error", error).add("detail", detail));
  return Error::none;
}

int LinuxPort::button_file() const { return button_line_ == nullptr ? -1 : button_line_->file(); }

hal::Push LinuxPort::look_at_button(std::uint64_t now_ms) {
  if (button_line_ == nullptr) return hal::Push::none;
  timespec monotonic{};
  clock_gettime(CLOCK_MONOTONIC, &monotonic);
  const std::uint64_t monotonic_ms = static_cast<std::uint64_t>(monotonic.tv_sec) * 1000 + static_cast<std::uint64_t>(monotonic.tv_nsec) / 1'000'000;
  hal::Push push = hal::Push::none;
  hal::GpioEdge edge;
  while (push == hal::Push::none && button_line_->next_edge(edge) == Error::none) {
    // Before Linux 5.7 the kernel stamped edges with the wall clock; such a time is not used.
    const std::uint64_t age_ms = monotonic_ms - edge.time_ns / 1'000'000;
    push = button_.look({age_ms < edge_age_ms_max && age_ms < now_ms ? now_ms - age_ms : now_ms}, edge.is_active);
  }
  if (push != hal::Push::none) return push;
  bool is_pressed = false;
  if (button_line_->get(is_pressed) != Error::none) return hal::Push::none;
  return button_.look({now_ms}, is_pressed);
}

Error LinuxPort::open_relay() {
  const OutputConfiguration& output = configuration_.output;
  if (output.relay == RelayKind::none) return Error::none;
  const hal::RelayOpener opener = [&output](std::unique_ptr<hal::RelayDriver>& driver, std::string& detail) {
    if (output.relay == RelayKind::gpio) return hal::open_gpio_relay(output.gpio, driver, detail);
    if (output.relay == RelayKind::i2c) return hal::open_i2c_relay(output.i2c, driver, detail);
    driver = std::make_unique<SimulatedRelayDriver>();
    return Error::none;
  };
  std::string detail;
  const hal::RelayKeeperOptions keeper{.deadline_ms = output.keeper_deadline_ms, .stays_on = output.limits.fallback_on};
  const Error error = output.has_keeper ? hal::open_relay_keeper(keeper, opener, relay_, detail) : opener(relay_, detail);
  if (error != Error::none) log(Level::error, Event("relay_refused").add("error", error).add("detail", detail));
  return error;
}

Error LinuxPort::open_link() {
  hal::MqttOptions options;
  const BrokerConfiguration& broker = configuration_.broker;
  const std::string address = to_hex(key_.address()).substr(2);
  options.host = broker.host;
  options.port = broker.port;
  options.client_id = address;
  if (!broker.is_anonymous) options.user = address;
  const auto refuse = [this](const std::filesystem::path& file) {
    log(Level::error, Event("broker_refused").add("file", file.string()).add("detail", "cannot be read, or its first line is empty"));
    return Error::configuration_invalid;
  };
  if (!broker.password_file.empty() && !read_secret(broker.password_file, options.password)) return refuse(broker.password_file);
  if (!broker.psk_file.empty()) {
    options.psk_identity = address;
    if (!read_secret(broker.psk_file, options.psk_hex)) return refuse(broker.psk_file);
  }
  const std::string root = "wp/v1/" + address + "/";
  options.publish_topic = root + "up";
  options.subscribe_topic = root + "down";
  options.presence_topic = root + "presence";
  options.keepalive_s = broker.keepalive_s;
  options.backoff_ms_min = broker.backoff_ms_min;
  options.backoff_ms_max = broker.backoff_ms_max;
  std::array<std::uint8_t, 8> seed{};
  WATTPROOF_TRY(hal::kernel_entropy(seed));
  options.seed = load_be64(seed.data());
  const Error error = link_.open(options);
  if (error != Error::none) log(Level::error, Event("broker_refused").add("error", error).add("detail", link_.last_error()));
  return error;
}

BootMs LinuxPort::now() {
  if (!clock_.is_open()) return hal::boot_now();
  return {clock_.now_ms() - start_ms_};
}

std::uint64_t LinuxPort::real_ms_until(BootMs wake) {
  const BootMs present = now();
  if (wake <= present) return 0;
  const std::uint64_t wait_ms = wake.since(present);
  if (!clock_.is_open()) return std::min(wait_ms, poll_ms_max);
  const std::uint64_t rate = std::max<std::uint64_t>(clock_.rate_permille(), 1);
  return std::clamp(wait_ms * 1000 / rate, scaled_poll_ms_min, poll_ms_max / 4);
}

Error LinuxPort::entropy(MutableBytes into) { return hal::kernel_entropy(into); }

Error LinuxPort::send(Bytes frame) {
  WATTPROOF_TRY(link_.send(frame));
  tell_of_frame(frame);
  return Error::none;
}

Error LinuxPort::write_record(std::uint8_t id, Bytes record) {
  WATTPROOF_TRY(store_.write(id, record));
  tell_of_record(id, record);
  return Error::none;
}

// What leaves the device is what an operator wants to follow: the check-in of a boot and the answer to each round, once.
void LinuxPort::tell_of_frame(Bytes bytes) {
  message::UpFrame frame;
  if (message::decode(bytes, frame) != Error::none) return;
  if (frame.kind == message::FrameKind::check_in) log(Level::info, Event("check_in").add("nonce", frame.check_in.nonce));
  if (frame.kind != message::FrameKind::update) return;
  if (frame.update.epoch == epoch_told_ && frame.update.round == round_told_) return;
  epoch_told_ = frame.update.epoch;
  round_told_ = frame.update.round;
  log(Level::info, Event("round").add("epoch", epoch_told_).add("round", round_told_));
}

// A schedule that is stored is one that the node has proved and will follow.
void LinuxPort::tell_of_record(std::uint8_t id, Bytes record) {
  if (id != static_cast<std::uint8_t>(node::RecordId::schedule_a) && id != static_cast<std::uint8_t>(node::RecordId::schedule_b)) return;
  node::Schedule schedule;
  if (node::decode_schedule(record, schedule) != Error::none) return;
  log(Level::info, Event(schedule.is_fallback ? "failed" : "final").add("epoch", schedule.epoch).add("start", schedule.start.s)
                       .add("slots", schedule.slots).add("block", schedule.block_number).add("block_hash", to_hex(schedule.block_hash)));
}

Result<std::uint32_t> LinuxPort::read_record(std::uint8_t id, MutableBytes into) { return store_.read(id, into); }
Error LinuxPort::sign(const Hash32& digest, crypto::Signature& signature) { return key_.sign(digest, signature); }

Error LinuxPort::set_relay(bool on, const node::Evidence& why) {
  if (relay_ == nullptr) return Error::not_ready;
  const BootMs present = now();
  WATTPROOF_TRY(relay_->command(on, present));
  if (!relay_commanded_ || *relay_commanded_ != on) log_.write_always(Level::info, Event("relay").add("on", on).add(why), present.ms);
  relay_commanded_ = on;
  return Error::none;
}

// Another program reads the file: it must see the old number or the new one.
Error LinuxPort::write_set_point(std::int32_t power_w) {
  const std::filesystem::path& file = configuration_.output.set_point_file;
  const std::filesystem::path temporary = file.string() + ".new";
  {
    std::ofstream stream(temporary, std::ios::trunc);
    stream << power_w << '\n';
    stream.close();
    if (!stream) return Error::hardware_failed;
  }
  std::error_code code;
  std::filesystem::rename(temporary, file, code);
  return code ? Error::hardware_failed : Error::none;
}

Error LinuxPort::set_point(std::int32_t power_w, const node::Evidence& why) {
  if (configuration_.output.set_point == SetPointKind::none) return Error::not_ready;
  if (configuration_.output.set_point == SetPointKind::file) WATTPROOF_TRY(write_set_point(power_w));
  if (!set_point_w_ || *set_point_w_ != power_w) log_.write_always(Level::info, Event("setpoint").add("power_w", power_w).add(why), now().ms);
  set_point_w_ = power_w;
  return Error::none;
}

Error LinuxPort::sense_relay(bool& on) {
  if (relay_ == nullptr) return Error::not_ready;
  const BootMs present = now();
  WATTPROOF_TRY(relay_->sense(on, present));
  if (on == relay_commanded_.value_or(false)) {
    differs_since_.reset();
    return Error::none;
  }
  if (!differs_since_) differs_since_ = present;
  // One look before the guard gives up: afterwards it has changed its command, and the two agree again.
  if (present.since(*differs_since_) + hal::tick_ms_max >= configuration_.output.limits.mismatch_ms_max) {
    log(Level::warning, Event("relay_mismatch").add("commanded", relay_commanded_.value_or(false)).add("sensed", on)
                            .add("hint", on ? "a welded contact, or a wrong active_low" : "a contact that does not close, or a wrong active_low"));
  }
  return Error::none;
}

bool LinuxPort::take_overruled() {
  if (relay_ == nullptr || !relay_->take_overruled()) return false;
  relay_commanded_ = false;
  log(Level::warning, Event("relay_overruled").add("detail", "the keeper has opened the relay: this program was frozen or too slow"));
  return true;
}

void LinuxPort::report(hal::Fault fault, Error error) {
  Event event(fault_name(fault));
  event.add("error", error);
  if ((fault == hal::Fault::store || fault == hal::Fault::restore) && !store_.detail().empty()) event.add("detail", store_.detail());
  if (fault == hal::Fault::relay && relay_ != nullptr) event.add("detail", relay_->detail());
  // Frames are lost whenever the link is down; that alone is nothing to warn of.
  log(fault == hal::Fault::send ? Level::debug : Level::warning, event);
}

void LinuxPort::make_safe() {
  const node::Evidence why{};
  if (meter_ != nullptr && meter_->keep(now()) != Error::none) report(hal::Fault::store, Error::storage_failed);
  if (relay_ != nullptr) {
    // Opening is always allowed. Closing could break a compressor's pause, so an open relay stays open even if its
    // fallback is closed.
    const Error error = set_relay(configuration_.output.limits.fallback_on && relay_commanded_.value_or(false), why);
    if (error != Error::none) report(hal::Fault::relay, error);
  }
  if (configuration_.output.set_point != SetPointKind::none) {
    const Error error = set_point(configuration_.output.set_point_fallback_w, why);
    if (error != Error::none) report(hal::Fault::set_point, error);
  }
}

}  // namespace wattproof::firmware
