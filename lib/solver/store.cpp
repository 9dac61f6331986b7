// SPDX-License-Identifier: Apache-2.0
#include "solver/store.hpp"

#include <bit>

#include "base/math.hpp"
#include "solver/slot_choice.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int32_t one_w = std::int32_t{1} << wide_price_bits;
constexpr std::uint32_t weight_bits = 30;
constexpr std::uint32_t inverse_bits = 27;
constexpr std::uint32_t draft_bits = 8;  // of the powers between the two passes
constexpr std::uint32_t lossy_slope_bits = 24;

// The knots are needed on the way forward only; the states take their place on the way back.
struct Arrays {
  WideKnot* knots;
  std::uint32_t knot_count;
  EnergyLimits* safe;        // states from which the rest of the day can be kept
  EnergyLimits* best;        // energies that an optimal day passes through, of a store with losses
  std::int32_t* low_price;   // later the larger of a slot's two powers, or which limit comes next
  std::int32_t* high_price;  // later the multipliers
};

Arrays arrays_of(WorkspaceView workspace, std::uint32_t slots, bool is_leaking) {
  Arrays arrays{};
  std::uint64_t* const words = workspace.data();
  arrays.knot_count = (is_leaking ? 2 : 4) * slots + 8;
  arrays.knots = reinterpret_cast<WideKnot*>(words);
  arrays.safe = reinterpret_cast<EnergyLimits*>(words);
  arrays.best = arrays.safe + slots;
  arrays.low_price = reinterpret_cast<std::int32_t*>(words + 2 * arrays.knot_count);
  arrays.high_price = arrays.low_price + slots;
  return arrays;
}

