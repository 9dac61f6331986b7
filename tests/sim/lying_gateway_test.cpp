// SPDX-License-Identifier: Apache-2.0
// A lying gateway can delay a device, never deceive it. One test per lie: two announcements under the lie, then the hour
// in which the schedule begins, then the truth.
#include <gtest/gtest.h>

#include "sim/lied_to_home.hpp"

namespace wattproof::testing {
namespace {

using message::What;

// The lie is found out within two announcements, by one of these errors; nothing moves under it, not even once the hour
// has come; two announcements of the truth repair everything.
void expect_only_a_delay(LiedToHome& home, const LiedToHome::Answer& lie, std::initializer_list<Error> errors) {
  home.lie(lie);
  home.hear(2);
  EXPECT_GE(home.errors(), 1u) << "the lie was not noticed";
  EXPECT_TRUE(std::find(errors.begin(), errors.end(), home.bench.node().last_error()) != errors.end())
      << error_name(home.bench.node().last_error());
  EXPECT_TRUE(home.has_not_moved());
  home.hear_until(home.slot_start(0) + 600);
  EXPECT_TRUE(home.has_not_moved());
  EXPECT_TRUE(home.is_in_fallback());
  home.be_honest();
  home.hear(2);
  EXPECT_TRUE(home.follows(0));
  home.hear_until(home.slot_start(2) + 600);
  EXPECT_TRUE(home.follows(2));
  home.check_outputs();
}

TEST(lying_gateway, an_honest_one_is_followed) {
  LiedToHome home;
  home.hear(2);
  EXPECT_TRUE(home.is_in_fallback());
  for (std::uint32_t slot = 0; slot < 3; ++slot) {
    home.hear_until(home.slot_start(slot) + 120);
    EXPECT_TRUE(home.follows(slot));
  }
  EXPECT_EQ(home.errors(), 0u);
  home.check_outputs();
}

TEST(lying_gateway, an_old_head_is_refused) {
  LiedToHome home;
  const std::uint64_t old = home.chain.number() - 1;
  expect_only_a_delay(home, [&, old](const message::Want& want) {
    message::Want asked = want;
    if (want.what == What::header) asked.block = old;
    return std::vector<Buffer>{home.chain.answer(asked)};
  }, {Error::number_not_newer});
}

TEST(lying_gateway, the_same_head_for_ever_gets_stale) {
  LiedToHome home;
  home.hear_until(home.slot_start(0) + 120);
  ASSERT_TRUE(home.follows(0));
  const std::uint64_t frozen = home.chain.number();
  home.lie([&, frozen](const message::Want& want) {
    message::Want asked = want;
    if (want.block == 0) asked.block = frozen;
    return std::vector<Buffer>{home.chain.answer(asked)};
  });
  const std::uint64_t began_s = home.chain.time_s();
  while (home.chain.time_s() < began_s + LiedToHome::age_s_max + LiedToHome::block_s) home.hear(1);
  EXPECT_TRUE(home.is_in_fallback());
  home.check_outputs();
}

TEST(lying_gateway, too_few_seals_are_refused) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_header([](BftHeader& header) { header.seals.pop_back(); }), {Error::seal_below_quorum});
}

TEST(lying_gateway, a_doubled_seal_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_header([](BftHeader& header) { header.seals[2] = header.seals[0]; }), {Error::duplicate_signer});
}

TEST(lying_gateway, the_second_form_of_a_seal_is_no_second_seal) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_header([](BftHeader& header) {
    crypto::Signature other = with_high_s(to_array<65>(header.seals[0]));
    header.seals[2].assign(other.begin(), other.end());
  }), {Error::signature_high_s});
}

TEST(lying_gateway, a_seal_by_an_outsider_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_header([](BftHeader& header) {
    const crypto::Signature seal = TestKey(99).sign(header.seal_hash());
    header.seals[1].assign(seal.begin(), seal.end());
  }), {Error::unknown_signer});
}

