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

// Else the price at which both branches gain the same; the gain of charging grows faster with the price.
std::int64_t search_jump(const Store& store, const SlotPowers& slot) {
  const std::int64_t wish = slot.wish >> shift_bits;
  std::int64_t low = wide_scale(slot.low_w * one_w - slot.wish, 1000, store.charge_permille()) - one_w;
  std::int64_t high = 0;
  const EnergyLimits up{0, slot.high_w * (one_w >> shift_bits)};
  const EnergyLimits down{slot.low_w * (one_w >> shift_bits), 0};
  while (high - low > 1) {
    const std::int64_t price = (low + high) >> 1;
    const bool is_charging = best_gain(up, wish, price, store.charge_permille(), 1000) >
                             best_gain(down, wish, price, 1000, store.discharge_permille());
    (is_charging ? high : low) = price;
  }
  return low;
}

}  // namespace

std::int64_t jump_price(const Store& store, const SlotPowers& slot) {
  constexpr std::int32_t million = 1'000'000;
  const std::int32_t both = store.charge_permille() * store.discharge_permille();
  // Where neither branch meets its limit, both powers are +-wish (1 - ec ed) / (1 + ec ed).
  const std::int32_t least_w = slot.high_w < -slot.low_w ? slot.high_w : -slot.low_w;
  const bool is_free = store.by_both().floor(slot.wish * (million - both)) <= least_w * one_w;
  return is_free ? -store.by_both().floor(slot.wish * (2000 * store.discharge_permille())) : search_jump(store, slot);
}

SlotChoice choose(const Store& store, const SlotPowers& slot, std::int32_t price) {
  const std::int32_t low = slot.low_w * one_w;
  const std::int32_t high = slot.high_w * one_w;
  const EnergyLimits up_limits{low > 0 ? low : 0, high};
  const EnergyLimits down_limits{low, high < 0 ? high : 0};
  const auto to_power = [](const EnergyLimits& limits, std::int64_t power) { return static_cast<std::int32_t>(within(limits, power)); };
  if (store.is_leaking()) {
    const std::int32_t power = to_power({low, high}, slot.wish + price);
    return {power, power};
  }
  // How far past the jump: below 0 it discharges, beyond 1 it charges, and in the one step between it may do either.
  std::int64_t from_jump = low >= 0 ? 2 : -1;
  std::int32_t up = 0;
  if (high > 0) {
    up = to_power(up_limits, slot.wish + store.by_whole().floor(std::int64_t{price} * store.charge_permille()));
    if (low < 0) from_jump = slot.wish > 0 ? price - jump_price(store, slot) : up > 0 ? 2 : -1;
    if (from_jump > 1) return {up, up};
  }
  const std::int32_t down = to_power(down_limits, slot.wish + store.by_discharge().floor(std::int64_t{price} * 1000));
  return {down, from_jump < 0 ? down : up};
}

}  // namespace wattproof::solver
