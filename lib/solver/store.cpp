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

struct Arrays {
  WideKnot* knots;
  std::uint32_t knot_count;
  EnergyLimits* safe;        // limits of the state; later the states from which the rest of the day can be kept
  EnergyLimits* best;        // in place of the knots: energies that an optimal day passes through, of a store with losses
  std::int32_t* low_price;   // later the larger of a slot's two powers, or which limit comes next
  std::int32_t* high_price;  // later the multipliers
};

Arrays arrays_of(WorkspaceView workspace, std::uint32_t slots, std::uint32_t knot_count) {
  Arrays arrays{};
  arrays.safe = reinterpret_cast<EnergyLimits*>(workspace.data());
  arrays.best = arrays.safe + slots;
  arrays.knots = reinterpret_cast<WideKnot*>(arrays.best);
  arrays.knot_count = knot_count;
  arrays.low_price = reinterpret_cast<std::int32_t*>(arrays.knots + knot_count);
  arrays.high_price = arrays.low_price + slots;
  return arrays;
}

// One end of the function: its value there, of the upper end the negative one, so that cuts make both grow; and how much of it
// lies at prices of more than 32 bits.
struct End {
  std::int64_t value = 0;
  std::int64_t far = 0;
};

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
    value_scale_ = charge_slope_;
  }

  // A slot has passed: earlier powers count for less, so this one's weight grows.
  WATTPROOF_ONCE_FOR_SIZE void age() {
    weight_ = store_.by_keep().floor(weight_ * Store::permyriad + store_.keep_permyriad() / 2);
    while (weight_ >= std::int64_t{2} << weight_bits) {
      weight_ = (weight_ + 1) >> 1;
      base_.value >>= 1;
      base_.far >>= 1;
      top_.far >>= 1;
      knots_.rescale(base_.far, top_.far);
      measure();
    }
    inverse_ = narrow_quotient(std::uint64_t{1} << (weight_bits + inverse_bits), static_cast<std::uint32_t>(weight_));
    charge_slope_ = (weight_ * weight_) >> (2 * weight_bits - slope_bits_);
    value_scale_ = slope_bits_ < weight_bits ? weight_ >> (weight_bits - slope_bits_) : weight_ << (slope_bits_ - weight_bits);
    if (is_for_size) return;
    low_w_ = 0;
    low_change_ = 0;
  }

  void add(const SlotPowers& slot) {
    if (knots_.make_room()) measure();
    if (is_for_size || slot.low_w != low_w_) low_change_ = change(low_w_ = slot.low_w);
    base_.value += low_change_;
    top_.value -= low_change_;
    if (slot.low_w >= slot.high_w) return;
    const bool is_rising = store_.is_leaking() || slot.low_w >= 0;  // charging at every price
    const bool is_falling = !is_rising && slot.high_w <= 0;
    const std::int64_t from = price_at(slot.low_w, slot.wish, is_rising);
    const std::int64_t to = price_at(slot.high_w, slot.wish, !is_falling);
    if (is_rising || is_falling) return ramp(from, to, is_rising ? charge_slope_ : discharge_slope_);
    if (slot.wish > 0) {
      if (is_for_size || slot.high_w != high_w_) high_change_ = change(high_w_ = slot.high_w);
      return add_jump(jump_price(store_, slot), from, to, high_change_ - low_change_);
    }
    ramp(from, price_at(0, slot.wish, false), discharge_slope_);
    ramp(price_at(0, slot.wish, true), to, charge_slope_);
  }

  // Limits in 2^-10 W x slot. Gives the prices of power at which they cut, in 2^-10 W.
  void clip(const EnergyLimits& limits, std::int32_t& low_price, std::int32_t& high_price) {
    low_price = cut(base_, top_, limits.low, 1);
    high_price = cut(top_, base_, -limits.high, -1);
  }

 private:
  std::int64_t change(std::int32_t power_w) const {
    const std::int64_t plain = (power_w * weight_) << (wide_price_bits + slope_bits_ - weight_bits);
    if (store_.is_leaking()) return plain;
    // Divided first: the product would not fit.
    return power_w < 0 ? -(store_.by_discharge().floor(-plain) * 1000) : store_.by_whole().floor(plain) * store_.charge_permille();
  }

  // The price at which a slot with this wish would draw `power_w`.
  std::int64_t price_at(std::int32_t power_w, std::int64_t wish, bool is_charging) const {
    const std::int64_t power = power_w * one_w - wish;
    if (store_.is_leaking()) return (power * inverse_) >> inverse_bits;
    return is_charging ? store_.by_charge().floor(power * 1000) : store_.by_whole().floor(power * store_.discharge_permille());
  }

  void bend(std::int64_t at, std::int64_t rise) { knots_.insert(kept_price(at, rise, base_.far, top_.far), rise); }

  // From the low end, side 1, or the high one, side -1, with the limit as seen from there; a limit beyond the other end cuts all.
  // Where a cut has passed all knots, it goes on into what is far on their other side.
  WATTPROOF_INLINE_FOR_SPEED
  std::int32_t cut(End& own, End& other, std::int64_t limit, std::int32_t side) {
    const std::int32_t none = side > 0 ? price_low : price_high;
    const std::int64_t all = -own.value - other.value;
    std::int64_t need = value_of(limit) - own.value;
    if (need > all) need = all;
    if (need <= 0) return none;
    own.value += need;
    own.far -= need;
    if (own.far >= 0) return none;
    const std::uint64_t knots_need = static_cast<std::uint64_t>(-own.far);
    own.far = 0;
    const std::int64_t span = all - need - other.far;
    if (span >= 0) return power_price(knots_.clip(knots_need, side));
    other.far += span;
    knots_.clear();
    return power_price(~none);
  }

  WATTPROOF_ONCE_FOR_SIZE void measure() { top_.value = -(base_.value + base_.far + knots_.span() + top_.far); }

  void ramp(std::int64_t from, std::int64_t to, std::int64_t slope) {
    if (from >= to) return;
    top_.value -= slope * (to - from);
    bend(from, slope);
    bend(to, -slope);
  }

  // Discharging from the price `from` up to the jump, charging from it on up to `to`; `total` is the whole rise. The jump
  // is a slope over one step of the grid.
  void add_jump(std::int64_t jump, std::int64_t from, std::int64_t to, std::int64_t total) {
    const std::int64_t low_slope = from < jump ? discharge_slope_ : 0;
    const std::int64_t high_slope = to > jump + 1 ? charge_slope_ : 0;
    const std::int64_t sloped = low_slope * (jump - from) + high_slope * (to - jump - 1);
    if (sloped > total) total = sloped;
    const std::int64_t height = total - sloped;
    top_.value -= total;
    if (low_slope != 0) bend(from, low_slope);
    bend(jump, height - low_slope);
    bend(jump + 1, high_slope - height);
    if (high_slope != 0) bend(to, -high_slope);
  }

  // Sums beyond the reach cannot act, so they are cut to it first.
  std::int64_t value_of(std::int64_t sum) const { return limited(sum, 61 - slope_bits_) * value_scale_; }

  std::int32_t power_price(std::int32_t price) const {
    return store_.is_leaking() ? saturate((price * weight_) >> weight_bits) : price;
  }

  const Store& store_;
  WideKnots knots_;
  std::uint32_t slope_bits_;
  std::int64_t charge_slope_;
  std::int64_t discharge_slope_;
  std::int64_t value_scale_ = std::int64_t{1} << lossy_slope_bits;  // of a 2^-10 W x slot
  End base_;
  End top_;
  std::int64_t weight_ = std::int64_t{1} << weight_bits;
  std::int64_t inverse_ = std::int64_t{1} << inverse_bits;
  // Changes by the powers of the slot before, with its weight: mostly those of this one as well.
  std::int32_t low_w_ = 0;
  std::int32_t high_w_ = 0;
  std::int64_t low_change_ = 0;
  std::int64_t high_change_ = 0;
};