TEST(lying_gateway, invented_validators_are_refused) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_header([](BftHeader& header) {
    const std::vector<TestKey> invented = sorted_keys(4, 900);
    header.validators.clear();
    for (const TestKey& key : invented) header.validators.push_back(key.address);
    header.fields.coinbase = invented[0].address;
    header.seal_with(invented, 4);
  }), {Error::overlap_too_small, Error::coinbase_not_validator});
}

TEST(lying_gateway, a_changed_header_carries_no_valid_seals) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_header([](BftHeader& header) { header.fields.state_root[5] ^= 1; }),
                      {Error::unknown_signer, Error::bad_signature, Error::overlap_too_small});
}

TEST(lying_gateway, a_header_from_the_future_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_header([&](BftHeader& header) {
    header.fields.timestamp_s += 3600;
    header.seal_with(home.chain.keys(), 3);  // even if a quorum had sealed it
  }), {Error::timestamp_in_future});
}

TEST(lying_gateway, a_forged_node_is_refused) {
  for (const What what : {What::account_proof, What::storage_proof}) {
    LiedToHome home;
    expect_only_a_delay(home, home.with_nodes(what, [](std::vector<Buffer>& nodes) { nodes.back().back() ^= 1; }), {Error::trie_hash_mismatch});
  }
}

TEST(lying_gateway, a_truncated_proof_is_no_proof_of_absence) {
  for (const What what : {What::account_proof, What::storage_proof}) {
    LiedToHome home;
    expect_only_a_delay(home, home.with_nodes(what, [](std::vector<Buffer>& nodes) {
      ASSERT_GE(nodes.size(), 2u);
      nodes.pop_back();
    }), {Error::trie_truncated});
  }
}

TEST(lying_gateway, a_proof_with_a_node_too_many_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_nodes(What::storage_proof, [](std::vector<Buffer>& nodes) { nodes.push_back(nodes.back()); }),
                      {Error::trie_trailing_nodes});
}

TEST(lying_gateway, an_empty_node_proves_nothing) {
  LiedToHome home;
  expect_only_a_delay(home, home.with_nodes(What::storage_proof, [](std::vector<Buffer>& nodes) { nodes.back() = {0x80}; }),
                      {Error::trie_hash_mismatch, Error::trie_node_too_short});
}

TEST(lying_gateway, the_proof_of_another_contract_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, [&](const message::Want& want) {
    if (want.what != What::account_proof) return std::vector<Buffer>{home.chain.answer(want)};
    return std::vector<Buffer>{FakeChain::nodes(want, home.proof(want, want.block, home.chain.registry(), {}))};
  }, {Error::trie_hash_mismatch, Error::trie_trailing_nodes});
}

TEST(lying_gateway, the_record_of_another_device_is_refused) {
  LiedToHome home;
  const Hash32 other = schedule::record_slot(LiedToHome::epoch, home.bench.config.device.id + 1);
  const Hash32 own = schedule::record_slot(LiedToHome::epoch, home.bench.config.device.id);
  expect_only_a_delay(home, [&, other, own](const message::Want& want) {
    if (want.what != What::storage_proof || !equal(want.key, own)) return std::vector<Buffer>{home.chain.answer(want)};
    return std::vector<Buffer>{FakeChain::nodes(want, home.proof(want, want.block, want.subject, other))};
  }, {Error::trie_hash_mismatch, Error::trie_trailing_nodes});
}

TEST(lying_gateway, another_device_s_schedule_under_a_true_proof_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, [&](const message::Want& want) {
    if (want.what != What::record) return std::vector<Buffer>{home.chain.answer(want)};
    Buffer key(want.key.begin(), want.key.end());
    key.back() ^= 7 ^ 8;
    message::Want other = want;
    other.key = key;
    return std::vector<Buffer>{home.chain.answer(other)};
  }, {Error::value_mismatch});
}

TEST(lying_gateway, a_changed_epoch_head_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, [&](const message::Want& want) {
    if (want.what != What::epoch_head) return std::vector<Buffer>{home.chain.answer(want)};
    schedule::EpochHead moved = home.head;
    moved.start.s -= 3600;  // would begin an hour early
    Buffer bytes(schedule::head_size);
    schedule::encode_head(moved, std::span<std::uint8_t, schedule::head_size>(bytes));
    return std::vector<Buffer>{FakeChain::part(want, want.block, bytes, false)};
  }, {Error::value_mismatch});
}

