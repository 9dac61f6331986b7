// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "chain_commands.hpp"
#include "community_json.hpp"
#include "eth_abi.hpp"

namespace wattproof::tool {
namespace {

constexpr std::size_t devices_max = 1000;  // of one document

using Documents = std::vector<std::unique_ptr<DeviceDocument>>;

Documents read_devices(const Json& document) {
  Documents devices;
  const auto read = [&devices](const Json& one, const std::string& path) {
    devices.push_back(std::make_unique<DeviceDocument>());
    read_device_document(one, path, *devices.back());
    if (!devices.back()->address) throw InputError(path.empty() ? "address" : path + ".address", "is missing");
  };
  if (document.is_object() && document.contains("devices")) {
    ObjectReader object(document, "");
    const Json& list = object.array("devices", devices_max);
    object.finish();
    for (std::size_t i = 0; i < list.size(); ++i) read(list[i], "devices[" + std::to_string(i) + "]");
  } else {
    read(document, "");
  }
  if (devices.empty()) throw InputError("devices", "is empty");
  return devices;
}

std::uint64_t id_of(ethereum::Rpc& rpc, const Address& registry, const Address& signer) {
  const ByteVector answer = gateway::call_contract(rpc, registry, ethereum::AbiArguments().address(signer).call("idOf(address)"));
  return ethereum::AbiReader(answer).uint64();
}

}  // namespace

Outcome enrol_command(const ChainOptions& options, const Json& document, ethereum::Rpc& rpc) {
  const Documents devices = read_devices(document);
  const Address registry = registry_of(options);
  Operator sender(options, rpc, false);
  std::vector<OperatorCall> calls;
  for (const auto& device : devices) {
    ethereum::AbiArguments arguments;
    arguments.address(*device->address).bytes(encode_limits(*device)).bytes(encode_fallback(*device));
    calls.push_back({"add " + ethereum::to_hex(*device->address), registry, arguments.call("add(address,bytes,bytes)")});
  }
  const auto receipts = sender.send(calls);
  Json list = Json::array();
  for (std::size_t i = 0; i < devices.size(); ++i) {
    list.push_back({{"id", id_of(rpc, registry, *devices[i]->address)},
                    {"address", ethereum::to_hex(*devices[i]->address)},
                    {"block", receipts[i].block},
                    {"gas_used", receipts[i].gas_used}});
  }
  return {{{"devices", list}}, exit_ok};
}

}  // namespace wattproof::tool
