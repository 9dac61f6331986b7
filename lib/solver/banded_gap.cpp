// SPDX-License-Identifier: Apache-2.0
// Weak duality for banded devices: their multipliers bound what any powers could gain, or prove that none keep the limits.
#include "base/math.hpp"
#include "solver/banded.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t fine = 256;
constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t price_max = std::int64_t{1} << 36;  // beyond it a product with the gain would not fit
constexpr std::int64_t slack_max = std::int64_t{1} << 40;

// range x factor / 10^6 x 2^shift, rounded outwards. is_coupled_mildly() bounds the product.
Range coupled(const Range& range, std::int64_t factor_ppm, std::int32_t shift) {
  const std::int64_t size = (factor_ppm < 0 ? -factor_ppm : factor_ppm) << (shift > 0 ? shift : 0);
  const Range result = scaled(range, size, million << (shift < 0 ? (shift < -40 ? 40 : -shift) : 0));
  return factor_ppm < 0 ? Range{-result.high, -result.low} : result;
}

// 2 |multiplier| x distance, which is in 2^-distance_bits W x slot.
constexpr std::uint32_t distance_bits = 8;

std::uint64_t add_distance(Gap& gap, std::int64_t multiplier, std::int64_t distance) {
  const std::uint64_t product = saturating_multiply(2 * magnitude(multiplier), magnitude(distance));
  if (distance < 0) return product >> distance_bits;
  const bool is_saturated = product == gap_saturated || distance >= slack_max;
  gap.linear = saturating_add(gap.linear, is_saturated ? gap_saturated : (product >> distance_bits) + 1);
  return 0;
}

// Units of a level as 2^-distance_bits of what a watt does at its peak, rounded up.
std::int64_t distance_of(std::int64_t units, std::int32_t peak_bits) {
  const std::int32_t shift = static_cast<std::int32_t>(distance_bits) - peak_bits;
  if (shift < 0) return -(-units >> -shift);
  return clamp(units, -(slack_max >> shift), slack_max >> shift) * (std::int64_t{1} << shift);
}

}  // namespace

Range BandedPrices::before(std::uint32_t slot) {
  std::array<Range, banded_state_count_max> levels{};
  Range price;
  for (std::uint32_t i = 0; i < model_.count(); ++i) {
    if (!model_.is_moved(i)) continue;
    const std::int64_t own = multipliers_.level(slot, i) * fine;
    levels[i] = {own, own};
    for (std::uint32_t j = 0; j < model_.count(); ++j) {
      if (!model_.is_moved(j)) continue;
      levels[i] = sum(levels[i], coupled(levels_[j], model_.keep_ppm(j, i), model_.peak_bits(i) - model_.peak_bits(j)));
    }
    if (levels[i].high > price_max || levels[i].low < -price_max) {
      gap_.linear = gap_saturated;
      levels[i] = {};
    }
    const std::int64_t watt = model_.watt(i);
    if (watt == 0) continue;
    const Range part = scaled(levels[i], watt < 0 ? -watt : watt, std::int64_t{1} << model_.peak_bits(i));
    price = sum(price, watt < 0 ? Range{-part.high, -part.low} : part);
  }
  levels_ = levels;
  const std::int64_t rise = (model_.is_ramped(slot) ? multipliers_.rise(slot) : 0) * fine;
  price = sum(price, {rise - rise_after_, rise - rise_after_});
  rise_after_ = rise;
  return price;
}

std::uint64_t add_banded_slacks(Gap& gap, const BandedModel& model, const Grid& grid, std::span<const std::int32_t> profile_w,
                                const BandedMultipliers& multipliers, bool is_widened) {
  const Device& device = model.device();
  std::uint64_t beyond = 0;
  Levels now = model.start();
  std::int64_t before_w = device.power_before_w;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    now = model.after(now, t, profile_w[t]);
    for (std::uint32_t i = 0; i < model.count(); ++i) {
      const std::int64_t multiplier = multipliers.level(t, i);
      if (multiplier == 0 || !model.is_moved(i)) continue;
      const std::int64_t slack = is_widened ? model.slack(i, t) : 0;
      const std::int64_t distance = multiplier > 0 ? now[i] - model.low(i, t) : model.high(i, t) - now[i];
      // `now` may be off by less than a unit a slot.
      beyond = saturating_add(beyond, add_distance(gap, multiplier, distance_of(distance + slack + grid.slots, model.peak_bits(i))));
    }
    const std::int64_t rise = profile_w[t] - before_w;
    const std::int64_t multiplier = multipliers.rise(t);
    const std::int64_t distance = multiplier > 0 ? rise + device.ramp_down_w : device.ramp_up_w - rise;
    if (multiplier != 0 && model.is_ramped(t)) beyond = saturating_add(beyond, add_distance(gap, multiplier, distance * (1 << distance_bits)));
    before_w = profile_w[t];
  }
  return beyond;
}

bool is_refuted(const BandedModel& model, const Grid& grid, std::span<const std::int32_t> profile_w,
                const BandedMultipliers& multipliers) {
  Gap gap{distance_bits};
  const std::uint64_t beyond = add_banded_slacks(gap, model, grid, profile_w, multipliers, true);
  BandedPrices prices(model, multipliers, gap);
  for (std::uint32_t t = grid.slots; t-- > 0;) {
    const Range price = prices.before(t);
    const std::int64_t down = std::int64_t{profile_w[t]} - model.device().power_min_w.at(t);
    const std::int64_t up = std::int64_t{model.device().power_max_w.at(t)} - profile_w[t];
    const std::uint64_t fall = price.low < 0 ? saturating_multiply(magnitude(price.low), magnitude(down)) : 0;
    const std::uint64_t rise = price.high > 0 ? saturating_multiply(magnitude(price.high), magnitude(up)) : 0;
    const std::uint64_t most = fall > rise ? fall : rise;
    gap.linear = saturating_add(gap.linear, most == gap_saturated ? most : (most >> (distance_bits - 1)) + 1);
  }
  return gap.linear != gap_saturated && beyond > gap.linear;
}

}  // namespace wattproof::solver