TEST(lying_gateway, proofs_of_another_block_are_refused) {
  LiedToHome home;
  home.hear(1);
  LiedToHome fresh;
  const std::uint64_t other = fresh.chain.number();
  expect_only_a_delay(fresh, [&, other](const message::Want& want) {
    if (want.what != What::account_proof) return std::vector<Buffer>{fresh.chain.answer(want)};
    return std::vector<Buffer>{FakeChain::nodes(want, fresh.proof(want, other, want.subject, want.key))};
  }, {Error::trie_hash_mismatch});
}

TEST(lying_gateway, data_that_is_larger_than_asked_for_is_refused) {
  LiedToHome home;
  expect_only_a_delay(home, [&](const message::Want& want) {
    if (want.what != What::record) return std::vector<Buffer>{home.chain.answer(want)};
    return std::vector<Buffer>{FakeChain::part(want, want.block, Buffer(schedule::record_fixed_size + 4 * LiedToHome::slots + 1), false)};
  }, {Error::unexpected});
}

// One byte above what a device keeps, and a length that no frame may even state.
TEST(lying_gateway, a_header_that_never_ends_is_refused) {
  for (const std::size_t size : {std::size_t{header_size_max} + 1, std::size_t{1} << 20}) {
    LiedToHome home;
    expect_only_a_delay(home, [&](const message::Want& want) {
      if (want.what != What::header) return std::vector<Buffer>{home.chain.answer(want)};
      return std::vector<Buffer>{FakeChain::part(want, home.chain.number(), Buffer(size, 0xf9), true)};
    }, {Error::too_large, Error::out_of_range});
  }
}

// The gateway swallows the device's last answer, so the sum holds the profile before it. The device must follow that one.
TEST(lying_gateway, a_withheld_update_is_not_followed) {
  LiedToHome home;
  home.head.status = schedule::EpochStatus::open;
  home.head.round = 5;
  std::vector<std::int64_t> vectors(4 * LiedToHome::slots, 0);
  for (std::uint32_t t = 0; t < LiedToHome::slots; ++t) vectors[t] = vectors[3 * LiedToHome::slots + t] = 16 * 3000;
  home.chain.set_epoch(home.head, vectors);
  home.chain.set_record(LiedToHome::epoch, home.bench.config.device.id, 4, home.bench.key().address, home.profile);
  home.bench.block(LiedToHome::block_s, LiedToHome::epoch, 5);
  std::vector<std::int32_t> posted(LiedToHome::slots);
  bool has_posted = false;
  for (const message::UpFrame& frame : home.bench.sent) {
    if (frame.kind != message::FrameKind::update) continue;
    has_posted = true;
    ASSERT_EQ(message::decode_profile(frame.update.profile, posted), Error::none);
  }
  ASSERT_TRUE(has_posted);
  ASSERT_NE(posted, home.profile);
  home.head.status = schedule::EpochStatus::final;
  home.put_schedule();  // the record still holds the profile of round 4
  home.hear(2);
  for (std::uint32_t slot = 0; slot < 4; ++slot) {
    home.hear_until(home.slot_start(slot) + 120);
    EXPECT_TRUE(home.follows(slot));
  }
  home.check_outputs();
}

