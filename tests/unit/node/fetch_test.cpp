// SPDX-License-Identifier: Apache-2.0
#include "node/fetch.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/node_bench.hpp"
#include "support/vectors.hpp"

namespace wattproof::testing {
namespace {

using node::Fetch;

struct Puller {
  FakeChain chain;
  node::Config config;
  chain::TrustedHead head = chain.checkpoint();
  chain::Freshness freshness;
  Fetch fetch;
  BootMs now{1000};
  std::uint32_t recoveries_in_a_row_max = 0;

  node::FetchContext context() { return {config, head, freshness, now}; }

  // Answers wants by `reply` until the fetch is over or nothing moves any more.
  template <class Reply>
  void run(Reply reply) {
    for (int turn = 0; turn < 200 && fetch.outcome() == Fetch::Outcome::pending; ++turn) {
      if (fetch.has_work()) {
        fetch.work(context());
        continue;
      }
      message::Want want;
      if (!fetch.next_want(context(), want)) return;
      message::DownFrame frame;
      const Buffer bytes = reply(want);
      if (message::decode(bytes, frame) == Error::none) fetch.take(frame, context());
    }
  }
  void run_honestly() {
    run([this](const message::Want& want) { return chain.answer(want); });
  }
};

TEST(fetch, proves_words_and_data_piece_by_piece) {
  Puller puller;
  puller.chain.set_word(puller.chain.scheduler(), number_word(5), number_word(77));
  puller.chain.mine(5);
  const std::array<Hash32, 2> slots{number_word(5), number_word(6)};
  puller.fetch.begin_words(puller.chain.scheduler(), slots);
  puller.run_honestly();
  ASSERT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved);
  EXPECT_EQ(puller.fetch.word(0), number_word(77));
  EXPECT_EQ(puller.fetch.word(1), Hash32{});
  EXPECT_EQ(puller.head.number, puller.chain.number());
  EXPECT_TRUE(puller.fetch.took_new_head());
}

TEST(fetch, does_not_recover_the_same_header_twice) {
  Puller puller;
  puller.chain.mine(5);
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run_honestly();
  ASSERT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved);
  puller.fetch.forget();
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run_honestly();
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved);
  EXPECT_FALSE(puller.fetch.took_new_head());
}

TEST(fetch, a_checkpoint_without_a_state_waits_for_a_newer_header) {
  Puller puller;
  puller.head.state_root = {};
  const std::array<Hash32, 1> slots{number_word(5)};
  puller.fetch.begin_words(puller.chain.scheduler(), slots);
  puller.run_honestly();
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
  EXPECT_EQ(puller.fetch.error(), Error::not_ready);
  puller.fetch.forget();
  puller.chain.mine(5);
  puller.fetch.begin_words(puller.chain.scheduler(), slots);
  puller.run_honestly();
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved);
}

TEST(fetch, an_older_header_is_refused_and_leaves_the_head) {
  Puller puller;
  const std::uint64_t old = puller.chain.number();
  puller.chain.mine(5);
  puller.chain.mine(5);
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run_honestly();
  ASSERT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved);
  const chain::TrustedHead before = puller.head;
  puller.fetch.forget();
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run([&](message::Want want) {
    want.block = old;
    return puller.chain.answer(want);
  });
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
  EXPECT_EQ(puller.fetch.error(), Error::number_not_newer);
  EXPECT_EQ(puller.head, before);
}

TEST(fetch, truncated_extended_and_forged_proofs_have_errors_of_their_own) {
  const auto refuse = [](auto change, Error error) {
    Puller puller;
    puller.chain.set_word(puller.chain.scheduler(), number_word(5), number_word(77));
    puller.chain.mine(5);
    const std::array<Hash32, 1> slots{number_word(5)};
    puller.fetch.begin_words(puller.chain.scheduler(), slots);
    puller.run([&](const message::Want& want) {
      if (want.what != message::What::storage_proof) return puller.chain.answer(want);
      auto nodes = puller.chain.block(puller.chain.number())
                       .storage.at(puller.chain.scheduler())
                       .prove(crypto::keccak256(want.key));
      change(nodes);
      return FakeChain::nodes(want, nodes);
    });
    EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
    EXPECT_EQ(puller.fetch.error(), error);
  };
  refuse([](std::vector<Buffer>& nodes) { nodes.pop_back(); }, Error::trie_truncated);
  refuse([](std::vector<Buffer>& nodes) { nodes.push_back(nodes.back()); }, Error::trie_trailing_nodes);
  refuse([](std::vector<Buffer>& nodes) { nodes.back().back() ^= 1; }, Error::trie_hash_mismatch);
  refuse([](std::vector<Buffer>& nodes) { std::swap(nodes.front(), nodes.back()); }, Error::trie_hash_mismatch);
}

