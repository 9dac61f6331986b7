// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "chain_commands.hpp"
#include "epoch_parameters.hpp"
#include "eth_abi.hpp"
#include "round_report.hpp"

namespace wattproof::tool {
namespace {

using ethereum::AbiArguments;
using ethereum::AbiReader;

constexpr std::int64_t typical_power_w = 3000;
constexpr std::int64_t spread_min = 90'000, spread_max = 300'000;  // micro-units per kWh

std::uint64_t read_uint(ethereum::Rpc& rpc, const Address& to, const char* signature) {
  const ByteVector answer = gateway::call_contract(rpc, to, AbiArguments().call(signature));
  return AbiReader(answer).uint64();
}

// A penalty that moves a device of a few kW when the price swings as it does here, within what wear and losses of devices
// weigh: on a day of flat or wild prices those matter, not the prices. A factor of five off costs a round or two, since the
// contract balances it.
std::uint64_t usual_penalty(const EpochParameters& parameters) {
  const auto [low, high] = std::minmax_element(parameters.price.begin(), parameters.price.end());
  const std::int64_t spread = std::clamp<std::int64_t>(std::int64_t{*high} - *low, spread_min, spread_max);
  return static_cast<std::uint64_t>((spread << 16) / typical_power_w);
}

const gateway::KnownEpoch& epoch_of(const ChainPicture& picture, std::uint64_t& number) {
  if (number == 0 && !picture.view.epochs().empty()) number = picture.view.epochs().rbegin()->first;
  const gateway::KnownEpoch* const epoch = picture.view.epoch(number);
  if (epoch == nullptr) throw Refused("no_such_epoch", "epoch " + std::to_string(number) + " is not in the ring");
  return *epoch;
}

const char* name_of(schedule::EpochStatus status) {
  switch (status) {
    case schedule::EpochStatus::entering: return "entering";
    case schedule::EpochStatus::open: return "open";
    case schedule::EpochStatus::final: return "final";
    case schedule::EpochStatus::failed: return "failed";
  }
  return "unknown";
}

const char* name_of(schedule::FailReason reason) {
  switch (reason) {
    case schedule::FailReason::none: return "none";
    case schedule::FailReason::rounds_used_up: return "rounds_used_up";
    case schedule::FailReason::cap_cannot_be_met: return "cap_cannot_be_met";
    case schedule::FailReason::nobody_entered: return "nobody_entered";
    case schedule::FailReason::cancelled: return "cancelled";
  }
  return "unknown";
}

Json describe(const gateway::KnownEpoch& epoch) {
  const schedule::EpochHead& head = epoch.newest().head;
  Json output = {{"epoch", epoch.number},
                 {"status", name_of(head.status)},
                 {"round", head.round},
                 {"slots", head.slots},
                 {"slot_seconds", head.slot_seconds},
                 {"start", head.start.s},
                 {"deadline", head.deadline.s},
                 {"participants", epoch.participants.size()},
                 {"answered", epoch.answered()},
                 {"frozen", epoch.frozen()},
                 {"penalty_exponent", head.penalty_exponent},
                 {"rho0", head.rho0}};
  if (head.status == schedule::EpochStatus::failed) {
    output["reason"] = name_of(head.reason);
    output["worst_slot"] = head.worst_slot;
    output["excess_w"] = head.excess_w;
  }
  if (const auto report = gateway::report_last_round(epoch)) output["last_round"] = gateway::to_json(*report);
  return output;
}

// The aggregate that the contract states, by the view function schedule().
std::vector<std::int64_t> stated_aggregate(ethereum::Rpc& rpc, const Address& scheduler, std::uint64_t epoch) {
  const ByteVector answer = gateway::call_contract(rpc, scheduler, AbiArguments().uint(epoch).call("sums(uint64)"));
  AbiReader reader(answer);
  reader.word();  // where the array begins
  const std::uint64_t count = reader.uint64();
  std::vector<std::int64_t> values;
  for (std::uint64_t t = 0; t < count && reader.ok(); ++t) {
    const Hash32 word = reader.word();
    values.push_back(static_cast<std::int64_t>(load_be64(word.data() + 24)));
  }
  if (!reader.ok()) throw Refused("failed", "sums(): the answer cannot be read");
  return values;
}

std::vector<std::int32_t> profile_of(const gateway::Participation& participation) {
  const ByteVector& bytes = participation.newest().profile;
  std::vector<std::int32_t> profile;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    profile.push_back(static_cast<std::int32_t>(load_be32(bytes.data() + at)));
  }
  return profile;
}

}  // namespace

