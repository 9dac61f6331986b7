// SPDX-License-Identifier: Apache-2.0
// What an operator's node says, from headers that real validators have made (tests/vectors/real_networks.md).
#include <gtest/gtest.h>

#include <fstream>

#include "chain_commands.hpp"
#include "codec/rlp.hpp"
#include "rlp_writer.hpp"
#include "support/vectors.hpp"

namespace wattproof::tool {
namespace {

using NodeJson = ethereum::Json;
using ethereum::RlpWriter;

NodeJson recorded(const char* name) {
  return NodeJson::parse(std::ifstream(std::filesystem::path(WATTPROOF_SOURCE_DIR) / "tests/vectors" / name));
}

// A header as JSON-RPC gives it; numbers without leading zeros, bytes whole.
NodeJson block_of(const NodeJson& vector) {
  static constexpr std::array<const char*, 16> names{
      "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
      "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas"};
  const std::vector<std::uint8_t> encoded = testing::from_hex(vector["rlp"].get<std::string>());
  codec::RlpReader reader = codec::open_rlp_list(encoded);
  NodeJson block = {{"hash", vector["hash"]}};
  for (std::size_t i = 0; i < names.size() && !reader.at_end(); ++i) {
    std::string text = testing::to_hex(reader.any().payload);
    const bool is_number = (i >= 7 && i <= 11) || i == 15;
    if (is_number && text.empty()) text = "0";
    if (is_number && text.size() > 1) text.erase(0, text.find_first_not_of('0'));
    block[names[i]] = "0x" + text;
  }
  return block;
}

struct Node : ethereum::Rpc {
  explicit Node(NodeJson newest) : block(std::move(newest)) {}
  NodeJson call(const std::string& method, NodeJson) override { return method == "eth_chainId" ? NodeJson("0x5124") : block; }
  std::vector<ethereum::RpcAnswer> batch(const std::vector<ethereum::RpcCall>&) override { return {}; }
  NodeJson block;
};

const char* const device = R"({"slots":4,"slot_seconds":3600,"device":{"type":"fixed","profile_w":[1,1,1,1]},"min_w":0,
                               "max_w":10,"fallback_w":0})";

std::string file_with(const std::string& text) {
  const std::string path = ::testing::TempDir() + "provision_" + std::to_string(std::hash<std::string>{}(text)) + ".json";
  std::ofstream(path) << text;
  return path;
}

// The TOML text, or the name of what was refused.
std::string provision(Node& node, const std::string& engine, const std::string& validators_file, const char* document = device) {
  ChainOptions chain;
  chain.registry = "0x" + std::string(40, '1');
  chain.engine = engine;
  ProvisionOptions options;
  options.id = 1;
  options.validators_file = validators_file;
  ::testing::internal::CaptureStdout();
  std::string refused;
  try {
    provision_command(chain, options, parse_document(document), node);
  } catch (const Refused& error) {
    refused = error.error + ": " + error.what();
  } catch (const InputError& error) {
    refused = error.field;
  }
  const std::string text = ::testing::internal::GetCapturedStdout();
  return refused.empty() ? text : refused;
}

TEST(provision_command, trusts_the_validators_that_the_operator_and_a_real_header_name) {
  const NodeJson network = recorded("goquorum_qbft.json");
  Node node(block_of(network["headers"][0]));
  const std::string text = provision(node, "qbft", file_with(network["validators"].dump()));
  EXPECT_NE(text.find("engine = \"qbft\"\nheader = \"frontier\""), std::string::npos) << text;
  for (const auto& address : network["validators"]) EXPECT_NE(text.find(address.get<std::string>()), std::string::npos);
  EXPECT_EQ(provision(node, "qbft", ""), text);
}

TEST(provision_command, refuses_a_node_of_other_validators) {
  const NodeJson network = recorded("goquorum_qbft.json");
  Node node(block_of(network["headers"][0]));
  NodeJson others = network["validators"];
  others.erase(0);
  EXPECT_TRUE(provision(node, "qbft", file_with(others.dump())).starts_with("validators_mismatch"));
}

TEST(provision_command, refuses_a_network_with_a_smaller_quorum_and_says_what_is_missing) {
  const NodeJson network = recorded("goquorum_qbft.json");
  NodeJson block = block_of(network["headers"][0]);
  // The block hash does not cover the seals, so the same block with two of four is still that block.
  const std::vector<std::uint8_t> extra = testing::from_hex(block["extraData"].get<std::string>());
  codec::RlpReader items = codec::open_rlp_list(extra);
  RlpWriter fewer;
  for (int i = 0; i < 4; ++i) fewer.encoded(items.any().encoded());
  codec::RlpReader seals(items.list());
  RlpWriter two;
  for (int i = 0; i < 2; ++i) two.encoded(seals.any().encoded());
  block["extraData"] = "0x" + testing::to_hex(fewer.encoded(two.list()).list());
  Node node(block);
  const std::string refusal = provision(node, "qbft", "");
  EXPECT_TRUE(refusal.starts_with("seal_below_quorum")) << refusal;
  EXPECT_NE(refusal.find("ceil2Nby3Block"), std::string::npos) << refusal;
}

TEST(provision_command, takes_clique_signers_from_the_operator_alone) {
  const NodeJson network = recorded("geth_clique.json");
  Node node(block_of(network["headers"][2]));
  EXPECT_EQ(provision(node, "clique", ""), "--validators");
  const std::string text = provision(node, "clique", file_with(network["validators"].dump()));
  EXPECT_NE(text.find("engine = \"clique\"\nheader = \"london\""), std::string::npos) << text;
  EXPECT_NE(text.find("number = 3\nhash = " + network["headers"][2]["hash"].dump()), std::string::npos) << text;
}

TEST(provision_command, writes_the_own_costs_of_a_home_and_its_parts) {
  const char* const home =
      R"({"slots":4,"slot_seconds":3600,"min_w":-500,"max_w":500,"fallback_w":0,"device":{"type":"home","limit_w":500,)"
      R"("own_cost_quadratic":7,"devices":[{"type":"curtailable","min_w":-500,"max_w":0,"own_cost_quadratic":8},)"
      R"({"type":"generator","power_min_w":-100,"power_max_w":0,"cost_linear":1,"cost_quadratic":9}]}})";
  const NodeJson network = recorded("goquorum_qbft.json");
  Node node(block_of(network["headers"][0]));
  const std::string text = provision(node, "qbft", "", home);
  EXPECT_NE(text.find("kind = \"home\"\nlimit_w = 500\nown_cost_quadratic = 7\n"), std::string::npos) << text;
  EXPECT_NE(text.find("kind = \"curtailable\"\nown_cost_quadratic = 8\n"), std::string::npos) << text;
  EXPECT_NE(text.find("cost_quadratic = 9\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("own_cost_quadratic = 9\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace wattproof::tool
