// SPDX-License-Identifier: Apache-2.0
#include "chain/clique.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"
#include "unit/chain/clique_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::array_from_hex;
using testing::Buffer;
using testing::clique_checkpoint;
using testing::clique_child;
using testing::find_vectors;
using testing::from_hex;
using testing::sorted_keys;
using testing::TestCliqueHeader;
using testing::TestKey;
using testing::to_hex;

// Verifies and, if accepted, commits. A refusal must leave the state as it was.
Error verify(Bytes encoded, CliqueState& state, const CliqueConfig& config, TimeBounds time = {}) {
  const CliqueState before = state;
  CliqueVerifier verifier;
  Error error = verifier.begin(encoded, state, config, time);
  if (error == Error::none) {
    const Result<Progress> progress = verifier.step();
    error = progress.error();
    if (progress) {
      verifier.commit(state);
      return Error::none;
    }
  }
  EXPECT_EQ(state, before) << error_name(error);
  EXPECT_EQ(verifier.step().error(), Error::not_ready);
  return error;
}

Error extend(CliqueState& state, const TestKey& key, const CliqueConfig& config,
             const std::function<void(TestCliqueHeader&)>& change = [](TestCliqueHeader&) {}) {
  TestCliqueHeader header = clique_child(state, key, config);
  change(header);
  header.seal_with(key);
  return verify(header.encode(), state, config);
}

// The keys of the scenarios' names, so that A < B < C in the order of their addresses is not assumed anywhere.
TestKey key_of(const std::string& name) { return TestKey(1000U + static_cast<std::uint32_t>(name[0])); }

std::vector<TestKey> keys_of(const json& names) {
  std::vector<TestKey> keys;
  for (const json& name : names) keys.push_back(key_of(name.get<std::string>()));
  std::sort(keys.begin(), keys.end(), [](const TestKey& a, const TestKey& b) { return a.address < b.address; });
  return keys;
}

Error run_scenario(const json& scenario, CliqueState& state) {
  CliqueConfig config;
  config.epoch_length = scenario["epoch"].get<std::uint64_t>();
  state = clique_checkpoint(keys_of(scenario["signers"]));
  for (const json& vote : scenario["votes"]) {
    const Error error = extend(state, key_of(vote["signer"].get<std::string>()), config, [&](TestCliqueHeader& header) {
      if (vote.contains("voted")) {
        header.vote(key_of(vote["voted"].get<std::string>()).address, vote.value("auth", false));
      }
      if (vote.contains("checkpoint")) {
        header.list.clear();
        for (const TestKey& key : keys_of(vote["checkpoint"])) header.list.push_back(key.address);
      }
    });
    if (error != Error::none) return error;
  }
  return Error::none;
}

TEST(clique, agrees_with_the_voting_scenarios_of_the_specification) {
  const auto path = find_vectors("clique/eip225_vote_table_geth.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const std::map<std::string, Error> failures = {{"errUnauthorizedSigner", Error::unknown_signer},
                                                 {"errRecentlySigned", Error::signed_recently}};
  std::size_t passed = 0;
  std::size_t blocks = 0;
  const json scenarios = json::parse(std::ifstream(path));
  for (const json& scenario : scenarios) {
    CliqueState state;
    const Error error = run_scenario(scenario, state);
    blocks += scenario["votes"].size();
    if (scenario["failure"].is_null()) {
      EXPECT_EQ(error, Error::none) << scenario["description"];
      EXPECT_EQ(state.signers, testing::set_of(keys_of(scenario["results"]))) << scenario["description"];
      passed += error == Error::none ? 1U : 0U;
    } else {
      EXPECT_EQ(error, failures.at(scenario["failure"].get<std::string>())) << scenario["description"];
      passed += error != Error::none ? 1U : 0U;
    }
  }
  EXPECT_EQ(passed, 24U);
  EXPECT_EQ(blocks, 118U);
  std::printf("voting scenarios: %zu of %zu, %zu blocks\n", passed, scenarios.size(), blocks);
}

// A real chain: its genesis as the checkpoint, then its headers.
struct RealChain {
  CliqueConfig config;
  CliqueState genesis;
  std::vector<Buffer> headers;
};

RealChain real_chain(const json& list, HeaderShape shape, std::uint32_t period_s) {
  RealChain chain;
  chain.config.shape = shape;
  chain.config.period_s_min = period_s;
  for (const json& vector : list) chain.headers.push_back(from_hex(vector["header_rlp"].get<std::string>()));
  Header header;
  EXPECT_EQ(decode_header(chain.headers[0], shape, header), Error::none);
  chain.genesis.hash = hash_as_delivered(header);
  chain.genesis.timestamp = {header.timestamp_s};
  chain.genesis.is_linked = true;
  const Bytes signers = header.extra_data.subspan(32, header.extra_data.size() - 97);
  for (std::size_t i = 0; i < signers.size(); i += 20) {
    chain.genesis.signers.items[chain.genesis.signers.count++] = to_array<20>(signers.subspan(i, 20));
  }
  chain.headers.erase(chain.headers.begin());
  return chain;
}

