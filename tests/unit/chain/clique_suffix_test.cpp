// SPDX-License-Identifier: Apache-2.0
#include "chain/clique_suffix.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "unit/chain/clique_maker.hpp"

namespace wattproof::chain {
namespace {

using testing::clique_checkpoint;
using testing::clique_child;
using testing::sorted_keys;
using testing::TestCliqueHeader;
using testing::TestKey;

class CliqueRun : public ::testing::Test {
 protected:
  std::vector<TestKey> keys = sorted_keys(5);
  CliqueConfig config{.epoch_length = 1000, .trusting_period_s = 1'000'000};
  CliqueState trusted = clique_checkpoint(keys, 100);
  CliqueSuffix suffix;

  // Headers after `gap` unseen blocks by the signers given, all else by the rules.
  std::vector<TestCliqueHeader> run_of(const std::vector<TestKey>& signers, std::uint64_t gap,
                                       const std::function<void(std::size_t, TestCliqueHeader&)>& change =
                                           [](std::size_t, TestCliqueHeader&) {}) {
    CliqueState at = trusted;
    at.number += gap;
    at.timestamp.s += gap * config.period_s_min;
    at.hash = gap == 0 ? trusted.hash : crypto::keccak256({});
    std::vector<TestCliqueHeader> run;
    for (std::size_t i = 0; i < signers.size(); ++i) {
      TestCliqueHeader header = clique_child(at, signers[i], config);
      change(i, header);
      header.seal_with(signers[i]);
      at.number = header.fields.number;
      at.hash = header.hash();
      at.timestamp = {header.fields.timestamp_s};
      run.push_back(header);
    }
    return run;
  }

  Error error_of(const std::vector<TestCliqueHeader>& run, TimeBounds time = {}) {
    suffix.start(trusted, config);
    for (const TestCliqueHeader& header : run) {
      const Error error = suffix.begin(header.encode(), time);
      if (error != Error::none) {
        EXPECT_EQ(suffix.begin(header.encode(), time), Error::not_ready) << "a refusal ends the run";
        return error;
      }
      const Result<Progress> progress = suffix.step();
      if (!progress) return progress.error();
    }
    return suffix.settled().error();
  }
};

TEST_F(CliqueRun, settles_its_first_block_by_more_than_half_of_the_signers) {
  const std::vector<TestCliqueHeader> run = run_of({keys[4], keys[0], keys[2]}, 500);
  EXPECT_EQ(error_of({run[0]}), Error::not_final);
  EXPECT_EQ(error_of({run[0], run[1]}), Error::not_final);
  EXPECT_EQ(error_of(run), Error::none);
  EXPECT_EQ(suffix.settled()->hash, run[0].hash());
  EXPECT_EQ(suffix.settled()->signer, keys[4].address);
  CliqueState state = trusted;
  suffix.commit(state);
  EXPECT_EQ(state.number, 601U);
  EXPECT_EQ(state.hash, run[0].hash());
  EXPECT_EQ(state.signers, trusted.signers);
  EXPECT_TRUE(state.is_linked);
}

TEST_F(CliqueRun, moves_the_head_of_a_device_that_counts_no_votes) {
  const std::vector<TestCliqueHeader> run = run_of({keys[4], keys[0], keys[2]}, 500);
  TrustedHead head;
  head.number = trusted.number;
  head.hash = trusted.hash;
  head.timestamp = trusted.timestamp;
  head.validators = trusted.signers;
  head.is_linked = true;
  const TrustedHead before = head;
  suffix.start(head, config);
  EXPECT_DEATH(suffix.commit(head), "CHECK failed") << "before it is settled";
  for (const TestCliqueHeader& header : run) {
    EXPECT_EQ(head, before);
    ASSERT_EQ(suffix.begin(header.encode(), {}), Error::none);
    ASSERT_EQ(suffix.step().error(), Error::none);
  }
  suffix.commit(head);
  EXPECT_EQ(head.number, 601U);
  EXPECT_EQ(head.hash, run[0].hash());
  EXPECT_EQ(head.timestamp.s, run[0].fields.timestamp_s);
  EXPECT_EQ(head.state_root, run[0].fields.state_root);
  EXPECT_EQ(head.validators, before.validators);
  suffix.start(head, config);
  EXPECT_EQ(suffix.begin(run[0].encode(), {}), Error::number_not_newer) << "it is the head now";
}

TEST_F(CliqueRun, one_signer_alone_settles_nothing) {
  EXPECT_EQ(error_of(run_of({keys[4], keys[4], keys[4]}, 500)), Error::signed_recently);
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[4]}, 500)), Error::signed_recently);
}

