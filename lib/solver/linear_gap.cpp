// SPDX-License-Identifier: Apache-2.0
#include "solver/linear_gap.hpp"
#include "solver/wide_math.hpp"

#include <array>

#include "base/math.hpp"
#include "solver/store.hpp"
#include "solver/single.hpp"

namespace wattproof::solver {

namespace {

// At a reduced cost r the best power of a box is an end of it.
void add_box(Gap& gap, const Range& reduced, std::int64_t p, std::int64_t low, std::int64_t high) {
  const std::uint64_t down = reduced.high > 0 ? saturating_multiply(magnitude(reduced.high), magnitude(p - low)) : 0;
  const std::uint64_t up = reduced.low < 0 ? saturating_multiply(magnitude(reduced.low), magnitude(high - p)) : 0;
  gap.linear = saturating_add(gap.linear, saturating_multiply(2, down > up ? down : up));
}

// Power p at a price, less what the energy that it stores is worth: linear on either side of 0 W.
std::int64_t lossy_value(const Store& model, std::int64_t p, std::int64_t price, std::int64_t energy_price) {
  const std::int64_t stored = p < 0 ? -wide_floor_div(-energy_price * -p * 1000, model.discharge_permille())
                                    : wide_floor_div(energy_price * p * model.charge_permille(), std::int64_t{1000});
  return price * p - stored;
}

void add_lossy(Gap& gap, const Store& model, std::uint32_t slot, std::int64_t p, const Range& prices,
               std::int64_t energy_price) {
  const std::int64_t price = prices.low;
  const std::int64_t low = model.low_w(slot);
  const std::int64_t high = model.high_w(slot);
  std::int64_t best = lossy_value(model, low, price, energy_price);
  for (const std::int64_t end : {std::int64_t{0}, high}) {
    if (end < low || end > high) continue;
    const std::int64_t value = lossy_value(model, end, price, energy_price);
    if (value < best) best = value;
  }
  // Two roundings of less than one each, and a price that is not known better.
  const std::int64_t rounding = 2 + (prices.high - prices.low) * (high - low);
  const std::int64_t regret = lossy_value(model, p, price, energy_price) - best + rounding;
  if (regret > 0) gap.linear = saturating_add(gap.linear, saturating_multiply(2, magnitude(regret)));
}

// What the generator itself gains by a watt more, halved, in money x 2^-linear_gap_bits.
std::int64_t generator_gain(const Device& device, std::int64_t power_w) {
  return (device.cost_linear - device.cost_quadratic * power_w) * (std::int64_t{1} << linear_gap_bits);
}

// A regret in the device's own curvature, brought to that of the sum.
void add_own(Gap& gap, const Gap& part, std::int64_t own, std::int64_t weight) {
  const std::uint64_t money = part.total(static_cast<std::uint64_t>(own));
  const std::uint64_t scaled_money = saturating_multiply(money, std::uint64_t{1} << linear_gap_bits);
  const bool is_saturated = money == gap_saturated || scaled_money == gap_saturated;
  gap.linear = saturating_add(gap.linear, is_saturated ? gap_saturated : scaled_money / static_cast<std::uint64_t>(weight) + 1);
}

// cost_quadratic (p - x0)^2 against the best power.
void add_generator(Gap& gap, const Device& device, std::uint32_t slot, std::int64_t p, std::int64_t price, std::int64_t weight) {
  const std::int64_t own = device.cost_quadratic;
  const std::int64_t gain = generator_gain(device, 0);
  const Range paid = scaled({price, price}, weight, own);
  const Range best = sum(scaled({gain, gain}, 1, own), {-paid.high, -paid.low});
  Gap part{linear_gap_bits};
  add_regret(part, p, device.power_min_w.at(slot), device.power_max_w.at(slot), best.low, best.high);
  add_own(gap, part, own, weight);
}

bool is_below(const Range& range, std::int64_t limit) { return range.low > -limit && range.high < limit; }

// One slot of a device that stores energy or nothing, and has a cost of its own. False where the numbers would not fit; there
// that cost is small beside the sum's.
bool add_curved(Gap& gap, const Device& device, const Store& store, std::uint32_t slot, std::int64_t p, std::int64_t price,
                const Range& state, std::int64_t weight) {
  constexpr std::int64_t price_limit = std::int64_t{1} << 35;
  constexpr std::int64_t power_limit = std::int64_t{1} << 40;
  if (!is_below(state, price_limit) || !is_below({price, price}, price_limit)) return false;
  const std::int64_t own = device.cost_quadratic;
  const Range worth = scaled(state, weight, own);
  const Range wish = scaled({-price, -price}, weight, own);
  if (!is_below(worth, power_limit) || !is_below(wish, power_limit)) return false;
  Gap part{linear_gap_bits};
  if (is_lossy(device)) {
    add_lossy_regret(part, store, slot, p, wish, worth);
  } else {
    const Range best = sum(wish, worth);
    add_regret(part, p, device.power_min_w.at(slot), device.power_max_w.at(slot), best.low, best.high);
  }
  add_own(gap, part, own, weight);
  return true;
}

// What a watt more costs the device itself. At this price its cost is never more than it is: own x^2 >= own p^2 + 2 own p (x - p).
Range own_price(const Device& device, std::int64_t p, std::int64_t weight) {
  const std::int64_t paid = device.cost_quadratic * p * (std::int64_t{1} << linear_gap_bits);
  return scaled({paid, paid}, 1, weight);
}

// Every choice has the same sum of squares, so the weight only keeps the prices in range, and the best is the cheapest.
Error add_search(const Device& device, const Grid& grid, std::span<const std::int64_t> prices,
                 std::span<const std::int32_t> profile_w, WorkspaceView workspace, std::span<std::int32_t> scratch_w,
                 Gap& gap) {
  const std::array<std::int32_t, slot_count_max> zero{};
  Report report;
  WATTPROOF_TRY(optimise_single(device, grid, std::span(zero).first(grid.slots), {.weight = 1u << 13, .price = prices}, workspace, scratch_w, report));
  std::int64_t saving = 0;
  for (std::uint32_t t = 0; t < grid.slots; ++t) saving += prices[t] * (std::int64_t{profile_w[t]} - scratch_w[t]);
  if (saving > 0) gap.linear = saturating_add(gap.linear, saturating_multiply(2, magnitude(saving)));
  return Error::none;
}

// The value of a watt in each slot, last slot first, from the multipliers: of what is stored, or of what is generated.
class Marginal {
 public:
  Marginal(const Device& device, const Grid& grid, std::int64_t weight, std::span<const std::int32_t> dual,
           std::uint32_t guard_bits)
      : device_(device),
        weight_(weight),
        multipliers_(dual, device.kind == DeviceKind::shapeable ? end_slot(device, grid) : grid.slots,
                     std::int64_t{1} << (linear_gap_bits - guard_bits)) {}

