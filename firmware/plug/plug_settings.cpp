// SPDX-License-Identifier: Apache-2.0
#include "firmware/plug/plug_settings.hpp"

#include <algorithm>

#include "codec/cbor.hpp"

namespace wattproof::firmware {
namespace {

using codec::CborKind;
using codec::CborReader;
using solver::DeviceKind;

// Runs through a document; the first error sticks in the reader or here, and is asked for once, at the end.
class Fields {
 public:
  explicit Fields(Bytes document) : reader_(document) {}

  void array(std::uint32_t count) { keep(reader_.read_array(count)); }
  std::uint64_t number(std::uint64_t max) { return value(reader_.read_uint(max)); }
  std::uint32_t u32(std::uint64_t max = 0xffffffff) { return static_cast<std::uint32_t>(number(max)); }
  std::int32_t i32(std::int64_t limit = 0x7fffffff) { return static_cast<std::int32_t>(value(reader_.read_int(-limit, limit))); }
  bool boolean() { return value(reader_.read_boolean()); }
  Bytes text(std::uint32_t size_max) { return value(reader_.read_text(size_max)); }
  Bytes bytes(std::uint32_t size_max) { return value(reader_.read_bytes(size_max)); }
  template <std::size_t size>
  std::array<std::uint8_t, size> fixed() {
    return value(reader_.read_fixed<size>());
  }
  std::uint32_t array_up_to(std::uint32_t max) { return value(reader_.read_array_up_to(max)); }
  bool next_is(CborKind kind) {
    const Result<CborKind> found = reader_.peek();
    return found && *found == kind;
  }
  void null() { keep(reader_.read_null()); }
  void refuse(Error error) {
    if (error_ == Error::none) error_ = error;
  }
  bool is_good() const { return error_ == Error::none; }
  Error finish() {
    if (error_ != Error::none) return error_;
    return reader_.finish();
  }

 private:
  template <class T>
  T value(const Result<T>& result) {
    keep(result.error());
    return *result;
  }
  void keep(Error error) { refuse(error); }

