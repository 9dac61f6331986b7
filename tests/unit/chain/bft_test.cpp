// SPDX-License-Identifier: Apache-2.0
#include "chain/bft.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"
#include "unit/chain/header_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::array_from_hex;
using testing::BftHeader;
using testing::Buffer;
using testing::find_vectors;
using testing::from_hex;
using testing::head_of;
using testing::rlp_list;
using testing::rlp_string;
using testing::sealed_bft_header;
using testing::set_of;
using testing::sorted_keys;
using testing::TestKey;
using testing::to_hex;
using testing::with_high_s;

constexpr std::uint64_t start_s = 1'700'000'000;

struct Outcome {
  Error error = Error::none;
  std::uint32_t recoveries = 0;  // steps taken: each is at most one recovery
};

// Begins, steps and, if the header is accepted, commits. A refusal must leave the head as it was.
Outcome verify(Bytes encoded, TrustedHead& head, const BftConfig& config = {}, TimeBounds time = {}) {
  const TrustedHead before = head;
  BftVerifier verifier;
  Outcome outcome;
  outcome.error = verifier.begin(encoded, head, config, time);
  while (outcome.error == Error::none) {
    const Result<Progress> progress = verifier.step();
    ++outcome.recoveries;
    if (!progress) {
      outcome.error = progress.error();
    } else if (*progress == Progress::accepted) {
      verifier.commit(head);
      return outcome;
    }
  }
  EXPECT_EQ(head, before) << error_name(outcome.error);
  EXPECT_EQ(verifier.step().error(), Error::not_ready);
  return outcome;
}

BftConfig config_of(BftKind kind, HeaderShape shape = HeaderShape::london) {
  BftConfig config;
  config.kind = kind;
  config.shape = shape;
  return config;
}

// A real header as the vectors describe it, and the head that only knows number and validators.
struct RealHeader {
  std::string name;
  Buffer encoded;
  BftConfig config;
  TrustedHead trusted;
  json vector;
};

HeaderShape shape_of(Bytes encoded) {
  codec::RlpReader reader = codec::open_rlp_list(encoded);
  std::uint32_t count = 0;
  for (; !reader.at_end(); ++count) (void)reader.any();
  for (const HeaderShape shape : {HeaderShape::frontier, HeaderShape::london, HeaderShape::shanghai}) {
    if (header_field_count(shape) == count) return shape;
  }
  ADD_FAILURE() << count << " fields";
  return HeaderShape::frontier;
}

std::vector<RealHeader> real_headers(const std::filesystem::path& path) {
  std::vector<RealHeader> headers;
  const json vectors = json::parse(std::ifstream(path));
  for (const auto& [name, vector] : vectors.items()) {
    RealHeader header;
    header.name = name;
    header.vector = vector;
    header.encoded = from_hex(vector["header_rlp"].get<std::string>());
    header.config = config_of(vector["kind"] == "qbft" ? BftKind::qbft : BftKind::ibft2, shape_of(header.encoded));
    header.trusted.number = vector["number"].get<std::uint64_t>() - 1;
    for (const json& validator : vector["validators"]) {
      header.trusted.validators.items[header.trusted.validators.count++] =
          array_from_hex<20>(validator.get<std::string>());
    }
    headers.push_back(header);
  }
  return headers;
}

