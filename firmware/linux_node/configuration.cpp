// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/configuration.hpp"

#include <algorithm>
#include <string_view>

namespace wattproof::firmware {
namespace {

constexpr std::int64_t number_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t day_s = 86'400;
constexpr std::int64_t hour_ms = 3'600'000;

void read_checkpoint(ConfigSection section, ChainConfiguration& chain) {
  chain.checkpoint_number = static_cast<std::uint64_t>(section.integer("number", 0, number_max));
  chain.has_checkpoint_block = section.has("hash") || section.has("timestamp");
  if (chain.has_checkpoint_block) {
    section.hex("hash", chain.checkpoint_hash);
    chain.checkpoint_timestamp_s = static_cast<std::uint64_t>(section.integer("timestamp", 0, number_max));
  }
  for (const std::string& text : section.texts("validators", validator_count_max)) {
    Address address{};
    const bool is_address = text.size() == 42 && text.starts_with("0x") &&
                            text.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string::npos;
    if (!is_address) {
      section.complain("validators", "\"" + text + "\" is not 0x and 40 hexadecimal digits");
      continue;
    }
    for (std::size_t i = 0; i < address.size(); ++i) address[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 + 2 * i, 2), nullptr, 16));
    chain.validators.push_back(address);
  }
  std::sort(chain.validators.begin(), chain.validators.end());
  if (std::adjacent_find(chain.validators.begin(), chain.validators.end()) != chain.validators.end()) {
    section.complain("validators", "names one validator twice");
  }
  section.finish();
}

