// SPDX-License-Identifier: Apache-2.0
#include "genesis_command.hpp"

#include <gtest/gtest.h>

namespace wattproof::tool {
namespace {

const std::string one = "0x" + std::string(40, '1');
const std::string two = "0x" + std::string(40, '2');

Json genesis_of(const std::string& engine, const Json& validators) {
  GenesisOptions options;
  options.engine = engine;
  return genesis_command(options, validators).output;
}

TEST(genesis_command, lists_qbft_validators_in_ascending_order) {
  const Json genesis = genesis_of("qbft", Json::array({two, one}));
  EXPECT_EQ(genesis["extraData"], "0xf84fa0" + std::string(64, '0') + "ea94" + one.substr(2) + "94" + two.substr(2) + "c080c0");
  EXPECT_EQ(genesis["config"]["qbft"]["ceil2Nby3Block"], 0);
  EXPECT_EQ(genesis["mixHash"], "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365");
}

TEST(genesis_command, gives_ibft2_its_own_vote_and_round) {
  EXPECT_EQ(genesis_of("ibft2", Json::array({one}))["extraData"],
            "0xf83ea0" + std::string(64, '0') + "d594" + one.substr(2) + "808400000000c0");
}

TEST(genesis_command, gives_clique_an_empty_seal) {
  const Json genesis = genesis_of("clique", Json::array({two, one}));
  EXPECT_EQ(genesis["extraData"], "0x" + std::string(64, '0') + one.substr(2) + two.substr(2) + std::string(130, '0'));
  EXPECT_EQ(genesis["config"]["clique"]["period"], 1);
}

TEST(genesis_command, states_what_goquorum_needs_of_qbft_alone) {
  const Json qbft = genesis_of("qbft", Json::array({one}));
  EXPECT_EQ(qbft["config"]["isQuorum"], true);
  EXPECT_EQ(qbft["config"]["txnSizeLimit"], 64);
  EXPECT_FALSE(genesis_of("clique", Json::array({one}))["config"].contains("isQuorum"));
}

TEST(genesis_command, spaces_empty_blocks_under_both_clients_names) {
  GenesisOptions options;
  options.engine = "qbft";
  options.empty_period_s = 30;
  const Json section = genesis_command(options, Json::array({one})).output["config"]["qbft"];
  EXPECT_EQ(section["emptyblockperiodseconds"], 30);
  EXPECT_EQ(section["xemptyblockperiodseconds"], 30);
  EXPECT_FALSE(genesis_of("qbft", Json::array({one}))["config"]["qbft"].contains("emptyblockperiodseconds"));
  options.engine = "clique";
  EXPECT_THROW(genesis_command(options, Json::array({one})), InputError);
}

TEST(genesis_command, lets_goquorum_wait_with_an_empty_block_unless_told_otherwise) {
  GenesisOptions options;
  options.engine = "qbft";
  options.fork = "berlin";
  options.period_s = 5;
  const auto section = [&options] { return genesis_command(options, Json::array({one})).output["config"]["qbft"]; };
  EXPECT_EQ(section()["emptyblockperiodseconds"], 10);
  options.empty_period_s = 5;
  EXPECT_FALSE(section().contains("emptyblockperiodseconds"));
}

TEST(genesis_command, gives_coins_to_whom_the_operator_names) {
  GenesisOptions options;
  options.engine = "clique";
  options.funded = {two};
  const Json alloc = genesis_command(options, Json::array({one})).output["alloc"];
  EXPECT_EQ(alloc, Json({{two, {{"balance", "0x1" + std::string(25, '0')}}}}));
  options.funded = {"0x12"};
  EXPECT_THROW(genesis_command(options, Json::array({one})), InputError);
}

TEST(genesis_command, names_what_is_wrong) {
  const auto field = [](const std::string& engine, const Json& validators) -> std::string {
    try {
      genesis_of(engine, validators);
      return "ok";
    } catch (const InputError& error) {
      return error.field;
    }
  };
  EXPECT_EQ(field("aura", Json::array({one})), "--engine");
  EXPECT_EQ(field("qbft", Json::array()), "validators");
  EXPECT_EQ(field("qbft", Json::array({one, one})), "validators");
  EXPECT_EQ(field("qbft", Json::array({one, "0x12"})), "validators[1]");
  EXPECT_EQ(field("qbft", Json::object()), "validators");
}

}  // namespace
}  // namespace wattproof::tool
