// SPDX-License-Identifier: Apache-2.0
#include "sim/device_life.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace wattproof::testing {
namespace {

constexpr std::uint32_t blocks_a_life = 1000;

// More lives for a night: WATTPROOF_SIM_LIVES=1000
std::uint64_t lives() {
  const char* given = std::getenv("WATTPROOF_SIM_LIVES");
  return given == nullptr ? 4 : std::strtoull(given, nullptr, 10);
}

void expect_sound(const DeviceLife& life, std::uint64_t seed) {
  std::printf("seed %llu: %u boots, %u flash cuts, %u partitions, %u epochs, %u rounds answered, %u slots followed, %u switches\n",
              static_cast<unsigned long long>(seed), life.counts().boots, life.counts().flash_cuts, life.counts().partitions,
              life.counts().epochs_final, life.counts().rounds_answered, life.counts().slots_followed, life.counts().switches);
  EXPECT_EQ(life.violations().total(), 0u) << "seed " << seed << ": " << life.violations().text();
}

TEST(device_life, without_faults_answers_every_round_and_follows_every_epoch) {
  DeviceLife life(1, {});
  life.run(blocks_a_life);
  expect_sound(life, 1);
  EXPECT_EQ(life.counts().boots, 1u);
  EXPECT_GE(life.counts().epochs_final, 6u);
  EXPECT_EQ(life.counts().rounds_answered, life.counts().epochs_final * DeviceLife::rounds);
  EXPECT_GE(life.counts().slots_followed, (life.counts().epochs_final - 1) * DeviceLife::slots / 2);
  EXPECT_GE(life.counts().switches, 10u);
}

TEST(device_life, survives_a_bad_link) {
  for (std::uint64_t seed = 1; seed <= lives(); ++seed) {
    DeviceLife life(seed, {.link = {.loss_permille = 100, .replay_permille = 200, .truncate_permille = 30, .flip_permille = 30,
                                    .delay_ms_min = 20, .delay_ms_max = 500},
                           .partition_permille = 5});
    life.run(blocks_a_life);
    expect_sound(life, seed);
    EXPECT_GE(life.counts().rounds_answered, 3u) << "seed " << seed;
    life.heal();
    life.run(400);
    expect_sound(life, seed);
    EXPECT_TRUE(life.is_following()) << "seed " << seed << ": " << life.describe();
  }
}

TEST(device_life, survives_power_cuts_at_any_flash_operation) {
  std::uint32_t cuts = 0;
  for (std::uint64_t seed = 1; seed <= lives(); ++seed) {
    DeviceLife life(seed, {.link = {.delay_ms_min = 5, .delay_ms_max = 50}, .power_permille = 20, .flash_cut_permille = 700});
    life.run(blocks_a_life);
    expect_sound(life, seed);
    EXPECT_GE(life.counts().boots, 10u) << "seed " << seed;
    cuts += life.counts().flash_cuts;
    life.heal();
    life.run(400);
    expect_sound(life, seed);
    EXPECT_TRUE(life.is_following()) << "seed " << seed << ": " << life.describe();
  }
  EXPECT_GE(cuts, 5 * lives());
}

TEST(device_life, survives_everything_at_once) {
  for (std::uint64_t seed = 101; seed < 101 + lives(); ++seed) {
    DeviceLife life(seed, {.link = {.loss_permille = 100, .replay_permille = 500, .truncate_permille = 30, .flip_permille = 30,
                                    .delay_ms_min = 0, .delay_ms_max = 400},
                           .partition_permille = 10, .power_permille = 5, .flash_cut_permille = 500, .contact_permille = 10});
    life.run(blocks_a_life);
    expect_sound(life, seed);
    life.heal();
    life.run(400);
    expect_sound(life, seed);
    EXPECT_TRUE(life.is_following()) << "seed " << seed << ": " << life.describe();
  }
}

TEST(device_life, repeats_exactly_for_a_seed) {
  const LifeFaults faults{.link = {.loss_permille = 200, .delay_ms_max = 1000}, .power_permille = 10, .flash_cut_permille = 500};
  DeviceLife one(9, faults), same(9, faults), other(10, faults);
  for (DeviceLife* life : {&one, &same, &other}) life->run(300);
  EXPECT_EQ(one.counts().trace, same.counts().trace);
  EXPECT_NE(one.counts().trace, other.counts().trace);
  std::printf("trace %016llx\n", static_cast<unsigned long long>(one.counts().trace));
}

}  // namespace
}  // namespace wattproof::testing