TEST(bft, accepts_every_real_header_with_its_hash_and_signers) {
  const auto path = find_vectors("bft/ibft2_qbft_real_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const std::vector<RealHeader> headers = real_headers(path);
  for (const RealHeader& real : headers) {
    BftVerifier verifier;
    ASSERT_EQ(verifier.begin(real.encoded, real.trusted, real.config, {}), Error::none) << real.name;
    Result<Progress> progress = verifier.step();
    while (progress && *progress == Progress::more) progress = verifier.step();
    ASSERT_EQ(progress.error(), Error::none) << real.name;
    EXPECT_EQ(to_hex(verifier.block_hash()), real.vector["block_hash"].get<std::string>());
    std::vector<std::string> signers;
    for (std::uint32_t i = 0; i < verifier.validator_count(); ++i) {
      if ((verifier.signers() >> i & 1) != 0) signers.push_back(to_hex(verifier.validator(i)));
    }
    std::vector<std::string> expected = real.vector["recovered"];
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(signers, expected) << real.name;
    TrustedHead head = real.trusted;
    verifier.commit(head);
    EXPECT_EQ(head.number, real.vector["number"].get<std::uint64_t>());
    EXPECT_EQ(head.timestamp.s, real.vector["timestamp"].get<std::uint64_t>());
    EXPECT_TRUE(head.is_linked);
  }
  EXPECT_EQ(headers.size(), 3U);
  std::printf("real BFT headers accepted: %zu\n", headers.size());
}

TEST(bft, refuses_every_real_header_with_any_one_bit_changed) {
  const auto path = find_vectors("bft/ibft2_qbft_real_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::size_t flips = 0;
  for (RealHeader& real : real_headers(path)) {
    for (std::size_t bit = 0; bit < 8 * real.encoded.size(); ++bit) {
      real.encoded[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_NE(verify(real.encoded, real.trusted, real.config).error, Error::none) << real.name << " bit " << bit;
      real.encoded[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      ++flips;
    }
  }
  EXPECT_GT(flips, 15'000U);
  std::printf("changed bits refused: %zu\n", flips);
}

TEST(bft, the_other_engine_refuses_every_real_header) {
  const auto path = find_vectors("bft/ibft2_qbft_real_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  for (RealHeader& real : real_headers(path)) {
    real.config.kind = real.config.kind == BftKind::qbft ? BftKind::ibft2 : BftKind::qbft;
    EXPECT_EQ(verify(real.encoded, real.trusted, real.config).error, Error::extra_data_invalid);
  }
}

TEST(bft, refuses_all_headers_of_the_older_ibft1) {
  const auto path = find_vectors("bft/besu_ibft1_101_blocks.json");
  WATTPROOF_REQUIRE_INPUT(path);
  const json vectors = json::parse(std::ifstream(path));
  std::size_t refused = 0;
  for (const json& vector : vectors["blocks"]) {
    const Buffer encoded = from_hex(vector["header_rlp"].get<std::string>());
    TrustedHead trusted;
    for (const json& validator : vector["validators"]) {
      trusted.validators.items[trusted.validators.count++] = array_from_hex<20>(validator.get<std::string>());
    }
    bool both = true;
    for (const BftKind kind : {BftKind::qbft, BftKind::ibft2}) {
      const Outcome outcome = verify(encoded, trusted, config_of(kind, shape_of(encoded)));
      EXPECT_EQ(outcome.recoveries, 0U);
      both = both && outcome.error != Error::none;
    }
    refused += both ? 1U : 0U;
  }
  EXPECT_EQ(refused, 101U);
  std::printf("IBFT1 headers refused by both engines: %zu of %zu\n", refused, vectors["blocks"].size());
}

class BothEngines : public ::testing::TestWithParam<BftKind> {
 protected:
  BftConfig config() const { return config_of(GetParam()); }
  // Four validators at block 100, and a header of block 101 sealed by three of them.
  std::vector<TestKey> keys = sorted_keys(4);
  TrustedHead head = head_of(sealed_bft_header(keys, 100, start_s, GetParam()), keys);
  BftHeader child = sealed_bft_header(keys, 101, start_s + 5, GetParam(), head.hash);

  Error error_of(const BftHeader& header) { return verify(header.encode(), head, config()).error; }
  // A change that the seals are made over again.
  Error error_resealed(BftHeader header, const std::function<void(BftHeader&)>& change) {
    change(header);
    header.seal_with(keys, 3);
    return error_of(header);
  }
};
INSTANTIATE_TEST_SUITE_P(bft, BothEngines, ::testing::Values(BftKind::qbft, BftKind::ibft2),
                         [](const auto& engine) { return engine.param == BftKind::qbft ? "qbft" : "ibft2"; });

TEST_P(BothEngines, accept_the_child_and_take_over_what_it_says) {
  const Buffer encoded = child.encode();
  const Outcome outcome = verify(encoded, head, config());
  EXPECT_EQ(outcome.error, Error::none);
  EXPECT_EQ(outcome.recoveries, 3U);
  EXPECT_EQ(head, head_of(child, keys));
}

TEST_P(BothEngines, accept_a_round_above_zero_with_the_hash_of_round_zero) {
  const Hash32 hash = child.block_hash();
  child.round = 7;
  child.seal_with(keys, 3);
  EXPECT_EQ(child.block_hash(), hash);
  EXPECT_EQ(error_of(child), Error::none);
  EXPECT_EQ(head.hash, hash);
}

TEST_P(BothEngines, refuse_a_round_that_was_changed_after_sealing) {
  child.round = 1;
  EXPECT_EQ(error_of(child), Error::unknown_signer);
}

TEST_P(BothEngines, accept_a_skip_and_a_quorum_of_all) {
  BftHeader later = sealed_bft_header(keys, 5000, start_s + 30'000, GetParam());
  later.seal_with(keys, 4);
  EXPECT_EQ(error_of(later), Error::none);
  EXPECT_EQ(head.number, 5000U);
}

TEST_P(BothEngines, refuse_each_kind_of_wrong_seal_by_its_name) {
  BftHeader header = child;
  header.seal_with(keys, 2);
  EXPECT_EQ(error_of(header), Error::seal_below_quorum);
  header.seals.clear();
  EXPECT_EQ(error_of(header), Error::seal_below_quorum);

  header = child;
  header.seals[2] = header.seals[0];
  EXPECT_EQ(error_of(header), Error::duplicate_signer);

  header = child;
  const crypto::Signature outsider = TestKey(99).sign(header.seal_hash());
  header.seals[1].assign(outsider.begin(), outsider.end());
  EXPECT_EQ(error_of(header), Error::unknown_signer);

  header = child;
  const crypto::Signature high = with_high_s(to_array<65>(header.seals[0]));
  header.seals[0].assign(high.begin(), high.end());
  EXPECT_EQ(error_of(header), Error::signature_high_s);
  // The same signer in two encodings.
  header.seals = child.seals;
  header.seals[1].assign(high.begin(), high.end());
  EXPECT_EQ(error_of(header), Error::signature_high_s);

  header = child;
  header.seal_with(keys, 5);
  EXPECT_EQ(error_of(header), Error::seals_too_many);

  for (const std::size_t size : {0U, 64U, 66U}) {
    header = child;
    header.seals[2].resize(size);
    EXPECT_EQ(error_of(header), Error::seal_length) << size;
  }
  for (const std::uint8_t v : std::to_array<std::uint8_t>({2, 27, 28})) {
    header = child;
    header.seals[2][64] = v;
    EXPECT_EQ(error_of(header), Error::bad_signature) << int{v};
  }
  for (const std::size_t at : {0U, 32U}) {
    for (const std::uint8_t byte : std::to_array<std::uint8_t>({0x00, 0xff})) {
      header = child;
      std::fill_n(header.seals[1].begin() + static_cast<std::ptrdiff_t>(at), 32, byte);
      EXPECT_EQ(error_of(header), Error::bad_signature) << at;
    }
  }
}

TEST_P(BothEngines, spend_no_curve_work_on_what_can_be_seen_without) {
  const auto recoveries = [&](const BftHeader& header) { return verify(header.encode(), head, config()).recoveries; };
  BftHeader header = child;
  header.seals[2][64] = 27;
  EXPECT_EQ(recoveries(header), 0U);
  header = child;
  header.fields.coinbase = TestKey(99).address;
  EXPECT_EQ(recoveries(header), 0U);
  header = sealed_bft_header(sorted_keys(4, 50), 200, start_s + 600, GetParam());
  EXPECT_EQ(recoveries(header), 0U) << "a foreign set has no overlap";
  header = child;
  header.fields.number = 99;
  EXPECT_EQ(recoveries(header), 0U);
  header = child;
  header.seals[0] = header.seals[1];
  EXPECT_LE(recoveries(header), 2U);
}

TEST_P(BothEngines, refuse_fields_that_break_the_engines_rules) {
  const auto error_with = [&](const std::function<void(testing::HeaderFields&)>& change) {
    return error_resealed(child, [&](BftHeader& header) { change(header.fields); });
  };
  EXPECT_EQ(error_with([](auto& fields) { fields.mix_hash[0] ^= 1; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& fields) { fields.difficulty = 2; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& fields) { fields.difficulty = 0; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& fields) { fields.gas_used = fields.gas_limit + 1; }), Error::header_field_invalid);
  EXPECT_EQ(error_with([](auto& fields) { fields.coinbase = TestKey(9).address; }), Error::coinbase_not_validator);
  EXPECT_EQ(error_with([](auto& fields) { fields.parent_hash[3] ^= 1; }), Error::parent_hash_mismatch);
  EXPECT_EQ(error_with([](auto& fields) { fields.number = 99; }), Error::number_not_newer);
  EXPECT_EQ(error_with([](auto& fields) { fields.number = 0; }), Error::number_not_newer);
  EXPECT_EQ(error_with([](auto& fields) { fields.timestamp_s = start_s; }), Error::timestamp_too_early);
  EXPECT_EQ(error_with([](auto& fields) { fields.timestamp_s = start_s - 1; }), Error::timestamp_too_early);
  EXPECT_EQ(error_with([](auto& fields) { fields.number = 106; }), Error::timestamp_too_early);
  EXPECT_EQ(error_with([](auto& fields) { fields.number = UINT64_MAX; }), Error::timestamp_too_early);
  // Besu binds these two by the seals alone in QBFT, and checks them in IBFT2.
  const Error only_ibft2 = GetParam() == BftKind::ibft2 ? Error::header_field_invalid : Error::none;
  const TrustedHead before = head;
  EXPECT_EQ(error_with([](auto& fields) { fields.ommers_hash[0] ^= 1; }), only_ibft2);
  head = before;
  EXPECT_EQ(error_with([](auto& fields) { fields.nonce[7] = 1; }), only_ibft2);
}

TEST_P(BothEngines, hold_the_time_against_the_skew_and_the_trusting_period) {
  const Buffer encoded = child.encode();
  const std::uint64_t time_s = child.fields.timestamp_s;
  EXPECT_EQ(verify(encoded, head, config(), {{0}, {time_s - 1}}).error, Error::timestamp_in_future);
  BftConfig short_trust = config();
  short_trust.trusting_period_s = 3600;
  EXPECT_EQ(verify(encoded, head, short_trust, {{start_s + 3601}, {UINT64_MAX}}).error, Error::trusting_period_over);
  // Without a clock the header's own time is what is known.
  const BftHeader late = sealed_bft_header(keys, 102, start_s + 3601, GetParam());
  EXPECT_EQ(verify(late.encode(), head, short_trust).error, Error::trusting_period_over);
  EXPECT_EQ(verify(encoded, head, short_trust, {{start_s + 3600}, {time_s}}).error, Error::none);
}

TEST_P(BothEngines, refuse_extra_data_in_any_other_form) {
  const auto error_with_extra = [&](const std::function<void(std::vector<Buffer>&)>& change) {
    std::vector<Buffer> items = child.extra_items();
    items.push_back(child.encoded_round(0));
    std::vector<Buffer> seals;
    for (const Buffer& seal : child.seals) seals.push_back(rlp_string(seal));
    items.push_back(rlp_list(seals));
    change(items);
    return verify(testing::encode_header(child.fields, rlp_list(items), child.shape), head, config()).error;
  };
  const Address target = TestKey(7).address;
  const Buffer good_drop = child.is_qbft() ? Buffer{0x80} : Buffer{0x00};
  const Buffer bad_drop = child.is_qbft() ? Buffer{0x00} : Buffer{0x80};
  using Items = std::vector<Buffer>;
  EXPECT_EQ(error_with_extra([](Items& items) { items.pop_back(); }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items.push_back({0x80}); }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items[0] = rlp_string(Buffer(31, 0)); }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items[1] = {0x80}; }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items[1] = rlp_list({rlp_string(Buffer(19, 1))}); }),
            Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items[4] = {0x80}; }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items[4] = rlp_list({{0xc0}}); }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([&](Items& items) { items[3] = child.is_qbft() ? Buffer{0x00} : Buffer{0x80}; }),
            Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items[3] = {0xc0}; }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([](Items& items) { items[3] = rlp_string(Buffer(5, 1)); }), Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([&](Items& items) { items[2] = child.is_qbft() ? Buffer{0x80} : Buffer{0xc0}; }),
            Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([&](Items& items) { items[2] = rlp_list({rlp_string(target), bad_drop}); }),
            Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([&](Items& items) { items[2] = rlp_list({rlp_string(target), good_drop, {0x80}}); }),
            Error::extra_data_invalid);
  EXPECT_EQ(error_with_extra([&](Items& items) { items[2] = rlp_list({rlp_string(Buffer(19, 1)), good_drop}); }),
            Error::extra_data_invalid);
  EXPECT_EQ(verify(testing::encode_header(child.fields, Buffer(32, 0), child.shape), head, config()).error,
            Error::extra_data_invalid);
  // Both forms of a vote are part of what is sealed.
  for (const Buffer& vote : {good_drop, Buffer{0x81, 0xff}}) {
    const TrustedHead before = head;
    EXPECT_EQ(error_resealed(child, [&](BftHeader& h) { h.vote = rlp_list({rlp_string(target), vote}); }), Error::none);
    head = before;
  }
}

