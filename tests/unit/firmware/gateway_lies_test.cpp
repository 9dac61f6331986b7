// SPDX-License-Identifier: Apache-2.0
// Each lie is the lie that it is called, so that a device which refuses it has been shown something.
#include "lies.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "chain/bft.hpp"
#include "codec/rlp.hpp"
#include "support/vectors.hpp"

namespace wattproof::gateway {
namespace {

// A real header with three seals of four validators, and what is trusted before it.
struct RealHeader {
  ByteVector bytes;
  chain::TrustedHead head;
};

std::optional<RealHeader> real_header() {
  const auto path = testing::find_vectors("bft/ibft2_qbft_real_headers.json");
  if (path.empty()) return std::nullopt;
  std::ifstream file(path);
  const auto vector = nlohmann::json::parse(file)["qbft_4validators_block_7528_round1"];
  RealHeader header;
  header.bytes = testing::from_hex(vector["header_rlp"].get<std::string>());
  header.head.number = 7527;
  for (const auto& validator : vector["validators"]) {
    header.head.validators.items[header.head.validators.count++] = testing::array_from_hex<20>(validator.get<std::string>());
  }
  return header;
}

Error verdict(const RealHeader& header, Bytes shown) {
  chain::BftConfig config;
  config.shape = chain::HeaderShape::frontier;
  config.trusting_period_s = UINT64_MAX;
  chain::BftVerifier verifier;
  const Error error = verifier.begin(shown, header.head, config, {});
  if (!ok(error)) return error;
  for (;;) {
    const auto progress = verifier.step();
    if (!progress) return progress.error();
    if (*progress == chain::Progress::accepted) return Error::none;
  }
}

TEST(gateway_lies, every_name_is_a_lie_of_its_own) {
  std::istringstream names(lie_names());
  std::set<Lie> seen;
  for (std::string name; names >> name;) {
    ASSERT_TRUE(lie_of_name(name)) << name;
    EXPECT_TRUE(seen.insert(*lie_of_name(name)).second) << name;
  }
  EXPECT_EQ(seen.size(), 13u);
  EXPECT_FALSE(lie_of_name("truth"));
}

TEST(gateway_lies, a_header_without_enough_distinct_seals_is_refused_for_that) {
  const auto header = real_header();
  if (!header) WATTPROOF_REQUIRE_INPUT(std::filesystem::path());
  EXPECT_EQ(verdict(*header, Liar(Lie::none).header(header->bytes)), Error::none);
  EXPECT_EQ(verdict(*header, Liar(Lie::few_seals).header(header->bytes)), Error::seal_below_quorum);
  EXPECT_EQ(verdict(*header, Liar(Lie::doubled_seal).header(header->bytes)), Error::duplicate_signer);
  EXPECT_EQ(verdict(*header, Liar(Lie::outsider).header(header->bytes)), Error::unknown_signer);
}

TEST(gateway_lies, a_proof_is_forged_or_cut_at_its_end) {
  const std::vector<ByteVector> proof{{1, 2}, {3, 4}};
  std::vector<ByteVector> forged = proof;
  Liar(Lie::forged_node).nodes(forged);
  EXPECT_EQ(forged, (std::vector<ByteVector>{{1, 2}, {3, 5}}));
  std::vector<ByteVector> cut = proof;
  Liar(Lie::truncated_proof).nodes(cut);
  EXPECT_EQ(cut, (std::vector<ByteVector>{{1, 2}}));
  std::vector<ByteVector> told = proof;
  Liar(Lie::none).nodes(told);
  EXPECT_EQ(told, proof);
}

TEST(gateway_lies, an_old_head_stays_and_a_slow_clock_falls_behind) {
  Liar old(Lie::old_head);
  EXPECT_EQ(old.shown_block(100, false, 1), 100u);
  EXPECT_EQ(old.shown_block(150, false, 2), 100u);
  Liar slow(Lie::slow_clock);
  EXPECT_EQ(slow.shown_block(100, false, 1), 100u);
  EXPECT_EQ(slow.shown_block(150, false, 2), 125u);
  Liar replay(Lie::replayed_day);
  EXPECT_EQ(replay.shown_block(100, false, 1), 0u);
  EXPECT_EQ(replay.shown_block(110, true, 2), 110u);
  EXPECT_EQ(replay.shown_block(190, false, 3), 110u);
  EXPECT_EQ(Liar(Lie::none).shown_block(5, true, 1), 0u);
}

}  // namespace
}  // namespace wattproof::gateway
