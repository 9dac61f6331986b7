// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "command.hpp"
#include "crypto/keccak.hpp"
#include "support/vectors.hpp"

namespace wattproof::tool {
namespace {

Json load(const std::filesystem::path& path) {
  std::ifstream file(path);
  return Json::parse(file);
}

Json with_prefix(const Json& list) {
  Json result = Json::array();
  for (const Json& item : list) result.push_back("0x" + item.get<std::string>());
  return result;
}

Json raw_case(const Json& vector) {
  return {{"root", "0x" + vector["root"].get<std::string>()},
          {"kind", "raw"},
          {"key", "0x" + vector["key"].get<std::string>()},
          {"nodes", with_prefix(vector["proof_no_embedded"])}};
}

TEST(verify_proof_command, finds_the_values_of_proofs_that_others_made) {
  const auto path = testing::find_vectors("mpt/merkletrie_solidity_cases.json");
  WATTPROOF_REQUIRE_INPUT(path);
  int found = 0;
  for (const Json& vector : load(path)) {
    if (!vector["valid"]) continue;
    const Outcome outcome = verify_proof_command(raw_case(vector));
    EXPECT_EQ(outcome.status, exit_ok);
    EXPECT_EQ(outcome.output.dump(), R"({"result":"found","value":"0x)" + vector["value"].get<std::string>() + "\"}");
    ++found;
  }
  EXPECT_EQ(found, 10);
}

TEST(verify_proof_command, refuses_every_shortened_proof) {
  const auto path = testing::find_vectors("mpt/merkletrie_solidity_cases.json");
  WATTPROOF_REQUIRE_INPUT(path);
  int refused = 0;
  for (const Json& vector : load(path)) {
    if (!vector["valid"]) continue;
    Json document = raw_case(vector);
    while (!document["nodes"].empty()) {
      document["nodes"].erase(document["nodes"].size() - 1);
      const Outcome outcome = verify_proof_command(document);
      EXPECT_EQ(outcome.status, exit_refused);
      EXPECT_EQ(outcome.output.dump(), R"({"error":"trie_truncated"})");
      ++refused;
    }
  }
  EXPECT_GE(refused, 10);
}

TEST(verify_proof_command, hashes_account_and_slot_by_itself) {
  const auto path = testing::find_vectors("execution-apis/rpc_io.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const Json recorded = load(path);
  const Json& answer = recorded.at("tests/eth_getProof/get-account-proof-with-storage.io").at(0).at("response").at("result");
  // The first node's hash is the root: what is tested here is the keys, not the block.
  const Hash32 root = crypto::keccak256(testing::from_hex(answer.at("accountProof").at(0).get<std::string>()));
  const Outcome account = verify_proof_command({{"root", ethereum::to_hex(root)}, {"kind", "account"},
                                                {"key", answer.at("address")}, {"nodes", answer.at("accountProof")}});
  ASSERT_EQ(account.status, exit_ok) << account.output;
  EXPECT_EQ(account.output["result"], "found");
  EXPECT_NE(account.output["value"].get<std::string>().find(answer.at("storageHash").get<std::string>().substr(2)), std::string::npos);
  const Outcome slot = verify_proof_command({{"root", answer.at("storageHash")}, {"kind", "storage"},
                                             {"key", "0x" + std::string(64, '0')}, {"nodes", answer.at("storageProof").at(0).at("proof")}});
  EXPECT_EQ(slot.status, exit_ok) << slot.output;
}

TEST(verify_proof_command, names_the_field_that_is_wrong) {
  const auto field = [](const Json& document) -> std::string {
    try {
      verify_proof_command(document);
      return "ok";
    } catch (const InputError& error) {
      return error.field;
    }
  };
  const Json good = {{"root", "0x" + std::string(64, '1')}, {"kind", "receipt"}, {"key", 0}, {"nodes", Json::array({"0x80"})}};
  EXPECT_EQ(field(good), "ok");
  const auto with = [&good](const char* name, const Json& value) {
    Json changed = good;
    changed[name] = value;
    return changed;
  };
  EXPECT_EQ(field(with("key", "0x00")), "key");
  EXPECT_EQ(field(with("key", -1)), "key");
  EXPECT_EQ(field(with("kind", "block")), "kind");
  EXPECT_EQ(field(with("root", "0x11")), "root");
  EXPECT_EQ(field(with("nodes", Json::array({"0x80", 7}))), "nodes[1]");
  EXPECT_EQ(field(with("extra", 1)), "extra");
  EXPECT_EQ(field(with("log_index", 1)), "log_index");
  EXPECT_EQ(field(with("kind", "log")), "log_index");
}

}  // namespace
}  // namespace wattproof::tool
