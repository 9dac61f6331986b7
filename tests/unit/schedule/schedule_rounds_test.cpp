// SPDX-License-Identifier: Apache-2.0
// Rounds as the contracts ran them on an EVM (tests/vectors/schedule_rounds.json, written by contracts/test/make_vectors.js):
// device and contract must agree on every byte and every rounding.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "message/typed_data.hpp"
#include "schedule/epoch.hpp"
#include "schedule/participant.hpp"
#include "support/vectors.hpp"

namespace wattproof::schedule {
namespace {

using nlohmann::json;
using testing::array_from_hex;
using testing::from_hex;
using testing::to_hex;

json document() {
  std::ifstream file(WATTPROOF_SOURCE_DIR "/tests/vectors/schedule_rounds.json");
  EXPECT_TRUE(file.is_open());
  return json::parse(file);
}

std::string text(const json& value) { return value.get<std::string>(); }
Hash32 hash_from(const json& value) { return array_from_hex<32>(text(value)); }
Address address_from(const json& value) { return array_from_hex<20>(text(value)); }

// Every state of an epoch: the rounds and the end.
std::vector<json> states(const json& epoch) {
  std::vector<json> found(epoch["rounds"].begin(), epoch["rounds"].end());
  found.push_back(epoch["end"]);
  return found;
}

std::vector<std::int32_t> profile_from(const json& value) {
  const std::vector<std::uint8_t> bytes = from_hex(text(value));
  std::vector<std::int32_t> profile(bytes.size() / 4);
  for (std::size_t t = 0; t < profile.size(); ++t) profile[t] = static_cast<std::int32_t>(load_be32(bytes.data() + 4 * t));
  return profile;
}

TEST(schedule_rounds, heads_decode_to_the_contracts_fields_and_hash_to_its_word) {
  std::size_t count = 0;
  const json all = document();
  for (const json& epoch : all["epochs"]) {
    for (const json& state : states(epoch)) {
      const std::vector<std::uint8_t> bytes = from_hex(text(state["head"]));
      const json& fields = state["head_fields"];
      EpochHead head;
      ASSERT_EQ(decode_head(bytes, head), Error::none);
      EXPECT_EQ(static_cast<int>(head.status), fields["status"]);
      EXPECT_EQ(static_cast<int>(head.reason), fields["reason"]);
      EXPECT_EQ(head.penalty_exponent, fields["k"]);
      EXPECT_EQ(head.slots, fields["slots"]);
      EXPECT_EQ(head.slot_seconds, fields["slot_seconds"]);
      EXPECT_EQ(head.worst_slot, fields["worst_slot"]);
      EXPECT_EQ(head.excess_w, fields["excess_w"]);
      EXPECT_EQ(head.round, fields["round"]);
      EXPECT_EQ(head.epoch, fields["epoch"]);
      EXPECT_EQ(head.start.s, fields["start"]);
      EXPECT_EQ(head.deadline.s, fields["deadline"]);
      EXPECT_EQ(head.changed.s, fields["changed_at"]);
      EXPECT_EQ(head.participants, fields["participants"]);
      EXPECT_EQ(head.rho0, fields["rho0"]);
      EXPECT_EQ(crypto::keccak256(bytes), hash_from(state["epoch_word"]));
      EXPECT_EQ(head.parameters_hash, crypto::keccak256(from_hex(text(epoch["parameters"]))));
      std::array<std::uint8_t, head_size> again{};
      encode_head(head, again);
      EXPECT_EQ(to_hex(again), to_hex(bytes));
      if (state.contains("rho")) {
        EXPECT_EQ(penalty(head), state["rho"]);
      }
      ++count;
    }
  }
  EXPECT_GT(count, 20u);
}

TEST(schedule_rounds, vectors_decode_to_the_contracts_numbers_and_hash_to_the_head) {
  const json all = document();
  for (const json& epoch : all["epochs"]) {
    for (const json& state : states(epoch)) {
      const std::vector<std::uint8_t> bytes = from_hex(text(state["vectors"]));
      EpochHead head;
      ASSERT_EQ(decode_head(from_hex(text(state["head"])), head), Error::none);
      EXPECT_EQ(crypto::keccak256(bytes), head.vectors_hash);
      Vectors vectors;
      ASSERT_EQ(Vectors::decode(bytes, head.slots, vectors), Error::none);
      for (std::uint32_t t = 0; t < head.slots; ++t) {
        EXPECT_EQ(vectors.z(t), state["z"][t]);
        EXPECT_EQ(vectors.u(t), state["u"][t]);
        EXPECT_EQ(vectors.mean(t), state["xb"][t]);
        EXPECT_EQ(vectors.z_before(t), state["zp"][t]);
        EXPECT_EQ(vectors.movers(t), state["movers"][t]);
      }
    }
  }
}

TEST(schedule_rounds, records_hash_to_the_contracts_words) {
  std::size_t count = 0;
  const json all = document();
  for (const json& epoch : all["epochs"]) {
    for (const json& state : epoch["rounds"]) {
      for (const json& update : state["updates"]) {
        const std::vector<std::uint8_t> bytes = from_hex(text(update["record_after"]));
        Record record;
        ASSERT_EQ(decode_record(bytes, state["head_fields"]["slots"], record), Error::none);
        EXPECT_EQ(record.id, update["id"]);
        EXPECT_EQ(crypto::keccak256(bytes), hash_from(update["record_word"]));
        if (update["reason"] != 0) continue;
        EXPECT_EQ(record.round, state["head_fields"]["round"]);
        EXPECT_EQ("0x" + to_hex(record.profile), text(update["profile"]));
        ++count;
      }
    }
  }
  EXPECT_GT(count, 50u);
}

TEST(schedule_rounds, digests_are_the_ones_that_the_contracts_recover_signers_from) {
  const json vectors = document();
  const Hash32 scheduler = message::scheduler_domain(vectors["chain_id"], address_from(vectors["scheduler"]));
  const Hash32 registry = message::registry_domain(vectors["chain_id"], address_from(vectors["registry"]));
  EXPECT_EQ(scheduler, hash_from(vectors["domain_separators"]["scheduler"]));
  EXPECT_EQ(registry, hash_from(vectors["domain_separators"]["registry"]));
  const std::uint64_t nonce = std::stoull(text(vectors["check_in"]["nonce"]), nullptr, 16);
  EXPECT_EQ(message::check_in_digest(registry, nonce), hash_from(vectors["check_in"]["digest"]));
  for (const json& epoch : vectors["epochs"]) {
    std::map<std::uint32_t, Address> signers;
    for (const json& device : epoch["devices"]) signers[device["id"]] = address_from(device["signer"]);
    for (const json& state : epoch["rounds"]) {
      const json& fields = state["head_fields"];
      for (const json& update : state["updates"]) {
        const Hash32 digest = message::update_digest(scheduler, fields["epoch"], fields["round"], profile_from(update["profile"]));
        EXPECT_EQ(digest, hash_from(update["digest"]));
        if (update["reason"] != 0) continue;
        const auto signer = crypto::recover_address(digest, array_from_hex<65>(text(update["signature"])));
        ASSERT_TRUE(signer);
        EXPECT_EQ(*signer, signers[update["id"]]);
      }
    }
  }
}

TEST(schedule_rounds, a_participant_aims_where_the_model_of_the_contract_aims) {
  std::size_t count = 0;
  const json all = document();
  for (const json& epoch : all["epochs"]) {
    std::map<std::uint32_t, Participant> participants;
    for (const json& state : epoch["rounds"]) {
      EpochHead head;
      ASSERT_EQ(decode_head(from_hex(text(state["head"])), head), Error::none);
      const std::vector<std::uint8_t> vector_bytes = from_hex(text(state["vectors"]));
      Vectors vectors;
      ASSERT_EQ(Vectors::decode(vector_bytes, head.slots, vectors), Error::none);
      for (const json& update : state["updates"]) {
        if (!update.contains("answer")) continue;
        const std::vector<std::uint8_t> record_bytes = from_hex(text(update["record_before"]));
        Record record;
        ASSERT_EQ(decode_record(record_bytes, head.slots, record), Error::none);
        std::vector<std::int32_t> x(head.slots);
        ASSERT_EQ(message::decode_profile(record.profile, x), Error::none);
        std::vector<std::int32_t> target(head.slots);
        ASSERT_EQ(participants[record.id].aim(head, vectors, record.round, x, target), Error::none);
        EXPECT_EQ(target, update["answer"]["target_w"].get<std::vector<std::int32_t>>());
        ++count;
      }
    }
  }
  EXPECT_GT(count, 50u);
}

TEST(schedule_rounds, storage_slots_are_those_of_the_compiler) {
  const json storage = document().at("storage");
  ASSERT_FALSE(storage["epoch_word"].empty());
  ASSERT_FALSE(storage["record_of"].empty());
  for (const json& word : storage["epoch_word"]) EXPECT_EQ(epoch_word_slot(word["epoch"]), hash_from(word["slot"]));
  for (const json& word : storage["record_of"]) EXPECT_EQ(record_slot(word["epoch"], word["id"]), hash_from(word["slot"]));
  for (const json& word : storage["check_in_of"]) EXPECT_EQ(check_in_slot(word["id"]), hash_from(word["slot"]));
  for (const json& word : storage["contract_of"]) EXPECT_EQ(contract_slot(text(word["name"]).c_str()), hash_from(word["slot"]));
}

}  // namespace
}  // namespace wattproof::schedule