// The function S of the sum of effects, losses and drift left out; with a leak the weighted sum of powers. Its ends, and the
// weight of the present slot.
class EffectSum {
 public:
  // `reach` in W x slot bounds the sums; the bits that it leaves free sharpen the slopes of long past slots.
  EffectSum(const Store& store, const Arrays& arrays, std::uint32_t reach)
      : store_(store), knots_(arrays.knots, arrays.knot_count), slope_bits_(lossy_slope_bits) {
    const std::int32_t charge = store.charge_permille();
    const std::int32_t discharge = store.discharge_permille();
    charge_slope_ = ((std::int64_t{charge * charge} << lossy_slope_bits) + 500'000) / 1'000'000;
    discharge_slope_ = (std::int64_t{1'000'000} << lossy_slope_bits) / (discharge * discharge);
    if (!store.is_leaking()) return;
    slope_bits_ = 60 - wide_price_bits - static_cast<std::uint32_t>(std::bit_width(reach));
    charge_slope_ = std::int64_t{1} << slope_bits_;
  }

  // A slot has passed: earlier powers count for less, so this one's weight grows.
  void age() {
    const std::int32_t keep = store_.keep_permyriad();
    weight_ = wide_floor_div(weight_ * Store::permyriad + keep / 2, keep);
    while (weight_ >= std::int64_t{2} << weight_bits) {
      weight_ = (weight_ + 1) >> 1;
      knots_.rescale();
      base_ >>= 1;
      top_ = base_ + knots_.span();
    }
    inverse_ = (std::int64_t{1} << (weight_bits + inverse_bits)) / weight_;
    charge_slope_ = (weight_ * weight_) >> (2 * weight_bits - slope_bits_);
  }

  void add(const SlotPowers& slot) {
    if (knots_.make_room()) top_ = base_ + knots_.span();
    const std::int64_t low_change = change(slot.low_w);
    base_ += low_change;
    top_ += low_change;
    if (slot.low_w >= slot.high_w) return;
    const bool is_rising = store_.is_leaking() || slot.low_w >= 0;  // charging at every price
    const std::int64_t from = price_at(slot.low_w, slot.wish, is_rising);
    const std::int64_t to = price_at(slot.high_w, slot.wish, is_rising || slot.high_w > 0);
    if (is_rising || slot.high_w <= 0) return ramp(from, to, is_rising ? charge_slope_ : discharge_slope_);
    if (slot.wish > 0) return add_jump(jump_price(store_, slot), from, to, change(slot.high_w) - low_change);
    ramp(from, price_at(0, slot.wish, false), discharge_slope_);
    ramp(price_at(0, slot.wish, true), to, charge_slope_);
  }

  // Limits in 2^-10 W x slot. Gives the prices of power at which they cut, in 2^-10 W.
  void clip(const EnergyLimits& limits, std::int32_t& low_price, std::int32_t& high_price) {
    std::int64_t floor = value_of(limits.low);
    std::int64_t ceiling = value_of(limits.high);
    if (floor > top_) floor = top_;
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
  std::int64_t change(std::int32_t power_w) const {
    const std::int64_t plain = (power_w * weight_) << (wide_price_bits + slope_bits_ - weight_bits);
    if (store_.is_leaking()) return plain;
    // Divided first: the product would not fit.
    return power_w < 0 ? -(wide_floor_div(-plain, store_.discharge_permille()) * 1000)
                       : wide_floor_div(plain, 1000) * store_.charge_permille();
  }

  // The price at which a slot with this wish would draw `power_w`.
  std::int64_t price_at(std::int32_t power_w, std::int64_t wish, bool is_charging) const {
    const std::int64_t power = ((power_w * one_w - wish) * inverse_) >> inverse_bits;
    return is_charging ? wide_scale(power, 1000, store_.charge_permille()) : wide_scale(power, store_.discharge_permille(), 1000);
  }

  void ramp(std::int64_t from, std::int64_t to, std::int64_t slope) {
    if (from >= to) return;
    knots_.insert(from, slope);
    knots_.insert(to, -slope);
    top_ += slope * (to - from);
  }

  // Discharging from the price `from` up to the jump, charging from it on up to `to`; `total` is the whole rise. The jump
  // is a slope over one step of the grid.
  void add_jump(std::int64_t jump, std::int64_t from, std::int64_t to, std::int64_t total) {
    const std::int64_t low_slope = from < jump ? discharge_slope_ : 0;
    const std::int64_t high_slope = to > jump + 1 ? charge_slope_ : 0;
    const std::int64_t sloped = low_slope * (jump - from) + high_slope * (to - jump - 1);
    if (sloped > total) total = sloped;
    const std::int64_t height = total - sloped;
    top_ += total;
    if (low_slope != 0) knots_.insert(from, low_slope);
    knots_.insert(jump, height - low_slope);
    knots_.insert(jump + 1, high_slope - height);
    if (high_slope != 0) knots_.insert(to, -high_slope);
  }

  // Sums beyond the reach cannot act, so they are cut to it first.
  std::int64_t value_of(std::int64_t sum) const {
    const std::int64_t scale = slope_bits_ < weight_bits ? weight_ >> (weight_bits - slope_bits_)
                                                         : weight_ << (slope_bits_ - weight_bits);
    return limited(sum, 61 - slope_bits_) * scale;
  }

  std::int32_t power_price(std::int64_t price) const {
    return saturate((limited(price, 32) * weight_) >> weight_bits);
  }

  const Store& store_;
  WideKnots knots_;
  std::uint32_t slope_bits_;
  std::int64_t charge_slope_;
  std::int64_t discharge_slope_;
  std::int64_t base_ = 0;
  std::int64_t top_ = 0;
  std::int64_t weight_ = std::int64_t{1} << weight_bits;
  std::int64_t inverse_ = std::int64_t{1} << inverse_bits;
};

SlotPowers powers_of(const Store& store, const Wish& wish, std::uint32_t slot) {
  return {store.low_w(slot), store.high_w(slot), wish.wide_at(slot)};
}

// Limits of the state become limits of the sum once what happens without power is taken off.
void forward(const Store& store, const Wish& wish, const Arrays& arrays, std::uint32_t sum_max) {
  const StorageProblem& problem = store.problem();
  EffectSum sum(store, arrays, sum_max);
  Reach reach(store);
  std::int64_t idle = store.start();
  std::size_t next = 0;
  const std::int64_t divisor = store.is_leaking() ? store.charge_watt() >> wide_price_bits : store.unit();
  const std::int32_t scale = store.is_leaking() ? 1 : one_w;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    EnergyLimits room;
    if (store.is_leaking()) {
      (void)reach.advance(t);
      room = reach.limits;
    } else {
      store.limits(t, next, room);
    }
    idle = store.drift(idle, t);
    room.low -= idle;
    room.high -= idle;
    if (store.sign() < 0) room = {-room.high, -room.low};
    if (store.is_leaking() && t > 0) sum.age();
    sum.add(powers_of(store, wish, t));
    arrays.low_price[t] = price_low;
    arrays.high_price[t] = price_high;
    if (divisor == 0) continue;  // powers without effect
    sum.clip({wide_floor_div(room.low, divisor) * scale, wide_floor_div(room.high, divisor) * scale}, arrays.low_price[t],
             arrays.high_price[t]);
  }
}

// A soft band that was not widened is kept as any other is, unless `is_lax`.
void find_safe_limits(const Store& store, const Arrays& arrays, bool is_lax) {
  const StorageProblem& problem = store.problem();
  const std::int64_t half = store.is_leaking() ? store.unit() >> 1 : 0;
  Reach reach(store);
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    EnergyLimits wished;
    store.limits(t, next, wished);
    (void)reach.advance(t);
    const bool is_as_wished = reach.limits.low == wished.low && reach.limits.high == wished.high;
    const std::int64_t forgiven = is_as_wished && !is_lax ? half : tolerance(store);
    arrays.safe[t] = {reach.limits.low - forgiven, reach.limits.high + forgiven};
  }
}

