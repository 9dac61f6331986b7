// SPDX-License-Identifier: Apache-2.0
#include "firmware/linux_node/node_config.hpp"

#include "solver/solve.hpp"

namespace wattproof::firmware {
namespace {

const char* limit_name(solver::Limit limit) {
  switch (limit) {
    case solver::Limit::power: return "power (W)";
    case solver::Limit::energy_min: return "least energy (Wh)";
    case solver::Limit::energy_max: return "most energy (Wh)";
    case solver::Limit::window: return "slots in the window";
    case solver::Limit::comfort_min: return "lower comfort limit (mK)";
    case solver::Limit::comfort_max: return "upper comfort limit (mK)";
    case solver::Limit::pattern: return "switching pattern";
    case solver::Limit::ramp: return "ramp (W)";
    case solver::Limit::state_min: return "lower limit of a state";
    case solver::Limit::state_max: return "upper limit of a state";
    default: return "limits";
  }
}

}  // namespace

node::Config to_node_config(const Configuration& configuration, const Address& address) {
  node::Config config;
  const ChainConfiguration& chain = configuration.chain;
  config.chain.chain_id = chain.id;
  config.chain.registry = chain.registry;
  config.chain.engine = chain.engine;
  config.chain.is_clique = chain.is_clique;
  config.chain.clique = chain.clique;
  config.chain.freshness = chain.freshness;
  chain::TrustedHead& checkpoint = config.chain.checkpoint;
  checkpoint.number = chain.checkpoint_number;
  checkpoint.hash = chain.checkpoint_hash;
  checkpoint.timestamp = {chain.checkpoint_timestamp_s};
  checkpoint.is_linked = chain.has_checkpoint_block;
  for (const Address& validator : chain.validators) {
    if (checkpoint.validators.count < validator_count_max) checkpoint.validators.items[checkpoint.validators.count++] = validator;
  }
  config.device.id = configuration.device.id;
  config.device.address = address;
  config.device.workspace = configuration.device.workspace();
  config.device.device = configuration.device.device();
  config.device.grid = configuration.device.grid;
  config.device.own_cost.quadratic = configuration.device.own_cost_quadratic;
  config.device.fallback_w = to_series(configuration.limits.fallback_w);
  const OutputConfiguration& output = configuration.output;
  config.output.has_relay = output.relay != RelayKind::none;
  config.output.has_setpoint = output.set_point != SetPointKind::none;
  config.output.relay = output.limits;
  config.output.setpoint_fallback_w = output.set_point_fallback_w;
  config.output.setpoint_override_w = output.set_point_override_w;
  config.link = configuration.link;
  config.override_s_max = configuration.override_s_max;
  return config;
}

std::string check_node_config(const Configuration& configuration) {
  Address any{};
  any.fill(1);  // the key may not exist yet
  const Error error = node::check_config(to_node_config(configuration, any));
  if (error == Error::none) return {};
  solver::Report report;
  const solver::Device device = configuration.device.device();
  const std::string file = configuration.file.string();
  if (solver::validate(device, configuration.device.grid) == Error::none &&
      solver::feasible(device, configuration.device.grid, report) != Error::none) {
    return file + ":" + std::to_string(configuration.device.line) + ": device: cannot be met: " + limit_name(report.limit) + " needs " + std::to_string(report.needed) + " at slot " +
           std::to_string(report.slot) + ", possible is " + std::to_string(report.possible);
  }
  return file + ": refused by the node: " + error_name(error);
}

}  // namespace wattproof::firmware
