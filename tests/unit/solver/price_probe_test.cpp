// SPDX-License-Identifier: Apache-2.0
#include "solver/price_probe.hpp"

#include <gtest/gtest.h>

#include <array>

namespace wattproof::solver {
namespace {

constexpr std::uint32_t slots = 4;

class PriceProbe : public testing::Test {
 protected:
  SearchProblem problem(std::int64_t round_trip_ppm = 1'000'000, std::int64_t leak_permyriad = 0) {
    storage_.last = slots;
    storage_.low_w = low_;
    storage_.high_w = high_;
    const auto fraction = [](std::int64_t value, std::int64_t whole) { return static_cast<std::uint32_t>((value << 32) / whole); };
    return SearchProblem({storage_, wish_.data(), limits_.data(), nullptr, nullptr, 0, fraction(round_trip_ppm, 1'000'000), fraction(10'000 - leak_permyriad, 10'000)});
  }

  Series low_{-1000};
  Series high_{1000};
  std::array<std::int32_t, slots> wish_{10, 20, 30, 40};
  std::array<SumLimits, slots> limits_{{{-500, 500}, {-500, 500}, {-500, 500}, {-500, 500}}};
  StorageProblem storage_;
  static constexpr PathEnds ends{slots, slots};
};

TEST_F(PriceProbe, says_on_which_side_and_where_a_path_leaves) {
  const Probe high = follow_path<PlainPath>(problem(), 0, {150, 0}, ends);
  EXPECT_EQ(high.side, 1);  // 160, 330, 510
  EXPECT_EQ(high.slot, 2u);
  const Probe low = follow_path<PlainPath>(problem(), 0, {-300, 0}, ends);
  EXPECT_EQ(low.side, -1);  // -290, -570
  EXPECT_EQ(low.slot, 1u);
  EXPECT_EQ(follow_path<PlainPath>(problem(), 0, {0, 0}, ends).side, 0);
  EXPECT_EQ(follow_path<PlainPath>(problem(), 0, {1, 0}, ends).side, 1);  // kept, but with a price at the end of the day
  EXPECT_EQ(follow_path<PlainPath>(problem(), 0, {-1, 0}, ends).side, -1);
}

TEST_F(PriceProbe, steps_to_where_the_limit_is_just_kept_if_nothing_bends) {
  limits_[3] = {-500, 300};
  const Probe found = follow_path<PlainPath>(problem(), 0, {80, 0}, ends);
  EXPECT_EQ(found.side, 1);
  EXPECT_EQ(found.slot, 3u);    // 90, 190, 300, 420
  EXPECT_EQ(found.step, -30);   // 120 in four slots
  const Probe again = follow_path<PlainPath>(problem(), 0, {50, 0}, ends);
  EXPECT_EQ(again.slot, slots);
}

TEST_F(PriceProbe, steps_no_further_than_to_the_limit_of_the_other_side) {
  limits_[0] = {85, 500};
  limits_[3] = {-500, 300};
  // 90 is only 5 above the lower limit of the first slot.
  EXPECT_EQ(follow_path<PlainPath>(problem(), 0, {80, 0}, ends).step, -5);
}

TEST_F(PriceProbe, a_lossy_slot_jumps_where_charging_gains_as_much_as_discharging) {
  const SearchProblem lossy = problem(810'000);
  const auto power = [&](std::int32_t price) {
    return choose_power<LossyPath>(lossy, -1000, 1000, 400, watt_prices<LossyPath>(lossy, price));
  };
  // 400 + 0.81 l = -(400 + l) at l = -442: 42 W either way.
  EXPECT_NEAR(power(-441), 42, 1);
  EXPECT_NEAR(power(-443), -43, 1);
  EXPECT_EQ(power(0), 400);
  EXPECT_EQ(power(price_unlimited), 1000);
  EXPECT_EQ(power(-price_unlimited), -1000);
}

TEST_F(PriceProbe, what_leaks_is_worth_less_before) {
  const SearchProblem leaking = problem(1'000'000, 2500);
  EXPECT_EQ(price_after<LeakingPath>(leaking, 300), 400);
  EXPECT_EQ(price_after<LeakingPath>(leaking, -300), -400);
  EXPECT_EQ(price_after<LeakingPath>(leaking, price_unlimited / 4 * 3 + 1), price_unlimited);
  EXPECT_EQ(sum_after<LeakingPath>(leaking, 400, 7), 307);
  EXPECT_EQ(sum_after<LeakingPath>(leaking, -400, 7), -293);
}

}  // namespace
}  // namespace wattproof::solver