[[gnu::noinline]] std::int64_t effect_of(const Store& store, std::int32_t draft) { return store.effect(draft) >> draft_bits; }

// Prices, the powers they make best, and the states that lead there.
void backward(const Store& store, const Wish& wish, const Arrays& arrays, std::int32_t* profile_w) {
  const StorageProblem& problem = store.problem();
  std::int32_t price = 0;
  std::int32_t side = 0;  // which limit holds next: 1 the lower sum of powers, -1 the upper
  for (std::uint32_t t = problem.last; t-- > problem.first;) {
    const std::int32_t before = price;
    price = clamp(price, arrays.low_price[t], arrays.high_price[t]);
    arrays.high_price[t] = saturate(std::int64_t{price} - before);
    const SlotChoice choice = choose(store, powers_of(store, wish, t), price);
    EnergyLimits& safe = arrays.safe[t];
    const EnergyLimits limits = safe;
    EnergyLimits best = limits;
    if (t + 1 < problem.last) {
      const EnergyLimits& after = *(&safe + 1);
      const std::int64_t low = store.before_low(after.low - store.effect_high(t + 1), t + 1);
      const std::int64_t high = store.before_high(after.high - store.effect_low(t + 1), t + 1);
      if (low > limits.low) safe.low = low;
      if (high < limits.high) safe.high = high;
      if (!store.is_leaking()) {
        best.low = arrays.best[t + 1].low - effect_of(store, arrays.low_price[t + 1]) + store.loss();
        best.high = arrays.best[t + 1].high - effect_of(store, profile_w[t + 1]) + store.loss();
      }
    }
    if (price != before) {
      side = price > before ? 1 : -1;
      best.low = best.high = price > before ? limits.low : limits.high;
    }
    profile_w[t] = choice.low >> (wide_price_bits - draft_bits);
    if (store.is_leaking()) {
      arrays.low_price[t] = side;
      price = static_cast<std::int32_t>(wide_round_div(std::int64_t{price} * store.keep_permyriad(), Store::permyriad));
    } else {
      arrays.low_price[t] = choice.high >> (wide_price_bits - draft_bits);
      arrays.best[t] = {within(limits, best.low), within(limits, best.high)};
    }
  }
}

// The energy after a slot that an optimal day would choose, if the slot's best powers lead to `down` or `up`, and whether
// it had to settle for less.
std::int64_t aim(const EnergyLimits& best, std::int64_t down, std::int64_t up, bool& is_between) {
  if (up <= best.high) return within(best, up);
  if (down >= best.low) return within(best, down);
  is_between = true;
  return best.high;
}

enum class Rounding : std::uint8_t { down, nearest, up };

// Whole watts with an effect of `change`; halves of the nearest go up.
std::int32_t watts_of(const Store& store, std::int64_t change, Rounding rounding) {
  const std::int64_t watt = change < 0 ? store.discharge_watt() : store.charge_watt();
  if (rounding == Rounding::nearest) change += watt >> 1;
  if (rounding == Rounding::up) change += watt - 1;
  return static_cast<std::int32_t>(limited(wide_floor_div(change, watt), 30));  // beyond every power
}

