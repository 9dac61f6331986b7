// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "solver/store.hpp"

namespace wattproof::solver {
namespace {

Device tank(std::int32_t gain, std::int32_t leak) {
  return {.kind = DeviceKind::thermal, .power_max_w = 1000, .gain_mk_per_wh = gain, .leak_permyriad_per_slot = leak,
          .ambient_mc = 10'000, .start_mc = 20'000, .min_mc = 18'000, .max_mc = 22'000};
}

Device lossy(std::uint16_t charge, std::uint16_t discharge, std::int32_t power_w) {
  return {.kind = DeviceKind::battery, .power_min_w = -power_w, .power_max_w = power_w, .energy_max_wh = 10'000,
          .charge_efficiency_permille = charge, .discharge_efficiency_permille = discharge};
}

TEST(store_model, follows_the_true_temperature_to_a_few_microkelvin) {
  const Device device = tank(3, 123);
  const Store model(device, {288, 300});
  std::int64_t now = model.start();
  long double truth = 20'000;
  for (std::uint32_t t = 0; t < 288; ++t) {
    const std::int32_t power_w = static_cast<std::int32_t>(t * 7 % 1000);
    now = model.drift(now, t) + model.effect(power_w);
    truth = 10'000 + (1 - 0.0123L) * (truth - 10'000) + 3.0L * power_w / 12;
    EXPECT_NEAR(static_cast<double>(now) / static_cast<double>(model.report_unit()), static_cast<double>(truth), 0.005);
  }
}

TEST(store_model, inverts_the_drift_exactly) {
  std::mt19937_64 random(91);
  for (int i = 0; i < 5000; ++i) {
    const Device device = tank(3, static_cast<std::int32_t>(random() % 10'000));
    const Store model(device, {1, 900});
    const std::int64_t after = (static_cast<std::int64_t>(random() % 80'001) - 40'000) * model.report_unit() / 7;
    const std::int64_t low = model.before_low(after, 0);
    ASSERT_GE(model.drift(low, 0), after);
    ASSERT_LT(model.drift(low - 1, 0), after);
    const std::int64_t high = model.before_high(after, 0);
    ASSERT_LE(model.drift(high, 0), after);
    ASSERT_GT(model.drift(high + 1, 0), after);
  }
}

TEST(store_model, a_band_out_of_reach_becomes_the_nearest_temperature) {
  Device device = tank(1, 0);
  device.min_mc = 21'500;
  device.soft = true;
  const Store model(device, {3, 3600});
  Reach band(model);
  Report report;
  EXPECT_EQ(band.step(0, report), Error::none);
  EXPECT_FALSE(band.is_wished);
  EXPECT_EQ(band.limits.low, 21'000 * model.report_unit());
  EXPECT_EQ(band.limits.high, band.limits.low);
  EXPECT_EQ(band.step(1, report), Error::none);
  EXPECT_TRUE(band.is_wished);
  EXPECT_EQ(band.limits.low, 21'500 * model.report_unit());
}

TEST(store_model, a_cooler_works_the_other_way_round) {
  const Device device = tank(-2, 0);
  const Store model(device, {1, 3600});
  EXPECT_EQ(model.effect_low(0), -2000 * model.report_unit());
  EXPECT_EQ(model.effect_high(0), 0);
}

TEST(store_model, an_empty_band_is_a_limit_that_cannot_be_met) {
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

TEST(store_model, counts_energy_in_whole_units) {
  const Device device = lossy(950, 900, 100);
  const Store model(device, {1, 3600});
  EXPECT_EQ(model.unit(), 900'000);
  EXPECT_EQ(model.effect(10), 8'550'000);    // 9.5 W x slot
  EXPECT_EQ(model.effect(-9), -9'000'000);   // 10 W x slot
}

TEST(store_model, widens_limits_that_leave_less_than_a_watt) {
  Device device = lossy(950, 900, 100);
  device.energy_end_min_wh = device.energy_end_max_wh = 50;
  const Store model(device, {1, 3600});
  std::size_t next = 0;
  const EnergyLimits limits = model.limits_for_watts(limits_after(model.problem(), 0, next));
  EXPECT_EQ(limits.high - limits.low, model.discharge_watt());
  EXPECT_EQ(limits.high + limits.low, 2 * 50 * model.unit());
}

}  // namespace
}  // namespace wattproof::solver
