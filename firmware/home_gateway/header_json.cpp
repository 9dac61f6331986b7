// SPDX-License-Identifier: Apache-2.0
#include "header_json.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"
#include "rlp_writer.hpp"

namespace wattproof::ethereum {
namespace {

using nlohmann::json;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("block header: " + what); }

const std::string& text_field(const json& block, const char* name) {
  const auto field = block.find(name);
  if (field == block.end() || !field->is_string()) fail(std::string(name) + " is missing or not text");
  return field->get_ref<const std::string&>();
}

void write_data(RlpWriter& writer, const json& block, const char* name, std::size_t size) {
  const std::optional<ByteVector> bytes = parse_hex(text_field(block, name));
  if (!bytes || bytes->size() != size) fail(std::string(name) + " is not " + std::to_string(size) + " bytes");
  writer.string(*bytes);
}

void write_quantity(RlpWriter& writer, const json& block, const char* name) {
  const std::optional<ByteVector> bytes = parse_big_quantity(text_field(block, name));
  if (!bytes) fail(std::string(name) + " is not a quantity");
  writer.string(*bytes);
}

void write_common_fields(RlpWriter& writer, const json& block) {
  write_data(writer, block, "parentHash", 32);
  write_data(writer, block, "sha3Uncles", 32);
  write_data(writer, block, "miner", 20);
  write_data(writer, block, "stateRoot", 32);
  write_data(writer, block, "transactionsRoot", 32);
  write_data(writer, block, "receiptsRoot", 32);
  write_data(writer, block, "logsBloom", 256);
  for (const char* name : {"difficulty", "number", "gasLimit", "gasUsed", "timestamp"}) write_quantity(writer, block, name);
  const std::optional<ByteVector> extra = parse_hex(text_field(block, "extraData"));
  if (!extra) fail("extraData is not hexadecimal");
  writer.string(*extra);
}

// AuRa's seal as OpenEthereum and Nethermind give it: sealFields are RLP items, or step and signature by name.
void write_aura_seal(RlpWriter& writer, const json& block) {
  if (const auto fields = block.find("sealFields"); fields != block.end() && fields->is_array()) {
    for (const json& field : *fields) {
      const std::optional<ByteVector> item = field.is_string() ? parse_hex(field.get_ref<const std::string&>()) : std::nullopt;
      if (!item || !ok(codec::check_rlp(*item))) fail("sealFields holds something that is not RLP");
      writer.encoded(*item);
    }
    return;
  }
  const auto step = block.find("step");
  if (step == block.end()) fail("neither sealFields nor step is there");
  std::uint64_t number = 0;
  if (step->is_number_unsigned()) {
    number = step->get<std::uint64_t>();
  } else {
    const std::string& digits = text_field(block, "step");
    if (digits.empty() || digits.size() > 19 || digits.find_first_not_of("0123456789") != std::string::npos) {
      fail("step is not a number");
    }
    number = std::stoull(digits);
  }
  writer.integer(number);
  std::string signature = text_field(block, "signature");
  if (!signature.starts_with("0x")) signature.insert(0, "0x");
  const std::optional<ByteVector> bytes = parse_hex(signature);
  if (!bytes || bytes->size() != 65) fail("signature is not 65 bytes");
  writer.string(*bytes);
}

// Fields of later forks stand at the end, in the order in which the forks came.
chain::HeaderShape write_fork_fields(RlpWriter& writer, const json& block, bool is_aura) {
  using chain::HeaderShape;
  if (!block.contains("baseFeePerGas")) return is_aura ? HeaderShape::aura : HeaderShape::frontier;
  write_quantity(writer, block, "baseFeePerGas");
  if (is_aura) return HeaderShape::aura_london;
  if (!block.contains("withdrawalsRoot")) return HeaderShape::london;
  write_data(writer, block, "withdrawalsRoot", 32);
  if (!block.contains("blobGasUsed")) return HeaderShape::shanghai;
  write_quantity(writer, block, "blobGasUsed");
  write_quantity(writer, block, "excessBlobGas");
  write_data(writer, block, "parentBeaconBlockRoot", 32);
  if (!block.contains("requestsHash")) return HeaderShape::cancun;
  write_data(writer, block, "requestsHash", 32);
  return HeaderShape::prague;
}

chain::Header decode(Bytes encoded, chain::HeaderShape shape) {
  chain::Header header;
  if (const Error error = chain::decode_header(encoded, shape, header); !ok(error)) fail(error_name(error));
  return header;
}

// The extraData that a BFT block hash covers: without seals, and without the round.
Hash32 bft_block_hash(const chain::Header& header, Engine engine) {
  if (header.number == 0) return chain::hash_as_delivered(header);
  codec::RlpReader items = codec::open_rlp_list(header.extra_data);
  std::array<codec::RlpItem, 5> item{};  // vanity, validators, vote, round, seals
  for (codec::RlpItem& one : item) one = items.any();
  if (!ok(items.finish())) fail(std::string("extraData: ") + error_name(items.finish()));

  RlpWriter hashed;
  for (std::size_t i = 0; i < 3; ++i) hashed.encoded(item[i].encoded());
  if (engine == Engine::qbft) hashed.integer(0).encoded(RlpWriter().list());
  const ByteVector extra = hashed.list();
  const std::array<Bytes, 1> parts{extra};
  return chain::hash_with_extra(header, parts);
}

Hash32 hash_of(const chain::Header& header, Engine engine) {
  const bool is_bft = engine == Engine::qbft || engine == Engine::ibft2;
  return is_bft ? bft_block_hash(header, engine) : chain::hash_as_delivered(header);
}

}  // namespace