TEST_P(BothEngines, refuse_lists_of_validators_that_no_node_would_write) {
  EXPECT_EQ(error_resealed(child, [](BftHeader& h) { h.validators.clear(); }), Error::validators_empty);
  EXPECT_EQ(error_resealed(child, [](BftHeader& h) { std::swap(h.validators[0], h.validators[1]); }),
            Error::validators_not_ascending);
  EXPECT_EQ(error_resealed(child, [](BftHeader& h) { h.validators[1] = h.validators[0]; }),
            Error::validators_not_ascending);
  EXPECT_EQ(error_resealed(child, [](BftHeader& h) { h.validators.resize(validator_count_max + 1); }),
            Error::validators_too_many);
}

TEST_P(BothEngines, report_a_second_final_header_at_the_same_height) {
  BftHeader other = sealed_bft_header(keys, 100, start_s, GetParam());
  EXPECT_EQ(error_of(other), Error::number_not_newer) << "the head itself again";
  other.round = 3;
  other.seal_with(keys, 4);
  EXPECT_EQ(error_of(other), Error::number_not_newer) << "the same block in another round";
  other.fields.state_root[0] ^= 1;
  EXPECT_EQ(error_of(other), Error::unknown_signer) << "not sealed: no evidence";
  other.seal_with(keys, 3);
  BftConfig short_trust = config();
  short_trust.trusting_period_s = 3600;
  EXPECT_EQ(verify(other.encode(), head, short_trust, {{start_s + 3601}, {UINT64_MAX}}).error, Error::trusting_period_over)
      << "keys of long ago latch nothing";
  EXPECT_EQ(error_of(other), Error::conflicting_final_headers);
  head.is_conflicting = true;
  EXPECT_EQ(error_of(child), Error::conflicting_final_headers) << "latched";
}