SlotPowers powers_of(const Store& store, const Wish& wish, std::uint32_t slot) {
  return {store.low_w(slot), store.high_w(slot), wish.wide_at(slot)};
}

// The limits of the sum of effects, in 2^-10 W x slot: those of the state once what happens without power is taken off.
class SumLimits {
 public:
  SumLimits(const Store& store, const EnergyLimits* limits)
      : store_(store),
        limits_(limits),
        by_watt_(store.is_leaking() && store.charge_watt() > 0 ? static_cast<std::uint32_t>(store.charge_watt() >> wide_price_bits) : 1),
        idle_(store.is_leaking() ? store.start() : store.problem().start) {}

  EnergyLimits after(std::uint32_t slot) {
    if (!store_.is_leaking()) {
      const EnergyLimits room = limits_after(store_.problem(), slot, next_);
      idle_ -= store_.loss_w();
      return {(room.low - idle_) * one_w, (room.high - idle_) * one_w};
    }
    idle_ = store_.drift(idle_, slot);
    std::int64_t low = limits_[slot].low - idle_;
    std::int64_t high = limits_[slot].high - idle_;
    if (store_.sign() < 0) {
      const std::int64_t least = -high;
      high = -low;
      low = least;
    }
    return {by_watt_.floor(low), by_watt_.floor(high)};
  }

