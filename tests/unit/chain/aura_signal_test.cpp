// SPDX-License-Identifier: Apache-2.0
#include "chain/aura_signal.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "support/vectors.hpp"
#include "unit/chain/aura_maker.hpp"

namespace wattproof::chain {
namespace {

using testing::address_list_data;
using testing::aura_checkpoint;
using testing::aura_child;
using testing::aura_start_step;
using testing::Buffer;
using testing::change_log;
using testing::receipt_trie;
using testing::receipt_with;
using testing::sorted_keys;
using testing::TestAuraHeader;
using testing::TestKey;
using testing::TestTrie;

const Address contract = {0x12, 0x04, 0x70};

class Signal : public ::testing::Test {
 protected:
  std::vector<TestKey> old_keys = sorted_keys(3);
  std::vector<TestKey> new_keys = sorted_keys(4, 40);
  std::vector<TestKey> other_keys = sorted_keys(2, 80);
  AuraConfig config{.validator_contract = contract};
  AuraState state = aura_checkpoint(old_keys);

  std::vector<TestKey> current() const {
    for (const auto* keys : {&old_keys, &new_keys, &other_keys}) {
      if (state.validators == testing::set_of(*keys)) return *keys;
    }
    ADD_FAILURE() << "unknown set";
    return old_keys;
  }

  // The next block, by whoever's turn it is, over these receipts. With `is_admitted` its bloom filter admits a signal.
  Error extend(const std::vector<Buffer>& receipts = {}, bool is_admitted = false) {
    const std::vector<TestKey> keys = current();
    TestAuraHeader header = aura_child(state, state.step + 1, config.shape);
    header.fields.receipts_root = receipt_trie(receipts).root();
    if (is_admitted) {
      testing::add_to_bloom(header.fields.bloom, contract);
      testing::add_to_bloom(header.fields.bloom, initiate_change_topic);
    }
    header.seal_with(keys[static_cast<std::size_t>(header.step % keys.size())]);
    AuraVerifier verifier;
    const Buffer encoded = header.encode();
    WATTPROOF_TRY(verifier.begin(encoded, state, config, {}));
    const Result<Progress> progress = verifier.step();
    if (progress) verifier.commit(state);
    return progress.error();
  }

  Buffer signal_log(const std::vector<TestKey>& keys, const Address& from = contract) const {
    std::vector<Address> addresses;
    for (const TestKey& key : keys) addresses.push_back(key.address);
    return change_log(from, initiate_change_topic, state.hash, address_list_data(addresses));
  }

  // Feeds all proofs of these receipts; the outcome of the last node.
  Result<SignalProgress> feed(AuraSignal& signal, const std::vector<Buffer>& receipts, std::uint64_t claimed) {
    signal.start(state, config, claimed);
    const TestTrie trie = receipt_trie(receipts);
    for (std::uint32_t proofs = 0; proofs <= claimed + 1; ++proofs) {
      const TrieKey key = index_key(signal.index());
      for (const Buffer& node : trie.prove(Bytes(key.bytes).first(key.size))) {
        const Result<SignalProgress> progress = signal.push(node);
        if (!progress) {
          EXPECT_EQ(signal.push(node).error(), progress.error()) << "an error is kept";
          return progress;
        }
        if (*progress == SignalProgress::announced || *progress == SignalProgress::nothing) return progress;
      }
    }
    ADD_FAILURE() << "no answer";
    return Error::not_ready;
  }