  std::int64_t step(std::uint32_t slot, std::int32_t power_w) {
    if (device_.kind == DeviceKind::thermal) {
      state_ = wide_floor_div(state_ * (10'000 - device_.leak_permyriad_per_slot), std::int64_t{10'000});
    }
    state_ += multipliers_.at(slot);
    if (device_.kind == DeviceKind::generator) return wide_floor_div(generator_gain(device_, power_w), weight_);
    if (!is_lossy(device_)) return state_;
    return power_w > 0 ? wide_floor_div(state_ * device_.charge_efficiency_permille, std::int64_t{1000})
                       : wide_floor_div(state_ * 1000, std::int64_t{device_.discharge_efficiency_permille});
  }

 private:
  const Device& device_;
  std::int64_t weight_;
  Multipliers multipliers_;
  std::int64_t state_ = 0;
};

}  // namespace

void adopt_marginals(const Device& device, const Grid& grid, std::int64_t weight, std::span<const std::int32_t> profile_w,
                     std::span<const std::int32_t> dual, std::uint32_t guard_bits, std::span<std::int64_t> prices,
                     std::span<bool> is_set) {
  if (device.kind == DeviceKind::fixed || device.kind == DeviceKind::appliance || device.kind == DeviceKind::switched) return;
  const bool is_shapeable = device.kind == DeviceKind::shapeable;
  const std::uint32_t first = is_shapeable ? device.start_slot : 0;
  Marginal marginal(device, grid, weight, dual, guard_bits);
  for (std::uint32_t t = is_shapeable ? end_slot(device, grid) : grid.slots; t-- > first;) {
    std::int64_t value = marginal.step(t, profile_w[t]);
    if (device.kind != DeviceKind::generator) value -= own_price(device, profile_w[t], weight).low;
    const bool is_free = profile_w[t] > device.power_min_w.at(t) && profile_w[t] < device.power_max_w.at(t) &&
                         !(is_lossy(device) && profile_w[t] == 0);
    if (!is_free || is_set[t]) continue;
    prices[t] = value;
    is_set[t] = true;
  }
}

Error add_linear_gap(const Device& device, const Grid& grid, std::span<const std::int64_t> prices, std::int64_t weight,
                     std::span<const std::int32_t> profile_w, std::span<const std::int32_t> dual, std::uint32_t guard_bits,
                     WorkspaceView workspace, std::span<std::int32_t> scratch_w, Gap& gap) {
  if (device.kind == DeviceKind::fixed) return Error::none;
  if (device.kind == DeviceKind::appliance || device.kind == DeviceKind::switched) {
    return add_search(device, grid, prices, profile_w, workspace, scratch_w, gap);
  }
  constexpr std::int64_t fine = 256;
  const bool is_shapeable = device.kind == DeviceKind::shapeable;
  const bool is_generator = device.kind == DeviceKind::generator;
  const std::uint32_t first = is_shapeable ? device.start_slot : 0;
  const std::uint32_t last = is_shapeable ? end_slot(device, grid) : grid.slots;
  const Multipliers multipliers(dual, last, std::int64_t{1} << (linear_gap_bits - guard_bits));
  const Store lossy(device, grid);
  add_slacks(gap, device, grid, profile_w, multipliers);
  Range state;
  for (std::uint32_t t = last; t-- > first;) {
    if (device.kind == DeviceKind::thermal) state = scaled(state, 10'000 - device.leak_permyriad_per_slot, 10'000);
    state = sum(state, {multipliers.at(t) * fine, multipliers.at(t) * fine});
    if (is_generator && device.cost_quadratic > 0) {
      add_generator(gap, device, t, profile_w[t], prices[t], weight);
      continue;
    }
    const Range worth = scaled(state, 1, fine);
    Range price{prices[t], prices[t]};
    if (device.cost_quadratic > 0) {
      if (add_curved(gap, device, lossy, t, profile_w[t], prices[t], worth, weight)) continue;
      price = sum(price, own_price(device, profile_w[t], weight));
    }
    if (is_lossy(device)) {
      add_lossy(gap, lossy, t, profile_w[t], price, worth.low);
      continue;
    }
    Range reduced{price.low - worth.high, price.high - worth.low};
    if (is_generator) reduced = sum(reduced, scaled({-generator_gain(device, 0), -generator_gain(device, 0)}, 1, weight));
    add_box(gap, reduced, profile_w[t], device.power_min_w.at(t), device.power_max_w.at(t));
  }
  return Error::none;
}

}  // namespace wattproof::solver
