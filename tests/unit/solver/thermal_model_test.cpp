// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "solver/thermal.hpp"

namespace wattproof::solver {
namespace {

Device store(std::int32_t gain, std::int32_t leak) {
  return {.kind = DeviceKind::thermal, .power_max_w = 1000, .gain_mk_per_wh = gain, .leak_permyriad_per_slot = leak,
          .ambient_mc = 10'000, .start_mc = 20'000, .min_mc = 18'000, .max_mc = 22'000};
}

TEST(thermal_model, follows_the_true_temperature_to_a_few_microkelvin) {
  const Device device = store(3, 123);
  const ThermalModel model(device, {288, 300});
  std::int64_t now = model.start();
  long double truth = 20'000;
  for (std::uint32_t t = 0; t < 288; ++t) {
    const std::int32_t power_w = static_cast<std::int32_t>(t * 7 % 1000);
    now = model.drift(now, t) + model.watt() * power_w;
    truth = 10'000 + (1 - 0.0123L) * (truth - 10'000) + 3.0L * power_w / 12;
    EXPECT_NEAR(static_cast<double>(now) / static_cast<double>(model.unit()), static_cast<double>(truth), 0.005);
  }
}

TEST(thermal_model, inverts_the_drift_exactly) {
  std::mt19937_64 random(91);
  for (int i = 0; i < 5000; ++i) {
    const Device device = store(3, static_cast<std::int32_t>(random() % 10'000));
    const ThermalModel model(device, {1, 900});
    const std::int64_t after = (static_cast<std::int64_t>(random() % 80'001) - 40'000) * model.unit() / 7;
    const std::int64_t low = model.before_low(after, 0);
    ASSERT_GE(model.drift(low, 0), after);
    ASSERT_LT(model.drift(low - 1, 0), after);
    const std::int64_t high = model.before_high(after, 0);
    ASSERT_LE(model.drift(high, 0), after);
    ASSERT_GT(model.drift(high + 1, 0), after);
  }
}

TEST(thermal_model, a_band_out_of_reach_becomes_the_nearest_temperature) {
  Device device = store(1, 0);
  device.min_mc = 21'500;
  const ThermalModel model(device, {3, 3600});
  ComfortBand band(model);
  EXPECT_FALSE(band.advance(0));
  EXPECT_EQ(band.low, 21'000 * model.unit());
  EXPECT_EQ(band.high, band.low);
  EXPECT_TRUE(band.advance(1));
  EXPECT_EQ(band.low, 21'500 * model.unit());
}

TEST(thermal_model, a_cooler_works_the_other_way_round) {
  const Device device = store(-2, 0);
  const ThermalModel model(device, {1, 3600});
  EXPECT_EQ(model.effect_low(0), -2000 * model.unit());
  EXPECT_EQ(model.effect_high(0), 0);
}

TEST(thermal_model, an_empty_band_is_a_limit_that_cannot_be_met) {
  for (const bool soft : {false, true}) {
    const Device device{.kind = DeviceKind::thermal, .power_max_w = 1000, .gain_mk_per_wh = 1, .ambient_mc = 20'000,
                        .start_mc = 20'000, .min_mc = 19'000, .max_mc = 18'000, .soft = soft};
    std::array<std::int32_t, 2> x{};
    std::array<std::uint64_t, 64> workspace{};
    Report report;
    EXPECT_EQ(solve(device, {2, 3600}, x, {}, workspace, x, report), Error::infeasible_above);
    EXPECT_EQ(report.limit, Limit::comfort_max);
    EXPECT_EQ(report.slot, 1u);
    EXPECT_EQ(report.needed, 18'000);
    EXPECT_EQ(report.possible, 19'000);
  }
}

}  // namespace
}  // namespace wattproof::solver
