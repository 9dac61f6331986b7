// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>

#include "command.hpp"
#include "crypto/keccak.hpp"
#include "support/vectors.hpp"
#include "unit/chain/trie_maker.hpp"

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

// The answer for the only transaction of a block.
Outcome outcome_of_transaction(const testing::Buffer& encoded) {
  testing::TestTrie trie;
  const testing::Buffer key{0x80};
  trie.put(key, encoded);
  Json nodes = Json::array();
  for (const testing::Buffer& node : trie.prove(key)) nodes.push_back(ethereum::to_hex(node));
  return verify_proof_command({{"root", ethereum::to_hex(trie.root())}, {"kind", "transaction"}, {"key", 0}, {"nodes", nodes}});
}

TEST(verify_proof_command, shows_what_a_proven_transaction_says) {
  const auto path = testing::find_vectors("execution-apis/chain_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::map<int, int> types;
  int unknown = 0;
  for (const Json& block : load(path)) {
    for (const Json& encoded : block["transactions"]) {
      const testing::Buffer bytes = testing::from_hex(encoded.get<std::string>());
      const Outcome outcome = outcome_of_transaction(bytes);
      ASSERT_EQ(outcome.status, exit_ok);
      EXPECT_EQ(outcome.output["result"], "found");
      EXPECT_EQ(outcome.output["value"], ethereum::to_hex(bytes));
      const Json& said = outcome.output["transaction"];
      if (said.contains("error")) {
        EXPECT_EQ(said.dump(), R"({"error":"unknown_kind"})");  // blobs and set codes came after London
        ++unknown;
        continue;
      }
      ++types[said["type"].get<int>()];
      EXPECT_TRUE(said["from"].is_string());
      EXPECT_EQ(said["hash"], ethereum::to_hex(crypto::keccak256(bytes)));
      EXPECT_EQ(said.contains("gas_price"), said["type"] != 2);
      EXPECT_EQ(said.contains("access_list"), said["type"] != 0);
    }
  }
  EXPECT_EQ(types.size(), 3U) << "legacy, 2930 and 1559";
  EXPECT_EQ(types[0] + types[1] + types[2] + unknown, 249);
}

TEST(verify_proof_command, shows_every_field_of_a_transaction) {
  // The example of EIP-155, whose sender and hash are known.
  const Outcome outcome = outcome_of_transaction(testing::from_hex(
      "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe53"
      "7567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"));
  EXPECT_EQ(outcome.output["transaction"].dump(),
            R"({"hash":"0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788","type":0,"chain_id":1,)"
            R"("from":"0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f","to":"0x3535353535353535353535353535353535353535",)"
            R"("nonce":9,"value":"0xde0b6b3a7640000","gas_limit":21000,"gas_price":"0x4a817c800","data":"0x"})");

  using testing::rlp_list;
  using testing::rlp_number;
  using testing::rlp_string;
  const testing::TestKey key(3);
  std::vector<testing::Buffer> items{rlp_number(1337), rlp_number(3), rlp_number(2), rlp_number(7), rlp_number(100'000), {0x80}, {0x80},
                                     rlp_string(testing::Buffer{1, 0}),
                                     rlp_list({rlp_list({rlp_string(Address{3}), rlp_list({rlp_string(Hash32{4})})})})};
  const auto typed = [](const testing::Buffer& list) {
    testing::Buffer out{2};
    out.insert(out.end(), list.begin(), list.end());
    return out;
  };
  const crypto::Signature signature = key.sign(crypto::keccak256(typed(rlp_list(items))));
  items.push_back(rlp_number(signature[64]));
  for (const std::size_t at : {0U, 32U}) items.push_back(rlp_string(Bytes(signature).subspan(at, 32)));
  const Json said = outcome_of_transaction(typed(rlp_list(items))).output["transaction"];
  EXPECT_EQ(said["from"], ethereum::to_hex(key.address)) << said;
  EXPECT_TRUE(said["to"].is_null()) << "it creates a contract";
  EXPECT_EQ(said["value"], "0x0");
  EXPECT_EQ(said["max_fee_per_gas"], "0x7");
  EXPECT_EQ(said["max_priority_fee_per_gas"], "0x2");
  EXPECT_EQ(said["data"], "0x0100");
  EXPECT_EQ(said["access_list"].dump(), R"([{"address":"0x03)" + std::string(38, '0') + R"(","storage_keys":["0x04)" +
                                            std::string(62, '0') + R"("]}])");
  EXPECT_EQ(outcome_of_transaction({1, 2, 3}).output["transaction"].dump(), R"({"error":"transaction_malformed"})");
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