std::optional<Engine> engine_of_name(std::string_view name) {
  if (name == "qbft") return Engine::qbft;
  if (name == "ibft2") return Engine::ibft2;
  if (name == "clique") return Engine::clique;
  if (name == "aura") return Engine::aura;
  return std::nullopt;
}

BlockHeader header_from_json(const json& block, Engine engine) {
  if (!block.is_object()) fail("the node gives no block");
  RlpWriter writer;
  write_common_fields(writer, block);
  const bool is_aura = engine == Engine::aura;
  if (is_aura) {
    write_aura_seal(writer, block);
  } else {
    write_data(writer, block, "mixHash", 32);
    write_data(writer, block, "nonce", 8);
  }
  const chain::HeaderShape shape = write_fork_fields(writer, block, is_aura);

  BlockHeader result;
  result.encoded = writer.list();
  const chain::Header header = decode(result.encoded, shape);
  result.shape = shape;
  result.number = header.number;
  result.timestamp_s = header.timestamp_s;
  result.parent_hash = to_array<32>(header.parent_hash);
  result.state_root = to_array<32>(header.state_root);
  result.hash = hash_of(header, engine);
  if (parse_hex_array<32>(text_field(block, "hash")) != result.hash) {
    fail("block " + std::to_string(result.number) + ": its fields do not have the hash that the node states");
  }
  return result;
}

std::vector<Address> listed_validators(const BlockHeader& block, Engine engine) {
  std::vector<Address> validators;
  if (engine != Engine::qbft && engine != Engine::ibft2) return validators;
  const chain::Header header = decode(block.encoded, block.shape);
  codec::RlpReader items = codec::open_rlp_list(header.extra_data);
  items.any();  // vanity
  codec::RlpReader list(items.list());
  while (!list.at_end() && ok(list.error())) {
    const Bytes address = list.fixed(sizeof(Address));
    if (ok(list.error())) validators.push_back(to_array<20>(address));
  }
  if (!ok(list.error())) fail(std::string("extraData: ") + error_name(list.error()));
  return validators;
}

std::size_t seal_count(const BlockHeader& block, Engine engine) {
  if (engine != Engine::qbft && engine != Engine::ibft2) return 0;
  const chain::Header header = decode(block.encoded, block.shape);
  codec::RlpReader items = codec::open_rlp_list(header.extra_data);
  for (int i = 0; i < 4; ++i) items.any();  // vanity, validators, vote, round
  codec::RlpReader seals(items.list());
  std::size_t count = 0;
  for (; !seals.at_end() && ok(seals.error()); ++count) seals.any();
  if (!ok(seals.error())) fail(std::string("extraData: ") + error_name(seals.error()));
  return count;
}

}  // namespace wattproof::ethereum
