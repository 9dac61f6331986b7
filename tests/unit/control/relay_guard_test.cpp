// SPDX-License-Identifier: Apache-2.0
#include "control/relay_guard.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace wattproof::control {
namespace {

constexpr std::uint64_t minute = 60'000;

BootMs at(std::uint64_t ms) { return {ms}; }

RelayLimits without_spread() {
  RelayLimits limits;
  limits.start_spread_ms_max = 0;
  return limits;
}

// A guard whose pause after the boot is over, with the relay on since `since`.
RelayGuard running(const RelayLimits& limits, std::uint64_t since) {
  RelayGuard guard(limits, at(0), 1);
  guard.instruct(at(since), true);
  EXPECT_TRUE(guard.step(at(since)).on);
  return guard;
}

TEST(relay_guard, stays_off_for_five_minutes_after_power_returns) {
  RelayGuard guard(without_spread(), at(77), 1);
  guard.instruct(at(77), true);
  EXPECT_FALSE(guard.step(at(77)).on);
  EXPECT_TRUE(guard.step(at(77)).is_waiting);
  EXPECT_EQ(guard.next_wake(at(77)).ms, 77 + 5 * minute);
  EXPECT_FALSE(guard.step(at(76 + 5 * minute)).on);
  const RelayOutput output = guard.step(at(77 + 5 * minute));
  EXPECT_TRUE(output.on);
  EXPECT_TRUE(output.changed);
  EXPECT_EQ(output.cause, Cause::schedule);
  EXPECT_FALSE(guard.step(at(78 + 5 * minute)).changed);
}

TEST(relay_guard, lets_a_run_last_its_minimum) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.instruct(at(11 * minute), false);
  EXPECT_TRUE(guard.step(at(13 * minute - 1)).on);
  EXPECT_FALSE(guard.step(at(13 * minute)).on);
  guard.instruct(at(13 * minute), true);
  EXPECT_FALSE(guard.step(at(18 * minute - 1)).on);
  EXPECT_TRUE(guard.step(at(18 * minute)).on);
}

TEST(relay_guard, adds_the_start_spread_to_the_first_start_alone) {
  RelayLimits limits;
  RelayGuard guard(limits, at(0), 42);
  const std::uint64_t spread = guard.start_spread_ms();
  ASSERT_GT(spread, 0U);
  ASSERT_LE(spread, limits.start_spread_ms_max);
  guard.instruct(at(5 * minute), true);
  EXPECT_FALSE(guard.step(at(5 * minute + spread - 1)).on);
  EXPECT_TRUE(guard.step(at(5 * minute + spread)).on);
  guard.instruct(at(20 * minute), false);
  EXPECT_FALSE(guard.step(at(20 * minute)).on);
  guard.instruct(at(25 * minute), true);
  EXPECT_TRUE(guard.step(at(25 * minute)).on);
}

TEST(relay_guard, spares_a_person_the_spread_but_not_the_pause) {
  RelayGuard guard(RelayLimits{}, at(0), 42);
  guard.command_by_person(at(0), true, 3'600'000);
  EXPECT_FALSE(guard.step(at(5 * minute - 1)).on);
  const RelayOutput output = guard.step(at(5 * minute));
  EXPECT_TRUE(output.on);
  EXPECT_EQ(output.cause, Cause::person);
}

