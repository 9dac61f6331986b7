// SPDX-License-Identifier: Apache-2.0
#include "chain_commands.hpp"

#include "eth_abi.hpp"

namespace wattproof::tool {
namespace {

constexpr std::size_t artifact_size_max = 4u << 20;

ByteVector bytecode_of(const std::string& folder, const std::string& name) {
  const std::string path = folder + "/" + name + ".json";
  const Json artifact = load_document(path, artifact_size_max);
  if (!artifact.is_object() || !artifact.contains("bytecode")) throw InputError("", path + ": bytecode is missing");
  return hex_of(artifact["bytecode"], path + ": bytecode", artifact_size_max);
}

ByteVector with_arguments(ByteVector bytecode, const ethereum::AbiArguments& arguments) {
  const ByteVector encoded = arguments.encode();
  bytecode.insert(bytecode.end(), encoded.begin(), encoded.end());
  return bytecode;
}

}  // namespace

Outcome deploy_command(const ChainOptions& options, const DeployOptions& deploy, ethereum::Rpc& rpc) {
  Operator sender(options, rpc, true);
  Address admin = sender.address();
  if (!deploy.admin.empty()) {
    const auto given = ethereum::parse_hex_array<20>(deploy.admin);
    if (!given) throw InputError("--admin", "must be \"0x\" and 40 hexadecimal digits");
    admin = *given;
  }
  ethereum::AbiArguments roles;
  roles.address(admin).address(sender.address()).uint(deploy.admin_delay_s);
  // Where the contracts will stand follows from the account and its nonce, so all three go into one block.
  const std::uint64_t nonce = gateway::fetch_nonce(rpc, sender.address());
  const Address registry_at = ethereum::contract_address(sender.address(), nonce);
  const Address scheduler_at = ethereum::contract_address(sender.address(), nonce + 1);
  ethereum::AbiArguments parent;
  parent.address(registry_at);
  ethereum::AbiArguments name;
  name.word(ethereum::word_of_text("Scheduler")).address(scheduler_at);
  const auto receipts = sender.send(
      {{"deploy DeviceRegistry", std::nullopt, with_arguments(bytecode_of(deploy.artifacts, "DeviceRegistry"), roles)},
       {"deploy Scheduler", std::nullopt, with_arguments(bytecode_of(deploy.artifacts, "Scheduler"), parent)},
       {"setContract", registry_at, name.call("setContract(bytes32,address)")}},
      false);
  if (receipts[0].contract != registry_at || receipts[1].contract != scheduler_at) {
    throw Refused("failed", "the account sent other transactions meanwhile; deploy again");
  }
  return {{{"chain_id", sender.chain_id()},
           {"registry", ethereum::to_hex(registry_at)},
           {"scheduler", ethereum::to_hex(scheduler_at)},
           {"operator", ethereum::to_hex(sender.address())},
           {"admin", ethereum::to_hex(admin)},
           {"block", receipts[2].block},
           {"first_block", receipts[0].block}},
          exit_ok};
}

}  // namespace wattproof::tool
