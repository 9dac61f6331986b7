// SPDX-License-Identifier: Apache-2.0
#include "schedule/participant.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/math.hpp"

namespace wattproof::schedule {
namespace {

constexpr std::uint32_t slots = 3;

struct Round {
  EpochHead head;
  std::vector<std::uint8_t> bytes;
  Vectors vectors;
};

Round make_round(std::uint32_t number, const std::array<std::int64_t, 4 * slots>& values) {
  Round round;
  round.head.status = EpochStatus::open;
  round.head.slots = slots;
  round.head.slot_seconds = 3600;
  round.head.epoch = 9;
  round.head.round = number;
  round.head.rho0 = 65536;
  round.bytes.resize(vectors_slot_size * slots);
  for (std::size_t i = 0; i < values.size(); ++i) {
    store_be64(round.bytes.data() + 8 * i, static_cast<std::uint64_t>(values[i]));
  }
  EXPECT_EQ(Vectors::decode(round.bytes, slots, round.vectors), Error::none);
  return round;
}

//                                          z              u            xb             zp
const std::array<std::int64_t, 12> first{16, 32, -48,   0, 0, 0,    16, 32, -48,   16, 32, -48};
const std::array<std::int64_t, 12> second{20, 10, -40,  5, -7, 3,   17, 30, -50,   16, 32, -48};

TEST(participant, the_first_target_comes_from_evidence_alone) {
  const Round round = make_round(1, first);
  Participant participant;
  const std::vector<std::int32_t> x{1, 2, -3};
  std::vector<std::int32_t> target(slots);
  ASSERT_EQ(participant.aim(round.head, round.vectors, 0, x, target), Error::none);
  EXPECT_EQ(target, x);  // z equals xb and u is zero, so the device is asked for what it has
}

TEST(participant, an_unbroken_chain_uses_its_own_share) {
  Participant participant;
  std::vector<std::int32_t> target(slots);
  const std::vector<std::int32_t> x0{1, 2, -3};
  const Round one = make_round(1, first);
  ASSERT_EQ(participant.aim(one.head, one.vectors, 0, x0, target), Error::none);
  const Round two = make_round(2, second);
  const std::vector<std::int32_t> x1{2, 1, -4};
  ASSERT_EQ(participant.aim(two.head, two.vectors, 1, x1, target), Error::none);
  for (std::uint32_t t = 0; t < slots; ++t) {
    const std::int64_t w = second[t] - floor_div<std::int64_t>(8 * second[2 * slots + t] - 3 * second[3 * slots + t], 5);
    const std::int64_t q = floor_div<std::int64_t>(8 * 16 * x1[t] - 3 * 16 * x0[t], 5) + w;
    EXPECT_EQ(target[t], floor_div<std::int64_t>(q - second[slots + t] + 8, 16)) << t;
  }
}

TEST(participant, after_a_gap_or_a_lost_update_it_starts_from_evidence) {
  const Round two = make_round(2, second);
  const std::vector<std::int32_t> x{2, 1, -4};
  std::vector<std::int32_t> fresh(slots), after_loss(slots), after_gap(slots);
  Participant unused;
  ASSERT_EQ(unused.aim(two.head, two.vectors, 1, x, fresh), Error::none);

  const Round one = make_round(1, first);
  Participant lost;
  ASSERT_EQ(lost.aim(one.head, one.vectors, 0, x, after_loss), Error::none);
  ASSERT_EQ(lost.aim(two.head, two.vectors, 0, x, after_loss), Error::none);  // the record still shows round 0
  EXPECT_EQ(after_loss, fresh);

  Participant gap;
  ASSERT_EQ(gap.aim(one.head, one.vectors, 0, x, after_gap), Error::none);
  const Round three = make_round(3, second);
  ASSERT_EQ(gap.aim(three.head, three.vectors, 2, x, after_gap), Error::none);
  EXPECT_EQ(after_gap, fresh);
}

TEST(participant, asking_twice_for_one_round_does_not_move_its_share) {
  const Round one = make_round(1, first);
  const Round two = make_round(2, second);
  const std::vector<std::int32_t> x{2, 1, -4};
  std::vector<std::int32_t> target(slots), evidence_alone(slots);
  Participant unused, participant;
  ASSERT_EQ(unused.aim(two.head, two.vectors, 1, x, evidence_alone), Error::none);
  ASSERT_EQ(participant.aim(one.head, one.vectors, 0, x, target), Error::none);
  ASSERT_EQ(participant.aim(two.head, two.vectors, 1, x, target), Error::none);
  ASSERT_EQ(participant.aim(two.head, two.vectors, 1, x, target), Error::none);
  EXPECT_EQ(target, evidence_alone);
}

TEST(participant, a_closed_epoch_has_no_target) {
  Round round = make_round(1, first);
  Participant participant;
  const std::vector<std::int32_t> x(slots);
  std::vector<std::int32_t> target(slots), short_target(2);
  EXPECT_EQ(participant.aim(round.head, round.vectors, 0, x, short_target), Error::wrong_length);
  round.head.status = EpochStatus::final;
  EXPECT_EQ(participant.aim(round.head, round.vectors, 0, x, target), Error::wrong_round);
}

TEST(participant, the_weights_keep_the_ratio_of_penalty_and_own_cost) {
  EpochHead head = make_round(1, first).head;
  head.rho0 = std::uint64_t{40} << 16;
  const solver::Cost cost = Participant::cost(head, {.quadratic = std::uint64_t{10} << 16});
  EXPECT_EQ(cost.weight, 4 * cost.wear);
  head.rho0 = penalty_bound - 1;
  head.penalty_exponent = 24;
  const solver::Cost extreme = Participant::cost(head, {.quadratic = 1});
  EXPECT_LE(extreme.weight, solver::weight_max);
  EXPECT_GT(extreme.weight, solver::weight_max / 4);
  head.rho0 = 1;
  head.penalty_exponent = 0;
  EXPECT_GE(Participant::cost(head, {.quadratic = penalty_bound - 1}).weight, 1u);
}

TEST(participant, an_appliance_keeps_its_start_late_in_an_epoch) {
  const std::vector<std::int32_t> cycle{2000};
  solver::Device device;
  device.kind = solver::DeviceKind::appliance;
  device.profile_w = cycle;
  EpochHead head = make_round(freeze_round, first).head;
  const std::vector<std::int32_t> x{0, 2000, 0};
  const solver::Device frozen = Participant::frozen(device, head, x);
  EXPECT_EQ(frozen.start_slot, 1u);
  EXPECT_EQ(frozen.end_slot, 2u);
  head.round = freeze_round - 1;
  EXPECT_EQ(Participant::frozen(device, head, x).end_slot, 0u);
}

TEST(participant, a_switched_load_keeps_its_pattern_late_in_an_epoch) {
  solver::Device device;
  device.kind = solver::DeviceKind::switched;
  device.power_w = 1000;
  device.energy_wh = 2000;
  EpochHead head = make_round(freeze_round, first).head;
  const std::vector<std::int32_t> x{1000, 0, 1000};
  const solver::Device frozen = Participant::frozen(device, head, x);
  EXPECT_EQ(frozen.kind, solver::DeviceKind::fixed);
  EXPECT_EQ(frozen.profile_w.data(), x.data());
  const std::vector<std::int32_t> other{1000, 0, 0};  // none of its own
  EXPECT_EQ(Participant::frozen(device, head, other).kind, solver::DeviceKind::switched);
  head.round = freeze_round - 1;
  EXPECT_EQ(Participant::frozen(device, head, x).kind, solver::DeviceKind::switched);
}

}  // namespace
}  // namespace wattproof::schedule