  // A block with these receipts is the state's last one; what do its receipts say?
  Result<SignalProgress> outcome_of(const std::vector<Buffer>& receipts, std::uint64_t claimed, AuraSignal& signal) {
    const AuraState before = state;
    EXPECT_EQ(extend(receipts, true), Error::none);
    const Result<SignalProgress> result = feed(signal, receipts, claimed);
    state = before;
    return result;
  }
};

TEST_F(Signal, topic_is_the_hash_of_the_event) {
  const std::string event = "InitiateChange(bytes32,address[])";
  EXPECT_EQ(crypto::keccak256(testing::text_bytes(event)), initiate_change_topic);
}

TEST_F(Signal, nothing_goes_on_until_the_receipts_were_looked_at) {
  const std::vector<Buffer> receipts{receipt_with({})};
  ASSERT_EQ(extend(receipts, true), Error::none);
  EXPECT_EQ(extend(), Error::validator_set_pending);
  AuraSignal signal;
  ASSERT_EQ(*feed(signal, receipts, 1), SignalProgress::nothing);
  EXPECT_EQ(signal.commit(state), Error::none);
  EXPECT_EQ(extend(), Error::none);
  EXPECT_EQ(state.pending_count, 0U);
}

TEST_F(Signal, the_new_set_begins_with_the_child_of_the_block_that_made_it_final) {
  const std::vector<Buffer> receipts{receipt_with({signal_log(new_keys)})};
  ASSERT_EQ(extend(receipts, true), Error::none);
  const std::uint64_t signal_number = state.number;
  AuraSignal signal;
  ASSERT_EQ(*feed(signal, receipts, 1), SignalProgress::announced);
  ASSERT_EQ(signal.commit(state), Error::none);
  // Two thirds of three is more than two: all three must sign. The old set does so.
  for (int block = 0; block < 2; ++block) {
    EXPECT_EQ(state.validators, testing::set_of(old_keys));
    ASSERT_EQ(extend(), Error::none);
  }
  EXPECT_EQ(state.final_block.number, signal_number);
  EXPECT_EQ(state.validators, testing::set_of(new_keys));
  EXPECT_EQ(state.window_count, 0U) << "finality is counted anew";

  // One block late: the old set is refused now. (One early was shown by the set above.)
  AuraState with_old = state;
  with_old.validators = testing::set_of(old_keys);
  TestAuraHeader header = aura_child(with_old, state.step + 1, config.shape);
  header.seal_with(old_keys[static_cast<std::size_t>(header.step % 3)]);
  AuraVerifier verifier;
  const Buffer encoded = header.encode();
  EXPECT_EQ(verifier.begin(encoded, state, config, {}), Error::wrong_author);
  EXPECT_EQ(extend(), Error::none) << "the new set's own block";
}

TEST_F(Signal, of_several_logs_the_first_of_the_last_receipt_counts) {
  AuraSignal signal;
  const std::vector<Buffer> receipts{receipt_with({signal_log(other_keys)}),
                                     receipt_with({signal_log(new_keys), signal_log(old_keys)}), receipt_with({})};
  ASSERT_EQ(*outcome_of(receipts, 3, signal), SignalProgress::announced);
  EXPECT_EQ(signal.set(), testing::set_of(new_keys));
  EXPECT_EQ(signal.index(), 1U) << "the earlier receipt was not even asked for";
}

TEST_F(Signal, a_receipt_withheld_at_the_end_is_noticed) {
  const std::vector<Buffer> receipts{receipt_with({signal_log(other_keys)}), receipt_with({signal_log(new_keys)})};
  AuraSignal signal;
  EXPECT_EQ(outcome_of(receipts, 1, signal).error(), Error::value_mismatch);
  EXPECT_EQ(outcome_of(receipts, 3, signal).error(), Error::value_absent);
}

TEST_F(Signal, other_logs_announce_nothing) {
  AuraSignal signal;
  const auto outcome = [&](const Buffer& log) { return *outcome_of({receipt_with({log})}, 1, signal); };
  EXPECT_EQ(outcome(signal_log(new_keys, Address{9})), SignalProgress::nothing) << "another contract";
  const Buffer data = address_list_data({new_keys[0].address});
  EXPECT_EQ(outcome(change_log(contract, initiate_change_topic, Hash32{1}, data)), SignalProgress::nothing)
      << "another parent";
  EXPECT_EQ(outcome(change_log(contract, Hash32{1}, state.hash, data)), SignalProgress::nothing) << "another event";
}

TEST_F(Signal, refuses_lists_that_are_not_in_form) {
  AuraSignal signal;
  const auto error_of = [&](const std::function<void(Buffer&)>& change) {
    Buffer data = address_list_data({new_keys[0].address, new_keys[1].address});
    change(data);
    const Buffer log = change_log(contract, initiate_change_topic, state.hash, data);
    return outcome_of({receipt_with({log})}, 1, signal).error();
  };
  EXPECT_EQ(error_of([](Buffer&) {}), Error::none);
  EXPECT_EQ(error_of([](Buffer& data) { data[31] = 33; }), Error::receipt_malformed);
  EXPECT_EQ(error_of([](Buffer& data) { data[63] = 3; }), Error::receipt_malformed);
  EXPECT_EQ(error_of([](Buffer& data) { data[32] = 1; }), Error::receipt_malformed);
  EXPECT_EQ(error_of([](Buffer& data) { data[64] = 1; }), Error::receipt_malformed);
  EXPECT_EQ(error_of([](Buffer& data) { data.pop_back(); }), Error::receipt_malformed);
  EXPECT_EQ(error_of([](Buffer& data) { data.resize(32); }), Error::receipt_malformed);
  EXPECT_EQ(error_of([](Buffer& data) { data = address_list_data({}); }), Error::validators_empty);
  EXPECT_EQ(error_of([](Buffer& data) {
              data = address_list_data(std::vector<Address>(validator_count_max + 1, Address{1}));
            }),
            Error::validators_too_many);
}

TEST_F(Signal, announced_sets_queue_up_to_a_limit) {
  // With one validator of three asleep nothing becomes final, so announcements pile up.
  AuraSignal signal;
  for (std::uint32_t i = 0; i <= aura_pending_max; ++i) {
    const std::vector<Buffer> receipts{receipt_with({signal_log(i % 2 == 0 ? new_keys : other_keys)})};
    const std::vector<TestKey> keys = current();
    // Only validators 0 and 1 seal: skip every third step.
    if ((state.step + 1) % 3 == 2) ++state.step;
    ASSERT_EQ(extend(receipts, true), Error::none);
    ASSERT_EQ(*feed(signal, receipts, 1), SignalProgress::announced);
    EXPECT_EQ(signal.commit(state), i < aura_pending_max ? Error::none : Error::capacity);
  }
  EXPECT_EQ(state.pending_count, aura_pending_max);
  EXPECT_EQ(state.pending[1].validators, testing::set_of(other_keys)) << "queued, not overwritten";
  EXPECT_TRUE(state.is_signal_due);
}

TEST_F(Signal, a_set_of_one_is_in_force_at_once) {
  old_keys.erase(old_keys.begin() + 1, old_keys.end());
  state = aura_checkpoint(old_keys);
  const std::vector<Buffer> receipts{receipt_with({signal_log(new_keys)})};
  ASSERT_EQ(extend(receipts, true), Error::none);
  EXPECT_EQ(state.final_block.number, state.number) << "the only signer has signed";
  AuraSignal signal;
  ASSERT_EQ(*feed(signal, receipts, 1), SignalProgress::announced);
  ASSERT_EQ(signal.commit(state), Error::none);
  EXPECT_EQ(state.validators, testing::set_of(new_keys));
}

TEST_F(Signal, needs_a_start_and_takes_nothing_after_its_answer) {
  AuraSignal fresh;
  EXPECT_EQ(fresh.push(Buffer{0x80}).error(), Error::not_ready);
  const std::vector<Buffer> receipts{receipt_with({})};
  ASSERT_EQ(extend(receipts, true), Error::none);
  AuraSignal signal;
  ASSERT_EQ(*feed(signal, receipts, 1), SignalProgress::nothing);
  EXPECT_EQ(signal.push(Buffer{0x80}).error(), Error::trie_trailing_nodes);
}

TEST_F(Signal, an_announcement_is_the_end_and_belongs_to_its_block) {
  const std::vector<Buffer> receipts{receipt_with({signal_log(new_keys)})};
  ASSERT_EQ(extend(receipts, true), Error::none);
  AuraSignal signal;
  signal.start(state, config, 1);
  EXPECT_DEATH((void)signal.commit(state), "CHECK failed") << "before its answer";
  ASSERT_EQ(*feed(signal, receipts, 1), SignalProgress::announced);
  AuraState settled = state;
  settled.is_signal_due = false;
  EXPECT_DEATH((void)signal.commit(settled), "CHECK failed") << "nothing is due";
  AuraState later = state;
  ++later.number;
  EXPECT_DEATH((void)signal.commit(later), "CHECK failed") << "another block";
  EXPECT_EQ(signal.push(Buffer{0x80}).error(), Error::trie_trailing_nodes);
  EXPECT_DEATH((void)signal.commit(state), "CHECK failed") << "after an error";
}

TEST_F(Signal, two_sets_become_final_in_the_order_of_their_announcement) {
  AuraSignal signal;
  const std::vector<Buffer> first{receipt_with({signal_log(new_keys)})};
  ASSERT_EQ(extend(first, true), Error::none);
  ASSERT_EQ(*feed(signal, first, 1), SignalProgress::announced);
  ASSERT_EQ(signal.commit(state), Error::none);
  const std::vector<Buffer> second{receipt_with({signal_log(other_keys)})};
  ASSERT_EQ(extend(second, true), Error::none);
  ASSERT_EQ(*feed(signal, second, 1), SignalProgress::announced);
  ASSERT_EQ(signal.commit(state), Error::none);
  EXPECT_EQ(state.pending_count, 2U);
  // The third block makes the first one final, and its set comes into force; the second waits for the new set's finality.
  ASSERT_EQ(extend(), Error::none);
  EXPECT_EQ(state.validators, testing::set_of(new_keys));
  EXPECT_EQ(state.pending_count, 1U);
  for (int block = 0; block < 3; ++block) {
    EXPECT_EQ(state.validators, testing::set_of(new_keys));
    ASSERT_EQ(extend(), Error::none);
  }
  EXPECT_EQ(state.validators, testing::set_of(other_keys));
  EXPECT_EQ(state.pending_count, 0U);
}

TEST_F(Signal, refused_nodes_end_it_by_the_error_of_the_trie) {
  const std::vector<Buffer> receipts{receipt_with({})};
  ASSERT_EQ(extend(receipts, true), Error::none);
  AuraSignal signal;
  signal.start(state, config, 1);
  EXPECT_EQ(signal.push(Buffer(40, 1)).error(), Error::trie_hash_mismatch);
  EXPECT_EQ(signal.push(Buffer(40, 1)).error(), Error::trie_hash_mismatch);
  EXPECT_DEATH((void)signal.commit(state), "CHECK failed");
}

TEST_F(Signal, a_contract_that_only_looks_similar_in_the_bloom_is_not_asked) {
  // Contract admitted, event not: no signal is due.
  TestAuraHeader header = aura_child(state, state.step + 1, config.shape);
  testing::add_to_bloom(header.fields.bloom, contract);
  header.seal_with(old_keys[static_cast<std::size_t>(header.step % 3)]);
  const Buffer encoded = header.encode();
  AuraVerifier verifier;
  ASSERT_EQ(verifier.begin(encoded, state, config, {}), Error::none);
  ASSERT_EQ(*verifier.step(), Progress::accepted);
  verifier.commit(state);
  EXPECT_FALSE(state.is_signal_due);
  AuraSignal signal;
  EXPECT_DEATH(signal.start(state, config, 0), "CHECK failed");
}

}  // namespace
}  // namespace wattproof::chain
