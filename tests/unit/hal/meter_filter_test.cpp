// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/meter_filter.hpp"

#include <gtest/gtest.h>

#include "hal/meters/simulated_meter.hpp"

namespace wattproof::hal {
namespace {

MeterReading energy(std::uint64_t import_mwh) {
  MeterReading reading;
  reading.import_mwh = import_mwh;
  return reading;
}

MeterReading power(std::int32_t power_w) {
  MeterReading reading;
  reading.power_w = power_w;
  return reading;
}

const store::EnergyTotals journal{.import_mwh = 7'000'000, .export_mwh = 0, .uptime_s = 100};

TEST(meter_filter, goes_on_where_the_journal_left_off) {
  MeterFilter filter({}, journal);
  EXPECT_FALSE(filter.is_available({0}));
  EXPECT_EQ(filter.take({0}, energy(123'456'789)), MeterVerdict::believed);
  EXPECT_EQ(filter.totals().import_mwh, 7'000'000u);  // what was drawn before this boot is not known, and not guessed
  EXPECT_EQ(filter.take({10'000}, energy(123'461'789)), MeterVerdict::believed);
  EXPECT_EQ(filter.totals().import_mwh, 7'005'000u);
  EXPECT_EQ(filter.totals().uptime_s, 110u);
}

TEST(meter_filter, is_unavailable_after_silence_and_not_at_zero_watts) {
  MeterFilter filter({.timeout_ms = 5000}, {});
  EXPECT_EQ(filter.power_w({0}), std::nullopt);
  filter.take({1000}, power(700));
  EXPECT_EQ(filter.power_w({5999}), 700);
  EXPECT_EQ(filter.power_w({6000}), std::nullopt);
  EXPECT_FALSE(filter.is_available({6000}));
  EXPECT_EQ(filter.take({7000}, {}), MeterVerdict::empty);
  EXPECT_FALSE(filter.is_available({7000}));
}

TEST(meter_filter, refuses_power_that_the_line_cannot_carry) {
  MeterFilter filter({.power_w_max = 3680}, {});
  EXPECT_EQ(filter.take({0}, power(3681)), MeterVerdict::power_out_of_range);
  EXPECT_EQ(filter.take({0}, power(-3681)), MeterVerdict::power_out_of_range);
  EXPECT_EQ(filter.take({0}, power(-3680)), MeterVerdict::believed);
  EXPECT_EQ(filter.refused(), 2u);
}

TEST(meter_filter, refuses_a_jump_and_forgets_it) {
  MeterFilter filter({}, {});
  filter.take({0}, energy(1'000'000));
  EXPECT_EQ(filter.take({1000}, energy(6'000'000)), MeterVerdict::counter_jumped);
  EXPECT_EQ(filter.take({2000}, energy(1'000'100)), MeterVerdict::believed);
  EXPECT_EQ(filter.totals().import_mwh, 100u);
}

TEST(meter_filter, follows_a_meter_that_begins_anew_without_adding_the_difference) {
  MeterFilter filter({}, {});
  filter.take({0}, energy(50'000'000));
  EXPECT_EQ(filter.take({1000}, energy(0)), MeterVerdict::counter_fell);
  EXPECT_EQ(filter.take({2000}, energy(10)), MeterVerdict::counter_fell);
  EXPECT_EQ(filter.take({3000}, energy(20)), MeterVerdict::believed);
  EXPECT_EQ(filter.totals().import_mwh, 0u);
  EXPECT_EQ(filter.take({4000}, energy(35)), MeterVerdict::believed);
  EXPECT_EQ(filter.totals().import_mwh, 15u);
}

TEST(meter_filter, takes_two_nonsense_readings_in_a_row_for_nonsense) {
  MeterFilter filter({}, {});
  filter.take({0}, energy(50'000'000));
  for (std::uint64_t i = 1; i < 100; ++i) {
    EXPECT_NE(filter.take({i * 1000}, energy(i % 2 == 0 ? 900'000'000 : 3)), MeterVerdict::believed);
  }
  EXPECT_EQ(filter.totals().import_mwh, 0u);
}

TEST(meter_filter, allows_after_a_gap_what_can_have_been_drawn) {
  MeterFilter filter({.power_w_max = 3600}, {});
  filter.take({0}, energy(0));
  EXPECT_EQ(filter.take({3'600'000}, energy(3'600'000)), MeterVerdict::believed);  // an hour at full power, 3.6 kWh
  EXPECT_EQ(filter.totals().import_mwh, 3'600'000u);
  EXPECT_EQ(filter.take({7'200'000}, energy(3'600'000 + 3'700'000)), MeterVerdict::counter_jumped);
}

TEST(meter_filter, keeps_the_import_if_the_export_is_nonsense) {
  MeterFilter filter({}, {});
  MeterReading reading = energy(1000);
  reading.export_mwh = 1000;
  filter.take({0}, reading);
  reading.import_mwh = 1100;
  reading.export_mwh = 900'000'000;
  EXPECT_EQ(filter.take({1000}, reading), MeterVerdict::counter_jumped);
  EXPECT_EQ(filter.totals().import_mwh, 100u);
  reading.export_mwh = 1050;
  EXPECT_EQ(filter.take({2000}, reading), MeterVerdict::believed);
  EXPECT_EQ(filter.totals().import_mwh, 100u);
  EXPECT_EQ(filter.totals().export_mwh, 50u);
}

// Whatever a meter says, in any order: totals never fall, and never rise by more than the load can have drawn.
TEST(meter_filter, never_falls_and_never_jumps) {
  std::uint64_t seed = 99;
  const auto below = [&seed](std::uint64_t limit) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % limit;
  };
  MeterFilter filter({.power_w_max = 3600}, {});
  std::uint64_t now = 0, before = 0, truth = 1'000'000;
  for (int i = 0; i < 200'000; ++i) {
    const std::uint64_t passed = 1 + below(5000);
    now += passed;
    truth += below(3600 * passed / 3600 + 1);
    const std::uint64_t kind = below(20);
    MeterReading reading = energy(kind == 0 ? below(1'000'000'000) : kind == 1 ? 0 : truth);
    reading.power_w = static_cast<std::int32_t>(below(20'000)) - 10'000;
    if (kind > 2) reading.power_w = 100;
    filter.take({now}, reading);
    EXPECT_GE(filter.totals().import_mwh, before);
    EXPECT_LE(filter.totals().import_mwh - before, 200'000u);
    before = filter.totals().import_mwh;
  }
  EXPECT_LE(filter.totals().import_mwh, truth);
  EXPECT_GT(filter.totals().import_mwh, truth / 2);
}

TEST(simulated_meter, counts_what_its_load_draws) {
  SimulatedMeter meter(3600);
  MeterReading reading;
  meter.step({0}, true);
  meter.step({10'000}, false);
  ASSERT_TRUE(meter.read(reading));
  EXPECT_EQ(reading.import_mwh, 10'000u);
  EXPECT_EQ(reading.power_w, 0);
  meter.set_fault(MeterFault::silent);
  EXPECT_FALSE(meter.read(reading));
}

}  // namespace
}  // namespace wattproof::hal