// Yesterday's blocks, all of them genuine, are played to a device that has just got its power back.
TEST(lying_gateway, a_replayed_day_moves_nothing_after_a_power_cut) {
  LiedToHome home;
  const std::uint64_t first = home.chain.number() + 1;
  home.hear_until(home.slot_start(3));
  ASSERT_TRUE(home.follows(2) || home.follows(3));
  const std::uint64_t last = home.chain.number();
  home.chain.mine(86'400);
  home.bench.now = {1000};
  home.bench.outputs.clear();
  ASSERT_EQ(home.bench.boot(), Error::none);
  std::uint64_t shown = first;
  home.lie([&](const message::Want& want) {
    message::Want asked = want;
    if (want.block == 0) asked.block = shown;
    return std::vector<Buffer>{home.chain.answer(asked)};
  });
  home.bench.link_up();
  for (; shown <= last; ++shown) {
    home.bench.now = home.bench.now.plus(LiedToHome::block_s * 1000);
    Buffer notice(frame_size_max);
    const Result<Bytes> bytes = message::encode(message::Notice{shown, 0, 0, LiedToHome::epoch}, notice);
    home.bench.give(Buffer(bytes->begin(), bytes->end()));
    ASSERT_EQ(home.bench.node().mode(), node::Mode::proving);
    ASSERT_TRUE(home.is_in_fallback());
  }
  for (const OutputChange& change : home.bench.outputs) EXPECT_TRUE(!change.on && change.power_w == 0);
}

// An older boot's check-in, or a recording of it, proves nothing about this boot.
TEST(lying_gateway, a_recorded_check_in_does_not_prove_another_boot) {
  LiedToHome home;
  const std::uint64_t recorded = home.bench.last_nonce;
  ASSERT_EQ(home.bench.boot(), Error::none);
  home.bench.link_up();
  EXPECT_GT(home.bench.last_nonce, recorded);
  home.hear(3);
  EXPECT_EQ(home.bench.node().mode(), node::Mode::proving);
  home.hear_until(home.slot_start(0) + 120);
  EXPECT_TRUE(home.is_in_fallback());
}

// The gateway keeps the check-in back for an hour, so what it proves is loose by an hour: the device must not act on it, but
// it must find out of it by itself.
TEST(lying_gateway, a_check_in_kept_back_for_an_hour_is_sent_anew) {
  LiedToHome home;
  ASSERT_EQ(home.bench.boot(), Error::none);
  home.bench.link_up();
  const std::uint64_t kept_back = home.bench.last_nonce;
  home.hear_until(home.chain.time_s() + 3600);
  home.chain.set_word(home.chain.registry(), schedule::check_in_slot(home.bench.config.device.id), number_word(kept_back));
  home.bench.outputs.clear();
  home.hear(2);
  EXPECT_EQ(home.bench.node().mode(), node::Mode::stale);
  EXPECT_TRUE(home.has_not_moved());
  EXPECT_EQ(home.bench.last_nonce, kept_back + 1);
  home.chain.set_word(home.chain.registry(), schedule::check_in_slot(home.bench.config.device.id), number_word(kept_back + 1));
  home.hear(3);
  EXPECT_EQ(home.bench.node().mode(), node::Mode::following);
  home.check_outputs();
}

// Blocks come later and later: to the device the chain's clock seems to run at half speed.
TEST(lying_gateway, a_slow_clock_gets_stale_before_it_shifts_the_schedule) {
  LiedToHome home;
  home.hear_until(home.slot_start(0) + 120);
  ASSERT_TRUE(home.follows(0));
  const std::uint64_t begun = home.chain.number();
  home.lie([&, begun](const message::Want& want) {
    message::Want asked = want;
    if (want.block == 0) asked.block = begun + (home.chain.number() - begun) / 2;
    return std::vector<Buffer>{home.chain.answer(asked)};
  });
  home.hear_until(home.slot_start(0) + 120 + 2 * LiedToHome::age_s_max + 3 * LiedToHome::block_s);
  EXPECT_TRUE(home.is_in_fallback());
  home.hear_until(home.slot_start(6));
  EXPECT_TRUE(home.is_in_fallback());
  home.check_outputs();
  home.be_honest();
  home.hear(2);
  EXPECT_TRUE(home.follows(6));
}

TEST(lying_gateway, silence_leads_to_the_fallback_in_the_configured_time) {
  LiedToHome home;
  home.hear_until(home.slot_start(0) + 120);
  ASSERT_TRUE(home.follows(0));
  const BootMs verified = home.bench.now;
  home.lie([](const message::Want&) { return std::vector<Buffer>{}; });
  while (!home.is_in_fallback() && home.bench.now.since(verified) <= 2 * LiedToHome::age_s_max * 1000) home.bench.pass(1);
  EXPECT_GE(home.bench.now.since(verified), LiedToHome::age_s_max * 1000 / 2);
  EXPECT_LE(home.bench.now.since(verified), (LiedToHome::age_s_max + 1) * 1000);
}

// Rubbish without end, in front of and behind the truth: it costs decoding and nothing else.
TEST(lying_gateway, a_flood_costs_decoding_and_nothing_else) {
  LiedToHome home;
  std::uint64_t drawn = 1;
  const auto rubbish = [&drawn] {
    Buffer frame(1 + (drawn >> 33) % 200);
    for (std::uint8_t& byte : frame) {
      drawn = drawn * 6364136223846793005ULL + 1442695040888963407ULL;
      byte = static_cast<std::uint8_t>(drawn >> 56);
    }
    return frame;
  };
  home.lie([&](const message::Want& want) {
    std::vector<Buffer> frames;
    for (int i = 0; i < 200; ++i) frames.push_back(rubbish());
    frames.push_back(home.chain.answer(want));
    for (int i = 0; i < 200; ++i) frames.push_back(rubbish());
    return frames;
  });
  home.hear(2);
  EXPECT_GE(home.errors(), 100u);
  home.hear_until(home.slot_start(1) + 120);
  EXPECT_TRUE(home.follows(1));
  home.check_outputs();
}

// Headers that look right until their last seal is recovered, as many as the device will take.
TEST(lying_gateway, forged_seals_buy_a_bounded_number_of_recoveries) {
  LiedToHome home;
  std::uint32_t headers = 0;
  home.lie([&](const message::Want& want) {
    if (want.what != What::header) return std::vector<Buffer>{home.chain.answer(want)};
    ++headers;
    BftHeader header = home.chain.block(home.chain.number()).header;
    const crypto::Signature seal = TestKey(99).sign(header.seal_hash());
    header.seals[2].assign(seal.begin(), seal.end());
    return std::vector<Buffer>{FakeChain::part(want, header.fields.number, header.encode(), true)};
  });
  home.hear(1);
  headers = 0;
  // Ten minutes of announcements, ten a second: the pause after a failure doubles to a minute.
  for (int i = 0; i < 6000; ++i) {
    home.bench.now = home.bench.now.plus(100);
    home.bench.give(home.chain.notice(0, static_cast<std::uint32_t>(i), LiedToHome::epoch));
  }
  EXPECT_GE(headers, 5u);
  EXPECT_LE(headers, 20u);
  EXPECT_TRUE(home.has_not_moved());
}

TEST(lying_gateway, doubled_late_and_reordered_answers_change_nothing) {
  LiedToHome home;
  Buffer before;
  home.lie([&](const message::Want& want) {
    const Buffer answer = home.chain.answer(want);
    std::vector<Buffer> frames{before.empty() ? answer : before, answer, answer};
    before = answer;
    return frames;
  });
  home.hear(2);
  home.hear_until(home.slot_start(0) + 120);
  EXPECT_TRUE(home.follows(0));
  EXPECT_EQ(home.errors(), 0u);
  home.check_outputs();
}

TEST(lying_gateway, a_byte_at_a_time_is_slow_and_harmless) {
  LiedToHome home;
  home.lie([&](const message::Want& want) {
    Buffer answer = home.chain.answer(want);
    message::DownFrame frame;
    if (message::decode(answer, frame) != Error::none || frame.kind != message::FrameKind::header) return std::vector<Buffer>{answer};
    home.bench.now = home.bench.now.plus(4000);  // just before the device would ask again
    message::Part part = frame.part;
    part.bytes = part.bytes.first(1);
    Buffer drip(frame_size_max);
    const Result<Bytes> bytes = message::encode_header(part, drip);
    drip.resize(bytes->size());
    return std::vector<Buffer>{drip};
  });
  home.hear(1);
  EXPECT_GE(home.bench.wants, home.chain.block(home.chain.number()).header.encode().size());
  EXPECT_TRUE(home.has_not_moved());
  EXPECT_TRUE(home.is_in_fallback());
}

}  // namespace
}  // namespace wattproof::testing