TEST_P(BothEngines, follow_a_set_change_only_with_more_than_a_third_of_the_old_set) {
  // 6 trusted; the new list keeps `kept` of them and has 6 members in all, and all of them seal.
  const auto error_with_kept = [&](std::uint32_t kept) {
    const std::vector<TestKey> old_keys = sorted_keys(6);
    TrustedHead trusted = head_of(sealed_bft_header(old_keys, 100, start_s, GetParam()), old_keys);
    std::vector<TestKey> new_keys(old_keys.begin(), old_keys.begin() + kept);
    for (const TestKey& key : sorted_keys(6 - kept, 60)) new_keys.push_back(key);
    std::sort(new_keys.begin(), new_keys.end(), [](auto& a, auto& b) { return a.address < b.address; });
    BftHeader header = sealed_bft_header(new_keys, 300, start_s + 3000, GetParam());
    header.seal_with(new_keys, 6);
    const Error error = verify(header.encode(), trusted, config()).error;
    if (error == Error::none) {
      EXPECT_EQ(trusted.validators, set_of(new_keys));
    }
    return error;
  };
  EXPECT_EQ(error_with_kept(0), Error::overlap_too_small);
  EXPECT_EQ(error_with_kept(2), Error::overlap_too_small) << "exactly a third";
  EXPECT_EQ(error_with_kept(3), Error::none);
  EXPECT_EQ(error_with_kept(6), Error::none);
}

