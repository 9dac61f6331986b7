// SPDX-License-Identifier: Apache-2.0
// What a device is told when it is provisioned: the chain that it trusts, the community that it belongs to, what it can
// do, and how its outputs behave. Arrays that the solver's Device refers to stay the caller's and outlive the node.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "chain/bft.hpp"
#include "chain/clique.hpp"
#include "chain/head.hpp"
#include "control/relay_guard.hpp"
#include "schedule/participant.hpp"
#include "solver/device.hpp"
#include "solver/solve.hpp"

namespace wattproof::node {

struct ChainConfig {
  std::uint64_t chain_id = 0;        // 1 or more
  Address registry{};                // DeviceRegistry; every other address is proved from it
  chain::BftConfig engine{};
  // A Clique chain: `clique` holds in place of `engine`. Nothing is final there (docs/LIGHT_CLIENT.md section 4): the node acts on
  // blocks that more than half of the signers have built on, and follows no change of the signers.
  bool is_clique = false;
  chain::CliqueConfig clique{};
  chain::TrustedHead checkpoint{};   // where trust begins: number, validators, and hash and time if known
  chain::FreshnessConfig freshness{};
};

struct DeviceConfig {
  std::uint32_t id = 0;                // in the registry, 1 or more
  Address address{};                   // of the device's signing key
  solver::Device device{};             // what it can do; arrays have grid.slots entries
  solver::Grid grid{};                 // the epochs that it takes part in: another grid is not answered
  schedule::OwnCost own_cost{};        // of a home: of its sum; its parts may have theirs in their descriptions
  solver::Series fallback_w{};         // as enrolled: what counts for the device when it does not answer
  // Memory for the device's problem, the caller's, of at least solver::workspace_words(device, grid). Empty: the node's own,
  // which is enough for every kind without losses, leak, pattern, states or parts; so only the boards that need more have it.
  solver::WorkspaceView workspace{};
};

struct OutputConfig {
  bool has_relay = false;
  bool has_setpoint = false;           // at least one of the two
  control::RelayLimits relay{};
  std::int32_t setpoint_fallback_w = 0;  // what the output gets without a verified instruction
  std::int32_t setpoint_override_w = 0;  // what "on" by a person means
};

// Times in milliseconds of the boot clock.
struct LinkConfig {
  std::uint32_t answer_ms_max = 5'000;      // a want without an answer is sent again after this
  std::uint32_t tries_max = 4;              // so often, then the attempt is given up
  std::uint32_t pause_ms_min = 1'000;       // before the next attempt after a failed one; doubles up to
  std::uint32_t pause_ms_max = 60'000;
  std::uint32_t poll_ms = 30'000;           // asks for news itself after so long without any
  std::uint32_t status_ms = 60'000;         // a status frame at least so often while the link is up
};

struct Config {
  ChainConfig chain{};
  DeviceConfig device{};
  OutputConfig output{};
  LinkConfig link{};
  std::uint32_t override_s_max = 4 * 3600;  // longest local override
};

// Whether a node can run on this. Names the first thing that is wrong.
//   configuration_invalid  chain id, id, registry, address, checkpoint or outputs missing; a link time of zero;
//                          Clique in a build without it
//   workspace_too_small    the device's problem needs more memory than it has
//   every error of solver::validate, and infeasible* of solver::feasible: the device's limits cannot be met at all
Error check_config(const Config& config);

}  // namespace wattproof::node
