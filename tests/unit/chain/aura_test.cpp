// SPDX-License-Identifier: Apache-2.0
#include "chain/aura.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"
#include "unit/chain/aura_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::array_from_hex;
using testing::aura_checkpoint;
using testing::aura_child;
using testing::aura_start_step;
using testing::Buffer;
using testing::find_vectors;
using testing::from_hex;
using testing::sorted_keys;
using testing::TestAuraHeader;
using testing::TestKey;
using testing::to_hex;

Error verify(Bytes encoded, AuraState& state, const AuraConfig& config, TimeBounds time = {}) {
  const AuraState before = state;
  AuraVerifier verifier;
  Error error = verifier.begin(encoded, state, config, time);
  while (error == Error::none) {
    const Result<Progress> progress = verifier.step();
    error = progress.error();
    if (progress && *progress == Progress::accepted) {
      verifier.commit(state);
      return Error::none;
    }
  }
  EXPECT_EQ(state, before) << error_name(error);
  EXPECT_EQ(verifier.step().error(), Error::not_ready);
  return error;
}

// The checkpoint for a header alone: only its author is known to validate.
AuraState alone(const json& vector) {
  AuraState state;
  state.number = vector["number"].get<std::uint64_t>() - 1;
  state.validators.count = 1;
  state.validators.items[0] = array_from_hex<20>(vector["author"].get<std::string>());
  return state;
}

