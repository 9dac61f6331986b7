// SPDX-License-Identifier: Apache-2.0
#include <new>

#include "base/check.hpp"
#include "capi/capi_device.hpp"
#include "crypto/secret.hpp"
#include "node/node.hpp"
#include "wattproof.h"

using namespace wattproof;

extern "C" [[gnu::weak]] void wattproof_check_failed(const char* file, int line);

// Weak, so that a C++ program's own definition takes its place.
[[gnu::weak]] void wattproof::check_failed(const char* file, int line) {
  if (wattproof_check_failed != nullptr) wattproof_check_failed(file, line);
  __builtin_trap();
}

// The node with what the C face adds to it. Lives in the caller's memory.
struct wattproof_node {
  node::Node inner;
  wattproof_actions actions;
};

static_assert(sizeof(wattproof_node) <= WATTPROOF_NODE_SIZE_MAX, "raise WATTPROOF_NODE_SIZE_MAX");
static_assert(alignof(wattproof_node) <= alignof(std::uint64_t));
static_assert(std::is_trivially_destructible_v<wattproof_node>, "there is nothing to free");
static_assert(WATTPROOF_FRAME_SIZE_MAX == frame_size_max);
static_assert(WATTPROOF_RECORD_SIZE_MAX == node::record_size_max);
static_assert(WATTPROOF_ACTION_COUNT_MAX == node::actions_max);
static_assert(WATTPROOF_SET_RELAY == static_cast<int>(node::ActionKind::set_relay));
static_assert(WATTPROOF_WAKE_AT == static_cast<int>(node::ActionKind::wake_at));
static_assert(WATTPROOF_SIGNATURE == static_cast<int>(node::InputKind::signature));
static_assert(WATTPROOF_OPENED == static_cast<int>(node::InputKind::opened));
static_assert(WATTPROOF_REASON_TRIP == static_cast<int>(node::Reason::trip));
static_assert(WATTPROOF_HEADER_PRAGUE == static_cast<int>(chain::HeaderShape::prague));
static_assert(WATTPROOF_IBFT2 == static_cast<int>(chain::BftKind::ibft2));

