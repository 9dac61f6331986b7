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

void write_boolean(std::ostream& out, const char* key, bool value) { out << key << " = " << (value ? "true" : "false") << '\n'; }

void write_powers(std::ostream& out, const solver::Device& device) {
  write_series(out, "power_min_w", device.power_min_w);
  write_series(out, "power_max_w", device.power_max_w);
}

// An array even if it has one entry: a single number would mean all slots.
template <class Numbers>
void write_array(std::ostream& out, const char* key, const Numbers& numbers) {
  out << key << " = [";
  const char* comma = "";
  for (const auto number : numbers) {
    out << comma << number;
    comma = ", ";
  }
  out << "]\n";
}

void write_shapeable(std::ostream& out, const solver::Device& device) {
  write_powers(out, device);
  out << "energy_wh = " << device.energy_wh << "\nstart_slot = " << device.start_slot << "\nend_slot = " << device.end_slot << '\n';
  if (device.milestones.empty()) return;
  std::vector<std::uint32_t> slots;
  std::vector<std::int32_t> energies;
  for (const solver::Milestone& milestone : device.milestones) {
    slots.push_back(milestone.slot);
    energies.push_back(milestone.energy_min_wh);
  }
  write_array(out, "milestone_slots", slots);
  write_array(out, "milestone_energy_min_wh", energies);
}

void write_battery(std::ostream& out, const solver::Device& device) {
  write_powers(out, device);
  out << "energy_min_wh = " << device.energy_min_wh << "\nenergy_max_wh = " << device.energy_max_wh
      << "\nenergy_start_wh = " << device.energy_start_wh << "\nenergy_end_min_wh = " << device.energy_end_min_wh
      << "\nenergy_end_max_wh = " << device.energy_end_max_wh << '\n';
  if (device.charge_efficiency_permille != 1000) out << "charge_efficiency_permille = " << device.charge_efficiency_permille << '\n';
  if (device.discharge_efficiency_permille != 1000) out << "discharge_efficiency_permille = " << device.discharge_efficiency_permille << '\n';
  if (device.standing_loss_w != 0) out << "standing_loss_w = " << device.standing_loss_w << '\n';
}

void write_appliance(std::ostream& out, const solver::Device& device) {
  write_array(out, "run_w", device.profile_w);
  out << "earliest_slot = " << device.start_slot << "\nlatest_end_slot = " << device.end_slot << '\n';
  if (device.runs != 1) out << "runs = " << device.runs << '\n';
  if (device.interruptible) write_boolean(out, "interruptible", true);
}

void write_thermal(std::ostream& out, const solver::Device& device) {
  write_powers(out, device);
  out << "gain_mk_per_wh = " << device.gain_mk_per_wh << "\nleak_permyriad_per_slot = " << device.leak_permyriad_per_slot << '\n';
  write_series(out, "ambient_mc", device.ambient_mc);
  out << "start_mc = " << device.start_mc << '\n';
  write_series(out, "min_mc", device.min_mc);
  write_series(out, "max_mc", device.max_mc);
  if (device.soft) write_boolean(out, "soft", true);
}

void write_banded(std::ostream& out, const solver::Device& device) {
  write_powers(out, device);
  if (device.ramp_up_w != solver::ramp_unlimited) out << "ramp_up_w = " << device.ramp_up_w << '\n';
  if (device.ramp_down_w != solver::ramp_unlimited) out << "ramp_down_w = " << device.ramp_down_w << '\n';
  if (device.is_ramped_from_before) out << "power_before_w = " << device.power_before_w << '\n';
  for (std::size_t i = 0; i < device.states.size(); ++i) {
    const solver::LinearState& state = device.states[i];
    out << "\n[device." << (i == 0 ? "first_state" : "second_state") << "]\nstart = " << state.start << '\n';
    write_series(out, "min", state.min);
    write_series(out, "max", state.max);
    write_array(out, "keep_ppm", std::span(state.keep_ppm).first(device.states.size()));
    out << "gain_milli_per_wh = " << state.gain_milli_per_wh << '\n';
    write_series(out, "drift_milli", state.drift_milli);
  }
}

