// SPDX-License-Identifier: Apache-2.0
// The part of a device's TOML file that the operator knows: who it is, what it may do, and which chain it trusts. Trust
// begins with what the operator's own node says now; the operator vouches for it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <sstream>

#include "chain_commands.hpp"
#include "community_json.hpp"
#include "genesis_command.hpp"

namespace wattproof::tool {
namespace {

using solver::DeviceKind;

void write_numbers(std::ostream& out, const char* key, std::span<const std::int32_t> numbers) {
  out << key << " = ";
  if (numbers.size() == 1) {
    out << numbers[0] << '\n';
    return;
  }
  out << '[';
  for (std::size_t i = 0; i < numbers.size(); ++i) out << (i == 0 ? "" : ", ") << numbers[i];
  out << "]\n";
}

void write_series(std::ostream& out, const char* key, const solver::Series& series) {
  const std::int32_t one[] = {series.constant};
  write_numbers(out, key, series.per_slot.empty() ? std::span<const std::int32_t>(one) : series.per_slot);
}

void write_kind(std::ostream& out, const solver::Device& device) {
  switch (device.kind) {
    case DeviceKind::fixed:
      out << "kind = \"fixed\"\n";
      write_numbers(out, "profile_w", device.profile_w);
      break;
    case DeviceKind::curtailable:
      out << "kind = \"curtailable\"\n";
      write_series(out, "min_w", device.power_min_w);
      write_series(out, "max_w", device.power_max_w);
      break;
    case DeviceKind::shapeable:
      out << "kind = \"shapeable\"\n";
      write_series(out, "power_min_w", device.power_min_w);
      write_series(out, "power_max_w", device.power_max_w);
      out << "energy_wh = " << device.energy_wh << "\nstart_slot = " << device.start_slot
          << "\nend_slot = " << device.end_slot << '\n';
      break;
    case DeviceKind::battery:
      out << "kind = \"battery\"\n";
      write_series(out, "power_min_w", device.power_min_w);
      write_series(out, "power_max_w", device.power_max_w);
      out << "energy_min_wh = " << device.energy_min_wh << "\nenergy_max_wh = " << device.energy_max_wh
          << "\nenergy_start_wh = " << device.energy_start_wh << "\nenergy_end_min_wh = " << device.energy_end_min_wh
          << "\nenergy_end_max_wh = " << device.energy_end_max_wh << '\n';
      break;
    case DeviceKind::appliance:
      out << "kind = \"appliance\"\n";
      // An array even if the run has one step: a single number would mean all slots.
      out << "run_w = [";
      for (std::size_t i = 0; i < device.profile_w.size(); ++i) out << (i == 0 ? "" : ", ") << device.profile_w[i];
      out << "]\nearliest_slot = " << device.start_slot << "\nlatest_end_slot = " << device.end_slot << '\n';
      break;
    default: throw InputError("device.type", "linux_node has no section for it yet");
  }
}

const char* name_of(chain::HeaderShape shape) {
  switch (shape) {
    case chain::HeaderShape::frontier: return "frontier";
    case chain::HeaderShape::london: return "london";
    case chain::HeaderShape::shanghai: return "shanghai";
    case chain::HeaderShape::cancun: return "cancun";
    case chain::HeaderShape::prague: return "prague";
    default: throw InputError("--engine", "linux_node has no such header");
  }
}

std::string toml_of(const ProvisionOptions& provision, const DeviceDocument& device, const ChainOptions& options,
                    std::uint64_t chain_id, const gateway::BlockHeader& head, const std::vector<Address>& validators) {
  std::ostringstream out;
  out << "[device]\nid = " << provision.id << "\nslots = " << device.grid.slots << "\nslot_seconds = "
      << device.grid.slot_seconds << '\n';
  write_kind(out, device.description.device);
  out << "\n[limits]\n";
  write_numbers(out, "min_w", device.min_w);
  write_numbers(out, "max_w", device.max_w);
  write_numbers(out, "fallback_w", device.fallback_w);
  out << "\n[chain]\nid = " << chain_id << "\nregistry = \"" << ethereum::to_hex(registry_of(options))
      << "\"\nengine = \"" << options.engine << "\"\nheader = \"" << name_of(head.shape) << "\"\n";
  out << "\n[chain.checkpoint]\nnumber = " << head.number << "\nhash = \"" << ethereum::to_hex(head.hash)
      << "\"\ntimestamp = " << head.timestamp_s << "\nvalidators = [";
  for (std::size_t i = 0; i < validators.size(); ++i) {
    out << (i == 0 ? "" : ", ") << '"' << ethereum::to_hex(validators[i]) << '"';
  }
  out << "]\n";
  return out.str();
}

void write_file(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const bool is_written = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int cause = errno;
  if (file >= 0) ::close(file);
  if (!is_written) throw InputError("--output", path + ": " + std::strerror(cause));
}

// GoQuorum counts 2F + 1 seals as enough where ceil2Nby3Block is not 0: fewer than two thirds of 3, 5, 6 ... validators.
// No device would ever accept a header of such a network, so it is told here.
void check_quorum(const gateway::BlockHeader& head, ethereum::Engine engine, std::size_t count) {
  const std::size_t quorum = (2 * count + 2) / 3;
  const std::size_t seals = ethereum::seal_count(head, engine);
  if (head.number == 0 || seals >= quorum) return;
  throw Refused("seal_below_quorum", "block " + std::to_string(head.number) + " has " + std::to_string(seals) + " seals of " +
                                         std::to_string(count) + " validators, and a quorum is " + std::to_string(quorum) +
                                         ": a GoQuorum network must have ceil2Nby3Block 0 in its genesis");
}

// Trust begins with the operator's list; a node that shows another one is of another network, or lies.
void check_validators(std::vector<Address> listed, const std::string& path) {
  std::vector<Address> trusted = read_validators(parse_document(read_document(path)));
  std::sort(listed.begin(), listed.end());
  if (listed != trusted) throw Refused("validators_mismatch", "the newest header lists other validators than " + path);
}

}  // namespace

Outcome provision_command(const ChainOptions& options, const ProvisionOptions& provision, const Json& document,
                          ethereum::Rpc& rpc) {
  DeviceDocument device;
  read_device_document(document, "", device);
  const auto engine = ethereum::engine_of_name(options.engine);
  const bool is_bft = engine == ethereum::Engine::qbft || engine == ethereum::Engine::ibft2;
  if (!is_bft) throw InputError("--engine", "must be qbft or ibft2");
  const std::uint64_t chain_id = gateway::fetch_chain_id(rpc);
  const gateway::BlockHeader head =
      ethereum::header_from_json(rpc.call("eth_getBlockByNumber", ethereum::Json::array({"latest", false})), *engine);
  const std::vector<Address> validators = ethereum::listed_validators(head, *engine);
  if (validators.empty()) throw Refused("validators_empty", "the newest header lists no validators");
  check_quorum(head, *engine, validators.size());
  if (!provision.validators_file.empty()) check_validators(validators, provision.validators_file);
  const std::string text = toml_of(provision, device, options, chain_id, head, validators);
  if (provision.output == "-") {
    std::cout << text;
    return {nullptr, exit_ok};
  }
  write_file(provision.output, text);
  return {{{"file", provision.output}, {"id", provision.id}, {"chain_id", chain_id}, {"checkpoint", head.number}}, exit_ok};
}

}  // namespace wattproof::tool