 private:
  const Store& store_;
  const EnergyLimits* limits_;
  Divisor by_watt_;
  std::int64_t idle_;
  std::size_t next_ = 0;
};

void forward(const Store& store, const Wish& wish, const Arrays& arrays, std::uint32_t sum_max) {
  const StorageProblem& problem = store.problem();
  EffectSum sum(store, arrays, sum_max);
  SumLimits limits(store, arrays.safe);
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const EnergyLimits room = limits.after(t);
    if (store.is_leaking() && t > 0) sum.age();
    sum.add(powers_of(store, wish, t));
    arrays.low_price[t] = price_low;
    arrays.high_price[t] = price_high;
    if (store.charge_watt() != 0) sum.clip(room, arrays.low_price[t], arrays.high_price[t]);  // else powers have no effect
  }
}

WATTPROOF_ONCE_FOR_SIZE std::int64_t effect_of(const Store& store, std::int32_t draft) { return store.effect(draft) >> draft_bits; }

EnergyLimits moved(const EnergyLimits& limits, std::int64_t down, std::int64_t up) { return {limits.low - down, limits.high + up}; }

// By how much a store may miss the limits of a slot: a soft band that was not widened is kept as any other is, unless `is_lax`.
std::int64_t forgiven(const Store& store, std::uint32_t slot, const EnergyLimits& limits, bool is_lax) {
  if (is_lax || !store.is_soft()) return store.tolerance();
  std::size_t next = 0;
  EnergyLimits wished;
  store.limits(slot, next, wished);
  return limits.low == wished.low && limits.high == wished.high ? store.slack() : store.tolerance();
}

