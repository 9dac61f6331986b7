// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "solver/solve.hpp"
#include "solver_in_c.h"

namespace wattproof {
namespace {

std::unique_ptr<day> described(wattproof_device_kind kind) {
  auto self = std::make_unique<day>();
  day_describe(self.get(), kind);
  return self;
}

TEST(capi_solve, solves_and_rechecks_every_kind_of_device) {
  constexpr std::array<int, 10> certificates{1, 1, 1, 0, 2, 1, 2, 1, 3, 0};  // 0: dual or bound
  for (int kind = WATTPROOF_FIXED; kind <= WATTPROOF_HOME; ++kind) {
    SCOPED_TRACE(kind);
    const auto self = described(static_cast<wattproof_device_kind>(kind));
    ASSERT_GT(self->words, 0u);
    ASSERT_LE(self->words, std::size_t{day_words_max});
    ASSERT_EQ(day_solve(self.get()), 0) << wattproof_error_name(day_solve(self.get()));
    const int certificate = certificates[static_cast<std::size_t>(kind)];
    if (certificate != 0) {
      EXPECT_EQ(self->report.certificate, certificate);
    }
    if (kind == WATTPROOF_HOME) continue;
    std::uint64_t gap = 0;
    ASSERT_EQ(day_recheck(self.get(), &gap), 0);
    EXPECT_EQ(gap, self->report.gap);
    // Another profile, that of a device which cannot draw it, breaks a limit.
    self->profile_w[0] = 2'000'000;
    EXPECT_EQ(day_recheck(self.get(), &gap), -static_cast<int>(Error::infeasible));
  }
}

TEST(capi_solve, says_the_same_as_the_solver) {
  const auto self = described(WATTPROOF_BATTERY);
  ASSERT_EQ(day_solve(self.get()), 0);
  const solver::Device device{.kind = solver::DeviceKind::battery, .power_min_w = -3000, .power_max_w = 3000, .energy_max_wh = 9000,
                              .energy_start_wh = 4000, .energy_end_min_wh = 4000, .energy_end_max_wh = 9000,
                              .charge_efficiency_permille = 950, .discharge_efficiency_permille = 940, .standing_loss_w = 8};
  const solver::Grid grid{24, 3600};
  std::vector<std::uint64_t> workspace(solver::workspace_words(device, grid));
  EXPECT_EQ(workspace.size(), self->words);
  std::array<std::int32_t, 24> profile{};
  solver::Report report;
  ASSERT_EQ(solver::solve(device, grid, self->target_w, {.weight = 3, .price = self->price}, workspace, profile, report), Error::none);
  for (std::size_t t = 0; t < 24; ++t) EXPECT_EQ(self->profile_w[t], profile[t]) << t;
  EXPECT_EQ(self->report.gap, report.gap);
}

TEST(capi_solve, gives_the_profiles_of_a_home) {
  const auto self = described(WATTPROOF_HOME);
  ASSERT_EQ(day_solve(self.get()), 0);
  std::array<std::int32_t, 24> sum{};
  for (std::uint32_t part = 0; part < 3; ++part) {
    const std::int32_t* profile = wattproof_part_profile(&self->device, self->memory, self->words, part);
    ASSERT_NE(profile, nullptr);
    for (std::size_t t = 0; t < 24; ++t) sum[t] += profile[t];
  }
  for (std::size_t t = 0; t < 24; ++t) {
    EXPECT_EQ(sum[t], self->profile_w[t]);
    EXPECT_LE(std::abs(sum[t]), 6000);
  }
  EXPECT_EQ(wattproof_part_profile(&self->device, self->memory, self->words, 3), nullptr);
  EXPECT_EQ(wattproof_part_profile(&self->device, self->memory, self->words - 1, 0), nullptr);
}

TEST(capi_solve, a_part_of_a_home_has_a_cost_of_its_own) {
  const auto moved_w = [](std::uint64_t own_cost, std::uint32_t wear) {
    const auto self = described(WATTPROOF_HOME);
    self->parts[0].own_cost_quadratic = own_cost;
    self->cost.wear = wear;
    EXPECT_EQ(day_solve(self.get()), 0);
    const std::int32_t* profile = wattproof_part_profile(&self->device, self->memory, self->words, 0);
    std::int32_t sum = 0;
    for (std::size_t t = 0; t < 24; ++t) sum += std::abs(profile[t]);
    return sum;
  };
  const std::int32_t free_w = moved_w(0, 0);
  EXPECT_LT(moved_w(30, 0), free_w / 2);
  EXPECT_LT(moved_w(3000, 0), 200);
  EXPECT_NE(moved_w(0, 30), free_w);
  const auto self = described(WATTPROOF_HOME);
  self->parts[0].own_cost_quadratic = (1u << 24) + 1;
  EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::out_of_range));
  self->parts[0].own_cost_quadratic = 1u << 24;
  EXPECT_EQ(day_solve(self.get()), 0);
}

TEST(capi_solve, names_what_cannot_be_met) {
  auto self = described(WATTPROOF_SHAPEABLE);
  self->milestones[0].energy_min_wh = 29'000;
  EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::infeasible_below));
  EXPECT_EQ(self->report.limit, WATTPROOF_LIMIT_ENERGY_MIN);
  EXPECT_EQ(self->report.slot, 6u);
  EXPECT_EQ(self->report.needed, 29'000);
  EXPECT_EQ(self->report.possible, 28'000);
  self = described(WATTPROOF_HOME);
  self->parts[1].energy_wh = 200'000;
  EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::infeasible_below));
  EXPECT_EQ(self->report.part, 1u);
  self = described(WATTPROOF_HOME);
  self->device.limit_w = 10;
  EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::infeasible));
  EXPECT_EQ(self->report.limit, WATTPROOF_LIMIT_BREAKER);
  EXPECT_EQ(self->report.part, 3u);
}

TEST(capi_solve, needs_all_words_that_it_asks_for_and_a_target) {
  for (const auto kind : {WATTPROOF_SHAPEABLE, WATTPROOF_THERMAL, WATTPROOF_SWITCHED, WATTPROOF_BANDED, WATTPROOF_HOME}) {
    SCOPED_TRACE(kind);
    const auto self = described(kind);
    self->words -= 1;
    EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::workspace_too_small));
    self->words = 0;
    EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::workspace_too_small));
  }
  const auto self = described(WATTPROOF_CURTAILABLE);
  self->cost.target_w = nullptr;
  EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::configuration_invalid));
  self->cost.size = 1;
  EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::unknown_version));
  self->report.size = 1;
  EXPECT_EQ(day_solve(self.get()), -static_cast<int>(Error::unknown_version));
}

}  // namespace
}  // namespace wattproof
