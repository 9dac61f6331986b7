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
  std::int64_t idle = model.start();
  std::int64_t effect = 0;
  long double truth = 20'000;
  for (std::uint32_t t = 0; t < 288; ++t) {
    const std::int32_t power_w = static_cast<std::int32_t>(t * 7 % 1000);
    idle = model.idle_after(t, idle);
    effect = model.kept(effect) + model.effect(power_w);
    truth = 10'000 + (1 - 0.0123L) * (truth - 10'000) + 3.0L * power_w / 12;
    EXPECT_NEAR(static_cast<double>(idle + effect) / static_cast<double>(model.report_unit()), static_cast<double>(truth), 0.005);
  }
}

TEST(store_model, inverts_the_leak_exactly) {
  std::mt19937_64 random(91);
  for (int i = 0; i < 5000; ++i) {
    const Device device = tank(3, static_cast<std::int32_t>(random() % 10'000));
    const Store model(device, {1, 900});
    const std::int64_t after = (static_cast<std::int64_t>(random() % 80'001) - 40'000) * std::int64_t{model.report_unit()} / 7;
    std::int64_t low = after;
    model.low_before(0, low);
    ASSERT_GE(model.kept(low), after);
    ASSERT_LT(model.kept(low - 1), after);
    std::int64_t high = after;
    model.high_before(0, high);
    ASSERT_LE(model.kept(high), after);
    ASSERT_GT(model.kept(high + 1), after);
  }
}

TEST(store_model, a_band_out_of_reach_becomes_the_nearest_temperature) {
  Device device = tank(1, 0);
  device.min_mc = 21'500;
  device.soft = true;
  const Store model(device, {3, 3600});
  Reach band(model, 0);
  Report report;
  EXPECT_EQ(band.step(0, report), Error::none);
  EXPECT_EQ(band.idle + band.reached.low, 21'000 * std::int64_t{model.report_unit()});
  EXPECT_EQ(band.reached.high, band.reached.low);
  EXPECT_EQ(band.step(1, report), Error::none);
  EXPECT_EQ(band.idle + band.reached.low, 21'500 * std::int64_t{model.report_unit()});
}

TEST(store_model, a_cooler_works_the_other_way_round) {
  const Device device = tank(-2, 0);
  const Store model(device, {1, 3600});
  EXPECT_TRUE(model.is_cooler());
  EXPECT_EQ(model.start(), -20'000 * std::int64_t{model.report_unit()});
  EXPECT_EQ(model.effect(1000), 2000 * std::int64_t{model.report_unit()});
  const EnergyLimits limits = model.limits({22'000, 18'000}, model.start());
  EXPECT_EQ(limits.low, -2000 * std::int64_t{model.report_unit()});
  EXPECT_EQ(limits.high, 2000 * std::int64_t{model.report_unit()});
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
    EXPECT_EQ(report.possible, 20'000);
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
  Reach reach(model, 0);
  const EnergyLimits limits = reach.wish(0);
  EXPECT_EQ(limits.high - limits.low, model.discharge_watt());
  EXPECT_EQ(limits.high + limits.low, 2 * 50 * model.unit());
}

}  // namespace
}  // namespace wattproof::solver