TEST(aura, accepts_every_real_header_but_the_tampered_one) {
  const auto path = find_vectors("aura/kovan_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const AuraConfig config{.step_s = 4};
  std::size_t accepted = 0;
  std::size_t refused = 0;
  const json headers = json::parse(std::ifstream(path))["headers"];
  for (const json& vector : headers) {
    AuraState state = alone(vector);
    const Error error = verify(from_hex(vector["header_rlp"].get<std::string>()), state, config);
    if (!vector["match"].get<bool>()) {
      EXPECT_EQ(error, Error::unknown_signer);
      ++refused;
      continue;
    }
    EXPECT_EQ(error, Error::none) << vector["number"];
    EXPECT_EQ(to_hex(state.hash), vector["hash"].get<std::string>());
    EXPECT_EQ(state.step, vector["step"].get<std::uint64_t>());
    ++accepted;
  }
  EXPECT_EQ(accepted, 13U);
  EXPECT_EQ(refused, 1U);
  std::printf("real AuRa headers: %zu accepted, %zu refused\n", accepted, refused);
}

TEST(aura, links_real_headers_by_hash_step_and_score) {
  const auto path = find_vectors("aura/kovan_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const json headers = json::parse(std::ifstream(path))["headers"];
  std::size_t linked = 0;
  for (std::size_t i = 0; i + 1 < headers.size(); ++i) {
    if (headers[i + 1]["parent"] != headers[i]["hash"]) continue;
    const AuraConfig config{.step_s = 4};
    AuraState state = alone(headers[i]);
    ASSERT_EQ(verify(from_hex(headers[i]["header_rlp"].get<std::string>()), state, config), Error::none);
    state.validators.items[0] = array_from_hex<20>(headers[i + 1]["author"].get<std::string>());
    EXPECT_EQ(verify(from_hex(headers[i + 1]["header_rlp"].get<std::string>()), state, config), Error::none);
    ++linked;
  }
  EXPECT_EQ(linked, 3U);
  std::printf("real AuRa pairs: %zu\n", linked);
}

TEST(aura, refuses_every_real_header_with_any_one_bit_changed) {
  const auto path = find_vectors("aura/kovan_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const AuraConfig config{.step_s = 4};
  std::size_t flips = 0;
  const json headers = json::parse(std::ifstream(path))["headers"];
  for (const json& vector : headers) {
    if (!vector["match"].get<bool>()) continue;
    AuraState state = alone(vector);
    Buffer encoded = from_hex(vector["header_rlp"].get<std::string>());
    for (std::size_t bit = 0; bit < 8 * encoded.size(); ++bit) {
      encoded[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      ASSERT_NE(verify(encoded, state, config), Error::none) << vector["number"] << " bit " << bit;
      encoded[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      ++flips;
    }
  }
  EXPECT_GT(flips, 60'000U);
  std::printf("changed bits refused: %zu\n", flips);
}

class Aura : public ::testing::Test {
 protected:
  // Contract order, on purpose not ascending.
  std::vector<TestKey> keys = [] {
    std::vector<TestKey> sorted = sorted_keys(6);
    std::reverse(sorted.begin(), sorted.end());
    return sorted;
  }();
  AuraConfig config;
  AuraState state = aura_checkpoint(keys);

  const TestKey& key_of(std::uint64_t step) const { return keys[static_cast<std::size_t>(step % keys.size())]; }

  // The next block at `step`, changed and then sealed by whoever's step it is.
  Error extend(std::uint64_t step, const std::function<void(TestAuraHeader&)>& change = [](TestAuraHeader&) {}) {
    TestAuraHeader header = aura_child(state, step, config.shape);
    change(header);
    header.seal_with(key_of(step));
    return verify(header.encode(), state, config);
  }
  Error next(const std::function<void(TestAuraHeader&)>& change) { return extend(state.step + 1, change); }
};

TEST_F(Aura, refuses_each_broken_rule_by_its_name) {
  EXPECT_EQ(next([](auto& h) { h.fields.gas_used = h.fields.gas_limit + 1; }), Error::header_field_invalid);
  EXPECT_EQ(next([](auto& h) { h.extra.assign(33, 1); }), Error::extra_data_invalid);
  EXPECT_EQ(next([](auto& h) { h.difficulty[15] -= 1; }), Error::wrong_difficulty);
  EXPECT_EQ(next([](auto& h) { h.difficulty.assign(1, 2); }), Error::wrong_difficulty);
  EXPECT_EQ(next([](auto& h) { h.fields.number += 1; }), Error::number_not_contiguous);
  EXPECT_EQ(next([](auto& h) { h.fields.number -= 1; }), Error::number_not_newer);
  EXPECT_EQ(next([](auto& h) { h.fields.number -= 2; }), Error::number_not_newer);
  EXPECT_EQ(next([](auto& h) { h.fields.parent_hash[0] ^= 1; }), Error::parent_hash_mismatch);
  EXPECT_EQ(next([](auto& h) { h.fields.timestamp_s -= 5; }), Error::timestamp_too_early);
  EXPECT_EQ(next([](auto& h) { h.fields.timestamp_s += 5; }), Error::wrong_step);
  EXPECT_EQ(next([&](auto& h) { h.fields.coinbase = key_of(h.step + 1).address; }), Error::wrong_author);
  EXPECT_EQ(next([](auto& h) { h.step -= 1; }), Error::wrong_step) << "equal: a double vote";
  EXPECT_EQ(next([](auto& h) { h.step -= 2; }), Error::wrong_step);
  TestAuraHeader header = aura_child(state, state.step + 1, config.shape);
  header.seal_with(key_of(state.step + 2));
  EXPECT_EQ(verify(header.encode(), state, config), Error::wrong_author);
  header.seal_with(TestKey(77));
  EXPECT_EQ(verify(header.encode(), state, config), Error::unknown_signer);
  header.seal.assign(65, 0);
  EXPECT_EQ(verify(header.encode(), state, config), Error::bad_signature);
  header.seal_with(key_of(state.step + 1));
  AuraConfig other = config;
  other.shape = HeaderShape::frontier;
  EXPECT_EQ(verify(header.encode(), state, other), Error::header_field_invalid);
  AuraState nobody = state;
  nobody.validators = ValidatorSet();
  EXPECT_EQ(verify(header.encode(), nobody, config), Error::validators_empty);
  EXPECT_EQ(verify(header.encode(), state, config), Error::none);
}

TEST_F(Aura, tolerates_a_second_before_the_step_and_a_high_s) {
  EXPECT_EQ(next([](auto& h) { h.fields.timestamp_s -= 1; }), Error::none);
  TestAuraHeader header = aura_child(state, state.step + 1, config.shape);
  header.seal_with(key_of(state.step + 1));
  const crypto::Signature high = testing::with_high_s(to_array<65>(header.seal));
  header.seal.assign(high.begin(), high.end());
  EXPECT_EQ(verify(header.encode(), state, config), Error::none);
}

TEST_F(Aura, holds_step_and_time_against_the_clock) {
  TestAuraHeader header = aura_child(state, state.step + 1, config.shape);
  header.seal_with(key_of(header.step));
  EXPECT_EQ(verify(header.encode(), state, config, {{0}, {header.fields.timestamp_s - 1}}), Error::timestamp_in_future);
  // A step that is far ahead with a timestamp that is not would pass no node's clock either.
  config.step_s = 3600;
  header = aura_child(state, state.step + 1, config.shape);
  header.step = header.fields.timestamp_s / 3600 + 1;
  EXPECT_EQ(verify(header.encode(), state, config), Error::wrong_step);
  AuraState bare = state;
  bare.is_linked = false;
  header = aura_child(bare, 1000, config.shape);
  header.fields.timestamp_s = 1000 * 3600 - 3599;
  header.seal_with(key_of(1000));
  EXPECT_EQ(verify(header.encode(), bare, config, {{0}, {header.fields.timestamp_s}}), Error::none) << "almost a step ahead";
}

TEST_F(Aura, a_sorted_set_is_another_set) {
  AuraState sorted = state;
  sorted.validators = testing::set_of(sorted_keys(6));
  TestAuraHeader header = aura_child(state, state.step + 1, config.shape);
  header.seal_with(key_of(header.step));
  EXPECT_EQ(verify(header.encode(), sorted, config), Error::wrong_author);
}

TEST_F(Aura, distinct_signers_make_finality_as_in_the_worked_example) {
  // n = 6, one half: authors 0,1,2,0,1,2 are three distinct signers, then 4 makes the first four blocks final.
  config.two_thirds_from = UINT64_MAX;
  ASSERT_EQ(aura_start_step % 6, 0U);
  std::uint64_t round = aura_start_step;
  for (int turn = 0; turn < 2; ++turn) {
    round += 6;
    for (const std::uint64_t author : {0U, 1U, 2U}) ASSERT_EQ(extend(round + author), Error::none);
    EXPECT_FALSE(state.has_final);
  }
  ASSERT_EQ(extend(round + 4), Error::none);
  EXPECT_TRUE(state.has_final);
  EXPECT_EQ(state.final_block.number, 54U);
  EXPECT_EQ(state.window_count, 3U);
}

TEST_F(Aura, two_thirds_ask_for_more_than_one_half) {
  // Four of six are more than half and not more than two thirds.
  for (const std::uint64_t author : {0U, 1U, 2U, 3U}) ASSERT_EQ(extend(aura_start_step + 6 + author), Error::none);
  EXPECT_FALSE(state.has_final);
  ASSERT_EQ(extend(aura_start_step + 6 + 4), Error::none);
  EXPECT_TRUE(state.has_final);
  EXPECT_EQ(state.final_block.number, 51U);
}

TEST_F(Aura, one_signer_never_makes_finality_however_long_its_chain) {
  for (std::uint64_t block = 1; block <= 3 * aura_window_max; ++block) {
    ASSERT_EQ(extend(aura_start_step + 6 * block), Error::none);
    ASSERT_FALSE(state.has_final);
  }
  EXPECT_EQ(state.window_count, aura_window_max);
  EXPECT_EQ(state.window[0].number, 51U) << "the oldest is kept when the window overflows";
  // When the others wake up, the oldest becomes final by them all.
  for (const std::uint64_t author : {1U, 2U, 3U, 4U}) ASSERT_EQ(extend(state.step / 6 * 6 + author), Error::none);
  EXPECT_TRUE(state.has_final);
  EXPECT_GE(state.final_block.number, 51U);
}

class AuraEmptySteps : public Aura {
 protected:
  AuraEmptySteps() { config.shape = HeaderShape::aura_empty_steps; }

  Error extend_with(std::uint64_t step, const std::vector<std::uint64_t>& empty,
                    const std::function<void(TestAuraHeader&)>& change = [](TestAuraHeader&) {}) {
    return extend(step, [&](TestAuraHeader& header) {
      for (const std::uint64_t empty_step : empty) header.add_empty_step(key_of(empty_step), empty_step);
      header.difficulty = testing::aura_difficulty(state.step, header.step, header.empty_steps.size());
      change(header);
    });
  }
};

TEST_F(AuraEmptySteps, count_for_their_parent) {
  const std::uint64_t first = aura_start_step + 1;
  ASSERT_EQ(extend_with(first, {}), Error::none);
  EXPECT_EQ(std::popcount(state.window[0].signers), 1);
  // Steps 2, 3, 4 are empty, 5 seals: block 51 has its author, three approvals and its child's author: five of six.
  ASSERT_EQ(extend_with(first + 4, {first + 1, first + 2, first + 3}), Error::none);
  EXPECT_TRUE(state.has_final);
  EXPECT_EQ(state.final_block.number, 51U);
}

TEST_F(AuraEmptySteps, both_shapes_are_sealed_over_the_raw_list) {
  ASSERT_EQ(extend_with(aura_start_step + 3, {aura_start_step + 1}), Error::none);
  config.shape = HeaderShape::aura_empty_steps_london;
  ASSERT_EQ(extend_with(aura_start_step + 5, {aura_start_step + 4}), Error::none);
  config.shape = HeaderShape::aura_london;
  ASSERT_EQ(extend(aura_start_step + 6), Error::none);
}

TEST_F(AuraEmptySteps, refuse_what_is_outside_the_gap_or_by_another) {
  const std::uint64_t first = aura_start_step;
  EXPECT_EQ(extend_with(first + 4, {first}), Error::wrong_step) << "the parent's own step";
  EXPECT_EQ(extend_with(first + 4, {first + 4}), Error::wrong_step) << "the header's own step";
  EXPECT_EQ(extend_with(first + 4, {first + 2, first + 2}), Error::wrong_step);
  EXPECT_EQ(extend_with(first + 4, {first + 3, first + 2}), Error::wrong_step);
  const auto with_signer = [&](const TestKey& key) {
    return extend_with(first + 4, {}, [&](TestAuraHeader& header) {
      header.add_empty_step(key, first + 2);
      header.difficulty = testing::aura_difficulty(state.step, header.step, 1);
    });
  };
  EXPECT_EQ(with_signer(key_of(first + 3)), Error::wrong_author);
  EXPECT_EQ(with_signer(TestKey(77)), Error::unknown_signer);
  EXPECT_EQ(extend_with(first + 4, {first + 2}, [](auto& h) { h.difficulty[15] += 1; }), Error::wrong_difficulty);
  const auto with_items = [&](const std::vector<Buffer>& items) {
    return extend_with(first + 4, {}, [&](TestAuraHeader& header) { header.empty_steps = items; });
  };
  EXPECT_EQ(with_items({{0x80}}), Error::header_field_invalid);
  EXPECT_EQ(with_items({testing::rlp_list({testing::rlp_string(Buffer(64, 1)), {0x01}})}), Error::header_field_invalid);
  EXPECT_EQ(with_items({testing::rlp_list({testing::rlp_string(Buffer(65, 0)), testing::rlp_number(first + 1)})}),
            Error::bad_signature);
  EXPECT_EQ(extend_with(first + 4, {first + 2, first + 3}), Error::none);
}

TEST_F(AuraEmptySteps, have_a_limit) {
  AuraConfig wide = config;
  wide.step_s = 0;
  TestAuraHeader header = aura_child(state, state.step + 60, config.shape);
  for (std::uint64_t i = 1; i <= aura_empty_steps_max + 1; ++i) header.add_empty_step(key_of(state.step + i), state.step + i);
  header.difficulty = testing::aura_difficulty(state.step, header.step, header.empty_steps.size());
  header.seal_with(key_of(header.step));
  EXPECT_EQ(verify(header.encode(), state, wide), Error::too_large);
  header.empty_steps.pop_back();
  header.difficulty = testing::aura_difficulty(state.step, header.step, header.empty_steps.size());
  header.seal_with(key_of(header.step));
  EXPECT_EQ(verify(header.encode(), state, wide), Error::none);
}

TEST_F(Aura, refuses_numbers_and_steps_at_the_ends_of_the_integers) {
  AuraState bare = state;
  bare.is_linked = false;
  const auto error_of = [&](const std::function<void(TestAuraHeader&)>& change) {
    TestAuraHeader header = aura_child(bare, bare.step + 1, config.shape);
    change(header);
    header.seal_with(key_of(header.step));
    return verify(header.encode(), bare, config);
  };
  EXPECT_EQ(error_of([](auto& h) { h.fields.number = 0; }), Error::number_not_newer);
  bare.number = 0;
  EXPECT_EQ(error_of([](auto& h) { h.fields.number = 0; }), Error::number_not_newer) << "nobody seals a genesis";
  EXPECT_EQ(error_of([](auto& h) { h.step = UINT64_MAX; }), Error::wrong_step) << "its time cannot be written";
  EXPECT_EQ(error_of([](auto& h) { h.fields.number = UINT64_MAX; }), Error::none);
}

TEST_F(AuraEmptySteps, are_taken_on_trust_of_their_seals_where_no_parent_is_known) {
  AuraState bare;
  bare.validators = state.validators;
  bare.hash = state.hash;
  TestAuraHeader header = aura_child(state, aura_start_step + 4, config.shape);
  header.add_empty_step(key_of(aura_start_step + 2), aura_start_step + 2);
  header.seal_with(key_of(aura_start_step + 4));
  AuraState moved = bare;
  EXPECT_EQ(verify(header.encode(), moved, config), Error::none);
  EXPECT_EQ(std::popcount(moved.window[0].signers), 1) << "there is no parent to count for";
  header.empty_steps = {Buffer{0xc1}};  // a list that ends too early
  header.seal_with(key_of(aura_start_step + 4));
  EXPECT_NE(verify(header.encode(), bare, config), Error::none);
}

TEST_F(AuraEmptySteps, that_leave_their_list_are_refused) {
  TestAuraHeader header = aura_child(state, aura_start_step + 4, config.shape);
  header.empty_steps = {Buffer{0xc5, 0x01}};
  header.seal_with(key_of(header.step));
  EXPECT_EQ(verify(header.encode(), state, config), Error::header_field_invalid);
}

TEST_F(Aura, commits_only_what_was_accepted) {
  AuraVerifier verifier;
  EXPECT_DEATH(verifier.commit(state), "CHECK failed");
}

}  // namespace
}  // namespace wattproof::chain