// Prices, the powers they make best, and the states that lead there.
void backward(const Store& store, const Wish& wish, const Arrays& arrays, std::int32_t* profile_w, bool is_lax) {
  const StorageProblem& problem = store.problem();
  std::int32_t price = 0;
  std::int32_t side = 0;  // which limit holds next: 1 the lower sum of powers, -1 the upper
  // What the slots to come ask of the state before them.
  EnergyLimits safe_before{};
  EnergyLimits best_before{};
  for (std::uint32_t t = problem.last; t-- > problem.first;) {
    const std::int32_t before = price;
    price = clamp(price, arrays.low_price[t], arrays.high_price[t]);
    arrays.high_price[t] = saturate(std::int64_t{price} - before);
    const SlotChoice choice = choose(store, powers_of(store, wish, t), price);
    const std::int32_t draft = choice.low >> (wide_price_bits - draft_bits);
    const std::int32_t upper_draft = choice.high >> (wide_price_bits - draft_bits);
    const std::int64_t room = forgiven(store, t, arrays.safe[t], is_lax);
    const EnergyLimits limits = moved(arrays.safe[t], room, room);
    const bool is_last = t + 1 == problem.last;
    EnergyLimits safe = limits;
    if (!is_last && safe_before.low > limits.low) safe.low = safe_before.low;
    if (!is_last && safe_before.high < limits.high) safe.high = safe_before.high;
    arrays.safe[t] = safe;
    safe_before = {store.before_low(safe.low - store.effect_high(t), t), store.before_high(safe.high - store.effect_low(t), t)};
    profile_w[t] = draft;
    if (price != before) side = price > before ? 1 : -1;
    if (store.is_leaking()) {
      arrays.low_price[t] = side;
      price = static_cast<std::int32_t>(store.by_whole().floor(std::int64_t{price} * store.keep_permyriad() + Store::permyriad / 2));
      continue;
    }
    arrays.low_price[t] = upper_draft;
    EnergyLimits best = is_last ? limits : best_before;
    if (price != before) best.low = best.high = price > before ? limits.low : limits.high;
    best = {within(limits, best.low), within(limits, best.high)};
    arrays.best[t] = best;
    best_before = moved(best, effect_of(store, upper_draft) - store.loss(), store.loss() - effect_of(store, draft));
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

// The whole watts nearest to an effect of `aimed`, and within the floor and the ceiling of the power if there is one: these
// two then need no division.
std::int32_t nearest_watts(const Store& store, std::int64_t aimed, std::int32_t draft, std::int32_t upper_draft) {
  const std::int32_t sign = store.sign();
  if (is_for_size || draft != upper_draft) {
    const std::int32_t power_w = sign * watts_of(store, aimed, Rounding::nearest);
    return draft != upper_draft ? power_w : clamp(power_w, draft >> draft_bits, (draft + (1 << draft_bits) - 1) >> draft_bits);
  }
  const std::int32_t low_w = draft >> draft_bits;
  if (low_w << draft_bits == draft) return low_w;
  const std::int64_t watt = aimed < 0 ? store.discharge_watt() : store.charge_watt();
  const std::int64_t from_half = aimed + (watt >> 1);
  return low_w + (sign > 0 ? from_half >= watt * (low_w + 1) : from_half < -watt * low_w ? 1 : 0);
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
  lean *= sign;
  const std::int64_t draft_effect = store.effect(1) >> draft_bits;
  std::int64_t drafted = store.start();
  std::int64_t now = drafted;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const EnergyLimits& safe = arrays.safe[t];
    const std::int32_t draft = profile_w[t];
    const std::int32_t upper_draft = is_leaking ? draft : arrays.low_price[t];
    const std::int64_t idle = store.drift(now, t);
    std::int64_t aimed = 0;
    if (is_leaking) {
      drafted = store.drift(drafted, t) + draft_effect * draft;
      aimed = drafted + lean * arrays.low_price[t];
    } else {
      aimed = aim(arrays.best[t], idle + effect_of(store, draft), idle + effect_of(store, upper_draft), is_between);
    }
    std::int32_t power_w = (draft + (1 << (draft_bits - 1))) >> draft_bits;
    if (store.charge_watt() != 0) {
      power_w = nearest_watts(store, aimed - idle, draft, upper_draft);
      if (is_for_size || !contains(safe, idle + store.effect(power_w))) {
        power_w = sign * clamp(sign * power_w, watts_of(store, safe.low - idle, Rounding::up),
                               watts_of(store, safe.high - idle, Rounding::down));
      }
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
  PowerReach reach;
  if (!ok(make_reach(problem, reach))) return 0;  // no powers at all
  if (!store.is_leaking()) {
    const std::int64_t sum = wide_scale(-reach.low > reach.high ? -reach.low : reach.high, 1000, store.discharge_permille());
    return sum + std::int64_t{store.loss_w()} * problem.count() + 1;
  }
  // A leak bounds them however long the day is.
  const std::uint32_t leak = static_cast<std::uint32_t>(Store::permyriad - store.keep_permyriad());
  if (leak * slots > Store::permyriad) slots = Store::permyriad / leak + 1;
  return std::int64_t{reach.power} * (slots + 1);
}

// Limits that any reachable state may be within. With a leak these are those that can be reached; without one the wished
// ones do: whether they can be kept shows on the way back and forth.
Error prepare(const Store& store, EnergyLimits* limits, Report& report) {
  if (is_for_size || store.is_leaking()) return find_limits(store, limits, report);
  const StorageProblem& problem = store.problem();
  const EnergyLimits regular = Reach(store).regular();
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    if (store.low_w(t) > store.high_w(t)) return find_limits(store, nullptr, report);
    limits[t] = regular;
    if (!is_event(problem, t, next)) continue;
    store.limits(t, next, limits[t]);
    store.widen(limits[t]);
  }
  return Error::none;
}

}  // namespace

Error solve_store(const Task& task) {
  const Store store(task.device, task.grid);
  const std::uint32_t slots = task.grid.slots;
  const std::uint32_t knot_count = store.is_leaking() ? thermal_knot_count(slots) : lossy_knot_count(slots);
  if (task.workspace.size() < store_workspace_words(slots, knot_count)) return Error::workspace_too_small;
  std::int32_t* const profile_w = task.profile_w.data();
  const Arrays arrays = arrays_of(task.workspace, slots, knot_count);
  const std::int64_t sum_max = greatest_sum(store, slots);
  Error error = Error::none;
  for (const bool is_lax : {false, true}) {
    WATTPROOF_TRY(prepare(store, arrays.safe, task.report));
    if (sum_max >= wide_energy_limit) {
      error = Error::out_of_range;
      break;
    }
    forward(store, task.wish, arrays, static_cast<std::uint32_t>(sum_max));
    backward(store, task.wish, arrays, profile_w, is_lax);
    error = round_to_watts(store, arrays, profile_w, task.report);
    if (ok(error) || !store.is_soft()) break;
  }
  if (!ok(error)) {
    // What not even fractions of a watt can keep is said as such.
    WATTPROOF_TRY(find_limits(store, nullptr, task.report));
    return error;
  }
  task.report.limit = Limit::none;
  clear_outside(store.problem(), slots, profile_w);
  clear_outside(store.problem(), slots, arrays.high_price);
  task.report.dual = {arrays.high_price, slots};
  task.report.guard_bits = wide_price_bits;
  return Error::none;
}

}  // namespace wattproof::solver