Outcome epoch_open_command(const ChainOptions& options, const EpochOptions& given, const std::string& path,
                           const std::string& text, ethereum::Rpc& rpc) {
  const EpochParameters parameters = read_epoch_parameters(path, text);
  const Address scheduler = scheduler_of(rpc, registry_of(options));
  Operator sender(options, rpc, false);
  EpochOptions epoch = given;
  if (epoch.epoch == 0) epoch.epoch = read_uint(rpc, scheduler, "lastEpoch()") + 1;
  if (epoch.start_s == 0) {
    const auto latest = rpc.call("eth_getBlockByNumber", ethereum::Json::array({"latest", false}));
    const auto now = ethereum::parse_quantity(latest.value("timestamp", ""));
    if (!now) throw Refused("failed", "the newest block has no timestamp");
    epoch.start_s = (*now / day_s + 1) * day_s;
  }
  if (epoch.rho0 == 0) epoch.rho0 = usual_penalty(parameters);
  AbiArguments arguments;
  for (const std::uint64_t value :
       {epoch.epoch, epoch.start_s, std::uint64_t{parameters.slots()}, std::uint64_t{parameters.slot_seconds}, epoch.rho0,
        std::uint64_t{epoch.tolerance_w}, std::uint64_t{epoch.round_s}, std::uint64_t{epoch.grace_s},
        std::uint64_t{epoch.enter_s}, std::uint64_t{epoch.rounds_max}, std::uint64_t{epoch.dispute_s}, epoch.warm_epoch}) {
    arguments.uint(value);
  }
  arguments.bytes(parameters.encode());
  constexpr const char* signature =
      "open((uint64,uint64,uint16,uint32,uint64,uint32,uint32,uint32,uint32,uint16,uint32,uint64),bytes)";
  const auto receipts = sender.send({{"open", scheduler, arguments.call(signature)}});
  return {{{"epoch", epoch.epoch}, {"start", epoch.start_s}, {"slots", parameters.slots()},
           {"slot_seconds", parameters.slot_seconds}, {"rho0", epoch.rho0}, {"block", receipts[0].block},
           {"gas_used", receipts[0].gas_used}},
          exit_ok};
}

Outcome epoch_status_command(const ChainOptions& options, std::uint64_t number, ethereum::Rpc& rpc) {
  const ChainPicture picture = read_chain(options, rpc);
  return {describe(epoch_of(picture, number)), exit_ok};
}

Outcome epoch_close_command(const ChainOptions& options, std::uint64_t number, ethereum::Rpc& rpc) {
  const ChainPicture picture = read_chain(options, rpc);
  const gateway::KnownEpoch& epoch = epoch_of(picture, number);
  Operator sender(options, rpc, true);
  AbiArguments arguments;
  arguments.uint(number).bytes(epoch.newest().bytes).bytes(epoch.newest().vectors).bytes(epoch.parameters);
  const auto receipts =
      sender.send({{"close", picture.scheduler, arguments.call("close(uint64,bytes,bytes,bytes)")}});
  const ChainPicture after = read_chain(options, rpc);
  Json output = describe(epoch_of(after, number));
  output["block"] = receipts[0].block;
  output["gas_used"] = receipts[0].gas_used;
  return {output, exit_ok};
}

Outcome schedule_show_command(const ChainOptions& options, std::uint64_t number, ethereum::Rpc& rpc) {
  const ChainPicture picture = read_chain(options, rpc);
  const gateway::KnownEpoch& epoch = epoch_of(picture, number);
  const schedule::EpochHead& head = epoch.newest().head;
  Json output = {{"epoch", number},
                 {"status", name_of(head.status)},
                 {"start", head.start.s},
                 {"slots", head.slots},
                 {"slot_seconds", head.slot_seconds}};
  const std::vector<std::int64_t> recomputed = gateway::sum_profiles(epoch);
  const std::vector<std::int64_t> stated = stated_aggregate(rpc, picture.scheduler, number);
  output["aggregate_w"] = stated;
  output["aggregate_matches_profiles"] = stated == recomputed;
  Json price = Json::array(), base = Json::array(), cap = Json::array();
  for (std::size_t t = 0; t < head.slots && 8 + 12 * t + 12 <= epoch.parameters.size(); ++t) {
    const std::uint8_t* const at = epoch.parameters.data() + 8 + 12 * t;
    price.push_back(static_cast<std::int32_t>(load_be32(at)));
    base.push_back(static_cast<std::int32_t>(load_be32(at + 4)));
    cap.push_back(static_cast<std::int32_t>(load_be32(at + 8)));
  }
  output["price"] = price;
  output["base_w"] = base;
  output["cap_w"] = cap;
  output["devices"] = Json::array();
  for (const auto& [id, participation] : epoch.participants) {
    output["devices"].push_back({{"id", id},
                                 {"address", ethereum::to_hex(participation.signer)},
                                 {"round", participation.newest().round},
                                 {"profile_w", profile_of(participation)}});
  }
  return {output, stated == recomputed ? exit_ok : exit_refused};
}

}  // namespace wattproof::tool