namespace {

wattproof_status status_of(Error error) { return -static_cast<wattproof_status>(error); }

Error read_chain(const wattproof_chain_config& from, node::ChainConfig& to) {
  if (from.size != sizeof from) return Error::unknown_version;
  if (from.engine < WATTPROOF_QBFT || from.engine > WATTPROOF_IBFT2) return Error::out_of_range;
  if (from.header_shape < WATTPROOF_HEADER_FRONTIER || from.header_shape > WATTPROOF_HEADER_PRAGUE) return Error::out_of_range;
  if (from.validator_count > validator_count_max) return Error::too_large;
  if (from.validators == nullptr && from.validator_count != 0) return Error::configuration_invalid;
  to.chain_id = from.chain_id;
  to.registry = to_array<20>(Bytes(from.registry));
  to.engine.kind = static_cast<chain::BftKind>(from.engine);
  to.engine.shape = static_cast<chain::HeaderShape>(from.header_shape);
  to.engine.period_s_min = from.period_s_min;
  to.engine.trusting_period_s = from.trusting_period_s;
  to.freshness.age_s_max = from.freshness_s;
  to.freshness.skew_s_max = from.skew_s;
  to.checkpoint.number = from.checkpoint_number;
  to.checkpoint.validators.count = from.validator_count;
  for (std::uint32_t i = 0; i < from.validator_count; ++i) {
    to.checkpoint.validators.items[i] = to_array<20>(Bytes(from.validators[i]));
  }
  if (from.checkpoint_hash != nullptr) {
    to.checkpoint.hash = to_array<32>(Bytes(from.checkpoint_hash, 32));
    to.checkpoint.timestamp = {from.checkpoint_timestamp_s};
    to.checkpoint.is_linked = true;
  }
  return Error::none;
}

Error read_device(const wattproof_config& config, node::DeviceConfig& to) {
  const wattproof_device_config& from = config.device;
  if (config.device_memory == nullptr && config.device_words != 0) return Error::configuration_invalid;
  capi::DeviceView view;
  WATTPROOF_TRY(capi::read_device(from, {config.device_memory, config.device_words}, view));
  to.grid = view.grid;
  to.device = view.device;
  to.workspace = view.workspace;
  to.fallback_w = from.fallback_w.constant;
  if (from.fallback_w.per_slot != nullptr) to.fallback_w = std::span<const std::int32_t>(from.fallback_w.per_slot, from.slots);
  if (from.own_cost_quadratic >= schedule::penalty_bound) return Error::out_of_range;
  to.own_cost.quadratic = from.own_cost_quadratic;
  return Error::none;
}

Error read_output(const wattproof_output_config& from, node::OutputConfig& to) {
  if (from.size != sizeof from) return Error::unknown_version;
  to.has_relay = from.has_relay != 0;
  to.has_setpoint = from.has_setpoint != 0;
  to.relay.fallback_on = from.relay_fallback_on != 0;
  to.relay.on_ms_min = from.on_ms_min;
  to.relay.off_ms_min = from.off_ms_min;
  to.relay.fallback_ms = from.fallback_ms;
  to.relay.start_spread_ms_max = from.start_spread_ms_max;
  to.relay.trip_w = from.trip_w;
  to.setpoint_fallback_w = from.setpoint_fallback_w;
  to.setpoint_override_w = from.setpoint_override_w;
  return Error::none;
}

Error read_config(const wattproof_config& from, node::Config& to) {
  if (from.size != sizeof from) return Error::unknown_version;
  WATTPROOF_TRY(read_chain(from.chain, to.chain));
  WATTPROOF_TRY(read_device(from, to.device));
  WATTPROOF_TRY(read_output(from.output, to.output));
  to.device.id = from.id;
  to.device.address = to_array<20>(Bytes(from.address));
  if (from.answer_ms_max != 0) to.link.answer_ms_max = from.answer_ms_max;
  if (from.poll_ms != 0) to.link.poll_ms = from.poll_ms;
  if (from.status_ms != 0) to.link.status_ms = from.status_ms;
  return Error::none;
}

Error read_input(const wattproof_input& from, node::Input& to) {
  if (from.kind < WATTPROOF_TICK || from.kind > WATTPROOF_OPENED) return Error::out_of_range;
  if (from.button < WATTPROOF_RELEASE || from.button > WATTPROOF_FORCE_OFF) return Error::out_of_range;
  if (from.kind == WATTPROOF_FRAME && from.bytes == nullptr) return Error::out_of_range;
  to.kind = static_cast<node::InputKind>(from.kind);
  if (from.kind == WATTPROOF_FRAME) to.frame = Bytes(from.bytes, from.bytes_size);
  to.button = static_cast<node::ButtonCommand>(from.button);
  to.button_s = from.button_s;
  to.power_w = from.power_w;
  to.relay_on = from.relay_on != 0;
  to.record_id = from.record_id;
  to.ok = from.ok != 0;
  to.signature = to_array<65>(Bytes(from.signature));
  return Error::none;
}

void write_action(const node::Action& from, wattproof_action& to) {
  to = {};
  to.kind = static_cast<std::int32_t>(from.kind);
  to.bytes = from.bytes.data();
  to.bytes_size = from.bytes.size();
  to.on = from.on ? 1 : 0;
  to.record_id = from.record_id;
  to.power_w = from.power_w;
  std::memcpy(to.digest, from.digest.data(), sizeof to.digest);
  to.wake_ms = from.wake.ms;
  to.reason = static_cast<std::int32_t>(from.evidence.reason);
  to.epoch = from.evidence.epoch;
  to.slot = from.evidence.slot;
  to.block_number = from.evidence.block_number;
  std::memcpy(to.block_hash, from.evidence.block_hash.data(), sizeof to.block_hash);
}

}  // namespace