TEST(relay_guard, spreads_a_thousand_homes_over_five_minutes) {
  std::array<int, 301> starts_in_second{};
  std::uint64_t sum = 0;
  for (std::uint32_t home = 0; home < 1000; ++home) {
    Address address{};
    store_be32(address.data() + 3, home * 2654435761U);
    const std::uint32_t delay = spread_ms(spread_seed(address, 9), 300'000);
    ASSERT_LE(delay, 300'000U);
    ++starts_in_second[delay / 1000];
    sum += delay;
  }
  EXPECT_LE(*std::max_element(starts_in_second.begin(), starts_in_second.end()), 15);
  EXPECT_NEAR(static_cast<int>(sum / 1000), 150'000, 10'000);
}

TEST(relay_guard, draws_another_spread_at_every_boot) {
  const Address address{1, 2, 3};
  std::vector<std::uint32_t> delays;
  for (std::uint32_t boot = 0; boot < 100; ++boot) delays.push_back(spread_ms(spread_seed(address, boot), 1'000'000));
  std::sort(delays.begin(), delays.end());
  EXPECT_EQ(std::adjacent_find(delays.begin(), delays.end()), delays.end());
  EXPECT_EQ(spread_ms(1, 0), 0U);
}

TEST(relay_guard, falls_back_fifteen_minutes_after_the_last_instruction) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.instruct(at(20 * minute), true);
  EXPECT_EQ(guard.next_wake(at(20 * minute)).ms, 35 * minute);
  EXPECT_TRUE(guard.step(at(35 * minute - 1)).on);
  const RelayOutput output = guard.step(at(35 * minute));
  EXPECT_FALSE(output.on);
  EXPECT_EQ(output.cause, Cause::fallback);
}

TEST(relay_guard, falls_back_at_once_when_the_instruction_is_withdrawn) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.withdraw();
  EXPECT_FALSE(guard.step(at(14 * minute)).on);
}

TEST(relay_guard, turns_a_fridge_on_without_any_instruction) {
  RelayLimits limits;
  limits.fallback_on = true;
  RelayGuard guard(limits, at(0), 5);
  EXPECT_FALSE(guard.step(at(5 * minute + guard.start_spread_ms() - 1)).on);
  EXPECT_TRUE(guard.step(at(5 * minute + guard.start_spread_ms())).on);
}

TEST(relay_guard, spreads_the_fallback_of_fridges_within_the_stated_time) {
  RelayLimits limits;
  limits.fallback_on = true;
  RelayGuard guard(limits, at(0), 5);
  const std::uint64_t spread = guard.start_spread_ms();
  guard.instruct(at(60 * minute), false);
  EXPECT_FALSE(guard.step(at(60 * minute)).on);
  EXPECT_FALSE(guard.step(at(75 * minute - spread - 1)).on);
  EXPECT_TRUE(guard.step(at(75 * minute - spread)).on);
}

TEST(relay_guard, obeys_a_person_for_the_stated_time) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.command_by_person(at(20 * minute), false, 30 * 60'000);
  EXPECT_FALSE(guard.step(at(20 * minute)).on);
  guard.instruct(at(49 * minute), true);
  EXPECT_FALSE(guard.step(at(50 * minute - 1)).on);
  EXPECT_TRUE(guard.step(at(50 * minute)).on);
}

TEST(relay_guard, lets_a_person_release_the_command) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.command_by_person(at(20 * minute), false, 30 * 60'000);
  EXPECT_FALSE(guard.step(at(20 * minute)).on);
  guard.release_by_person();
  guard.instruct(at(26 * minute), true);
  EXPECT_TRUE(guard.step(at(26 * minute)).on);
}

TEST(relay_guard, cuts_a_persons_command_to_the_longest_duration) {
  RelayLimits limits = without_spread();
  RelayGuard guard = running(limits, 10 * minute);
  guard.command_by_person(at(20 * minute), true, 0xffffffff);
  EXPECT_TRUE(guard.step(at(20 * minute + override_ms_max - 1)).on);
  EXPECT_FALSE(guard.step(at(20 * minute + override_ms_max)).on);
}

RelayLimits with_trip() {
  RelayLimits limits = without_spread();
  limits.trip_w = 2300;
  limits.trip_ms = 10'000;
  limits.fallback_ms = 86'400'000;
  return limits;
}

