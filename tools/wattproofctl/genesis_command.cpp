// SPDX-License-Identifier: Apache-2.0
// The first block of a private chain, as the file that Besu, GoQuorum (qbft) and geth (clique) are started with. Names
// that only one of them knows are ignored by the others.
#include <algorithm>

#include "chain/validators.hpp"
#include "command.hpp"
#include "genesis_command.hpp"
#include "rlp_writer.hpp"

namespace wattproof::tool {
namespace {

using ethereum::Engine;
using ethereum::RlpWriter;

constexpr const char* bft_mix_hash = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365";
constexpr std::uint64_t epoch_length = 30'000;
constexpr std::size_t vanity_size = 32;
constexpr std::size_t seal_size = 65;

ByteVector bft_extra_data(const std::vector<Address>& validators, bool is_qbft) {
  RlpWriter list;
  for (const Address& validator : validators) list.string(validator);
  const ByteVector no_list = RlpWriter().list();
  RlpWriter extra;
  extra.string(ByteVector(vanity_size)).encoded(list.list());
  if (is_qbft) {
    extra.encoded(no_list).integer(0);  // no vote, round 0
  } else {
    extra.string({}).string(ByteVector(4));
  }
  return extra.encoded(no_list).list();
}

ByteVector clique_extra_data(const std::vector<Address>& validators) {
  ByteVector extra(vanity_size);
  for (const Address& validator : validators) extra.insert(extra.end(), validator.begin(), validator.end());
  extra.resize(extra.size() + seal_size);
  return extra;
}

// GoQuorum fills a block the moment its parent is there, unless it may wait with an empty one: then a transaction waits for one
// block and not for two. Only GoQuorum has Berlin's QBFT headers.
std::uint32_t empty_period_of(Engine engine, const GenesisOptions& options) {
  const bool is_goquorum = engine == Engine::qbft && options.fork == "berlin";
  return options.empty_period_s.value_or(is_goquorum ? 2 * options.period_s : options.period_s);
}

Json engine_section(Engine engine, const GenesisOptions& options) {
  const std::uint32_t period_s = options.period_s;
  if (engine == Engine::clique) {
    return {{"period", period_s}, {"epoch", epoch_length}, {"blockperiodseconds", period_s}, {"epochlength", epoch_length}};
  }
  Json section = {{"blockperiodseconds", period_s},
                  {"epochlength", epoch_length},
                  {"epoch", epoch_length},
                  {"requesttimeoutseconds", 2 * period_s + 2}};
  // Without it GoQuorum's quorum is 2F + 1, which for 3, 5, 6 ... validators is fewer than two thirds.
  if (engine == Engine::qbft) section.update({{"policy", 0}, {"ceil2Nby3Block", 0}});
  if (const std::uint32_t empty_period_s = empty_period_of(engine, options); empty_period_s > period_s) {
    section["emptyblockperiodseconds"] = empty_period_s;   // GoQuorum
    section["xemptyblockperiodseconds"] = empty_period_s;  // Besu, where it is experimental
  }
  return section;
}

// GoQuorum alone: gas without a price, and the largest transaction in KiB, which it demands to be stated.
void add_goquorum_settings(Json& config) {
  config["isQuorum"] = true;
  config["txnSizeLimit"] = 64;
}

Json funded_accounts(const std::vector<std::string>& addresses) {
  Json accounts = Json::object();
  for (const std::string& address : addresses) {
    if (!ethereum::parse_hex_array<20>(address)) throw InputError("--fund", "must be \"0x\" and 40 hexadecimal digits");
    accounts[address] = {{"balance", "0x1" + std::string(25, '0')}};  // 2^100 wei
  }
  return accounts;
}

}  // namespace

std::vector<Address> read_validators(const Json& document) {
  if (!document.is_array()) throw InputError("validators", "must be an array of addresses");
  std::vector<Address> validators;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const std::string path = "validators[" + std::to_string(i) + "]";
    const ByteVector bytes = hex_of(document[i], path, sizeof(Address));
    if (bytes.size() != sizeof(Address)) throw InputError(path, "must have 20 bytes");
    validators.push_back(to_array<20>(bytes));
  }
  std::sort(validators.begin(), validators.end());
  if (validators.empty()) throw InputError("validators", "is empty");
  if (validators.size() > validator_count_max) {
    throw InputError("validators", "has more than " + std::to_string(validator_count_max) + " entries");
  }
  if (std::adjacent_find(validators.begin(), validators.end()) != validators.end()) {
    throw InputError("validators", "holds an address twice");
  }
  return validators;
}

Outcome genesis_command(const GenesisOptions& options, const Json& document) {
  const auto engine = ethereum::engine_of_name(options.engine);
  if (!engine || *engine == Engine::aura) throw InputError("--engine", "must be qbft, ibft2 or clique");
  if (options.fork != "london" && options.fork != "berlin") throw InputError("--fork", "must be london or berlin");
  const std::vector<Address> validators = read_validators(document);
  const bool is_clique = *engine == Engine::clique;
  if (is_clique && options.empty_period_s) throw InputError("--empty-period", "is not known to clique");

  Json config = {{"chainId", options.chain_id}};
  for (const char* fork : {"homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock",
                           "constantinopleBlock", "petersburgBlock", "istanbulBlock", "muirGlacierBlock", "berlinBlock"}) {
    config[fork] = 0;
  }
  if (options.fork == "london") {
    config["londonBlock"] = 0;
    config["zeroBaseFee"] = true;  // devices and gateways have no coins
  }
  config[options.engine] = engine_section(*engine, options);
  if (*engine == Engine::qbft) add_goquorum_settings(config);
  Json genesis = {{"config", config},
                  {"nonce", "0x0"},
                  {"timestamp", ethereum::to_quantity(options.timestamp_s)},
                  {"extraData", ethereum::to_hex(is_clique ? clique_extra_data(validators)
                                                           : bft_extra_data(validators, *engine == Engine::qbft))},
                  {"gasLimit", ethereum::to_quantity(options.gas_limit)},
                  {"difficulty", "0x1"},
                  {"mixHash", is_clique ? "0x" + std::string(64, '0') : bft_mix_hash},
                  {"coinbase", "0x" + std::string(40, '0')},
                  {"alloc", funded_accounts(options.funded)}};
  return {genesis, exit_ok};
}

}  // namespace wattproof::tool