extern "C" {

uint32_t wattproof_version(void) {
  return WATTPROOF_VERSION_MAJOR << 16 | WATTPROOF_VERSION_MINOR << 8 | WATTPROOF_VERSION_PATCH;
}

const char* wattproof_error_name(wattproof_status status) {
  return status <= 0 && status > -65536 ? error_name(static_cast<Error>(-status)) : "unknown_error";
}

wattproof_status wattproof_address_of(const uint8_t key[32], uint8_t address[20]) {
  crypto::PrivateKey secret = to_array<32>(Bytes(key, 32));
  const Result<Address> result = crypto::address_of(secret);
  crypto::wipe(secret);
  if (!result) return status_of(result.error());
  std::memcpy(address, result->data(), result->size());
  return 0;
}

wattproof_status wattproof_sign(const uint8_t key[32], const uint8_t digest[32], uint8_t signature[65]) {
  crypto::PrivateKey secret = to_array<32>(Bytes(key, 32));
  crypto::Signature result{};
  const Error error = crypto::sign(secret, to_array<32>(Bytes(digest, 32)), result);
  crypto::wipe(secret);
  std::memcpy(signature, result.data(), result.size());
  return status_of(error);
}

void wattproof_config_init(wattproof_config* config) {
  const node::Config defaults;
  *config = {};
  config->size = sizeof *config;
  config->chain.size = sizeof config->chain;
  wattproof_device_init(&config->device);
  config->output.size = sizeof config->output;
  config->chain.engine = WATTPROOF_QBFT;
  config->chain.header_shape = WATTPROOF_HEADER_LONDON;
  config->chain.period_s_min = defaults.chain.engine.period_s_min;
  config->chain.freshness_s = defaults.chain.freshness.age_s_max;
  config->chain.skew_s = defaults.chain.freshness.skew_s_max;
  config->chain.trusting_period_s = defaults.chain.engine.trusting_period_s;
  config->output.on_ms_min = defaults.output.relay.on_ms_min;
  config->output.off_ms_min = defaults.output.relay.off_ms_min;
  config->output.fallback_ms = defaults.output.relay.fallback_ms;
  config->output.start_spread_ms_max = defaults.output.relay.start_spread_ms_max;
}

size_t wattproof_node_size(void) { return sizeof(wattproof_node); }

wattproof_status wattproof_node_place(void* memory, size_t size, wattproof_node** node) {
  if (memory == nullptr || reinterpret_cast<std::uintptr_t>(memory) % alignof(wattproof_node) != 0) {
    return status_of(Error::out_of_range);
  }
  if (size < sizeof(wattproof_node)) return status_of(Error::capacity);
  *node = new (memory) wattproof_node();
  return 0;
}

wattproof_status wattproof_node_configure(wattproof_node* node, const wattproof_config* config) {
  node::Config read;
  const Error error = read_config(*config, read);
  return status_of(error == Error::none ? node->inner.configure(read) : error);
}

wattproof_status wattproof_node_restore(wattproof_node* node, uint8_t record_id, const uint8_t* bytes, size_t size) {
  return status_of(node->inner.restore(static_cast<node::RecordId>(record_id), Bytes(bytes, size)));
}

wattproof_status wattproof_node_start(wattproof_node* node, uint64_t now_ms, const uint8_t entropy[32]) {
  return status_of(node->inner.start({now_ms}, to_array<32>(Bytes(entropy, 32))));
}

wattproof_status wattproof_node_step(wattproof_node* node, uint64_t now_ms, const wattproof_input* input,
                                     const wattproof_actions** actions) {
  node->actions.count = 0;
  *actions = &node->actions;
  node::Input read;
  const Error error = read_input(*input, read);
  if (error != Error::none) return status_of(error);
  const node::Actions& done = node->inner.step({now_ms}, read);
  for (std::uint32_t i = 0; i < done.count; ++i) write_action(done.items[i], node->actions.items[i]);
  node->actions.count = done.count;
  return 0;
}

void wattproof_node_get_state(const wattproof_node* node, wattproof_node_state* state) {
  state->mode = static_cast<std::uint8_t>(node->inner.mode());
  state->relay_on = node->inner.relay_is_on() ? 1 : 0;
  state->setpoint_w = node->inner.setpoint_w();
  state->head_number = node->inner.head().number;
  state->followed_epoch = node->inner.followed_epoch();
  state->last_error = status_of(node->inner.last_error());
  state->error_count = node->inner.error_count();
}

}  // extern "C"
