// SPDX-License-Identifier: Apache-2.0
// Every kind of device through a whole node: it takes part in an epoch, and what it signs is its own optimum.
#include <gtest/gtest.h>

#include "node/node.hpp"
#include "solver/home.hpp"
#include "support/node_bench.hpp"

namespace wattproof::testing {
namespace {

constexpr solver::Grid grid{24, 3600};

// What a node with this device answers to a round that asks it for `asked_w` in every odd slot and 0 W in the others.
std::vector<std::int32_t> answer_of(const solver::Device& device, solver::WorkspaceView workspace, std::int32_t asked_w,
                                    std::uint64_t own_cost = 0) {
  FakeChain chain;
  NodeBench bench(chain);
  bench.config.device.device = device;
  bench.config.device.workspace = workspace;
  bench.config.device.own_cost.quadratic = own_cost;
  EXPECT_EQ(bench.boot(), Error::none);
  bench.prove_boot();
  bench.sent.clear();
  schedule::EpochHead head;
  head.status = schedule::EpochStatus::open;
  head.slots = grid.slots;
  head.slot_seconds = grid.slot_seconds;
  head.round = 1;
  head.epoch = today;
  head.start = {(chain.time_s() / 3600 + 3) * 3600};
  head.participants = 2;
  head.rho0 = 25ull << 16;
  std::vector<std::int64_t> vectors(96, 0);
  for (std::size_t t = 1; t < 24; t += 2) vectors[t] = vectors[72 + t] = 16 * std::int64_t{asked_w};
  chain.set_epoch(head, vectors);
  chain.set_record(today, 7, 0, bench.key().address, std::vector<std::int32_t>(24, 0));
  bench.block(5, today, 1);
  for (const message::UpFrame& frame : bench.sent) {
    if (frame.kind != message::FrameKind::update) continue;
    std::vector<std::int32_t> profile(24);
    EXPECT_EQ(message::decode_profile(frame.update.profile, profile), Error::none);
    return profile;
  }
  ADD_FAILURE() << "no update: " << error_name(bench.node().last_error());
  return {};
}

// The same by the solver alone. Also: without memory of its own the node must refuse what its own does not hold.
void expect_own_optimum(const solver::Device& device, std::int32_t asked_w) {
  const std::size_t words = solver::workspace_words(device, grid);
  std::vector<std::uint64_t> workspace(words + 1);
  const std::vector<std::int32_t> answer = answer_of(device, workspace, asked_w);
  std::vector<std::int32_t> target(24, 0);
  for (std::size_t t = 1; t < 24; t += 2) target[t] = asked_w;
  std::vector<std::int32_t> expected(24);
  solver::Report report;
  ASSERT_EQ(solver::solve(device, grid, target, {}, workspace, expected, report), Error::none);
  EXPECT_EQ(answer, expected);
  if (device.kind != solver::DeviceKind::home) {
    EXPECT_EQ(solver::check_profile(device, grid, answer), Error::none);
  }
  FakeChain chain;
  NodeBench bench(chain);
  bench.config.device.device = device;
  EXPECT_EQ(bench.boot(), words > solver::workspace_words(slot_count_max) ? Error::workspace_too_small : Error::none);
  bench.config.device.workspace = std::span(workspace).first(words == 0 ? 0 : words - 1);
  if (words > 1) {
    EXPECT_EQ(bench.boot(), Error::workspace_too_small);
  }
}

const solver::Device battery{.kind = solver::DeviceKind::battery, .power_min_w = -3000, .power_max_w = 3000, .energy_min_wh = 500,
                             .energy_max_wh = 9000, .energy_start_wh = 4000, .energy_end_min_wh = 4000, .energy_end_max_wh = 5000};

TEST(node_kinds, a_battery_with_losses) {
  solver::Device lossy = battery;
  lossy.charge_efficiency_permille = 950;
  lossy.discharge_efficiency_permille = 930;
  lossy.standing_loss_w = 5;
  expect_own_optimum(lossy, 2500);
}

TEST(node_kinds, a_charger_with_milestones) {
  const std::array<solver::Milestone, 2> milestones{{{6, 4000}, {12, 9000}}};
  expect_own_optimum({.kind = solver::DeviceKind::shapeable, .power_max_w = 7400, .start_slot = 2, .end_slot = 20, .energy_wh = 20'000,
                      .milestones = milestones}, 3000);
}

TEST(node_kinds, a_heat_store) {
  expect_own_optimum({.kind = solver::DeviceKind::thermal, .power_max_w = 3000, .gain_mk_per_wh = 1, .leak_permyriad_per_slot = 200,
                      .ambient_mc = 5000, .start_mc = 21'000, .min_mc = 19'500, .max_mc = 22'500}, 2000);
}

TEST(node_kinds, a_switched_load) {
  expect_own_optimum({.kind = solver::DeviceKind::switched, .energy_wh = 12'000, .power_w = 2000, .min_on_slots = 2, .min_off_slots = 3},
                     2000);
}

TEST(node_kinds, a_generator) {
  // 0.05 a kWh and 20 micro-units more for each watt; the round's penalty is 25 a watt.
  solver::Device device{.kind = solver::DeviceKind::generator, .power_min_w = -4000, .power_max_w = 0, .cost_linear = 50'000,
                        .cost_quadratic = 20 << 16};
  const std::vector<std::int32_t> answer = answer_of(device, {}, -3000);
  EXPECT_EQ(answer[0], 0);
  EXPECT_EQ(answer[1], (-3000 * 25 + 50'000) / (25 + 20) - 1);  // -555.6
}

TEST(node_kinds, an_appliance_of_several_runs_with_pauses) {
  const std::array<std::int32_t, 3> cycle{500, 2000, 300};
  expect_own_optimum({.kind = solver::DeviceKind::appliance, .profile_w = cycle, .start_slot = 1, .end_slot = 23, .runs = 3,
                      .interruptible = true}, 1500);
}

TEST(node_kinds, a_device_with_ramps_and_two_states) {
  const std::array<solver::LinearState, 2> states{{{.start = 20'500, .min = 20'000, .max = 22'500, .keep_ppm = {830'000, 150'000},
                                                    .gain_milli_per_wh = 400, .drift_milli = 100'000},
                                                   {.start = 20'500, .min = 18'000, .max = 25'000, .keep_ppm = {30'000, 970'000}}}};
  expect_own_optimum({.kind = solver::DeviceKind::banded, .power_min_w = 0, .power_max_w = 4000, .ramp_up_w = 1500, .states = states},
                     2000);
}

TEST(node_kinds, a_home_posts_one_profile_within_its_breaker) {
  const std::array<std::int32_t, 24> base = [] {
    std::array<std::int32_t, 24> load{};
    load.fill(400);
    return load;
  }();
  const std::array<solver::Device, 3> parts{
      {battery, {.kind = solver::DeviceKind::fixed, .profile_w = base},
       {.kind = solver::DeviceKind::shapeable, .power_max_w = 3700, .start_slot = 0, .end_slot = 24, .energy_wh = 15'000}}};
  const solver::Device home{.kind = solver::DeviceKind::home, .parts = parts.data(), .part_count = parts.size(), .limit_w = 2000};
  expect_own_optimum(home, 3000);
  std::vector<std::uint64_t> workspace(solver::workspace_words(home, grid));
  const std::vector<std::int32_t> total = answer_of(home, workspace, 3000);
  for (std::uint32_t t = 0; t < 24; ++t) {
    EXPECT_LE(std::abs(total[t]), 2000);
    std::int32_t sum = 0;
    for (std::uint32_t part = 0; part < 3; ++part) sum += solver::part_profile(home, grid, workspace, part)[t];
    EXPECT_EQ(total[t], sum);
  }
}

// The round's penalty is 25 a watt, the battery's own cost 50: it goes a third of the way, as a battery alone would.
TEST(node_kinds, a_part_of_a_home_has_an_own_cost) {
  solver::Device part = battery;
  part.energy_end_max_wh = part.energy_max_wh;
  const auto answer = [&](std::uint64_t own_cost, std::int32_t part_cost) {
    part.cost_quadratic = part_cost;
    const solver::Device home{.kind = solver::DeviceKind::home, .parts = &part, .part_count = 1, .limit_w = 2000};
    std::vector<std::uint64_t> workspace(solver::workspace_words(home, grid));
    return answer_of(home, workspace, 300, own_cost);
  };
  EXPECT_NEAR(answer(0, 0)[1], 300, 1);
  EXPECT_NEAR(answer(0, 50 << 16)[1], 100, 1);
  EXPECT_NEAR(answer(50ull << 16, 0)[1], 100, 1);
  EXPECT_NEAR(answer(50ull << 16, 75 << 16)[1], 50, 1);
}

}  // namespace
}  // namespace wattproof::testing
