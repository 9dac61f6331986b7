// SPDX-License-Identifier: Apache-2.0
#include "chain/head.hpp"

#include <gtest/gtest.h>

#include "unit/chain/header_maker.hpp"

namespace wattproof::chain {
namespace {

constexpr std::uint64_t chain_s = 1'700'000'000;

BootMs at(std::uint64_t second) { return {1000 * second}; }

TrustedHead head_at(std::uint64_t second) {
  TrustedHead head;
  head.number = 10;
  head.timestamp = {second};
  return head;
}

// No drift allowance, so that the figures below are whole seconds; a bound is one second above at most.
constexpr FreshnessConfig exact{.age_s_max = 900, .skew_s_max = 15, .drift_ppm_max = 0};

TEST(head, nothing_is_fresh_after_a_boot_without_a_clock) {
  Freshness freshness(exact);
  const TrustedHead head = head_at(chain_s);
  freshness.observe(head.timestamp, at(1));
  EXPECT_EQ(freshness.check(head, at(1)), Error::head_not_proved_fresh);
  EXPECT_EQ(freshness.age_s(head.timestamp, at(1)).error(), Error::head_not_proved_fresh);
  EXPECT_EQ(freshness.bounds(at(1)).at_most.s, UINT64_MAX);
  freshness.start_challenge(at(2));
  EXPECT_EQ(freshness.check(head, at(3)), Error::head_not_proved_fresh) << "sent is not seen";
}

TEST(head, own_message_under_a_final_header_proves_freshness) {
  Freshness freshness(exact);
  EXPECT_EQ(freshness.prove({chain_s}), Error::not_ready);
  freshness.start_challenge(at(100));
  EXPECT_EQ(freshness.prove({chain_s}), Error::none);
  EXPECT_TRUE(freshness.is_proved());
  EXPECT_EQ(freshness.prove({chain_s + 5}), Error::not_ready) << "one message proves once";
  // The header cannot be older than the message: at 130 s of boot time it is at most 30 s old.
  EXPECT_LE(*freshness.age_s({chain_s}, at(130)), 31U);
  EXPECT_GE(*freshness.age_s({chain_s}, at(130)), 30U);
  EXPECT_EQ(freshness.check(head_at(chain_s), at(100 + 899)), Error::none);
  EXPECT_EQ(freshness.check(head_at(chain_s), at(100 + 901)), Error::head_stale);
  // A newer head is younger by the chain time between.
  EXPECT_EQ(freshness.check(head_at(chain_s + 600), at(100 + 901)), Error::none);
  EXPECT_LE(*freshness.age_s({chain_s + 600}, at(100 + 901)), 302U);
}

TEST(head, a_later_own_message_is_a_better_anchor) {
  FreshnessConfig config = exact;
  config.drift_ppm_max = 1000;
  Freshness freshness(config);
  freshness.start_challenge(at(0));
  ASSERT_EQ(freshness.prove({chain_s}), Error::none);
  const std::uint64_t day_s = 86'400;
  // The drift allowance makes a head that is new look older than the limit after ten days ...
  EXPECT_EQ(*freshness.age_s({chain_s + 10 * day_s}, at(10 * day_s)), 10 * day_s / 1000 + 1);
  // ... until another message is proved.
  freshness.start_challenge(at(10 * day_s - 20));
  ASSERT_EQ(freshness.prove({chain_s + 10 * day_s - 5}), Error::none);
  EXPECT_LE(*freshness.age_s({chain_s + 10 * day_s}, at(10 * day_s)), 16U);
}

TEST(head, a_trusted_clock_bounds_time_on_both_sides) {
  Freshness freshness(exact);
  freshness.set_clock({chain_s}, at(50));
  const TimeBounds bounds = freshness.bounds(at(60));
  EXPECT_EQ(bounds.at_least.s, chain_s + 10);
  EXPECT_GE(bounds.at_most.s, chain_s + 10 + 15);
  EXPECT_LE(bounds.at_most.s, chain_s + 11 + 15);
  EXPECT_EQ(freshness.check(head_at(chain_s - 880), at(60)), Error::none);
  EXPECT_EQ(freshness.check(head_at(chain_s - 900), at(60)), Error::head_stale);
}

TEST(head, drift_widens_the_bounds_with_time) {
  FreshnessConfig config = exact;
  config.drift_ppm_max = 200;
  Freshness freshness(config);
  freshness.set_clock({chain_s}, at(0));
  const TimeBounds bounds = freshness.bounds(at(1'000'000));
  EXPECT_EQ(bounds.at_least.s, chain_s + 1'000'000 - 200);
  EXPECT_GE(bounds.at_most.s, chain_s + 1'000'000 + 200 + 15);
  EXPECT_LE(bounds.at_most.s, chain_s + 1'000'000 + 201 + 15);
}

TEST(head, verified_heads_move_the_lower_bound_and_never_back) {
  Freshness freshness(exact);
  freshness.observe({chain_s}, at(0));
  EXPECT_EQ(freshness.bounds(at(10)).at_least.s, chain_s + 10);
  freshness.observe({chain_s + 5}, at(10));  // an older head, delivered late
  EXPECT_EQ(freshness.bounds(at(10)).at_least.s, chain_s + 10);
  freshness.observe({chain_s + 60}, at(10));
  EXPECT_EQ(freshness.bounds(at(10)).at_least.s, chain_s + 60);
}

TEST(head, a_head_ahead_of_the_anchor_makes_ages_larger_never_smaller) {
  Freshness freshness(exact);
  freshness.set_clock({chain_s}, at(0));
  freshness.observe({chain_s + 40}, at(10));
  EXPECT_EQ(*freshness.age_s({chain_s + 40}, at(10)), 1U);
  EXPECT_EQ(*freshness.age_s({chain_s}, at(10)), 41U);
}

TEST(head, ages_do_not_wrap_at_the_ends_of_the_integers) {
  Freshness freshness(exact);
  freshness.set_clock({UINT64_MAX - 5}, at(0));
  EXPECT_EQ(freshness.bounds(at(3600)).at_most.s, UINT64_MAX);
  EXPECT_EQ(freshness.bounds(at(3600)).at_least.s, UINT64_MAX);
  EXPECT_EQ(*freshness.age_s({UINT64_MAX}, at(3600)), 0U);
  EXPECT_EQ(freshness.check(head_at(0), at(3600)), Error::head_stale);
}

TEST(head, a_conflict_outweighs_everything) {
  Freshness freshness(exact);
  TrustedHead head = head_at(chain_s);
  head.is_conflicting = true;
  EXPECT_EQ(freshness.check(head, at(0)), Error::conflicting_final_headers);
  freshness.set_clock({chain_s}, at(0));
  EXPECT_EQ(freshness.check(head, at(0)), Error::conflicting_final_headers);
}

TEST(head, a_stored_head_below_the_counter_is_refused) {
  EXPECT_EQ(check_not_rolled_back(head_at(chain_s), 11), Error::head_rolled_back);
  EXPECT_EQ(check_not_rolled_back(head_at(chain_s), 10), Error::none);
  EXPECT_EQ(check_not_rolled_back(head_at(chain_s), 0), Error::none);
}

TrustedHead full_head(std::uint32_t count) {
  TrustedHead head;
  head.number = 0x0102030405060708;
  head.timestamp = {0x1112131415161718};
  head.hash = crypto::keccak256({});
  head.state_root = crypto::keccak256(head.hash);
  head.validators = testing::set_of(testing::sorted_keys(count));
  head.is_linked = true;
  return head;
}

TEST(head, record_round_trips_at_every_size) {
  for (const std::uint32_t count : {0U, 1U, 4U, validator_count_max}) {
    TrustedHead head = full_head(count);
    head.is_conflicting = count == 4;
    std::array<std::uint8_t, head_record_size> record{};
    encode_head(head, record);
    TrustedHead read;
    ASSERT_EQ(decode_head(record, read), Error::none);
    EXPECT_EQ(read, head);
  }
}

TEST(head, record_is_refused_by_what_is_wrong_with_it) {
  std::array<std::uint8_t, head_record_size> record{};
  encode_head(full_head(4), record);
  const TrustedHead untouched = head_at(7);
  TrustedHead read = untouched;
  const auto error_with = [&](std::size_t offset, std::uint8_t value) {
    auto changed = record;
    changed[offset] = value;
    return decode_head(changed, read);
  };
  EXPECT_EQ(decode_head(Bytes(record).first(head_record_size - 1), read), Error::wrong_length);
  EXPECT_EQ(decode_head({}, read), Error::wrong_length);
  EXPECT_EQ(error_with(0, 2), Error::unknown_version);
  EXPECT_EQ(error_with(1, 4), Error::record_corrupt);
  EXPECT_EQ(error_with(3, validator_count_max + 1), Error::record_corrupt);
  EXPECT_EQ(error_with(2, 1), Error::record_corrupt);
  EXPECT_EQ(error_with(3, 3), Error::record_corrupt) << "a validator beyond the count";
  EXPECT_EQ(error_with(head_record_size - 1, 1), Error::record_corrupt);
  EXPECT_EQ(read, untouched);
}

TEST(head, an_unlinked_head_is_stored_as_such_and_too_many_validators_are_a_mistake) {
  TrustedHead head = full_head(1);
  head.is_linked = false;
  std::array<std::uint8_t, head_record_size> record{};
  encode_head(head, record);
  TrustedHead read;
  ASSERT_EQ(decode_head(record, read), Error::none);
  EXPECT_EQ(read, head);
  head.validators.count = validator_count_max + 1;
  EXPECT_DEATH(encode_head(head, record), "CHECK failed");
}

TEST(head, before_anything_is_known_time_has_no_bounds) {
  const Freshness freshness;
  EXPECT_EQ(freshness.bounds(at(5)).at_least.s, 0U);
  EXPECT_EQ(freshness.bounds(at(5)).at_most.s, UINT64_MAX);
  EXPECT_FALSE(freshness.is_proved());
}

}  // namespace
}  // namespace wattproof::chain