void read_chain(ConfigSection section, ChainConfiguration& chain) {
  static constexpr std::array<std::string_view, 3> engines = {"qbft", "ibft2", "clique"};
  static constexpr std::array<std::string_view, 5> shapes = {"frontier", "london", "shanghai", "cancun", "prague"};
  static constexpr std::array<std::string_view, 2> sources = {"header", "configuration"};
  chain.id = static_cast<std::uint64_t>(section.integer("id", 1, number_max));
  section.hex("registry", chain.registry);
  const auto engine = section.choice("engine", engines, 0);
  chain.is_clique = engine == 2;
  chain.engine.kind = chain.is_clique ? chain::BftKind::qbft : static_cast<chain::BftKind>(engine);
  chain.engine.shape = static_cast<chain::HeaderShape>(section.choice("header", shapes, 1));
  chain.engine.source = static_cast<chain::ValidatorSource>(section.choice("validator_source", sources, 0));
  chain.engine.period_s_min = u32(section.integer("period_s_min", 0, 3600, 1));
  chain.engine.trusting_period_s = static_cast<std::uint64_t>(section.integer("trusting_period_s", 1, 365 * day_s, 30 * day_s));
  chain.clique.shape = chain.engine.shape;
  chain.clique.period_s_min = chain.engine.period_s_min;
  chain.clique.trusting_period_s = chain.engine.trusting_period_s;
  chain.freshness.age_s_max = u32(section.integer("freshness_s", 1, day_s, 900));
  chain.freshness.skew_s_max = u32(section.integer("skew_s", 0, 3600, 15));
  chain.freshness.drift_ppm_max = u32(section.integer("drift_ppm", 0, 10'000, 200));
  read_checkpoint(section.section("checkpoint"), chain);
  section.finish();
}

void read_limits(ConfigSection section, const DeviceConfiguration& device, LimitsConfiguration& limits) {
  limits.min_w = read_series(section, device, "min_w");
  limits.max_w = read_series(section, device, "max_w");
  limits.fallback_w = read_series(section, device, "fallback_w", 0);
  if (limits.min_w.size() != limits.max_w.size()) section.complain("max_w", "must have as many entries as min_w");
  const auto at = [](const std::vector<std::int32_t>& values, std::size_t slot) { return values[slot < values.size() ? slot : 0]; };
  for (std::size_t slot = 0; slot < std::max({limits.min_w.size(), limits.max_w.size(), limits.fallback_w.size()}); ++slot) {
    if (at(limits.min_w, slot) > at(limits.max_w, slot)) {
      section.complain("min_w", "is above max_w in slot " + std::to_string(slot));
      break;
    }
    if (at(limits.fallback_w, slot) < at(limits.min_w, slot) || at(limits.fallback_w, slot) > at(limits.max_w, slot)) {
      section.complain("fallback_w", "is outside min_w and max_w in slot " + std::to_string(slot));
      break;
    }
  }
  section.finish();
}

// The relay of a board file that [output] names.
void read_board(ConfigSection& section, OutputConfiguration& output, std::vector<std::string>& errors) {
  const std::filesystem::path file = section.path("board");
  const std::string name = section.text("relay_name");
  if (file.empty() || name.empty()) return;
  BoardFile board;
  const std::vector<std::string> found = read_board_file(file, board);
  errors.insert(errors.end(), found.begin(), found.end());
  if (board.relays.empty() && !found.empty()) return;
  const auto relay = std::find_if(board.relays.begin(), board.relays.end(), [&](const BoardRelay& each) { return each.name == name; });
  if (relay == board.relays.end()) {
    std::string known;
    for (const BoardRelay& each : board.relays) known += " " + each.name;
    return section.complain("relay_name", "is not in " + file.string() + ", which has" + (known.empty() ? " no relays" : known));
  }
  if (relay->kind != output.relay) return section.complain("relay", "must be \"" + std::string(relay->kind == RelayKind::i2c ? "i2c" : "gpio") + "\" for this relay");
  const hal::GpioBackend backend = output.gpio.backend;
  output.gpio = relay->gpio;
  output.gpio.backend = backend;
  output.i2c = relay->i2c;
}

void read_hardware_relay(ConfigSection& section, OutputConfiguration& output, std::vector<std::string>& errors) {
  static constexpr std::array<std::string_view, 3> backends = {"automatic", "libgpiod", "chardev"};
  if (output.relay == RelayKind::gpio) output.gpio.backend = static_cast<hal::GpioBackend>(section.choice("gpio_backend", backends, 0));
  if (section.has("board")) return read_board(section, output, errors);
  if (output.relay == RelayKind::gpio) read_gpio_relay(section, output.gpio);
  else read_i2c_relay(section, output.i2c);
}

void read_button(ConfigSection section, const Configuration& configuration, ButtonConfiguration& button) {
  button.is_present = section.has("line");
  if (button.is_present) {
    button.line.chip_label = section.text("chip_label");
    button.line.line = static_cast<unsigned>(section.integer("line", 0, 4095));
    button.line.active_low = section.boolean("active_low");
    button.line.use = hal::GpioUse::edges;
    button.duration_s = u32(section.integer("duration_s", 1, day_s, 3600));
    if (configuration.output.relay == RelayKind::none) section.complain("line", "a button needs a relay");
  }
  section.finish();
}

void read_meter(ConfigSection section, const OutputConfiguration& output, MeterConfiguration& meter) {
  static constexpr std::array<std::string_view, 6> kinds = {"none", "pulse", "pzem", "p1", "sml", "simulated"};
  const std::size_t kind = section.choice("kind", kinds, 0);
  if (kind == kinds.size()) return;  // which keys belong here is not known
  meter.kind = static_cast<MeterKind>(kind);
  const bool is_serial = meter.kind == MeterKind::pzem || meter.kind == MeterKind::p1 || meter.kind == MeterKind::sml;
  if (is_serial) {
    meter.device = section.text("device");
    meter.speed_baud = u32(section.integer("speed_baud", 300, 115'200, meter.kind == MeterKind::p1 ? 115'200 : 9600));
  }
  if (meter.kind == MeterKind::pzem) meter.address = static_cast<std::uint8_t>(section.integer("address", 1, 0xf8, 1));
  if (meter.kind == MeterKind::pulse) {
    meter.line.chip_label = section.text("chip_label");
    meter.line.line = static_cast<unsigned>(section.integer("line", 0, 4095));
    meter.line.active_low = section.boolean("active_low");
    meter.line.use = hal::GpioUse::edges;
    meter.pulses_per_kwh = u32(section.integer("pulses_per_kwh", 1, 10'000'000));
  }
  meter.rated_w = output.rated_w;
  if (meter.kind == MeterKind::simulated && output.relay == RelayKind::none) section.complain("kind", "a simulated meter needs a relay");
  if (meter.kind != MeterKind::none) {
    meter.poll_ms = u32(section.integer("poll_ms", 100, 60'000, 2000));
    meter.rules.power_w_max = static_cast<std::int32_t>(section.integer("power_w_max", 1, power_w_max, 25'000));
    meter.rules.timeout_ms = u32(section.integer("timeout_ms", 1000, hour_ms, 30'000));
  }
  section.finish();
}

void read_relay_limits(ConfigSection& section, control::RelayLimits& limits) {
  const auto ms = [&](std::string_view key, std::uint32_t max, std::uint32_t fallback) { return u32(section.integer(key, 0, max, fallback)); };
  limits.on_ms_min = ms("on_ms_min", control::hold_ms_max, limits.on_ms_min);
  limits.off_ms_min = ms("off_ms_min", control::hold_ms_max, limits.off_ms_min);
  limits.fallback_ms = ms("fallback_ms", control::fallback_ms_max, limits.fallback_ms);
  limits.start_spread_ms_max = ms("start_spread_ms_max", limits.fallback_ms, std::min(limits.start_spread_ms_max, limits.fallback_ms));
  limits.fallback_on = section.boolean("fallback_on", false);
  limits.trip_w = static_cast<std::int32_t>(section.integer("trip_w", 0, power_w_max, 0));
  limits.trip_ms = ms("trip_ms", hour_ms, limits.trip_ms);
  limits.trip_pause_ms = ms("trip_pause_ms", control::hold_ms_max, limits.trip_pause_ms);
  limits.trip_count_max = static_cast<std::uint8_t>(section.integer("trip_count_max", 1, 255, limits.trip_count_max));
  limits.mismatch_ms_max = ms("mismatch_ms_max", hour_ms, limits.mismatch_ms_max);
  limits.mismatch_pause_ms = ms("mismatch_pause_ms", control::hold_ms_max, limits.mismatch_pause_ms);
  if (control::check_relay_limits(limits) != Error::none) section.complain("on_ms_min", "the relay limits contradict each other");
}

// A contact knows on and off. Whatever may be asked to draw half of its power needs a setpoint.
void check_relay_alone(ConfigSection& section, const DeviceConfiguration& device, const OutputConfiguration& output) {
  if (output.relay == RelayKind::none || output.set_point != SetPointKind::none) return;
  const solver::DeviceKind kind = device.settings.kind;
  const bool is_switched = kind == solver::DeviceKind::switched;
  if (is_switched && device.settings.power_w >= 0 && device.settings.power_w <= output.rated_w) return;
  if (is_switched) return section.complain("rated_w", "is not what the device draws");
  const bool has_profile = kind == solver::DeviceKind::fixed || kind == solver::DeviceKind::appliance;
  if (!has_profile) return section.complain("relay", "alone cannot follow a device of this kind; add a setpoint");
  for (const std::int32_t power_w : device.profile_w) {
    if (power_w < 0 || power_w > output.rated_w) return section.complain("rated_w", "is not what the profile of the device asks for");
  }
}

void read_output(ConfigSection section, const DeviceConfiguration& device, OutputConfiguration& output, std::vector<std::string>& errors) {
  static constexpr std::array<std::string_view, 4> relays = {"none", "simulated", "gpio", "i2c"};
  static constexpr std::array<std::string_view, 3> set_points = {"none", "log", "file"};
  output.relay = static_cast<RelayKind>(section.choice("relay", relays));
  output.set_point = static_cast<SetPointKind>(section.choice("setpoint", set_points, 0));
  const bool is_hardware = output.relay == RelayKind::gpio || output.relay == RelayKind::i2c;
  if (is_hardware) read_hardware_relay(section, output, errors);
  if (output.set_point == SetPointKind::file) output.set_point_file = section.path("setpoint_file");
  if (output.set_point != SetPointKind::none) {
    output.set_point_fallback_w = static_cast<std::int32_t>(section.integer("setpoint_fallback_w", -power_w_max, power_w_max, 0));
    output.set_point_override_w = static_cast<std::int32_t>(section.integer("setpoint_override_w", -power_w_max, power_w_max, 0));
  }
  if (output.relay == RelayKind::none && output.set_point == SetPointKind::none) section.complain("relay", "there must be a relay or a setpoint");
  if (output.relay != RelayKind::none) {
    output.rated_w = static_cast<std::int32_t>(section.integer("rated_w", 1, power_w_max));
    read_relay_limits(section, output.limits);
    output.has_keeper = section.boolean("keeper", is_hardware);
    output.keeper_deadline_ms = u32(section.integer("keeper_deadline_ms", 2000, 600'000, 10'000));
    check_relay_alone(section, device, output);
  }
  section.finish();
}

void read_broker(ConfigSection section, BrokerConfiguration& broker) {
  broker.host = section.text("host");
  broker.is_anonymous = section.boolean("anonymous", false);
  if (section.has("psk_file")) broker.psk_file = section.path("psk_file");
  if (section.has("password_file")) broker.password_file = section.path("password_file");
  broker.port = static_cast<std::uint16_t>(section.integer("port", 1, 65535, broker.psk_file.empty() ? 1883 : 8883));
  broker.keepalive_s = u32(section.integer("keepalive_s", 5, 3600, 30));
  broker.backoff_ms_min = u32(section.integer("backoff_ms_min", 10, hour_ms, 1000));
  broker.backoff_ms_max = u32(section.integer("backoff_ms_max", 10, hour_ms, 300'000));
  if (broker.backoff_ms_max < broker.backoff_ms_min) section.complain("backoff_ms_max", "is below backoff_ms_min");
  if (broker.is_anonymous && !broker.password_file.empty()) section.complain("anonymous", "contradicts password_file");
  if (!broker.is_anonymous && broker.password_file.empty() && broker.psk_file.empty()) {
    section.complain("host", "needs password_file or psk_file, or anonymous = true");
  }
  section.finish();
}

// In the node's time, which a demonstration scales: hence up to a week.
void read_link(ConfigSection section, node::LinkConfig& link) {
  constexpr std::int64_t week_ms = 7 * day_s * 1000;
  const auto ms = [&](std::string_view key, std::uint32_t fallback) { return u32(section.integer(key, 1, week_ms, fallback)); };
  link.answer_ms_max = ms("answer_ms_max", link.answer_ms_max);
  link.tries_max = u32(section.integer("tries_max", 1, 1000, link.tries_max));
  link.pause_ms_min = ms("pause_ms_min", link.pause_ms_min);
  link.pause_ms_max = ms("pause_ms_max", link.pause_ms_max);
  link.poll_ms = ms("poll_ms", link.poll_ms);
  link.status_ms = ms("status_ms", link.status_ms);
  if (link.pause_ms_max < link.pause_ms_min) section.complain("pause_ms_max", "is below pause_ms_min");
  section.finish();
}

}  // namespace

std::vector<std::string> read_configuration(const std::filesystem::path& file, Configuration& out) {
  static constexpr std::array<std::string_view, 4> levels = {"error", "warning", "info", "debug"};
  ConfigReader reader;
  if (!reader.open(file)) return reader.errors();
  std::vector<std::string> board_errors;
  out.file = file;
  ConfigSection root = reader.root();
  read_device(root.section("device"), out.device);
  read_chain(root.section("chain"), out.chain);
  read_limits(root.section("limits"), out.device, out.limits);
  read_output(root.section("output"), out.device, out.output, board_errors);
  read_broker(root.section("broker"), out.broker);
  read_link(root.section("link"), out.link);
  ConfigSection store = root.section("store");
  out.store_folder = store.path("folder");
  out.key_file = store.has("key_file") ? store.path("key_file") : out.store_folder / "device.key";
  if (store.has("wrapping_key_file")) out.wrapping_key_file = store.path("wrapping_key_file");
  store.finish();
  ConfigSection clock = root.section("clock");
  if (clock.has("scaled_file")) out.clock_file = clock.path("scaled_file");
  clock.finish();
  ConfigSection local = root.section("override");
  out.override_s_max = u32(local.integer("duration_s_max", 0, day_s, 4 * 3600));
  local.finish();
  read_button(root.section("button"), out, out.button);
  read_meter(root.section("meter"), out.output, out.meter);
  ConfigSection log = root.section("log");
  out.log_level = u32(static_cast<std::int64_t>(log.choice("level", levels, 2)));
  log.finish();
  root.finish();
  std::vector<std::string> errors = reader.errors();
  errors.insert(errors.end(), board_errors.begin(), board_errors.end());
  return errors;
}

}  // namespace wattproof::firmware
