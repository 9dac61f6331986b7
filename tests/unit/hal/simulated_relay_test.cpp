// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/simulated_relay.hpp"

#include <gtest/gtest.h>

namespace wattproof::hal {
namespace {

TEST(simulated_relay, follows_its_command_and_counts_its_moves) {
  SimulatedRelay relay;
  EXPECT_FALSE(relay.sensed({0}));
  EXPECT_EQ(relay.command(true, {1}), Error::none);
  EXPECT_TRUE(relay.sensed({1}));
  EXPECT_EQ(relay.command(true, {2}), Error::none);
  EXPECT_EQ(relay.command(false, {3}), Error::none);
  EXPECT_FALSE(relay.sensed({3}));
  EXPECT_EQ(relay.switches(), 2u);
}

TEST(simulated_relay, never_closes_when_stuck_open) {
  SimulatedRelay relay;
  relay.set_fault(RelayFault::stuck_open);
  EXPECT_EQ(relay.command(true, {1}), Error::none);
  EXPECT_TRUE(relay.commanded());
  EXPECT_FALSE(relay.sensed({1000}));
}

TEST(simulated_relay, never_opens_again_when_welded) {
  SimulatedRelay relay;
  relay.set_fault(RelayFault::welded);
  EXPECT_FALSE(relay.sensed({0}));
  EXPECT_EQ(relay.command(true, {1}), Error::none);
  EXPECT_EQ(relay.command(false, {2}), Error::none);
  EXPECT_FALSE(relay.commanded());
  EXPECT_TRUE(relay.sensed({1000}));
}

TEST(simulated_relay, moves_late_when_slow) {
  SimulatedRelay relay;
  relay.set_fault(RelayFault::slow, 500);
  EXPECT_EQ(relay.command(true, {1000}), Error::none);
  EXPECT_FALSE(relay.sensed({1499}));
  EXPECT_TRUE(relay.sensed({1500}));
}

TEST(simulated_relay, refuses_when_its_driver_is_broken) {
  SimulatedRelay relay;
  relay.set_fault(RelayFault::driver);
  EXPECT_EQ(relay.command(true, {1}), Error::hardware_failed);
  EXPECT_FALSE(relay.commanded());
}

}  // namespace
}  // namespace wattproof::hal
