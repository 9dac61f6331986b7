// SPDX-License-Identifier: Apache-2.0
// Real headers of every engine are accepted, and none of them with a bit changed.
#include <gtest/gtest.h>

#include <fstream>

#include "command.hpp"
#include "support/vectors.hpp"

namespace wattproof::tool {
namespace {

constexpr std::size_t flip_step = 97;  // every 97th bit; the fuzz targets of lib/chain flip all of them

Json load(const std::filesystem::path& path) {
  std::ifstream file(path);
  return Json::parse(file);
}

std::string prefixed(const Json& text) { return "0x" + text.get<std::string>(); }

Json document_of(const std::string& engine, std::uint64_t number, const Json& validators, const std::string& header) {
  Json list = Json::array();
  for (const Json& validator : validators) list.push_back(prefixed(validator));
  return {{"engine", engine}, {"trusted", {{"number", number}, {"validators", list}}}, {"headers", Json::array({header})}};
}

void expect_refused_with_any_bit_flipped(Json document) {
  const std::string header = document["headers"][0];
  std::vector<std::uint8_t> bytes = testing::from_hex(header);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += flip_step) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    document["headers"][0] = ethereum::to_hex(bytes);
    const Outcome outcome = verify_header_command(document);
    EXPECT_EQ(outcome.status, exit_refused) << "bit " << bit;
    EXPECT_TRUE(outcome.output.contains("error"));
    EXPECT_EQ(outcome.output["index"], 0);
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
}

TEST(verify_header_command, accepts_real_bft_headers_and_their_final_hash) {
  const auto path = testing::find_vectors("bft/ibft2_qbft_real_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  int accepted = 0;
  const Json file = load(path);
  for (const auto& [name, vector] : file.items()) {
    const Json document = document_of(vector["kind"], vector["number"].get<std::uint64_t>() - 1, vector["validators"],
                                      prefixed(vector["header_rlp"]));
    const Outcome outcome = verify_header_command(document);
    ASSERT_EQ(outcome.status, exit_ok) << name << outcome.output;
    EXPECT_EQ(outcome.output["accepted"], 1);
    EXPECT_EQ(outcome.output["head"]["number"], vector["number"]);
    EXPECT_EQ(outcome.output["head"]["hash"], prefixed(vector["block_hash"]));
    EXPECT_EQ(outcome.output["head"]["signers"].size(), vector["n_seals"].get<std::size_t>());
    EXPECT_EQ(outcome.output["final"], (Json{{"number", vector["number"]}, {"hash", prefixed(vector["block_hash"])}}));
    expect_refused_with_any_bit_flipped(document);
    ++accepted;
  }
  EXPECT_EQ(accepted, 3);
}

TEST(verify_header_command, follows_real_clique_headers_from_their_genesis) {
  const auto path = testing::find_vectors("clique/rinkeby_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const Json blocks = load(path)["headers"];
  Json document = document_of("clique", 0, blocks[0]["signers_in_extra"], prefixed(blocks[1]["header_rlp"]));
  document["trusted"]["hash"] = prefixed(blocks[0]["hash"]);
  document["trusted"]["timestamp"] = blocks[0]["timestamp"];
  document["trusted"]["epoch"] = 30000;
  document["trusted"]["period_s"] = 15;
  expect_refused_with_any_bit_flipped(document);
  for (std::size_t i = 2; i < blocks.size(); ++i) document["headers"].push_back(prefixed(blocks[i]["header_rlp"]));
  const Outcome outcome = verify_header_command(document);
  ASSERT_EQ(outcome.status, exit_ok) << outcome.output;
  EXPECT_EQ(outcome.output["accepted"], 5);
  EXPECT_EQ(outcome.output["head"]["hash"], prefixed(blocks[5]["hash"]));
  EXPECT_EQ(outcome.output["head"]["signers"], Json::array({prefixed(blocks[5]["signer"])}));
  EXPECT_EQ(outcome.output["final"]["hash"], prefixed(blocks[4]["hash"]));  // two of three signers since
}

TEST(verify_header_command, accepts_real_aura_headers_but_the_tampered_one) {
  const auto path = testing::find_vectors("aura/kovan_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  int accepted = 0;
  int refused = 0;
  const Json file = load(path);
  for (const Json& vector : file["headers"]) {
    Json document = document_of("aura", vector["number"].get<std::uint64_t>() - 1, Json::array({vector["author"]}),
                                prefixed(vector["header_rlp"]));
    document["trusted"]["hash"] = prefixed(vector["parent"]);
    document["trusted"]["step_s"] = 4;
    const Outcome outcome = verify_header_command(document);
    EXPECT_EQ(outcome.status, vector["match"] ? exit_ok : exit_refused) << outcome.output;
    if (outcome.status == exit_ok) {
      EXPECT_EQ(outcome.output["head"]["hash"], prefixed(vector["hash"]));
      expect_refused_with_any_bit_flipped(document);
      ++accepted;
    } else {
      ++refused;
    }
  }
  EXPECT_EQ(accepted, 13);
  EXPECT_EQ(refused, 1);
}

TEST(verify_header_command, refuses_the_older_ibft_of_besu) {
  const auto path = testing::find_vectors("bft/besu_ibft1_101_blocks.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const Json file = load(path);
  const Json& blocks = file.is_array() ? file : file.contains("blocks") ? file["blocks"] : file["headers"];
  int refused = 0;
  for (const Json& block : blocks) {
    for (const char* engine : {"qbft", "ibft2"}) {
      const Json document = document_of(engine, 0, Json::array({std::string(40, '1')}), prefixed(block["header_rlp"]));
      refused += verify_header_command(document).status == exit_refused ? 1 : 0;
    }
  }
  EXPECT_EQ(refused, 202);
}

TEST(verify_header_command, names_the_field_that_is_wrong) {
  const auto field = [](const Json& document) -> std::string {
    try {
      verify_header_command(document);
      return "ok";
    } catch (const InputError& error) {
      return error.field;
    }
  };
  Json document = document_of("qbft", 1, Json::array({std::string(40, '1')}), "0xc0");
  EXPECT_EQ(field(document), "ok");
  document["headers"] = Json::array();
  EXPECT_EQ(field(document), "headers");
  document["headers"] = Json::array({"0xc"});
  EXPECT_EQ(field(document), "headers[0]");
  document["headers"] = Json::array({"0xc0"});
  document["trusted"]["step_s"] = 4;
  EXPECT_EQ(field(document), "trusted.step_s");
  document["trusted"].erase("step_s");
  document["trusted"]["validators"][0] = "0x11";
  EXPECT_EQ(field(document), "trusted.validators[0]");
  document["engine"] = "raft";
  EXPECT_EQ(field(document), "engine");
}

}  // namespace
}  // namespace wattproof::tool