TEST(relay_guard, trips_even_within_the_minimum_run) {
  RelayGuard guard = running(with_trip(), 10 * minute);
  guard.measured(at(10 * minute + 1000), 2301);
  EXPECT_EQ(guard.next_wake(at(10 * minute + 1000)).ms, 10 * minute + 11'000);
  EXPECT_TRUE(guard.step(at(10 * minute + 10'999)).on);
  const RelayOutput output = guard.step(at(10 * minute + 11'000));
  EXPECT_FALSE(output.on);
  EXPECT_EQ(output.cause, Cause::trip);
}

TEST(relay_guard, forgives_a_short_peak) {
  RelayGuard guard = running(with_trip(), 10 * minute);
  for (std::uint64_t s = 0; s < 60; s += 6) {
    guard.measured(at(10 * minute + s * 1000), 5000);
    EXPECT_TRUE(guard.step(at(10 * minute + s * 1000 + 3000)).on);
    guard.measured(at(10 * minute + s * 1000 + 3000), 2300);
    EXPECT_TRUE(guard.step(at(10 * minute + s * 1000 + 5999)).on);
  }
}

TEST(relay_guard, retries_after_a_trip_and_gives_up_after_five) {
  RelayLimits limits = with_trip();
  RelayGuard guard = running(limits, 10 * minute);
  std::uint64_t now = 10 * minute;
  for (int trip = 1; trip <= 5; ++trip) {
    guard.measured(at(now), 9000);
    now += limits.trip_ms;
    EXPECT_FALSE(guard.step(at(now)).on);
    EXPECT_EQ(guard.trip_count(), trip);
    EXPECT_FALSE(guard.step(at(now + limits.trip_pause_ms - 1)).on);
    now += limits.trip_pause_ms;
    EXPECT_EQ(guard.step(at(now)).on, trip < 5) << trip;
  }
  EXPECT_FALSE(guard.step(at(now + 600 * minute)).on);
  EXPECT_EQ(guard.step(at(now + 600 * minute)).cause, Cause::trip);
  // No instruction gets past it; a person does.
  guard.instruct(at(now + 600 * minute), true);
  EXPECT_FALSE(guard.step(at(now + 600 * minute)).on);
  guard.release_by_person();
  EXPECT_TRUE(guard.step(at(now + 600 * minute)).on);
}

TEST(relay_guard, forgets_trips_after_a_good_hour) {
  RelayLimits limits = with_trip();
  RelayGuard guard = running(limits, 10 * minute);
  guard.measured(at(20 * minute), 9000);
  EXPECT_FALSE(guard.step(at(21 * minute)).on);
  EXPECT_TRUE(guard.step(at(30 * minute)).on);
  guard.measured(at(30 * minute), 100);
  guard.step(at(90 * minute - 1));
  EXPECT_EQ(guard.trip_count(), 1);
  guard.step(at(90 * minute));
  EXPECT_EQ(guard.trip_count(), 0);
}

TEST(relay_guard, takes_power_behind_an_open_relay_for_somebody_elses) {
  RelayGuard guard(with_trip(), at(0), 1);
  guard.measured(at(0), 9000);
  guard.step(at(10 * minute));
  guard.instruct(at(10 * minute), true);
  EXPECT_TRUE(guard.step(at(10 * minute)).on);
  EXPECT_TRUE(guard.step(at(11 * minute)).on);
}

TEST(relay_guard, falls_back_if_the_contact_does_not_follow) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.sensed(at(10 * minute + 100), false);
  EXPECT_FALSE(guard.step(at(10 * minute + 2099)).mismatch);
  EXPECT_TRUE(guard.step(at(10 * minute + 2100)).mismatch);
  guard.instruct(at(13 * minute), true);
  const RelayOutput output = guard.step(at(13 * minute));
  EXPECT_FALSE(output.on);
  EXPECT_EQ(output.cause, Cause::fallback);
  // Agreement has to last before the schedule counts again.
  guard.sensed(at(13 * minute), false);
  guard.instruct(at(22 * minute), true);
  EXPECT_TRUE(guard.step(at(23 * minute - 1)).mismatch);
  EXPECT_FALSE(guard.step(at(23 * minute)).mismatch);
  EXPECT_TRUE(guard.step(at(23 * minute)).on);
}

TEST(relay_guard, gives_the_contact_time_to_follow) {
  RelayGuard guard(without_spread(), at(0), 1);
  guard.sensed(at(10 * minute - 1), false);
  guard.instruct(at(10 * minute), true);
  EXPECT_TRUE(guard.step(at(10 * minute)).on);
  EXPECT_FALSE(guard.step(at(10 * minute + 5000)).mismatch);
  guard.sensed(at(10 * minute + 5000), true);
  EXPECT_FALSE(guard.step(at(11 * minute)).mismatch);
}

TEST(relay_guard, reports_a_welded_contact) {
  RelayGuard guard(without_spread(), at(0), 1);
  guard.sensed(at(0), true);
  EXPECT_TRUE(guard.step(at(2000)).mismatch);
  EXPECT_FALSE(guard.step(at(2000)).on);
}

TEST(relay_guard, waits_a_whole_pause_after_a_closing_that_failed) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.opened(at(10 * minute + 100));
  guard.instruct(at(10 * minute + 100), true);
  EXPECT_FALSE(guard.step(at(10 * minute + 100)).on);
  EXPECT_FALSE(guard.step(at(15 * minute + 99)).on);
  EXPECT_TRUE(guard.step(at(15 * minute + 100)).on);
  EXPECT_TRUE(guard.step(at(18 * minute + 99)).on);
  guard.instruct(at(18 * minute + 99), false);
  EXPECT_TRUE(guard.step(at(18 * minute + 99)).on);
  EXPECT_FALSE(guard.step(at(18 * minute + 100)).on);
}

TEST(relay_guard, counts_the_pause_from_an_opening_that_came_late) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  guard.instruct(at(13 * minute), false);
  EXPECT_FALSE(guard.step(at(13 * minute)).on);
  guard.opened(at(14 * minute));
  guard.instruct(at(14 * minute), true);
  EXPECT_FALSE(guard.step(at(19 * minute - 1)).on);
  EXPECT_TRUE(guard.step(at(19 * minute)).on);
}

TEST(relay_guard, does_not_ask_a_dead_driver_without_end) {
  RelayGuard guard({.on_ms_min = 0, .off_ms_min = 0, .start_spread_ms_max = 0}, {0}, 0);
  guard.instruct({0}, true);
  ASSERT_TRUE(guard.step({0}).on);
  guard.opened({5});
  EXPECT_FALSE(guard.step({5}).on);
  EXPECT_EQ(guard.next_wake({5}).ms, 5 + retry_ms_min);
  EXPECT_FALSE(guard.step({4 + retry_ms_min}).on);
  EXPECT_TRUE(guard.step({5 + retry_ms_min}).on);
}

TEST(relay_guard, crosses_the_32_bit_wrap_unmoved) {
  const std::uint64_t wrap = std::uint64_t{1} << 32;
  RelayGuard guard(without_spread(), at(wrap - 6 * minute), 1);
  guard.instruct(at(wrap - minute), true);
  EXPECT_TRUE(guard.step(at(wrap - minute)).on);
  guard.instruct(at(wrap - 1), false);
  EXPECT_TRUE(guard.step(at(wrap + 2 * minute - 1)).on);
  EXPECT_FALSE(guard.step(at(wrap + 2 * minute)).on);
}

TEST(relay_guard, starts_over_when_the_clock_runs_backwards) {
  RelayGuard guard = running(without_spread(), 10 * minute);
  EXPECT_EQ(guard.next_wake(at(5)).ms, 5U);
  EXPECT_TRUE(guard.step(at(5)).on);  // the minimum run begins again
  EXPECT_TRUE(guard.step(at(4 + 3 * minute)).on);
  EXPECT_FALSE(guard.step(at(5 + 3 * minute)).on);  // and the instruction is gone
}

TEST(relay_guard, never_asks_for_a_wake_up_in_the_past_or_in_a_distant_future) {
  RelayGuard guard(without_spread(), at(0), 1);
  EXPECT_EQ(guard.next_wake(at(0)).ms, wake_ms_max);
  EXPECT_EQ(guard.next_wake(at(900 * minute)).ms, 900 * minute + wake_ms_max);
}

TEST(relay_guard, refuses_impossible_limits) {
  EXPECT_EQ(check_relay_limits(RelayLimits{}), Error::none);
  const auto refused = [](auto change) {
    RelayLimits limits;
    change(limits);
    return check_relay_limits(limits) == Error::configuration_invalid;
  };
  EXPECT_TRUE(refused([](RelayLimits& l) { l.on_ms_min = hold_ms_max + 1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.off_ms_min = hold_ms_max + 1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.fallback_ms = fallback_ms_max + 1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.start_spread_ms_max = l.fallback_ms + 1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.trip_w = -1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.trip_ms = hold_ms_max + 1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.trip_pause_ms = hold_ms_max + 1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.trip_count_max = 0; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.mismatch_ms_max = hold_ms_max + 1; }));
  EXPECT_TRUE(refused([](RelayLimits& l) { l.mismatch_pause_ms = hold_ms_max + 1; }));
}

}  // namespace
}  // namespace wattproof::control