TEST(fetch, an_answer_to_another_want_is_not_taken) {
  Puller puller;
  puller.chain.mine(5);
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run([&](message::Want want) {
    ++want.sequence;
    return puller.chain.answer(want);
  });
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::pending);
  EXPECT_EQ(puller.head.number, FakeChain::first_number);
}

TEST(fetch, a_lost_want_is_sent_again_when_the_gateway_gives_a_sign_of_life) {
  Puller puller;
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  message::Want want;
  ASSERT_TRUE(puller.fetch.next_want(puller.context(), want));
  puller.fetch.nudge(puller.now, puller.config.link);
  EXPECT_FALSE(puller.fetch.next_want(puller.context(), want));
  puller.now = puller.now.plus(puller.config.link.pause_ms_min);
  puller.fetch.nudge(puller.now, puller.config.link);
  EXPECT_TRUE(puller.fetch.next_want(puller.context(), want));
}

TEST(fetch, a_silent_link_is_asked_a_few_times_and_then_left_for_a_growing_while) {
  Puller puller;
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  std::uint32_t wants = 0;
  std::uint64_t pause_ms = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    for (int i = 0; i < 10 && puller.fetch.outcome() == Fetch::Outcome::pending; ++i) {
      message::Want want;
      wants += puller.fetch.next_want(puller.context(), want) ? 1u : 0u;
      puller.now = puller.now.plus(puller.config.link.answer_ms_max);
    }
    EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
    EXPECT_EQ(puller.fetch.error(), Error::link_down);
    puller.fetch.forget();
    puller.now = puller.now.plus(0);
    std::uint64_t waited = 0;
    while (!puller.fetch.may_begin(puller.now.plus(waited))) waited += 100;
    EXPECT_GE(waited + puller.config.link.answer_ms_max, pause_ms);
    pause_ms = waited;
    puller.now = puller.now.plus(waited);
    puller.fetch.begin_words(puller.chain.scheduler(), {});
  }
  EXPECT_EQ(wants, 3 * puller.config.link.tries_max);
}

// One attempt that is answered with the newest header, one seal of it forged.
void give_rubbish(Puller& puller) {
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run([&](const message::Want& want) {
    BftHeader header = puller.chain.block(puller.chain.number()).header;
    header.fields.number += 1;
    return FakeChain::part(want, header.fields.number, header.encode(), true);
  });
  ASSERT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
  puller.fetch.forget();
}

std::uint64_t pause_ms(const Puller& puller) {
  return puller.fetch.next_wake(puller.now, puller.config.link).since(puller.now);
}

TEST(fetch, a_true_answer_about_an_old_head_does_not_buy_rubbish_a_short_pause) {
  Puller puller;
  give_rubbish(puller);
  EXPECT_EQ(pause_ms(puller), puller.config.link.pause_ms_min);
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run_honestly();
  ASSERT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved);
  ASSERT_FALSE(puller.fetch.took_new_head());
  puller.fetch.forget();
  give_rubbish(puller);
  EXPECT_EQ(pause_ms(puller), 2 * puller.config.link.pause_ms_min);
  puller.chain.mine(5);
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run_honestly();
  ASSERT_TRUE(puller.fetch.took_new_head());
  puller.fetch.forget();
  give_rubbish(puller);
  EXPECT_EQ(pause_ms(puller), puller.config.link.pause_ms_min);
}

TEST(fetch, a_new_link_forgives_silence_but_not_rubbish) {
  Puller puller;
  give_rubbish(puller);
  puller.fetch.link_up(puller.now);
  EXPECT_FALSE(puller.fetch.may_begin(puller.now));
  puller.now = puller.now.plus(puller.config.link.pause_ms_min);
  ASSERT_TRUE(puller.fetch.may_begin(puller.now));
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run([](const message::Want& want) { return FakeChain::none(want.sequence); });
  ASSERT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
  puller.fetch.forget();
  EXPECT_FALSE(puller.fetch.may_begin(puller.now));
  puller.fetch.link_up(puller.now);
  EXPECT_TRUE(puller.fetch.may_begin(puller.now));
}

