// SPDX-License-Identifier: Apache-2.0
#include "hal/sim/simulated_link.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wattproof::hal {
namespace {

std::vector<std::uint8_t> take(SimulatedLink& link, BootMs now) {
  std::vector<std::uint8_t> into(frame_size_max);
  into.resize(link.receive(into, now));
  return into;
}

std::vector<std::uint8_t> frame(std::uint8_t number) { return {number, 1, 2, 3, 4, 5, 6, 7}; }

TEST(simulated_link, without_faults_is_a_queue) {
  SimulatedLink link(1);
  for (std::uint8_t i = 0; i < 5; ++i) link.send(frame(i), {0});
  for (std::uint8_t i = 0; i < 5; ++i) EXPECT_EQ(take(link, {0}), frame(i));
  EXPECT_TRUE(take(link, {0}).empty());
  EXPECT_EQ(link.lost() + link.replayed() + link.damaged(), 0u);
}

TEST(simulated_link, loses_about_as_many_as_told) {
  SimulatedLink link(2, {.loss_permille = 300});
  std::uint32_t arrived = 0;
  for (int i = 0; i < 10'000; ++i) {
    link.send(frame(1), {0});
    if (!take(link, {0}).empty()) ++arrived;
  }
  EXPECT_NEAR(arrived, 7000, 200);
  EXPECT_EQ(link.lost() + arrived, 10'000u);
}

TEST(simulated_link, changes_the_order_by_its_delays) {
  SimulatedLink link(3, {.delay_ms_min = 10, .delay_ms_max = 1000});
  for (std::uint8_t i = 0; i < 20; ++i) link.send(frame(i), {0});
  EXPECT_TRUE(take(link, {9}).empty());
  BootMs due{};
  ASSERT_TRUE(link.next_due(due));
  EXPECT_GE(due.ms, 10u);
  bool was_reordered = false;
  std::uint8_t last = 0;
  for (int i = 0; i < 20; ++i) {
    const std::vector<std::uint8_t> got = take(link, {1000});
    ASSERT_FALSE(got.empty());
    was_reordered = was_reordered || got[0] < last;
    last = got[0];
  }
  EXPECT_TRUE(was_reordered);
  EXPECT_FALSE(link.next_due(due));
}

TEST(simulated_link, replays_an_older_frame) {
  SimulatedLink link(4, {.replay_permille = 1000});
  link.send(frame(1), {0});
  link.send(frame(2), {0});
  EXPECT_EQ(take(link, {0}), frame(1));
  EXPECT_EQ(take(link, {0}), frame(2));
  EXPECT_EQ(take(link, {0}), frame(1));
  EXPECT_EQ(link.replayed(), 1u);
}

TEST(simulated_link, cuts_and_flips) {
  SimulatedLink cutting(5, {.truncate_permille = 1000});
  SimulatedLink flipping(6, {.flip_permille = 1000});
  for (int i = 0; i < 100; ++i) {
    cutting.send(frame(1), {0});
    const std::vector<std::uint8_t> cut = take(cutting, {0});
    EXPECT_GE(cut.size(), 1u);
    EXPECT_LT(cut.size(), frame(1).size());
    flipping.send(frame(1), {0});
    const std::vector<std::uint8_t> flipped = take(flipping, {0});
    EXPECT_EQ(flipped.size(), frame(1).size());
    EXPECT_NE(flipped, frame(1));
  }
  EXPECT_EQ(cutting.damaged(), 100u);
  EXPECT_EQ(flipping.damaged(), 100u);
}

TEST(simulated_link, repeats_exactly_for_a_seed) {
  const LinkFaults faults{.loss_permille = 200, .replay_permille = 200, .truncate_permille = 200, .flip_permille = 200, .delay_ms_max = 50};
  SimulatedLink one(7, faults), same(7, faults), other(8, faults);
  bool differs = false;
  for (std::uint64_t ms = 0; ms < 500; ++ms) {
    for (SimulatedLink* link : {&one, &same, &other}) link->send(frame(static_cast<std::uint8_t>(ms)), {ms});
    const std::vector<std::uint8_t> got = take(one, {ms});
    EXPECT_EQ(got, take(same, {ms}));
    differs = differs || got != take(other, {ms});
  }
  EXPECT_TRUE(differs);
}

TEST(simulated_link, loses_what_does_not_fit) {
  SimulatedLink link(9);
  link.send(std::vector<std::uint8_t>(frame_size_max + 1), {0});
  link.send({}, {0});
  for (std::uint32_t i = 0; i < SimulatedLink::frames_max + 3; ++i) link.send(frame(0), {0});
  EXPECT_EQ(link.lost(), 5u);
}

}  // namespace
}  // namespace wattproof::hal
