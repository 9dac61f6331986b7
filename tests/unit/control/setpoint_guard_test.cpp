// SPDX-License-Identifier: Apache-2.0
#include "control/setpoint_guard.hpp"

#include <gtest/gtest.h>

#include "base/limits.hpp"

namespace wattproof::control {
namespace {

BootMs at(std::uint64_t ms) { return {ms}; }

constexpr SetpointLimits battery = {.power_w_min = -3000, .power_w_max = 4000, .fallback_w = 100, .fallback_ms = 900'000};

TEST(setpoint_guard, is_at_its_fallback_without_instruction) {
  SetpointGuard guard(battery, at(0));
  const SetpointOutput output = guard.step(at(0), true);
  EXPECT_EQ(output.power_w, 100);
  EXPECT_EQ(output.cause, Cause::fallback);
  EXPECT_TRUE(output.changed);
  EXPECT_FALSE(guard.step(at(1), true).changed);
}

TEST(setpoint_guard, follows_an_instruction_until_it_lapses) {
  SetpointGuard guard(battery, at(0));
  ASSERT_EQ(guard.instruct(at(1000), -2500), Error::none);
  EXPECT_EQ(guard.next_wake(at(1000)).ms, 901'000U);
  EXPECT_EQ(guard.step(at(1000), true).power_w, -2500);
  EXPECT_EQ(guard.step(at(900'999), true).cause, Cause::schedule);
  EXPECT_EQ(guard.step(at(901'000), true).power_w, 100);
}

TEST(setpoint_guard, forgets_a_withdrawn_instruction) {
  SetpointGuard guard(battery, at(0));
  ASSERT_EQ(guard.instruct(at(0), 4000), Error::none);
  guard.withdraw();
  EXPECT_EQ(guard.step(at(1), true).power_w, 100);
}

TEST(setpoint_guard, refuses_what_lies_outside_its_limits) {
  SetpointGuard guard(battery, at(0));
  ASSERT_EQ(guard.instruct(at(0), -3000), Error::none);
  EXPECT_EQ(guard.instruct(at(500'000), -3001), Error::out_of_range);
  EXPECT_EQ(guard.instruct(at(500'000), 4001), Error::out_of_range);
  EXPECT_EQ(guard.step(at(500'000), true).power_w, -3000);
  // The refused ones renewed nothing.
  EXPECT_EQ(guard.step(at(900'000), true).cause, Cause::fallback);
  EXPECT_EQ(guard.command_by_person(at(900'000), 4001, 1000), Error::out_of_range);
  EXPECT_EQ(guard.step(at(900'000), true).cause, Cause::fallback);
}

TEST(setpoint_guard, is_zero_behind_an_open_contactor) {
  SetpointGuard guard(battery, at(0));
  ASSERT_EQ(guard.instruct(at(0), 2000), Error::none);
  EXPECT_EQ(guard.step(at(0), false).power_w, 0);
  EXPECT_EQ(guard.wanted_w(at(0)), 2000);
  EXPECT_EQ(guard.step(at(1), true).power_w, 2000);
}

TEST(setpoint_guard, puts_the_person_above_the_schedule_for_a_while) {
  SetpointGuard guard(battery, at(0));
  ASSERT_EQ(guard.command_by_person(at(0), 0, 60'000), Error::none);
  ASSERT_EQ(guard.instruct(at(0), 2000), Error::none);
  EXPECT_EQ(guard.next_wake(at(0)).ms, 60'000U);
  EXPECT_EQ(guard.step(at(59'999), true).power_w, 0);
  EXPECT_EQ(guard.step(at(59'999), true).cause, Cause::person);
  EXPECT_EQ(guard.step(at(60'000), true).power_w, 2000);
  ASSERT_EQ(guard.command_by_person(at(60'000), 5, 0xffffffff), Error::none);
  EXPECT_EQ(guard.step(at(60'000 + override_ms_max - 1), true).power_w, 5);
  EXPECT_EQ(guard.step(at(60'000 + override_ms_max), true).cause, Cause::fallback);
  ASSERT_EQ(guard.command_by_person(at(200'000'000), 7, 1000), Error::none);
  guard.release_by_person();
  EXPECT_EQ(guard.step(at(200'000'000), true).cause, Cause::fallback);
}

TEST(setpoint_guard, forgets_the_instruction_when_the_clock_runs_backwards) {
  SetpointGuard guard(battery, at(1'000'000));
  ASSERT_EQ(guard.instruct(at(1'000'000), 2000), Error::none);
  ASSERT_EQ(guard.command_by_person(at(1'000'000), 7, 1000), Error::none);
  EXPECT_EQ(guard.next_wake(at(10)).ms, 10U);
  EXPECT_EQ(guard.step(at(10), true).cause, Cause::person);
  EXPECT_EQ(guard.step(at(1009), true).cause, Cause::person);
  EXPECT_EQ(guard.step(at(1010), true).cause, Cause::fallback);
}

TEST(setpoint_guard, refuses_impossible_limits) {
  EXPECT_EQ(check_setpoint_limits(battery), Error::none);
  const auto refused = [](auto change) {
    SetpointLimits limits = battery;
    change(limits);
    return check_setpoint_limits(limits) == Error::configuration_invalid;
  };
  EXPECT_TRUE(refused([](SetpointLimits& l) { l.fallback_w = 4001; }));
  EXPECT_TRUE(refused([](SetpointLimits& l) { l.fallback_w = -3001; }));
  EXPECT_TRUE(refused([](SetpointLimits& l) { l.power_w_max = power_w_max + 1; }));
  EXPECT_TRUE(refused([](SetpointLimits& l) { l.power_w_min = -power_w_max - 1; }));
  EXPECT_TRUE(refused([](SetpointLimits& l) { l.fallback_ms = fallback_ms_max + 1; }));
  EXPECT_TRUE(refused([](SetpointLimits& l) { l.power_w_min = 200, l.power_w_max = 50; }));
}

}  // namespace
}  // namespace wattproof::control
