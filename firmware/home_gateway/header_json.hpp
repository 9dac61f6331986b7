// SPDX-License-Identifier: Apache-2.0
// A block header as eth_getBlockByNumber gives it, made again into the bytes that were sealed and hashed.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "chain/header.hpp"
#include "hex_text.hpp"

namespace wattproof::ethereum {

// Which seals a chain's headers carry; decides which bytes the block hash covers.
enum class Engine : std::uint8_t { qbft, ibft2, clique, aura };

// Nothing for an unknown name.
std::optional<Engine> engine_of_name(std::string_view name);

struct BlockHeader {
  std::uint64_t number = 0;
  std::uint64_t timestamp_s = 0;
  Hash32 hash{};
  Hash32 parent_hash{};
  Hash32 state_root{};
  ByteVector encoded;  // RLP as a device takes it, real extraData included
  chain::HeaderShape shape = chain::HeaderShape::london;
};

// Rebuilds the header's RLP from its fields, decodes it as strictly as a device does, and compares its hash with the
// one that the node states. Throws std::runtime_error that names the field or the rule.
BlockHeader header_from_json(const nlohmann::json& block, Engine engine);

// The validators that a QBFT or IBFT2 header lists; empty for other engines and where a contract keeps them.
std::vector<Address> listed_validators(const BlockHeader& header, Engine engine);

// The seals that a QBFT or IBFT2 header carries, not verified.
std::size_t seal_count(const BlockHeader& header, Engine engine);

}  // namespace wattproof::ethereum