TEST(fetch, the_longest_pause_that_can_be_configured_does_not_wrap) {
  Puller puller;
  puller.config.link.pause_ms_min = 0x8000'0000;
  puller.config.link.pause_ms_max = 0xffff'ffff;
  give_rubbish(puller);
  give_rubbish(puller);
  EXPECT_EQ(pause_ms(puller), 0xffff'ffffu);
}

// Headers of a real Clique chain of three signers (tests/vectors/real_networks.md), as a gateway hands them out.
struct CliquePuller : Puller {
  std::map<std::uint64_t, Buffer> headers;
  std::map<std::uint64_t, std::string> hashes;
  std::uint64_t newest = 8;
  std::vector<std::uint64_t> asked;

  CliquePuller() {
    const auto file = std::filesystem::path(WATTPROOF_SOURCE_DIR) / "tests/vectors/geth_clique.json";
    const nlohmann::json network = nlohmann::json::parse(std::ifstream(file));
    for (const auto& vector : network["headers"]) {
      headers[vector["number"].get<std::uint64_t>()] = from_hex(vector["rlp"].get<std::string>());
      hashes[vector["number"].get<std::uint64_t>()] = vector["hash"].get<std::string>();
    }
    config.chain.is_clique = true;
    config.chain.clique = {.shape = chain::HeaderShape::london, .period_s_min = 1};
    head = {};
    for (const auto& signer : network["validators"]) {
      head.validators.items[head.validators.count++] = array_from_hex<20>(signer.get<std::string>());
    }
    std::sort(head.validators.items.begin(), head.validators.items.begin() + head.validators.count);
  }

  Buffer header_frame(const message::Want& want, std::uint64_t block) {
    const Buffer& header = headers[block];
    const message::Part part{.sequence = want.sequence, .block = want.block == 0 ? newest : want.block,
                             .total = static_cast<std::uint32_t>(header.size()), .offset = 0, .bytes = header};
    std::array<std::uint8_t, frame_size_max> room{};
    const Bytes frame = *message::encode_header(part, room);
    return {frame.begin(), frame.end()};
  }
  void run_session() {
    fetch.begin_words(chain.scheduler(), {});
    run([this](const message::Want& want) {
      asked.push_back(want.block);
      return header_frame(want, want.block == 0 ? newest : want.block);
    });
  }
};

TEST(fetch, on_a_clique_chain_takes_the_block_that_more_than_half_have_built_on) {
  CliquePuller puller;
  puller.run_session();
  ASSERT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved) << error_name(puller.fetch.error());
  EXPECT_EQ(puller.head.number, 7U);
  EXPECT_EQ("0x" + to_hex(puller.head.hash), puller.hashes[7]);
  EXPECT_FALSE(is_zero(puller.head.state_root));
  EXPECT_TRUE(puller.fetch.took_new_head());
  EXPECT_EQ(puller.asked, (std::vector<std::uint64_t>{0, 7, 8}));
  // The same newest block settles nothing more.
  puller.fetch.forget();
  puller.run_session();
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::words_proved);
  EXPECT_FALSE(puller.fetch.took_new_head());
}

TEST(fetch, on_a_clique_chain_one_header_twice_settles_nothing) {
  CliquePuller puller;
  const chain::TrustedHead before = puller.head;
  puller.fetch.begin_words(puller.chain.scheduler(), {});
  puller.run([&](const message::Want& want) { return puller.header_frame(want, 7); });
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
  EXPECT_EQ(puller.fetch.error(), Error::number_not_contiguous);
  EXPECT_EQ(puller.head, before);
}

TEST(fetch, on_a_clique_chain_a_signer_from_outside_is_refused) {
  CliquePuller puller;
  puller.head.validators.items[0][0] = static_cast<std::uint8_t>(puller.head.validators.items[0][0] ^ 1);
  const chain::TrustedHead before = puller.head;
  for (puller.newest = 4; puller.newest < 8 && puller.head == before; ++puller.newest) {
    puller.run_session();
    if (puller.fetch.outcome() == Fetch::Outcome::failed) break;
    puller.fetch.forget();
  }
  EXPECT_EQ(puller.fetch.outcome(), Fetch::Outcome::failed);
  EXPECT_EQ(puller.fetch.error(), Error::unknown_signer);
}

}  // namespace
}  // namespace wattproof::testing
