// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "header_json.hpp"

namespace wattproof::tool {

struct GenesisOptions {
  std::string engine;                     // qbft, ibft2 or clique
  std::string fork = "london";            // or berlin
  std::uint32_t period_s = 1;             // seconds between blocks
  std::optional<std::uint32_t> empty_period_s;  // seconds between blocks without transactions; else twice the period on GoQuorum
  std::uint64_t chain_id = 1337;
  std::uint64_t gas_limit = 30'000'000;   // of a block
  std::uint64_t timestamp_s = 0;
  std::vector<std::string> funded;        // addresses that begin with coins: Clique under geth demands a gas price
};

// A JSON array of addresses in any order, as ascending ones. Throws InputError.
std::vector<Address> read_validators(const Json& document);

// `document`: a JSON array of the validators' addresses, in any order.
Outcome genesis_command(const GenesisOptions& options, const Json& document);

}  // namespace wattproof::tool
