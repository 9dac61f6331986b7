// SPDX-License-Identifier: Apache-2.0
// Real headers of every engine are accepted, and none of them with a bit changed.
#include <gtest/gtest.h>

#include <fstream>

#include "command.hpp"
#include "support/vectors.hpp"
#include "unit/chain/aura_maker.hpp"
#include "unit/chain/clique_maker.hpp"

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

void expect_refused_with_any_bit_flipped(Json document, std::size_t step = flip_step) {
  const std::string header = document["headers"][0];
  std::vector<std::uint8_t> bytes = testing::from_hex(header);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); bit += step) {
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

TEST(verify_header_command, binds_a_first_step_by_its_timestamp_if_no_duration_is_given) {
  const auto path = testing::find_vectors("aura/kovan_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const Json file = load(path);
  int accepted = 0;
  for (const Json& vector : file["headers"]) {
    if (!vector["match"]) continue;
    Json document = document_of("aura", vector["number"].get<std::uint64_t>() - 1, Json::array({vector["author"]}),
                                prefixed(vector["header_rlp"]));
    EXPECT_EQ(verify_header_command(document).status, exit_ok) << vector["number"];
    if (accepted++ == 0) expect_refused_with_any_bit_flipped(document, 1);
    document["trusted"]["step_s"] = 5;  // Kovan's are 4 seconds
    EXPECT_EQ(verify_header_command(document).output.dump(), R"({"error":"wrong_step","index":0})");
    document["trusted"]["step_s"] = 0;  // not held against timestamps
    EXPECT_EQ(verify_header_command(document).status, exit_ok);
  }
  EXPECT_EQ(accepted, 13);
}

Json validators_of(const chain::ValidatorSet& set) {
  Json list = Json::array();
  for (std::uint32_t i = 0; i < set.count; ++i) list.push_back(ethereum::to_hex(set.items[i]));
  return list;
}

std::string dump_of(const Json& document) { return verify_header_command(document).output.dump(); }

// Three headers of one engine in a row, and what is trusted of the block before them.
struct Row {
  std::string engine;
  Json trusted;
  Json headers = Json::array();

  Json document(std::initializer_list<const char*> without = {}) const {
    Json copy{{"engine", engine}, {"trusted", trusted}, {"headers", headers}};
    for (const char* name : without) copy["trusted"].erase(name);
    return copy;
  }
  Json document_with(const char* name, const Json& value) const {
    Json copy = document();
    copy["trusted"][name] = value;
    return copy;
  }
};

Row bft_row(chain::BftKind kind) {
  const auto keys = testing::sorted_keys(4);
  Row row{kind == chain::BftKind::qbft ? "qbft" : "ibft2", {}};
  Hash32 parent{0x11};
  row.trusted = {{"number", 100}, {"hash", ethereum::to_hex(parent)}, {"timestamp", 1000},
                 {"validators", validators_of(testing::set_of(keys))}};
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const testing::BftHeader header = testing::sealed_bft_header(keys, 100 + i, 1000 + 5 * i, kind, parent);
    row.headers.push_back(ethereum::to_hex(header.encode()));
    parent = header.block_hash();
  }
  return row;
}

Row clique_row() {
  const auto keys = testing::sorted_keys(4);
  const chain::CliqueConfig config{.epoch_length = 102, .period_s_min = 5};
  chain::CliqueState state = testing::clique_checkpoint(keys, 100);
  Row row{"clique", {}};
  row.trusted = {{"number", 100}, {"hash", ethereum::to_hex(state.hash)}, {"timestamp", state.timestamp.s},
                 {"validators", validators_of(state.signers)}, {"epoch", 102}, {"period_s", 5}};
  for (std::size_t i = 1; i <= 3; ++i) {
    testing::TestCliqueHeader header = testing::clique_child(state, keys[i], config);
    header.seal_with(keys[i]);
    row.headers.push_back(ethereum::to_hex(header.encode()));
    state.number += 1;
    state.hash = header.hash();
    state.timestamp = {header.fields.timestamp_s};
  }
  return row;
}

Row aura_row() {
  auto keys = testing::sorted_keys(4);
  std::reverse(keys.begin(), keys.end());  // contract order
  chain::AuraState state = testing::aura_checkpoint(keys, 100);
  Row row{"aura", {}};
  row.trusted = {{"number", 100}, {"hash", ethereum::to_hex(state.hash)}, {"timestamp", state.timestamp.s},
                 {"validators", validators_of(state.validators)}, {"step_s", 5}};
  for (std::size_t i = 1; i <= 3; ++i) {
    testing::TestAuraHeader header = testing::aura_child(state, state.step + 1, chain::HeaderShape::aura_london);
    header.seal_with(keys[header.step % 4]);
    row.headers.push_back(ethereum::to_hex(header.encode()));
    state.number += 1;
    state.hash = header.hash();
    state.timestamp = {header.fields.timestamp_s};
    state.step = header.step;
  }
  return row;
}

TEST(verify_header_command, takes_every_engine_with_and_without_what_may_be_left_out) {
  for (const Row& row : {bft_row(chain::BftKind::qbft), bft_row(chain::BftKind::ibft2), clique_row(), aura_row()}) {
    SCOPED_TRACE(row.engine);
    const Outcome whole = verify_header_command(row.document());
    ASSERT_EQ(whole.status, exit_ok) << whole.output;
    EXPECT_EQ(whole.output["accepted"], 3);
    EXPECT_EQ(whole.output["head"]["number"], 103);
    for (const char* name : {"hash", "timestamp", "step_s", "period_s"}) {
      EXPECT_EQ(verify_header_command(row.document({name})).output, whole.output) << "without " << name;
    }
    EXPECT_EQ(verify_header_command(row.document({"hash", "timestamp"})).output, whole.output);
    EXPECT_EQ(dump_of(row.document_with("hash", "0x" + std::string(64, '7'))), R"({"error":"parent_hash_mismatch","index":0})");
    const std::string early = R"({"error":"timestamp_too_early","index":0})";
    EXPECT_EQ(dump_of(row.document_with("timestamp", 4'000'000'000)), early);
    Json late = row.document({"hash"});
    late["trusted"]["timestamp"] = 4'000'000'000;
    EXPECT_EQ(dump_of(late), early) << "without a hash as well";
    EXPECT_EQ(dump_of(row.document_with("number", 102)), R"({"error":"number_not_newer","index":0})");
    // One bit of the third, the second, the first; and out of order.
    for (const std::size_t index : {2U, 1U, 0U}) {
      Json document = row.document();
      std::string text = document["headers"][index];
      text[text.size() / 2] = text[text.size() / 2] == '0' ? '1' : '0';
      document["headers"][index] = text;
      const Outcome outcome = verify_header_command(document);
      EXPECT_EQ(outcome.status, exit_refused);
      EXPECT_EQ(outcome.output["index"], index);
    }
    Json swapped = row.document();
    std::swap(swapped["headers"][1], swapped["headers"][2]);
    EXPECT_EQ(verify_header_command(swapped).status, exit_refused);
    Json doubled = row.document();
    doubled["headers"][1] = doubled["headers"][0];
    EXPECT_EQ(dump_of(doubled), R"({"error":"number_not_newer","index":1})");
    for (const char* other : {"qbft", "ibft2", "clique", "aura"}) {
      if (other == row.engine) continue;
      Json document = row.document({"epoch", "period_s", "step_s"});
      document["engine"] = other;
      EXPECT_EQ(verify_header_command(document).status, exit_refused) << "as " << other;
    }
  }
}

TEST(verify_header_command, names_a_missing_wrong_or_foreign_field_of_each_engine) {
  const auto field = [](const Json& document) -> std::string {
    try {
      verify_header_command(document);
      return "ok";
    } catch (const InputError& error) {
      return error.field;
    }
  };
  for (const Row& row : {bft_row(chain::BftKind::qbft), bft_row(chain::BftKind::ibft2), clique_row(), aura_row()}) {
    SCOPED_TRACE(row.engine);
    EXPECT_EQ(field(row.document({"number"})), "trusted.number");
    EXPECT_EQ(field(row.document({"validators"})), "trusted.validators");
    EXPECT_EQ(field(row.document_with("hash", "0x11")), "trusted.hash");
    EXPECT_EQ(field(row.document_with("timestamp", "soon")), "trusted.timestamp");
    EXPECT_EQ(field(row.document_with("number", -1)), "trusted.number");
    EXPECT_EQ(field(row.document_with("epoch", 0)), "trusted.epoch") << "foreign, or zero";
    EXPECT_EQ(field(row.document_with("period_s", -1)), "trusted.period_s");
    EXPECT_EQ(field(row.document_with("step_s", -1)), "trusted.step_s");
    EXPECT_EQ(field(row.document_with("extra", 1)), "trusted.extra");
    EXPECT_EQ(dump_of(row.document_with("validators", Json::array())), R"({"error":"validators_empty","index":0})");
    Json outsiders = row.document_with("validators", Json::array({"0x" + std::string(40, '1')}));
    EXPECT_EQ(verify_header_command(outsiders).status, exit_refused);
  }
}

TEST(verify_header_command, takes_the_trusted_set_where_a_contract_keeps_the_validators) {
  const auto keys = testing::sorted_keys(4);
  testing::BftHeader header = testing::sealed_bft_header(keys, 101, 1005);
  header.validators.clear();
  header.seal_with(keys, 3);
  Row row{"qbft", {{"number", 100}, {"validators", validators_of(testing::set_of(keys))}}};
  row.headers.push_back(ethereum::to_hex(header.encode()));
  EXPECT_EQ(verify_header_command(row.document()).status, exit_ok);
  row.engine = "ibft2";
  EXPECT_EQ(verify_header_command(row.document()).status, exit_refused);
  row.engine = "qbft";
  header.seal_with(keys, 2);
  row.headers[0] = ethereum::to_hex(header.encode());
  EXPECT_EQ(dump_of(row.document()), R"({"error":"seal_below_quorum","index":0})");
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
