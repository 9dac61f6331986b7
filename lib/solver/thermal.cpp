// SPDX-License-Identifier: Apache-2.0
#include "solver/thermal.hpp"

#include <bit>
#include <limits>

#include "base/math.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t permyriad = 10'000;
constexpr std::uint32_t weight_bits = 30;
constexpr std::uint32_t inverse_bits = 27;
constexpr std::uint32_t draft_bits = 8;  // of the powers between the two passes
constexpr std::int32_t price_low = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t price_high = std::numeric_limits<std::int32_t>::max();

std::int32_t saturate(std::int64_t value) {
  return static_cast<std::int32_t>(clamp<std::int64_t>(value, price_low, price_high));
}

// What the workspace holds beside the knots.
struct Arrays {
  WideKnot* knots;
  std::int64_t* low;         // band, later the lowest temperature from which the rest of the day is safe
  std::int64_t* high;
  std::int32_t* low_price;   // prices of power at which the band cuts, later which limit comes next
  std::int32_t* high_price;  // later the multipliers
};

Arrays arrays_of(WorkspaceView workspace, std::uint32_t slots) {
  Arrays arrays{};
  std::uint64_t* next = workspace.data();
  arrays.knots = reinterpret_cast<WideKnot*>(next);
  next += 2 * (2 * slots + 8);
  arrays.low = reinterpret_cast<std::int64_t*>(next);
  arrays.high = arrays.low + slots;
  arrays.low_price = reinterpret_cast<std::int32_t*>(next + 2 * slots);
  arrays.high_price = arrays.low_price + slots;
  return arrays;
}

// The function S of the weighted sum of powers, its ends, and the weight of the present slot.
class WeightedSum {
 public:
  // `reach` in W x slot bounds the sums; the bits that it leaves free sharpen the slopes of long past slots.
  WeightedSum(WideKnot* knots, std::uint32_t capacity, std::uint64_t reach)
      : knots_(knots, capacity), slope_bits_(60 - wide_price_bits - static_cast<std::uint32_t>(std::bit_width(reach))) {}

  // A slot has passed: earlier powers count for less, so this one's weight grows.
  void age(std::int64_t keep) {
    weight_ = wide_floor_div(weight_ * permyriad + keep / 2, keep);
    while (weight_ >= std::int64_t{2} << weight_bits) {
      weight_ = (weight_ + 1) >> 1;
      knots_.rescale();
      base_ >>= 1;
      top_ = base_ + knots_.span();
    }
  }

  // Powers low_w..high_w, best at v (in 2^-10 W).
  void add(std::int64_t low_w, std::int64_t high_w, std::int64_t v) {
    if (knots_.make_room()) top_ = base_ + knots_.span();
    const std::int64_t inverse = (std::int64_t{1} << (weight_bits + inverse_bits)) / weight_;
    const std::int64_t slope = (weight_ * weight_) >> (2 * weight_bits - slope_bits_);
    const std::int64_t from = ((low_w * (1 << wide_price_bits) - v) * inverse) >> inverse_bits;
    const std::int64_t to = ((high_w * (1 << wide_price_bits) - v) * inverse) >> inverse_bits;
    const std::int64_t least = low_w * weight_ * (std::int64_t{1} << (wide_price_bits + slope_bits_ - weight_bits));
    base_ += least;
    top_ += least;
    if (from >= to) return;
    knots_.insert(from, slope);
    knots_.insert(to, -slope);
    top_ += slope * (to - from);
  }

  // Energy limits in 2^-10 W x slot. The prices of power at which they cut, in 2^-10 W.
  void clip(std::int64_t low, std::int64_t high, std::int32_t& low_price, std::int32_t& high_price) {
    std::int64_t floor = value_of(low);
    std::int64_t ceiling = value_of(high);
    low_price = solver::price_low;
    high_price = solver::price_high;
    if (floor > top_) floor = top_;
    if (ceiling < base_) ceiling = base_;
    if (base_ < floor) {
      low_price = power_price(knots_.clip_low(static_cast<std::uint64_t>(floor - base_)));
      base_ = floor;
    }
    if (ceiling < base_) ceiling = base_;
    if (top_ > ceiling) {
      high_price = power_price(knots_.clip_high(static_cast<std::uint64_t>(top_ - ceiling)));
      top_ = ceiling;
    }
  }