void write_own_cost(std::ostream& out, const solver::Device& device) {
  if (device.cost_quadratic != 0) out << "own_cost_quadratic = " << device.cost_quadratic << '\n';
}

// Every kind but a home.
void write_single(std::ostream& out, const solver::Device& device) {
  constexpr std::array<const char*, 9> names{"fixed",   "curtailable", "shapeable", "battery", "appliance",
                                             "thermal", "switched",    "generator", "banded"};
  out << "kind = \"" << names.at(static_cast<std::size_t>(device.kind)) << "\"\n";
  if (device.kind != DeviceKind::generator) write_own_cost(out, device);
  switch (device.kind) {
    case DeviceKind::fixed: write_numbers(out, "profile_w", device.profile_w); break;
    case DeviceKind::curtailable:
      write_series(out, "min_w", device.power_min_w);
      write_series(out, "max_w", device.power_max_w);
      break;
    case DeviceKind::shapeable: write_shapeable(out, device); break;
    case DeviceKind::battery: write_battery(out, device); break;
    case DeviceKind::appliance: write_appliance(out, device); break;
    case DeviceKind::thermal: write_thermal(out, device); break;
    case DeviceKind::switched:
      out << "power_w = " << device.power_w << "\nenergy_wh = " << device.energy_wh << "\nmin_on_slots = " << device.min_on_slots
          << "\nmin_off_slots = " << device.min_off_slots << "\nstart_slot = " << device.start_slot
          << "\nend_slot = " << device.end_slot << '\n';
      break;
    case DeviceKind::generator:
      write_powers(out, device);
      out << "cost_linear = " << device.cost_linear << "\ncost_quadratic = " << device.cost_quadratic << '\n';
      break;
    case DeviceKind::banded: write_banded(out, device); break;
    case DeviceKind::home: break;
  }
}

void write_kind(std::ostream& out, const solver::Device& device) {
  if (device.kind != DeviceKind::home) return write_single(out, device);
  out << "kind = \"home\"\nlimit_w = " << device.limit_w << '\n';
  write_own_cost(out, device);
  for (std::uint32_t i = 0; i < device.part_count; ++i) {
    // Two digits, since the tables are taken in the order of their names.
    out << "\n[device.parts.part_" << i / 10 << i % 10 << "]\n";
    write_single(out, device.parts[i]);
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
  std::vector<Address> trusted = read_validators(load_document(path));
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
  const bool is_clique = engine == ethereum::Engine::clique;
  if (!is_bft && !is_clique) throw InputError("--engine", "must be qbft, ibft2 or clique");
  if (is_clique && provision.validators_file.empty()) throw InputError("--validators", "is needed: a header lists no signers");
  const std::uint64_t chain_id = gateway::fetch_chain_id(rpc);
  const gateway::BlockHeader head =
      ethereum::header_from_json(rpc.call("eth_getBlockByNumber", ethereum::Json::array({"latest", false})), *engine);
  const std::vector<Address> validators =
      is_clique ? read_validators(load_document(provision.validators_file)) : ethereum::listed_validators(head, *engine);
  if (validators.empty()) throw Refused("validators_empty", "the newest header lists no validators");
  if (is_bft) check_quorum(head, *engine, validators.size());
  if (is_bft && !provision.validators_file.empty()) check_validators(validators, provision.validators_file);
  const std::string text = toml_of(provision, device, options, chain_id, head, validators);
  if (provision.output == "-") {
    std::cout << text;
    return {nullptr, exit_ok};
  }
  write_file(provision.output, text);
  return {{{"file", provision.output}, {"id", provision.id}, {"chain_id", chain_id}, {"checkpoint", head.number}}, exit_ok};
}

}  // namespace wattproof::tool