TEST_P(BothEngines, count_the_overlap_by_who_sealed_not_by_who_is_listed) {
  // Three of six trusted are listed, but of those only two have sealed.
  const std::vector<TestKey> old_keys = sorted_keys(6);
  TrustedHead trusted = head_of(sealed_bft_header(old_keys, 100, start_s, GetParam()), old_keys);
  std::vector<TestKey> signers = sorted_keys(4, 60);
  signers.push_back(old_keys[0]);
  signers.push_back(old_keys[1]);
  std::vector<TestKey> listed = signers;
  listed.push_back(old_keys[2]);
  std::sort(listed.begin(), listed.end(), [](auto& a, auto& b) { return a.address < b.address; });
  BftHeader header = sealed_bft_header(listed, 300, start_s + 3000, GetParam());
  header.seal_with(signers, signers.size());
  EXPECT_EQ(verify(header.encode(), trusted, config()).error, Error::overlap_too_small);
}

TEST_P(BothEngines, need_only_the_seals_from_a_checkpoint_without_hash_and_time) {
  TrustedHead checkpoint;
  checkpoint.number = 101;
  checkpoint.validators = set_of(keys);
  EXPECT_EQ(verify(child.encode(), checkpoint, config()).error, Error::none);
  EXPECT_EQ(checkpoint, head_of(child, keys));
}