  CborReader reader_;
  Error error_ = Error::none;
};

using Numbers = std::array<std::int32_t, slot_count_max>;

// Up to one number a slot.
std::span<const std::int32_t> read_numbers(Fields& fields, Numbers& kept, std::uint32_t count_max) {
  const std::uint32_t count = fields.array_up_to(count_max);
  for (std::uint32_t i = 0; i < count && fields.is_good(); ++i) kept[i] = fields.i32();
  return std::span<const std::int32_t>(kept).first(count);
}

// One number for all slots, or exactly one a slot.
solver::Series read_series(Fields& fields, Numbers& kept, std::uint32_t slots) {
  if (!fields.next_is(CborKind::array)) return {fields.i32()};
  const std::span<const std::int32_t> numbers = read_numbers(fields, kept, slots);
  if (numbers.size() != slots) fields.refuse(Error::wrong_length);
  return {numbers};
}

void read_chain(Fields& fields, node::ChainConfig& chain) {
  fields.array(15);
  chain.chain_id = fields.number(0x7fffffffffffffff);
  chain.registry = fields.fixed<20>();
  chain.engine.kind = static_cast<chain::BftKind>(fields.u32(1));
  chain.engine.shape = static_cast<chain::HeaderShape>(fields.u32(static_cast<std::uint32_t>(chain::HeaderShape::prague)));
  chain.engine.source = static_cast<chain::ValidatorSource>(fields.u32(1));
  chain.engine.period_s_min = fields.u32(3600);
  chain.engine.trusting_period_s = fields.number(365 * 86'400);
  chain.freshness.age_s_max = fields.u32(86'400);
  chain.freshness.skew_s_max = fields.u32(3600);
  chain.freshness.drift_ppm_max = fields.u32(10'000);
  chain.checkpoint.number = fields.number(0x7fffffffffffffff);
  chain.checkpoint.is_linked = fields.boolean();
  chain.checkpoint.hash = fields.fixed<32>();
  chain.checkpoint.timestamp = {fields.number(0x7fffffffffffffff)};
  const std::uint32_t count = fields.array_up_to(validator_count_max);
  chain.checkpoint.validators.count = count;
  for (std::uint32_t i = 0; i < count && fields.is_good(); ++i) chain.checkpoint.validators.items[i] = fields.fixed<20>();
}

void read_window(Fields& fields, solver::Device& device, std::uint32_t slots) {
  device.start_slot = fields.u32(slots);
  device.end_slot = fields.u32(slots);
}

void read_battery(Fields& fields, solver::Device& device) {
  device.energy_min_wh = fields.i32();
  device.energy_max_wh = fields.i32();
  device.energy_start_wh = fields.i32();
  device.energy_end_min_wh = fields.i32();
  device.energy_end_max_wh = fields.i32();
  device.charge_efficiency_permille = static_cast<std::uint16_t>(fields.u32(1000));
  device.discharge_efficiency_permille = static_cast<std::uint16_t>(fields.u32(1000));
  device.standing_loss_w = fields.i32();
}

void read_thermal(Fields& fields, PlugSettings& settings, solver::Device& device, std::uint32_t slots) {
  device.power_min_w = fields.i32();
  device.power_max_w = fields.i32();
  device.gain_mk_per_wh = fields.i32();
  device.leak_permyriad_per_slot = fields.i32();
  device.ambient_mc = read_series(fields, settings.series[0], slots);
  device.start_mc = fields.i32();
  device.min_mc = read_series(fields, settings.series[1], slots);
  device.max_mc = read_series(fields, settings.series[2], slots);
  device.soft = fields.boolean();
}

void read_kind(Fields& fields, PlugSettings& settings, solver::Device& device, std::uint32_t slots) {
  const auto powers = [&] {
    device.power_min_w = read_series(fields, settings.series[0], slots);
    device.power_max_w = read_series(fields, settings.series[1], slots);
  };
  switch (device.kind) {
    case DeviceKind::fixed:
      fields.array(1);
      device.profile_w = read_numbers(fields, settings.series[0], slots);
      return;
    case DeviceKind::curtailable:
      fields.array(2);
      return powers();
    case DeviceKind::shapeable:
      fields.array(5);
      powers();
      device.energy_wh = fields.i32();
      return read_window(fields, device, slots);
    case DeviceKind::battery:
      fields.array(10);
      powers();
      return read_battery(fields, device);
    case DeviceKind::appliance:
      fields.array(5);
      device.profile_w = read_numbers(fields, settings.series[0], slots);
      read_window(fields, device, slots);
      device.runs = fields.u32(slots);
      device.interruptible = fields.boolean();
      return;
    case DeviceKind::thermal:
      fields.array(9);
      return read_thermal(fields, settings, device, slots);
    case DeviceKind::switched:
      fields.array(6);
      device.power_w = fields.i32();
      device.energy_wh = fields.i32();
      device.min_on_slots = fields.u32(slots);
      device.min_off_slots = fields.u32(slots);
      return read_window(fields, device, slots);
    case DeviceKind::generator:
      fields.array(4);
      powers();
      device.cost_linear = fields.i32();
      device.cost_quadratic = fields.i32();
      return;
    default: return fields.refuse(Error::unknown_kind);
  }
}

void read_device(Fields& fields, PlugSettings& settings, node::DeviceConfig& device) {
  fields.array(7);
  device.id = fields.u32();
  device.grid.slots = fields.u32(slot_count_max);
  device.grid.slot_seconds = fields.u32(3600);
  device.own_cost.quadratic = fields.number((std::uint64_t{1} << 40) - 1);
  device.device.kind = static_cast<DeviceKind>(fields.u32(static_cast<std::uint32_t>(DeviceKind::generator)));
  read_kind(fields, settings, device.device, device.grid.slots);
  device.fallback_w = read_series(fields, settings.series[3], device.grid.slots);
}

void read_output(Fields& fields, PlugSettings& settings, node::Config& config) {
  fields.array(17);
  control::RelayLimits& relay = config.output.relay;
  relay.on_ms_min = fields.u32();
  relay.off_ms_min = fields.u32();
  relay.fallback_ms = fields.u32();
  relay.start_spread_ms_max = fields.u32();
  relay.fallback_on = fields.boolean();
  relay.trip_w = fields.i32();
  relay.trip_ms = fields.u32();
  relay.trip_pause_ms = fields.u32();
  relay.trip_count_max = static_cast<std::uint8_t>(fields.u32(255));
  relay.mismatch_ms_max = fields.u32();
  relay.mismatch_pause_ms = fields.u32();
  config.output.has_relay = true;
  config.output.has_setpoint = fields.boolean();
  config.output.setpoint_fallback_w = fields.i32();
  config.output.setpoint_override_w = fields.i32();
  settings.has_contact = fields.boolean();
  config.override_s_max = fields.u32(86'400);
  settings.button_s = fields.u32(86'400);
}

void read_link(Fields& fields, node::LinkConfig& link) {
  fields.array(6);
  link.answer_ms_max = fields.u32();
  link.tries_max = fields.u32(1000);
  link.pause_ms_min = fields.u32();
  link.pause_ms_max = fields.u32();
  link.poll_ms = fields.u32();
  link.status_ms = fields.u32();
}

void read_broker(Fields& fields, PlugBroker& broker) {
  fields.array(8);
  broker.address = fields.fixed<4>();
  broker.port = static_cast<std::uint16_t>(fields.u32(65'535));
  broker.keepalive_s = static_cast<std::uint16_t>(fields.u32(3600));
  broker.backoff_ms_min = fields.u32(3'600'000);
  broker.backoff_ms_max = fields.u32(3'600'000);
  broker.is_anonymous = fields.boolean();
  const Bytes password = fields.text(secret_size_max);
  broker.password.fill(0);
  std::copy(password.begin(), password.end(), broker.password.begin());
  const Bytes psk = fields.bytes(secret_size_max);
  broker.psk_size = static_cast<std::uint32_t>(psk.size());
  std::copy(psk.begin(), psk.end(), broker.psk.begin());
  if (broker.port == 0 || broker.keepalive_s < 5 || broker.backoff_ms_min == 0 || broker.backoff_ms_max < broker.backoff_ms_min) {
    fields.refuse(Error::configuration_invalid);
  }
}

void read_network(Fields& fields, PlugNetwork& network) {
  network = {};
  if (fields.next_is(CborKind::null)) return fields.null();
  fields.array(3);
  network.address = fields.fixed<4>();
  network.mask = fields.fixed<4>();
  network.gateway = fields.fixed<4>();
}

// A contact knows on and off: what may be asked to draw half of its power needs a setpoint too.
bool can_follow(const node::Config& config) {
  const DeviceKind kind = config.device.device.kind;
  return config.output.has_setpoint || kind == DeviceKind::fixed || kind == DeviceKind::appliance || kind == DeviceKind::switched;
}

}  // namespace

Error decode_settings(Bytes document, const Address& device, PlugSettings& settings, node::Config& config) {
  Fields fields(document);
  config = node::Config{};
  fields.array(7);
  if (fields.number(255) != settings_version && fields.is_good()) return Error::unknown_version;
  read_chain(fields, config.chain);
  read_device(fields, settings, config.device);
  read_output(fields, settings, config);
  read_link(fields, config.link);
  read_broker(fields, settings.broker);
  read_network(fields, settings.network);
  WATTPROOF_TRY(fields.finish());
  config.device.address = device;
  WATTPROOF_TRY(control::check_relay_limits(config.output.relay));
  if (!can_follow(config)) return Error::configuration_invalid;
  return node::check_config(config);
}

}  // namespace wattproof::firmware
