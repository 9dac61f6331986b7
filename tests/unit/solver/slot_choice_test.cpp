// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>

#include "solver/slot_choice.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {
namespace {

constexpr double one_w = 1 << wide_price_bits;

Device lossy(std::uint16_t charge, std::uint16_t discharge, std::int32_t power_w) {
  return {.kind = DeviceKind::battery, .power_min_w = -power_w, .power_max_w = power_w, .energy_max_wh = 10'000,
          .charge_efficiency_permille = charge, .discharge_efficiency_permille = discharge};
}

// What a slot gains: energy at its price less half the squared distance from the wish.
double gain(const Device& device, double p, double wish, double price) {
  const double stored = p > 0 ? p * device.charge_efficiency_permille / 1000 : p * 1000 / device.discharge_efficiency_permille;
  return price * stored - (p - wish) * (p - wish) / 2;
}

TEST(slot_choice, chooses_the_best_power_of_a_fine_search) {
  std::mt19937_64 random(81);
  for (int i = 0; i < 3000; ++i) {
    SCOPED_TRACE(i);
    const auto draw = [&random](std::int64_t low, std::int64_t high) {
      return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
    };
    const std::int32_t power_w = static_cast<std::int32_t>(draw(1, 100));
    const Device device = lossy(static_cast<std::uint16_t>(draw(500, 1000)), static_cast<std::uint16_t>(draw(500, 1000)), power_w);
    const Store model(device, {1, 3600});
    const std::int64_t wish = draw(-400, 400) * (1 << wide_price_bits);
    const std::int32_t price = static_cast<std::int32_t>(draw(-1000 * (1 << wide_price_bits), 500 * (1 << wide_price_bits)));
    const SlotChoice choice = choose(model, {-power_w, power_w, wish}, price);
    double best = -1e300;
    for (int step = -1000; step <= 1000; ++step) {
      best = std::max(best, gain(device, power_w * step / 1000.0, static_cast<double>(wish) / one_w, static_cast<double>(price) / one_w));
    }
    // A price off by 2^-8 W moves the gain by so much of the energy.
    const double slack = 0.02 * power_w + 0.1;
    for (const std::int64_t power : {choice.low, choice.high}) {
      ASSERT_GE(gain(device, static_cast<double>(power) / one_w, static_cast<double>(wish) / one_w, static_cast<double>(price) / one_w),
                best - slack);
    }
  }
}

TEST(slot_choice, gains_the_same_on_both_sides_of_the_jump) {
  const Device device = lossy(950, 950, 5000);
  const Store model(device, {1, 3600});
  const std::int64_t wish = 3000 * (1 << wide_price_bits);
  const double price = static_cast<double>(jump_price(model, {-5000, 5000, wish})) / one_w;
  EXPECT_NEAR(price, -2 * 3000 / (0.95 + 1 / 0.95), 0.1);
  EXPECT_NEAR(gain(device, 3000 + 0.95 * price, 3000, price), gain(device, 3000 + price / 0.95, 3000, price), 100);
}

}  // namespace
}  // namespace wattproof::solver
