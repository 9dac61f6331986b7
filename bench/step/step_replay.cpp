// SPDX-License-Identifier: Apache-2.0
#include "step/step_replay.hpp"

#include <algorithm>

namespace wattproof::bench {
namespace {

// As tests/support/node_bench.hpp boots.
constexpr BootMs start{1000};
constexpr std::array<std::uint8_t, 32> entropy{1};

}  // namespace

node::Config step_config(const Address& registry, const chain::TrustedHead& checkpoint, const Address& device) {
  node::Config config;
  config.chain.chain_id = 4242;
  config.chain.registry = registry;
  config.chain.checkpoint = checkpoint;
  config.device.id = 7;
  config.device.address = device;
  config.device.grid = {.slots = 96, .slot_seconds = 900};
  solver::Device& battery = config.device.device;
  battery.kind = solver::DeviceKind::battery;
  battery.power_min_w = -3000;
  battery.power_max_w = 3000;
  battery.energy_max_wh = 9000;
  battery.energy_start_wh = 4000;
  battery.energy_end_min_wh = 4000;
  battery.energy_end_max_wh = 9000;
  config.output.has_relay = true;
  config.output.has_setpoint = true;
  config.output.relay = {.on_ms_min = 0, .off_ms_min = 0, .fallback_ms = 900'000, .start_spread_ms_max = 0};
  return config;
}

void ActionHash::mix(Bytes bytes) {
  for (const std::uint8_t byte : bytes) value_ = (value_ ^ byte) * 0x100000001b3;
}

void ActionHash::mix(const node::Actions& actions) {
  for (std::uint32_t i = 0; i < actions.count; ++i) {
    const node::Action& action = actions.items[i];
    std::array<std::uint8_t, 8 + 3 + 4> fixed{};
    store_be64(fixed.data(), action.wake.ms);
    fixed[8] = static_cast<std::uint8_t>(action.kind);
    fixed[9] = action.on ? 1 : 0;
    fixed[10] = action.record_id;
    store_be32(fixed.data() + 11, static_cast<std::uint32_t>(action.power_w));
    mix(Bytes(fixed));
    mix(Bytes(action.digest));
    mix(action.bytes);
  }
}

Result<Bytes> write_step(BootMs now, const node::Input& input, MutableBytes into) {
  const std::size_t size = step_fixed_size + input.frame.size();
  if (into.size() < size) return Error::capacity;
  store_be64(into.data(), now.ms);
  into[8] = static_cast<std::uint8_t>(input.kind);
  into[9] = input.ok ? 1 : 0;
  into[10] = input.record_id;
  std::copy(input.signature.begin(), input.signature.end(), into.begin() + 11);
  std::copy(input.frame.begin(), input.frame.end(), into.begin() + step_fixed_size);
  return Bytes(into.first(size));
}

Result<Step> read_step(Bytes piece) {
  if (piece.size() < step_fixed_size) return Error::truncated;
  Step step;
  step.now = {load_be64(piece.data())};
  step.input.kind = static_cast<node::InputKind>(piece[8]);
  step.input.ok = piece[9] != 0;
  step.input.record_id = piece[10];
  step.input.signature = to_array<65>(piece.subspan(11, 65));
  step.input.frame = piece.subspan(step_fixed_size);
  return step;
}

int replay(Bytes recording, void (*before)(), void (*after)()) {
  static node::Node device;
  static node::Config config;
  static chain::TrustedHead checkpoint;
  PieceReader reader(recording);
  if (chain::decode_head(reader.next(), checkpoint) != Error::none) return 1;
  const Address registry = to_array<20>(reader.next());
  config = step_config(registry, checkpoint, to_array<20>(reader.next()));
  if (device.configure(config) != Error::none || device.start(start, entropy) != Error::none) return 1;
  ActionHash hash;
  for (;;) {
    const Bytes piece = reader.next();
    if (reader.at_end()) return piece.size() == 8 && load_be64(piece.data()) == hash.value() ? 0 : 1;
    const Result<Step> step = read_step(piece);
    if (!step) return 1;
    before();
    const node::Actions& actions = device.step(step->now, step->input);
    after();
    hash.mix(actions);
  }
}

}  // namespace wattproof::bench
