// SPDX-License-Identifier: Apache-2.0
#include "solver/slot_choice.hpp"

#include "base/math.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int32_t one_w = std::int32_t{1} << wide_price_bits;
constexpr std::uint32_t coarse_bits = 8;  // of powers and prices while gains are compared, so that squares fit
constexpr std::uint32_t shift_bits = wide_price_bits - coarse_bits;
constexpr std::int32_t shift = std::int32_t{1} << shift_bits;

// What a slot gains at `price` by its best power within its limits; all in 2^-8 W, the efficiency as a fraction of
// permilles, `fine_price` the price in 2^-10 W.
std::int64_t best_gain(const EnergyLimits& limits, std::int64_t wish, std::int64_t fine_price, std::int32_t numerator,
                       std::int32_t denominator) {
  const std::int64_t power = within(limits, wish + wide_scale(fine_price, numerator, denominator * shift));
  const std::int64_t distance = power - wish;
  return 2 * wide_scale(fine_price >> shift_bits, numerator, denominator) * power - distance * distance;
}

}  // namespace

std::int64_t jump_price(const Store& store, const SlotPowers& slot) {
  constexpr std::int32_t million = 1'000'000;
  const std::int32_t charge = store.charge_permille();
  const std::int32_t discharge = store.discharge_permille();
  const std::int32_t both = charge * discharge;
  // Where neither branch meets its limit, both powers are +-wish (1 - ec ed) / (1 + ec ed).
  const std::int64_t power = wide_scale(slot.wish, million - both, million + both);
  if (power <= slot.high_w * one_w && power <= -slot.low_w * one_w) {
    return -wide_scale(slot.wish, 2000 * discharge, both + million);
  }
  // Else the price at which both branches gain the same; the gain of charging grows faster with the price.
  const std::int64_t wish = slot.wish >> shift_bits;
  std::int64_t low = wide_scale(slot.low_w * one_w - slot.wish, 1000, charge) - one_w;
  std::int64_t high = 0;
  const EnergyLimits up{0, slot.high_w * (one_w >> shift_bits)};
  const EnergyLimits down{slot.low_w * (one_w >> shift_bits), 0};
  while (high - low > 1) {
    const std::int64_t price = (low + high) >> 1;
    const bool is_charging = best_gain(up, wish, price, charge, 1000) > best_gain(down, wish, price, 1000, discharge);
    (is_charging ? high : low) = price;
  }
  return low;
}

SlotChoice choose(const Store& store, const SlotPowers& slot, std::int32_t price) {
  const std::int32_t low = slot.low_w * one_w;
  const std::int32_t high = slot.high_w * one_w;
  const EnergyLimits up_limits{low > 0 ? low : 0, high > 0 ? high : 0};
  const EnergyLimits down_limits{low < 0 ? low : 0, high < 0 ? high : 0};
  const std::int32_t up =
      static_cast<std::int32_t>(within(up_limits, slot.wish + wide_scale(price, store.charge_permille(), 1000)));
  const std::int32_t down =
      static_cast<std::int32_t>(within(down_limits, slot.wish + wide_scale(price, 1000, store.discharge_permille())));
  if (low >= 0) return {up, up};
  if (high <= 0) return {down, down};
  if (slot.wish <= 0) return up > 0 ? SlotChoice{up, up} : SlotChoice{down, down};
  const std::int64_t from_jump = price - jump_price(store, slot);
  return {from_jump > 1 ? up : down, from_jump < 0 ? down : up};
}

}  // namespace wattproof::solver