// Whole watts forward: those nearest to the aimed state, inside the safe ones.
Error round_to_watts(const Store& store, const Arrays& arrays, std::int32_t* profile_w, Report& report) {
  const StorageProblem& problem = store.problem();
  const std::int32_t sign = store.sign();
  const bool is_leaking = store.is_leaking();
  bool is_between = false;
  // Half a watt towards the side that the next limit allows, less the half milli-degree that it forgives.
  std::int64_t lean = (store.charge_watt() - store.unit()) >> 1;
  if (lean < 0) lean = 0;
  std::int64_t drafted = store.start();
  std::int64_t now = drafted;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const EnergyLimits& safe = arrays.safe[t];
    const std::int32_t draft = profile_w[t];
    const std::int32_t upper_draft = is_leaking ? draft : arrays.low_price[t];
    const std::int64_t idle = store.drift(now, t);
    std::int64_t aimed = 0;
    if (is_leaking) {
      drafted = store.drift(drafted, t) + (store.effect(1) >> draft_bits) * draft;
      aimed = drafted - idle + sign * lean * arrays.low_price[t];
    } else {
      aimed = aim(arrays.best[t], idle + effect_of(store, draft), idle + effect_of(store, upper_draft), is_between) - idle;
    }
    std::int32_t power_w = (draft + (1 << (draft_bits - 1))) >> draft_bits;
    if (store.charge_watt() != 0) {
      power_w = sign * watts_of(store, aimed, Rounding::nearest);
      // Within a watt of the best power, also where an earlier rounding has to be made good.
      if (draft == upper_draft) {
        power_w = clamp(power_w, draft >> draft_bits, (draft + (1 << draft_bits) - 1) >> draft_bits);
      }
      power_w = sign * clamp(sign * power_w, watts_of(store, safe.low - idle, Rounding::up),
                             watts_of(store, safe.high - idle, Rounding::down));
    }
    power_w = clamp(power_w, store.low_w(t), store.high_w(t));
    profile_w[t] = power_w;
    now = idle + store.effect(power_w);
    if (!contains(safe, now)) {
      report.limit = Limit::whole_watts;
      report.slot = t;
      return Error::infeasible;
    }
  }
  report.kind = is_between ? CertificateKind::bound : CertificateKind::dual;
  return Error::none;
}

// What the powers and losses of all slots can add up to, in W x slot.
std::int64_t greatest_sum(const Store& store, std::uint32_t slots) {
  const StorageProblem& problem = store.problem();
  std::int64_t sum = 0;
  std::int32_t power_max = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int64_t down = -store.effect(store.low_w(t));
    const std::int64_t up = store.effect(store.high_w(t));
    sum += ((down > up ? down : up) + store.loss()) / store.unit() + 1;
    if (-store.low_w(t) > power_max) power_max = -store.low_w(t);
    if (store.high_w(t) > power_max) power_max = store.high_w(t);
  }
  if (!store.is_leaking()) return sum;
  // A leak bounds them however long the day is.
  const std::uint32_t leak = static_cast<std::uint32_t>(Store::permyriad - store.keep_permyriad());
  if (leak * slots > Store::permyriad) slots = Store::permyriad / leak + 1;
  return std::int64_t{power_max} * (slots + 1);
}

}  // namespace

Error solve_store(const Task& task) {
  const Store store(task.device, task.grid);
  const std::uint32_t slots = task.grid.slots;
  const std::size_t words = store.is_leaking() ? thermal_workspace_words(slots) : lossy_workspace_words(slots);
  if (task.workspace.size() < words) return Error::workspace_too_small;
  WATTPROOF_TRY(feasible_store(task.device, task.grid, task.report));
  const std::int64_t sum_max = greatest_sum(store, slots);
  if (sum_max >= wide_energy_limit) return Error::out_of_range;
  std::int32_t* const profile_w = task.profile_w.data();
  const Arrays arrays = arrays_of(task.workspace, slots, store.is_leaking());
  for (const bool is_lax : {false, true}) {
    forward(store, task.wish, arrays, static_cast<std::uint32_t>(sum_max));
    find_safe_limits(store, arrays, is_lax);
    backward(store, task.wish, arrays, profile_w);
    const Error error = round_to_watts(store, arrays, profile_w, task.report);
    if (ok(error)) break;
    if (is_lax || !task.device.soft || !store.is_leaking()) return error;
    task.report.limit = Limit::none;
  }
  clear_outside(store.problem(), slots, profile_w);
  clear_outside(store.problem(), slots, arrays.high_price);
  task.report.dual = {arrays.high_price, slots};
  task.report.guard_bits = wide_price_bits;
  return Error::none;
}

}  // namespace wattproof::solver
