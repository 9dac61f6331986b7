// SPDX-License-Identifier: Apache-2.0
#include "chain_commands.hpp"

namespace wattproof::tool {
namespace {

const char* name_of(gateway::DeviceStatus status) {
  switch (status) {
    case gateway::DeviceStatus::pending: return "pending";
    case gateway::DeviceStatus::active: return "active";
    case gateway::DeviceStatus::suspended: return "suspended";
  }
  return "unknown";
}

}  // namespace

Outcome status_command(const ChainOptions& options, ethereum::Rpc& rpc) {
  const std::uint64_t chain_id = gateway::fetch_chain_id(rpc);
  const ChainPicture picture = read_chain(options, rpc);
  Json devices = Json::array();
  for (const auto& [id, device] : picture.view.devices()) {
    devices.push_back({{"id", id}, {"address", ethereum::to_hex(device.signer)}, {"status", name_of(device.status)},
                       {"check_in_nonce", device.check_in_nonce}});
  }
  Json epochs = Json::array();
  for (const auto& [number, epoch] : picture.view.epochs()) {
    const schedule::EpochHead& head = epoch.newest().head;
    epochs.push_back({{"epoch", number}, {"status", static_cast<int>(head.status)}, {"round", head.round},
                      {"participants", epoch.participants.size()}, {"start", head.start.s}});
  }
  return {{{"chain_id", chain_id},
           {"block", picture.newest.number},
           {"block_hash", ethereum::to_hex(picture.newest.hash)},
           {"timestamp", picture.newest.timestamp_s},
           {"registry", ethereum::to_hex(picture.registry)},
           {"scheduler", ethereum::to_hex(picture.scheduler)},
           {"devices", devices},
           {"epochs", epochs}},
          exit_ok};
}

}  // namespace wattproof::tool