 private:
  // Energies beyond the reach cannot act, so they are cut to it first.
  std::int64_t value_of(std::int64_t energy) const {
    const std::int64_t limit = std::int64_t{1} << (60 - slope_bits_);
    const std::int64_t scale = slope_bits_ < weight_bits ? weight_ >> (weight_bits - slope_bits_)
                                                         : weight_ * (std::int64_t{1} << (slope_bits_ - weight_bits));
    return clamp(energy, -limit, limit) * scale;
  }

  std::int32_t power_price(std::int64_t price) const {
    const std::int64_t limit = std::int64_t{1} << 32;
    return saturate((clamp(price, -limit, limit) * weight_) >> weight_bits);
  }

  WideKnots knots_;
  std::uint32_t slope_bits_;
  std::int64_t base_ = 0;
  std::int64_t top_ = 0;
  std::int64_t weight_ = std::int64_t{1} << weight_bits;
};

// Temperature limits become limits of the sum of powers once the drift without power is taken off.
Error forward(const ThermalModel& model, const Grid& grid, const Wish& wish, const Arrays& arrays, std::uint64_t reach) {
  const Device& device = model.device();
  WeightedSum sum(arrays.knots, 2 * grid.slots + 8, reach);
  ComfortBand band(model);
  std::int64_t idle = model.start();
  const std::int64_t divisor = model.watt() >> wide_price_bits;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (!band.advance(t) && !device.soft) return Error::infeasible;
    arrays.low[t] = band.low;
    arrays.high[t] = band.high;
    idle = model.drift(idle, t);
    if (t > 0) sum.age(model.keep());
    sum.add(device.power_min_w.at(t), device.power_max_w.at(t), wish.wide_at(t));
    arrays.low_price[t] = price_low;
    arrays.high_price[t] = price_high;
    if (divisor > 0) {
      sum.clip(wide_floor_div(band.low - idle, divisor), wide_floor_div(band.high - idle, divisor), arrays.low_price[t],
               arrays.high_price[t]);
    } else if (divisor < 0) {
      sum.clip(wide_floor_div(idle - band.high, -divisor), wide_floor_div(idle - band.low, -divisor), arrays.low_price[t],
               arrays.high_price[t]);
    }
  }
  return Error::none;
}

// Prices and powers in 2^-8 W, and from which temperatures the rest of the day can be kept. A band that was not widened
// is kept as any other is, unless `is_lax`.
void backward(const ThermalModel& model, const Grid& grid, const Wish& wish, const Arrays& arrays,
              std::span<std::int32_t> profile_w, bool is_lax) {
  const Device& device = model.device();
  std::int64_t price = 0;
  std::int32_t side = 0;  // which limit holds next: 1 the lower sum of powers, -1 the upper
  for (std::uint32_t t = grid.slots; t-- > 0;) {
    const std::int64_t before = price;
    price = clamp<std::int64_t>(price, arrays.low_price[t], arrays.high_price[t]);
    arrays.high_price[t] = saturate(price - before);
    if (price != before) side = price > before ? 1 : -1;
    arrays.low_price[t] = side;
    const std::int64_t best = (wish.wide_at(t) + price) >> (wide_price_bits - draft_bits);
    profile_w[t] = static_cast<std::int32_t>(
        clamp<std::int64_t>(best, std::int64_t{device.power_min_w.at(t)} * (1 << draft_bits),
                            std::int64_t{device.power_max_w.at(t)} * (1 << draft_bits)));
    price = wide_floor_div(price * model.keep() + permyriad / 2, permyriad);
    const bool is_as_wished = arrays.low[t] == model.low(t) && arrays.high[t] == model.high(t);
    const std::int64_t tolerance = is_as_wished && !is_lax ? model.unit() / 2 : comfort_tolerance(model);
    arrays.low[t] -= tolerance;
    arrays.high[t] += tolerance;
    if (t + 1 == grid.slots) continue;
    const std::int64_t low = model.before_low(arrays.low[t + 1] - model.effect_high(t + 1), t + 1);
    const std::int64_t high = model.before_high(arrays.high[t + 1] - model.effect_low(t + 1), t + 1);
    if (low > arrays.low[t]) arrays.low[t] = low;
    if (high < arrays.high[t]) arrays.high[t] = high;
  }
}