TEST_P(BothEngines, accept_every_size_of_set_at_its_quorum_and_none_below) {
  for (std::uint32_t count = 1; count <= 21; ++count) {
    const std::vector<TestKey> some = sorted_keys(count);
    const TrustedHead trusted = head_of(sealed_bft_header(some, 100, start_s, GetParam()), some);
    BftHeader header = sealed_bft_header(some, 120, start_s + 1000, GetParam());
    TrustedHead moved = trusted;
    EXPECT_EQ(verify(header.encode(), moved, config()).error, Error::none) << count;
    EXPECT_EQ(moved.number, 120U);
    header.seals.pop_back();
    moved = trusted;
    EXPECT_EQ(verify(header.encode(), moved, config()).error, Error::seal_below_quorum) << count;
  }
}

TEST_P(BothEngines, accept_all_header_shapes_of_the_configuration_alone) {
  for (const HeaderShape shape : {HeaderShape::frontier, HeaderShape::london, HeaderShape::shanghai,
                                  HeaderShape::cancun, HeaderShape::prague}) {
    BftHeader header = child;
    header.shape = shape;
    header.seal_with(keys, 3);
    TrustedHead moved = head;
    EXPECT_EQ(verify(header.encode(), moved, config_of(GetParam(), shape)).error, Error::none);
    const HeaderShape other = shape == HeaderShape::london ? HeaderShape::prague : HeaderShape::london;
    EXPECT_EQ(verify(header.encode(), head, config_of(GetParam(), other)).error, Error::header_field_count);
  }
}

TEST(bft, takes_the_set_from_configuration_where_the_chain_keeps_it_in_a_contract) {
  const std::vector<TestKey> keys = sorted_keys(4);
  TrustedHead head = head_of(sealed_bft_header(keys, 100, start_s), keys);
  BftConfig config;
  config.source = ValidatorSource::configuration;
  BftHeader header = sealed_bft_header(keys, 101, start_s + 5, BftKind::qbft, head.hash);
  EXPECT_EQ(verify(header.encode(), head, config).error, Error::extra_data_invalid) << "a list where none belongs";
  header.validators.clear();
  header.seal_with(keys, 2);
  EXPECT_EQ(verify(header.encode(), head, config).error, Error::seal_below_quorum);
  header.seal_with(keys, 3);
  EXPECT_EQ(verify(header.encode(), head, {}).error, Error::validators_empty) << "without that configuration";
  BftHeader voting = header;
  voting.vote = rlp_list({rlp_string(keys[0].address), {0x81, 0xff}});
  voting.seal_with(keys, 3);
  EXPECT_EQ(verify(voting.encode(), head, config).error, Error::extra_data_invalid);
  EXPECT_EQ(verify(header.encode(), head, config).error, Error::none);
  EXPECT_EQ(head.validators, set_of(keys));
  EXPECT_EQ(head.number, 101U);
}

TEST(bft, a_number_that_would_take_longer_than_time_has_is_too_early) {
  const std::vector<TestKey> keys = sorted_keys(4);
  TrustedHead head = head_of(sealed_bft_header(keys, 100, start_s), keys);
  BftConfig config;
  config.period_s_min = 2;
  const BftHeader header = sealed_bft_header(keys, UINT64_MAX, start_s + 10);
  EXPECT_EQ(verify(header.encode(), head, config).error, Error::timestamp_too_early);
}

TEST(bft, commits_only_what_was_accepted) {
  TrustedHead head;
  const BftVerifier verifier;
  EXPECT_DEATH(verifier.commit(head), "CHECK failed");
}

TEST(bft, quorum_is_two_thirds_rounded_up) {
  const std::array<std::uint32_t, 11> quorums{0, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7};
  for (std::uint32_t count = 0; count < quorums.size(); ++count) EXPECT_EQ(bft_quorum(count), quorums[count]) << count;
}

}  // namespace
}  // namespace wattproof::chain