std::size_t check_real_chain(const RealChain& chain, const json& list, const char* hash_name) {
  CliqueState state = chain.genesis;
  EXPECT_EQ(to_hex(state.hash), list[0][hash_name].get<std::string>());
  std::size_t accepted = 0;
  for (std::size_t i = 0; i < chain.headers.size(); ++i) {
    Buffer encoded = chain.headers[i];
    for (std::size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
      encoded[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_NE(verify(encoded, state, chain.config), Error::none) << "block " << i + 1 << " bit " << bit;
      encoded[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    }
    EXPECT_EQ(verify(encoded, state, chain.config), Error::none) << "block " << i + 1;
    EXPECT_EQ(to_hex(state.hash), list[i + 1][hash_name].get<std::string>());
    EXPECT_EQ(to_hex(state.recent[state.recent_count - 1].signer), list[i + 1]["signer"].get<std::string>());
    ++accepted;
  }
  return accepted;
}

TEST(clique, follows_real_chains_and_refuses_every_changed_bit) {
  const auto rinkeby_path = find_vectors("clique/rinkeby_headers.json");
  const auto besu_path = find_vectors("clique/besu_clique_blocks.json");
  WATTPROOF_REQUIRE_INPUT(rinkeby_path);
  WATTPROOF_REQUIRE_INPUT(besu_path);
  const json rinkeby = json::parse(std::ifstream(rinkeby_path))["headers"];
  const json besu = json::parse(std::ifstream(besu_path))["blocks"];
  const std::size_t frontier = check_real_chain(real_chain(rinkeby, HeaderShape::frontier, 15), rinkeby, "hash");
  const std::size_t london = check_real_chain(real_chain(besu, HeaderShape::london, 1), besu, "block_hash");
  EXPECT_EQ(frontier, 5U);
  EXPECT_EQ(london, 4U);
  std::printf("real Clique headers accepted: %zu and %zu\n", frontier, london);
}

class Clique : public ::testing::Test {
 protected:
  std::vector<TestKey> keys = sorted_keys(4);
  CliqueConfig config{.epoch_length = 10};
  CliqueState state = clique_checkpoint(keys, 5);

  Error error_with(const std::function<void(TestCliqueHeader&)>& change) { return extend(state, keys[2], config, change); }
};

TEST_F(Clique, refuses_each_broken_rule_by_its_name) {
  EXPECT_EQ(error_with([](auto& h) { h.fields.mix_hash[0] = 1; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& h) { h.fields.ommers_hash[0] ^= 1; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& h) { h.fields.nonce[7] = 1; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& h) { h.fields.nonce[0] = 0xff; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& h) { h.fields.gas_used = h.fields.gas_limit + 1; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& h) { h.fields.difficulty = 0; }), Error::wrong_difficulty);
  EXPECT_EQ(error_with([](auto& h) { h.fields.difficulty = 3; }), Error::wrong_difficulty);
  EXPECT_EQ(error_with([](auto& h) { h.fields.difficulty = 3 - h.fields.difficulty; }), Error::wrong_difficulty);
  EXPECT_EQ(error_with([](auto& h) { h.fields.number = 5; }), Error::number_not_newer);
  EXPECT_EQ(error_with([](auto& h) { h.vanity.resize(32 + 19); }), Error::extra_data_invalid) << "no whole address";
  EXPECT_EQ(error_with([](auto& h) { h.fields.number = 4; }), Error::number_not_newer);
  EXPECT_EQ(error_with([](auto& h) { h.fields.number = 7; }), Error::number_not_contiguous);
  EXPECT_EQ(error_with([](auto& h) { h.fields.parent_hash[0] ^= 1; }), Error::parent_hash_mismatch);
  EXPECT_EQ(error_with([](auto& h) { h.fields.timestamp_s -= 1; }), Error::timestamp_too_early);
  EXPECT_EQ(error_with([](auto& h) { h.fields.timestamp_s = 0; }), Error::timestamp_too_early);
  EXPECT_EQ(error_with([](auto& h) { h.vanity.pop_back(); }), Error::extra_data_invalid);
  EXPECT_EQ(error_with([](auto& h) { h.vanity.clear(); }), Error::extra_data_invalid);
  EXPECT_EQ(error_with([&](auto& h) { h.list.push_back(keys[0].address); }), Error::extra_data_invalid)
      << "a list on a block that is no epoch block";
  CliqueConfig later = config;
  later.shape = HeaderShape::shanghai;
  EXPECT_EQ(extend(state, keys[2], later), Error::header_field_invalid);

  TestCliqueHeader header = clique_child(state, keys[2], config);
  header.seal_with(TestKey(77));
  EXPECT_EQ(verify(header.encode(), state, config), Error::unknown_signer);
  header.seal_with(keys[2]);
  EXPECT_EQ(verify(header.encode(), state, config, {{0}, {header.fields.timestamp_s - 1}}), Error::timestamp_in_future);
  header.seal[64] = 27;
  EXPECT_EQ(verify(header.encode(), state, config), Error::bad_signature);
  header.seal.assign(65, 0);
  EXPECT_EQ(verify(header.encode(), state, config), Error::bad_signature);
}

TEST_F(Clique, accepts_a_high_s_since_the_block_hash_binds_the_seal) {
  TestCliqueHeader header = clique_child(state, keys[2], config);
  header.seal_with(keys[2]);
  const crypto::Signature high = testing::with_high_s(to_array<65>(header.seal));
  header.seal.assign(high.begin(), high.end());
  EXPECT_EQ(verify(header.encode(), state, config), Error::none);
  EXPECT_EQ(state.recent[0].signer, keys[2].address);
}

TEST_F(Clique, an_epoch_block_lists_the_set_and_votes_on_nothing) {
  const std::array order{0, 1, 2, 3};
  for (const int index : order) ASSERT_EQ(extend(state, keys[static_cast<std::size_t>(index)], config), Error::none);
  ASSERT_EQ(state.number, 9U);
  const auto error_of = [&](const std::function<void(TestCliqueHeader&)>& change) {
    return extend(state, keys[0], config, change);
  };
  EXPECT_EQ(error_of([](auto& h) { h.list.clear(); }), Error::validators_empty);
  EXPECT_EQ(error_of([](auto& h) { std::swap(h.list[0], h.list[1]); }), Error::validators_not_ascending);
  EXPECT_EQ(error_of([](auto& h) { h.list.resize(validator_count_max + 1); }), Error::validators_too_many);
  EXPECT_EQ(error_of([](auto& h) { h.list.pop_back(); }), Error::validators_mismatch);
  EXPECT_EQ(error_of([](auto& h) { h.list[3][19] ^= 1; }), Error::validators_mismatch);
  EXPECT_EQ(error_of([](auto& h) { h.fields.coinbase[0] = 1; }), Error::header_field_invalid);
  EXPECT_EQ(error_of([](auto& h) { h.fields.nonce.fill(0xff); }), Error::header_field_invalid);
  EXPECT_EQ(error_of([](auto&) {}), Error::none);
}

TEST_F(Clique, nothing_verifies_once_the_set_is_empty) {
  CliqueState lonely = clique_checkpoint({keys[0]});
  EXPECT_EQ(extend(lonely, keys[0], config, [&](auto& h) { h.vote(keys[0].address, false); }), Error::none);
  EXPECT_EQ(lonely.signers.count, 0U);
  EXPECT_EQ(extend(lonely, keys[0], config), Error::validators_empty);
}

TEST_F(Clique, pending_votes_have_a_limit) {
  config.epoch_length = 1'000'000;
  std::uint32_t blocks = 0;
  Error error = Error::none;
  while (error == Error::none && blocks <= clique_vote_count_max) {
    error = extend(state, keys[blocks % 4], config, [&](auto& h) { h.vote(TestKey(5000 + blocks).address, true); });
    ++blocks;
  }
  EXPECT_EQ(error, Error::votes_too_many);
  EXPECT_EQ(state.vote_count, clique_vote_count_max);
  // Replacing an own vote, and not voting at all, still go on.
  EXPECT_EQ(extend(state, keys[0], config, [&](auto& h) { h.vote(TestKey(5000).address, true); }), Error::none);
  EXPECT_EQ(extend(state, keys[1], config), Error::none);
}

TEST_F(Clique, signers_have_a_limit) {
  const std::vector<TestKey> many = sorted_keys(validator_count_max);
  CliqueState full = clique_checkpoint(many);
  const Address target = TestKey(9999).address;
  Error error = Error::none;
  std::uint32_t blocks = 0;
  while (error == Error::none && blocks < validator_count_max) {
    error = extend(full, many[blocks++], config, [&](auto& h) {
      if (h.list.empty()) h.vote(target, true);
    });
  }
  // 17 of 32 votes would pass it; the epoch block in between clears those cast before.
  EXPECT_EQ(error, Error::none);
  config.epoch_length = 1'000'000;
  full = clique_checkpoint(many);
  blocks = 0;
  error = Error::none;
  while (error == Error::none && blocks < validator_count_max) {
    error = extend(full, many[blocks++], config, [&](auto& h) { h.vote(target, true); });
  }
  EXPECT_EQ(error, Error::validators_too_many);
  EXPECT_EQ(blocks, majority(validator_count_max));
}

TEST_F(Clique, a_block_settles_with_more_than_half_of_the_signers) {
  EXPECT_EQ(settled_block(state).error(), Error::not_final);
  EXPECT_EQ(extend(state, keys[0], config), Error::none);
  EXPECT_EQ(extend(state, keys[1], config), Error::none);
  EXPECT_EQ(settled_block(state).error(), Error::not_final);
  EXPECT_EQ(extend(state, keys[2], config), Error::none);
  ASSERT_EQ(settled_block(state).error(), Error::none);
  EXPECT_EQ(settled_block(state)->number, 6U);
  EXPECT_EQ(extend(state, keys[0], config), Error::none);
  EXPECT_EQ(settled_block(state)->number, 7U);
}

TEST_F(Clique, a_small_set_that_grew_does_not_settle_by_its_old_pace) {
  // Two signers alternate, then two more are voted in: three distinct ones are due, two had been enough.
  config.epoch_length = 1'000'000;
  CliqueState two = clique_checkpoint({keys[0], keys[1]});
  EXPECT_EQ(extend(two, keys[0], config, [&](auto& h) { h.vote(keys[2].address, true); }), Error::none);
  EXPECT_EQ(extend(two, keys[1], config, [&](auto& h) { h.vote(keys[3].address, true); }), Error::none);
  EXPECT_EQ(settled_block(two)->number, 1U);
  EXPECT_EQ(extend(two, keys[0], config, [&](auto& h) { h.vote(keys[3].address, true); }), Error::none);
  EXPECT_EQ(two.signers.count, 3U);
  EXPECT_EQ(extend(two, keys[1], config, [&](auto& h) { h.vote(keys[2].address, true); }), Error::none);
  EXPECT_EQ(two.signers.count, 4U);
  EXPECT_EQ(settled_block(two).error(), Error::not_final) << "four blocks, but by two signers";
}

TEST_F(Clique, of_two_forks_the_heavier_is_known_by_its_sum) {
  CliqueState in_turn = state;
  CliqueState out_of_turn = state;
  EXPECT_EQ(extend(in_turn, keys[2], config), Error::none);       // 6 mod 4 = 2
  EXPECT_EQ(extend(out_of_turn, keys[3], config), Error::none);
  EXPECT_EQ(in_turn.difficulty_sum, 2U);
  EXPECT_EQ(out_of_turn.difficulty_sum, 1U);
}

TEST_F(Clique, a_checkpoint_without_hash_and_time_needs_only_the_seal) {
  TestCliqueHeader header = clique_child(state, keys[2], config);
  header.seal_with(keys[2]);
  CliqueState bare;
  bare.signers = state.signers;
  EXPECT_EQ(verify(header.encode(), bare, config), Error::none);
  EXPECT_EQ(bare.hash, header.hash());
}

TEST_F(Clique, nobody_seals_a_genesis) {
  config.epoch_length = 0;  // no epoch blocks: number 0 would be one
  CliqueState bare;
  bare.signers = state.signers;
  TestCliqueHeader header = clique_child(bare, keys[1], config);
  header.fields.number = 0;
  header.seal_with(keys[1]);
  EXPECT_EQ(verify(header.encode(), bare, config), Error::number_not_newer);
  header.fields.number = 1;
  header.seal_with(keys[1]);
  EXPECT_EQ(verify(header.encode(), bare, config), Error::none) << "without epochs a chain goes on all the same";
}

TEST_F(Clique, who_was_dropped_settles_nothing_any_more) {
  config.epoch_length = 1'000'000;
  // 0, 1 and 2 drop 3, which has just sealed; of the three that are left two are due.
  for (const std::uint32_t signer : {3U, 0U, 1U}) {
    ASSERT_EQ(extend(state, keys[signer], config, [&](auto& h) {
      if (signer != 3) h.vote(keys[3].address, false);
    }), Error::none);
  }
  ASSERT_EQ(extend(state, keys[2], config, [&](auto& h) { h.vote(keys[3].address, false); }), Error::none);
  EXPECT_EQ(state.signers.count, 3U);
  EXPECT_EQ(settled_block(state)->number, state.number - 1);
  CliqueState only_dropped = state;
  only_dropped.recent[0] = state.recent[0];
  only_dropped.recent_count = 1;
  ASSERT_EQ(only_dropped.recent[0].signer, keys[3].address);
  EXPECT_EQ(settled_block(only_dropped).error(), Error::not_final);
}

TEST_F(Clique, commits_only_what_was_accepted) {
  CliqueVerifier verifier;
  EXPECT_DEATH(verifier.commit(state), "CHECK failed");
}

}  // namespace
}  // namespace wattproof::chain
