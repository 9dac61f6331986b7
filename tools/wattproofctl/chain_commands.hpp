// SPDX-License-Identifier: Apache-2.0
// The operator's commands: they speak to a node. Each throws InputError (status 2), Refused or RpcError (status 1).
#pragma once

#include "operator.hpp"

namespace wattproof::tool {

struct DeployOptions {
  std::string artifacts;           // folder of DeviceRegistry.json and Scheduler.json
  std::string admin;               // holds the admin role; default: the operator
  std::uint64_t admin_delay_s = 86'400;
};
Outcome deploy_command(const ChainOptions& options, const DeployOptions& deploy, ethereum::Rpc& rpc);

// One device document, or {"devices":[...]}.
Outcome enrol_command(const ChainOptions& options, const Json& document, ethereum::Rpc& rpc);

struct ProvisionOptions {
  std::uint32_t id = 0;
  std::string output = "-";        // "-": the TOML text goes to standard output in place of JSON
  std::string validators_file;     // JSON array that the chain's validators must equal; empty: the node is believed
};
Outcome provision_command(const ChainOptions& options, const ProvisionOptions& provision, const Json& document,
                          ethereum::Rpc& rpc);

// What the operator chooses for an epoch; docs/SPEC.md section 5.
struct EpochOptions {
  std::uint64_t epoch = 0;            // open: 0 is the one after the last
  std::uint64_t start_s = 0;          // 0: the next midnight (UTC) of the chain's time
  std::uint64_t rho0 = 0;             // 0: from the prices and the cap
  std::uint32_t tolerance_w = 0;
  std::uint32_t round_s = 30;
  std::uint32_t grace_s = 10;
  std::uint32_t enter_s = 30;
  std::uint16_t rounds_max = 60;
  std::uint32_t dispute_s = 3600;
  std::uint64_t warm_epoch = 0;
};
// `path` is the parameters' file, JSON or CSV by its ending; `text` what stands in it.
Outcome epoch_open_command(const ChainOptions& options, const EpochOptions& epoch, const std::string& path,
                           const std::string& text, ethereum::Rpc& rpc);
Outcome epoch_status_command(const ChainOptions& options, std::uint64_t epoch, ethereum::Rpc& rpc);
Outcome epoch_close_command(const ChainOptions& options, std::uint64_t epoch, ethereum::Rpc& rpc);
Outcome schedule_show_command(const ChainOptions& options, std::uint64_t epoch, ethereum::Rpc& rpc);
// The same as a table for people.
std::string schedule_table(const Json& schedule);
Outcome status_command(const ChainOptions& options, ethereum::Rpc& rpc);

}  // namespace wattproof::tool