Error no_whole_watts(Report& report, std::uint32_t slot) {
  report.limit = Limit::whole_watts;
  report.slot = slot;
  return Error::infeasible;
}

// Whole watts that stay nearest to the drafted temperatures, inside the safe ones.
Error round_to_watts(const ThermalModel& model, const Grid& grid, const Arrays& arrays,
                     std::span<std::int32_t> profile_w, Report& report) {
  const Device& device = model.device();
  const std::int64_t watt = model.watt();
  const std::int64_t size = watt < 0 ? -watt : watt;
  // Half a watt towards the side that the next limit allows, less the half milli-degree that it forgives.
  const std::int64_t lean = size > model.unit() ? (size - model.unit()) >> 1 : 0;
  std::int64_t draft = model.start();
  std::int64_t now = draft;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int64_t low_w = device.power_min_w.at(t);
    const std::int64_t high_w = device.power_max_w.at(t);
    draft = model.drift(draft, t) + (watt >> draft_bits) * profile_w[t];
    const std::int64_t idle = model.drift(now, t);
    std::int64_t power_w = (profile_w[t] + (1 << (draft_bits - 1))) >> draft_bits;
    if (size != 0) {
      const std::int64_t sign = watt < 0 ? -1 : 1;
      const std::int64_t drafted_w = profile_w[t] >> draft_bits;
      const std::int64_t above_w = drafted_w + ((profile_w[t] & ((1 << draft_bits) - 1)) != 0 ? 1 : 0);
      const std::int64_t aim = draft - idle + sign * lean * arrays.low_price[t];
      power_w = clamp(sign * wide_round_div(aim, size), drafted_w, above_w);
      const std::int64_t least = -wide_floor_div(idle - arrays.low[t], size);     // in the direction of the gain
      const std::int64_t most = wide_floor_div(arrays.high[t] - idle, size);
      if (least > most) return no_whole_watts(report, t);
      power_w = watt < 0 ? clamp(power_w, -most, -least) : clamp(power_w, least, most);
    }
    power_w = clamp(power_w, low_w, high_w);
    profile_w[t] = static_cast<std::int32_t>(power_w);
    now = idle + watt * power_w;
    if (now < arrays.low[t] || now > arrays.high[t]) return no_whole_watts(report, t);
  }
  return Error::none;
}

}  // namespace

Error solve_thermal(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                    std::span<std::int32_t> profile_w, Report& report) {
  if (workspace.size() < thermal_workspace_words(grid.slots)) return Error::workspace_too_small;
  std::int64_t power_max = 0;
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    const std::int64_t low_w = device.power_min_w.at(t);
    const std::int64_t high_w = device.power_max_w.at(t);
    if (low_w > high_w || !has_band(device, t)) return Error::infeasible;
    if (-low_w > power_max) power_max = -low_w;
    if (high_w > power_max) power_max = high_w;
  }
  // What all slots can add up to, which a leak bounds however long the day is.
  const std::int64_t leak = device.leak_permyriad_per_slot;
  const std::int64_t slots = leak * grid.slots > permyriad ? wide_floor_div(permyriad, leak) + 1 : grid.slots;
  const std::int64_t reach = power_max * (slots + 1);
  if (reach >= wide_energy_limit) return Error::out_of_range;
  const ThermalModel model(device, grid);
  const Arrays arrays = arrays_of(workspace, grid.slots);
  for (const bool is_lax : {false, true}) {
    WATTPROOF_TRY(forward(model, grid, wish, arrays, static_cast<std::uint64_t>(reach)));
    backward(model, grid, wish, arrays, profile_w, is_lax);
    const Error error = round_to_watts(model, grid, arrays, profile_w, report);
    if (ok(error)) break;
    if (is_lax || !device.soft) return error;
    report.limit = Limit::none;
  }
  report.dual = {arrays.high_price, grid.slots};
  report.guard_bits = wide_price_bits;
  return Error::none;
}

}  // namespace wattproof::solver