TEST_F(CliqueRun, refuses_what_does_not_link_or_belong) {
  const auto with = [&](std::size_t place, const std::function<void(TestCliqueHeader&)>& change) {
    return error_of(run_of({keys[4], keys[0], keys[2]}, 500, [&](std::size_t i, TestCliqueHeader& header) {
      if (i == place) change(header);
    }));
  };
  EXPECT_EQ(error_of(run_of({keys[4], TestKey(77), keys[2]}, 500)), Error::unknown_signer);
  EXPECT_EQ(with(1, [](auto& h) { h.fields.parent_hash[0] ^= 1; }), Error::parent_hash_mismatch);
  EXPECT_EQ(with(1, [](auto& h) { h.fields.number += 1; }), Error::number_not_contiguous);
  EXPECT_EQ(with(1, [](auto& h) { h.fields.timestamp_s -= 1; }), Error::timestamp_too_early);
  EXPECT_EQ(with(0, [](auto& h) { h.fields.timestamp_s -= 1; }), Error::timestamp_too_early) << "500 blocks at least";
  EXPECT_EQ(with(0, [](auto& h) { h.fields.timestamp_s = 0; }), Error::timestamp_too_early);
  EXPECT_EQ(with(0, [](auto& h) { h.fields.number = 100; }), Error::number_not_newer);
  EXPECT_EQ(with(0, [](auto& h) { h.fields.number = UINT64_MAX; }), Error::timestamp_too_early) << "more time than there is";
  EXPECT_EQ(with(2, [](auto& h) { h.fields.difficulty = 3 - h.fields.difficulty; }), Error::wrong_difficulty);
  EXPECT_EQ(with(2, [](auto& h) { h.fields.timestamp_s += 2'000'000; }), Error::none) << "only the first is held to it";
  EXPECT_EQ(with(0, [](auto& h) { h.fields.timestamp_s += 2'000'000; }), Error::trusting_period_over);
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[2]}, 500), {{0}, {1'500'000'000}}), Error::timestamp_in_future);
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[2]}, 500), {{1'501'000'001}, {UINT64_MAX}}),
            Error::trusting_period_over);
}

TEST_F(CliqueRun, a_child_of_the_trusted_block_names_it) {
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[2]}, 0)), Error::none);
  trusted.hash[0] ^= 1;
  const std::vector<TestCliqueHeader> run = run_of({keys[4], keys[0], keys[2]}, 0);
  trusted.hash[0] ^= 1;
  EXPECT_EQ(error_of(run), Error::parent_hash_mismatch);
}

TEST_F(CliqueRun, an_epoch_block_with_another_list_ends_it) {
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[2]}, 898)), Error::none) << "with the same list";
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[2]}, 898,
                            [](std::size_t, TestCliqueHeader& header) {
                              if (!header.list.empty()) header.list.pop_back();
                            })),
            Error::validators_mismatch);
}

TEST_F(CliqueRun, needs_a_start_and_somebody_who_may_sign) {
  const std::vector<TestCliqueHeader> run = run_of({keys[4]}, 500);
  CliqueSuffix fresh;
  EXPECT_EQ(fresh.begin(run[0].encode(), {}), Error::not_ready);
  EXPECT_EQ(fresh.step().error(), Error::not_ready);
  EXPECT_EQ(fresh.settled().error(), Error::not_final);
  trusted.signers = ValidatorSet();
  EXPECT_EQ(error_of(run), Error::validators_empty);
}

TEST_F(CliqueRun, begins_anywhere_above_a_checkpoint_without_hash_and_time) {
  trusted.is_linked = false;
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[2]}, 5000)), Error::none);
}

TEST_F(CliqueRun, refuses_headers_and_seals_that_are_out_of_form) {
  std::vector<TestCliqueHeader> run = run_of({keys[4], keys[0], keys[2]}, 500);
  run[1].fields.mix_hash[0] = 1;
  EXPECT_EQ(error_of(run), Error::header_field_invalid);
  run = run_of({keys[4], keys[0], keys[2]}, 500);
  // An r that is the x of no point: half of all values are.
  Error error = Error::none;
  for (std::uint8_t r = 1; r < 64 && error != Error::bad_signature; ++r) {
    std::fill_n(run[0].seal.begin(), 31, 0);
    run[0].seal[31] = r;
    error = error_of({run[0]});
  }
  EXPECT_EQ(error, Error::bad_signature);
  EXPECT_DEATH(suffix.commit(trusted), "CHECK failed");
}

TEST_F(CliqueRun, an_epoch_block_with_another_signer_in_its_list_ends_it) {
  EXPECT_EQ(error_of(run_of({keys[4], keys[0], keys[2]}, 898,
                            [](std::size_t, TestCliqueHeader& header) {
                              if (!header.list.empty()) header.list[4][19] ^= 1;
                            })),
            Error::validators_mismatch);
}

}  // namespace
}  // namespace wattproof::chain
