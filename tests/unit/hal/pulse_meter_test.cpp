// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/pulse_meter.hpp"

#include <gtest/gtest.h>

namespace wattproof::hal {
namespace {

TEST(pulse_meter, knows_no_power_before_two_pulses) {
  PulseMeter meter(1000);
  EXPECT_EQ(meter.read({0}).import_mwh, 0u);
  EXPECT_FALSE(meter.read({0}).power_w);
  meter.pulse({1000}, 0);
  EXPECT_EQ(meter.read({1000}).import_mwh, 1000u);
  EXPECT_FALSE(meter.read({1000}).power_w);
}

TEST(pulse_meter, tells_power_by_the_interval_and_lets_it_fall_while_nothing_comes) {
  PulseMeter meter(1000);  // a pulse a Wh: 3.6 s at 1 kW
  meter.pulse({0}, 0);
  meter.pulse({3600}, 0);
  EXPECT_EQ(meter.read({3600}).power_w, 1000);
  EXPECT_EQ(meter.read({7200}).power_w, 1000);
  EXPECT_EQ(meter.read({3600 + 36'000}).power_w, 100);
  EXPECT_EQ(meter.read({3600 + 36'000'000}).power_w, 0);
}

TEST(pulse_meter, counts_pulses_that_the_kernel_dropped_and_says_so) {
  PulseMeter meter(1000);
  meter.pulse({0}, 0);
  meter.pulse({3600}, 3);
  EXPECT_EQ(meter.read({3600}).import_mwh, 5000u);
  EXPECT_EQ(meter.read({3600}).power_w, 4000);
  EXPECT_TRUE(meter.read({3600}).is_degraded);
  EXPECT_FALSE(meter.read({3600 + PulseMeter::degraded_ms}).is_degraded);
}

TEST(pulse_meter, keeps_every_milliwatt_hour_of_a_fast_meter) {
  PulseMeter meter(1'776'000);  // 0.563 mWh a pulse
  for (std::uint64_t i = 0; i < 1'776'000; ++i) meter.pulse({i}, 0);
  EXPECT_EQ(meter.read({1'776'000}).import_mwh, 1'000'000u);
  PulseMeter burst(1'776'000);
  burst.pulse({5}, 0);
  burst.pulse({5}, 0);  // within one millisecond
  EXPECT_EQ(burst.read({5}).power_w, 2027);
}

}  // namespace
}  // namespace wattproof::hal
