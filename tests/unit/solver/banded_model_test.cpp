// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "solver/banded.hpp"

namespace wattproof::solver {
namespace {

constexpr Grid grid{4, 900};

Device device_of(std::span<const LinearState> states) {
  return {.kind = DeviceKind::banded, .power_min_w = 0, .power_max_w = 1000, .states = states};
}

TEST(banded_model, steps_both_states_at_once) {
  const std::array<LinearState, 2> states{{{.start = 100, .keep_ppm = {500'000, 250'000}, .gain_milli_per_wh = 2000, .drift_milli = 500},
                                           {.start = 40, .keep_ppm = {100'000, 900'000}}}};
  const Device device = device_of(states);
  const BandedModel model(device, grid);
  const Levels after = model.after(model.start(), 0, 8);  // 2 Wh
  EXPECT_EQ(after[0], (50 + 10 + 4) * model.unit() + model.unit() / 2);
  EXPECT_EQ(after[1], (10 + 36) * model.unit());
}

TEST(banded_model, knows_what_a_watt_does_at_most) {
  const std::array<LinearState, 2> states{{{.keep_ppm = {500'000, 0}, .gain_milli_per_wh = 1000},
                                           {.keep_ppm = {500'000, 500'000}}}};
  const Device device = device_of(states);
  const BandedModel model(device, grid);
  EXPECT_EQ(model.peak_bits(0), 16);  // 64000 units at once
  EXPECT_EQ(model.peak_bits(1), 15);  // half of that a slot later
  EXPECT_EQ(model.slack(0, 0), 32'001);
  EXPECT_TRUE(model.is_moved(1));
  EXPECT_FALSE(BandedModel(device_of({}), grid).is_ramped(0));
}

TEST(banded_model, refuses_what_is_out_of_range) {
  std::array<LinearState, 1> states{{{.keep_ppm = {1'000'001, 0}}}};
  EXPECT_EQ(validate(device_of(states), grid), Error::out_of_range);
  states[0].keep_ppm = {500'000, 1};  // there is no second state
  EXPECT_EQ(validate(device_of(states), grid), Error::out_of_range);
  states[0] = {.start = banded_level_max + 1};
  EXPECT_EQ(validate(device_of(states), grid), Error::out_of_range);
  const std::array<std::int32_t, 3> three{};
  states[0] = {.min = std::span<const std::int32_t>(three)};
  EXPECT_EQ(validate(device_of(states), grid), Error::wrong_length);
  const std::array<LinearState, 3> many{};
  EXPECT_EQ(validate(device_of(many), grid), Error::out_of_range);
  EXPECT_EQ(validate({.kind = DeviceKind::banded, .ramp_up_w = -1}, grid), Error::out_of_range);
  states[0] = {.keep_ppm = {1'000'000, 0}, .drift_milli = banded_drift_milli_max};
  EXPECT_EQ(validate(device_of(states), grid), Error::none);
}

TEST(banded_model, says_which_limit_is_out_of_reach) {
  const std::array<LinearState, 1> states{{{.start = 10, .min = 20, .max = 30, .keep_ppm = {1'000'000, 0}, .gain_milli_per_wh = 10}}};
  Device device = device_of(states);
  Report report;
  EXPECT_EQ(feasible(device, grid, report), Error::infeasible_below);  // 250 Wh give 2.5
  EXPECT_EQ(report.limit, Limit::state_min);
  EXPECT_EQ(report.slot, 1u);
  EXPECT_EQ(report.needed, 20);
  EXPECT_EQ(report.possible, 12);
  const std::array<std::int32_t, 4> low{0, 0, 500, 0};
  device = {.kind = DeviceKind::banded, .power_min_w = std::span<const std::int32_t>(low), .power_max_w = 1000, .ramp_up_w = 100,
            .power_before_w = 50, .is_ramped_from_before = true};
  EXPECT_EQ(feasible(device, grid, report), Error::infeasible);
  EXPECT_EQ(report.limit, Limit::ramp);
  EXPECT_EQ(report.slot, 2u);
  EXPECT_EQ(report.needed, 500);
  EXPECT_EQ(report.possible, 350);
}

TEST(banded_model, checks_ramps_powers_and_levels) {
  const std::array<LinearState, 1> states{{{.start = 0, .min = 0, .max = 500, .keep_ppm = {1'000'000, 0}, .gain_milli_per_wh = 1000}}};
  Device device = device_of(states);
  device.ramp_down_w = 300;
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 4>{1000, 1000, 0, 0}), Error::infeasible);  // falls too fast
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 4>{600, 600, 400, 400}), Error::none);      // 500 Wh
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 4>{600, 600, 400, 401}), Error::infeasible);
  EXPECT_EQ(check_profile(device, grid, std::array<std::int32_t, 4>{0, 0, 1001, 900}), Error::infeasible);
}

}  // namespace
}  // namespace wattproof::solver
