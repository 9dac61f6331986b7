// SPDX-License-Identifier: Apache-2.0
#include "solver/store.hpp"

#include "base/math.hpp"
#include "solver/price_path.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t lossy_bits_min = 8;
constexpr std::uint32_t sum_bits = 10;   // of limits before they are brought to the grid
constexpr std::uint32_t near_bits = 48;  // beyond every sum of effects of a store without a leak

struct Arrays {
  SumLimits* sums;
  std::int32_t* wish;
  std::int32_t* price;  // later the multipliers
  EnergyLimits* safe;   // limits of the state; later the states from which the rest of the day can be kept
};

Arrays arrays_of(WorkspaceView workspace, std::uint32_t slots) {
  Arrays arrays{};
  arrays.sums = reinterpret_cast<SumLimits*>(workspace.data());
  arrays.wish = reinterpret_cast<std::int32_t*>(arrays.sums + slots);
  arrays.price = arrays.wish + slots;
  arrays.safe = reinterpret_cast<EnergyLimits*>(workspace.data() + 2 * std::size_t{slots});
  return arrays;
}

// Short days of stores that are rounded by other means than their sums have a finer grid than their guard bits ask for: rounds of a
// schedule end sooner where small changes of a target are not lost in it.
std::uint32_t finest_bits(const Store& store, std::uint32_t slots) {
  const std::uint32_t bits = guard_bits(slots);
  return store.is_without_losses() || bits > lossy_bits_min ? bits : lossy_bits_min;
}

// How finely the sum of a store's powers is held, and what it can reach, in W x slot.
struct SumGrid {
  std::int32_t low;
  std::int32_t high;
  std::uint32_t bits;  // 31 bits hold the sums: the guard bits for all but the largest stores
  bool is_exact;       // see is_exact_store()

  // `wish_max_w` bounds the wishes.
  SumGrid(const Store& store, std::uint32_t slots, bool is_in_watts, std::int32_t wish_max_w)
      : bits(finest_bits(store, slots)), is_exact(store.is_without_losses()) {
    const StorageProblem& problem = store.problem();
    PowerReach powers;
    (void)make_reach(problem, powers);  // powers that contradict each other are found with the limits
    if (store.is_leaking()) {
      // However long the day is, a leak bounds the sum.
      const std::uint32_t leak = static_cast<std::uint32_t>(store.leak_permyriad());
      if (leak * slots > Store::permyriad) slots = Store::permyriad / leak + 1;
      high = powers.power * static_cast<std::int32_t>(slots + 1);
      low = -high;
    } else {
      const std::int32_t lost = store.loss_w() * static_cast<std::int32_t>(problem.count());
      low = clamp(saturate(problem.from_start(problem.min.at(0))), powers.low, std::int32_t{0});
      high = clamp(saturate(problem.from_start(problem.max.at(0)) + lost), std::int32_t{0}, powers.high);
    }
    const std::int32_t largest = powers.power > wish_max_w ? powers.power : wish_max_w;
    const std::uint32_t sum = static_cast<std::uint32_t>((-low > high ? -low : high) + powers.power + 2);
    for (; (!is_in_watts && sum >> (31 - bits) != 0) || largest >> (29 - bits) != 0; --bits) is_exact = false;
    if (is_in_watts) bits = 0;
  }
  bool is_too_wide() const { return -low >= wide_energy_limit || high >= wide_energy_limit; }
};

// Brings limits of the sum of powers' effects to the grid.
class SumScale {
 public:
  SumScale(const Store& store, const SumGrid& grid)
      : store_(store),
        by_watt_(watt_of_sums(store)),
        reach_{(grid.low - 1) * (std::int32_t{1} << grid.bits), (grid.high + 1) * (std::int32_t{1} << grid.bits)},
        drop_(sum_bits - grid.bits) {}

  SumLimits limits(const EnergyLimits& changes) const {
    if (store_.charge_watt() == 0) return {-price_unlimited, price_unlimited};
    const SumLimits sums{sum_of(changes.low), sum_of(changes.high)};
    return store_.sign() < 0 ? SumLimits{-sums.high, -sums.low} : sums;
  }

 private:
  // Power that has no effect has no limits to divide either.
  static std::uint32_t watt_of_sums(const Store& store) {
    const std::uint32_t watt = static_cast<std::uint32_t>(store.is_leaking() ? store.charge_watt() >> sum_bits : store.discharge_watt());
    return is_for_size || watt != 0 ? watt : 1;
  }

  // Beyond the reach nothing can act.
  std::int32_t sum_of(std::int64_t change) const {
    if (!store_.is_leaking()) change = limited(change, near_bits) * (1 << sum_bits);
    return clamp(saturate(by_watt_.floor(change) >> drop_), reach_.low, reach_.high);
  }

  const Store& store_;
  Divisor by_watt_;
  SumLimits reach_;
  std::uint32_t drop_;
};

// Limits of all slots: those of the state once what happens without power is taken off. They themselves are kept if whole watts
// might break them.
Error fill_limits(const Store& store, const SumGrid& grid, bool is_lax, const Arrays& arrays, Report& report) {
  const SumScale scale(store, grid);
  Reach states(store);
  std::int64_t idle = store.start();
  EnergyLimits before{1, 0};
  SumLimits sums{};
  for (std::uint32_t t = store.problem().first; t < store.problem().last; ++t) {
    // Whether limits can be kept shows in the end as well; only a soft band has to know which can, and what nothing else shows.
    WATTPROOF_TRY(is_for_size || store.is_soft() || grid.is_exact ? states.step(t, report) : states.wish(t, report));
    const EnergyLimits& limits = states.limits;
    idle = store.drift(idle, t);
    const EnergyLimits changes{limits.low - idle, limits.high - idle};
    // Most slots of a store without a leak are like the one before.
    if (is_for_size || changes.low != before.low || changes.high != before.high) {
      before = changes;
      sums = scale.limits(changes);
    }
    arrays.sums[t] = sums;
    // A soft band that was not widened is kept as any other is, unless `is_lax`.
    const std::int32_t forgiven = states.is_wished && !is_lax ? store.slack() : store.tolerance();
    if (!grid.is_exact) arrays.safe[t] = widened(limits, forgiven);
  }
  return Error::none;
}

// The multiplier's unit: a price of what is stored, while the search goes by what can be discharged.
std::int32_t energy_price(const Store& store, std::int32_t price) {
  if (!is_for_size && store.discharge_permille() == 1000) return price;
  return static_cast<std::int32_t>(wide_floor_div(std::int64_t{price} * store.discharge_permille(), 1000));
}

// Prices become the multipliers of the limits after each slot: what the price is more than that of the next slot asks for.
void to_multipliers(const Store& store, const PriceProblem& problem, std::uint32_t shift, std::int32_t* price) {
  std::int32_t next = 0;
  for (std::uint32_t t = problem.last(); t-- > problem.first();) {
    const std::int32_t own = price[t];
    const bool rises = is_for_size || own != next;
    price[t] = rises ? (energy_price(store, own) - energy_price(store, next)) * (std::int32_t{1} << shift) : 0;
    next = price_before(problem, own);
  }
}

// From limits to the states from which the rest of the day can be kept.
void find_safe(const Store& store, EnergyLimits* limits) {
  for (std::uint32_t t = store.problem().last; --t > store.problem().first;) {
    const EnergyLimits& after = limits[t];
    EnergyLimits& safe = limits[t - 1];
    const std::int64_t low = store.before_low(after.low - store.effect_high(t), t);
    const std::int64_t high = store.before_high(after.high - store.effect_low(t), t);
    if (safe.low < low) safe.low = low;
    if (safe.high > high) safe.high = high;
  }
}

// Half watts that are added, less than the last whole one, before all below a whole watt is dropped.
enum Rounding : std::int32_t { round_down = 0, round_nearest = 1, round_up = 2 };

// Whole watts with an effect of `change`.
std::int32_t watts_of(const Store& store, Rounding rounding, std::int64_t change) {
  const std::int32_t watt = store.watt(change);
  change += (watt * rounding - (rounding >> 1)) >> 1;
  return static_cast<std::int32_t>(limited(wide_floor_div(change, watt), 30));  // beyond every power
}

// The whole watts nearest to a change, of the two around the grid's power: where that is at a limit, one watt less would cost much.
std::int32_t nearest_watts(const Store& store, std::int64_t change, std::int32_t draft, std::uint32_t bits) {
  const std::int32_t low_w = draft >> bits;
  const std::int32_t high_w = -(-draft >> bits);
  if (is_for_size) return clamp(watts_of(store, round_nearest, change), low_w, high_w);
  if (low_w == high_w) return low_w;
  const std::int32_t watt = store.watt(change);
  return low_w + (change + (watt >> 1) >= std::int64_t{watt} * (low_w + 1) ? 1 : 0);
}

// Whole watts forward: of the two around the grid's power those nearest to its path, halves up, inside the safe states.
Error round_to_watts(const Store& store, const EnergyLimits* safe, std::uint32_t bits, std::int32_t* profile_w, Report& report) {
  const std::int32_t sign = store.sign();
  std::int64_t drafted = store.start();
  std::int64_t now = drafted;
  for (std::uint32_t t = store.problem().first; t < store.problem().last; ++t) {
    const std::int64_t idle = store.drift(now, t);
    const std::int32_t draft = profile_w[t] * sign;
    drafted = store.drift(drafted, t) + ((std::int64_t{store.watt(draft)} * draft) >> bits);
    std::int32_t power_w = (draft + (1 << (bits - 1))) >> bits;
    if (store.charge_watt() != 0) {
      power_w = nearest_watts(store, drafted - idle, draft, bits);
      if (is_for_size || !contains(safe[t], idle + store.effect(power_w * sign))) {
        power_w = clamp(power_w, watts_of(store, round_up, safe[t].low - idle), watts_of(store, round_down, safe[t].high - idle));
      }
    }
    power_w = clamp(power_w * sign, store.low_w(t), store.high_w(t));
    profile_w[t] = power_w;
    now = idle + store.effect(power_w);
    if (!contains(safe[t], now)) {
      report.slot = t;
      return Error::infeasible;
    }
  }
  return Error::none;
}

PriceProblem price_problem(const Store& store, const SumGrid& grid, const Arrays& arrays) {
  PriceProblem problem{store.problem(), arrays.wish, arrays.sums, grid.bits, 0, 0, 0, 0, false};
  problem.is_guided = !is_for_size && (static_cast<std::uint32_t>(grid.high) - static_cast<std::uint32_t>(grid.low)) >> (29 - grid.bits) == 0;
  set_losses(problem, store.charge_permille() * store.discharge_permille(), store.leak_permyriad());
  return problem;
}

// Powers that are whole watts as they are: an amount of energy by one slot, as water_filling.hpp has it, or no energy at all.
bool is_in_watts(const Task& task) {
  if (!is_one_program || task.device.kind == DeviceKind::battery || task.device.kind == DeviceKind::thermal) return false;
  return task.device.kind != DeviceKind::shapeable || (task.wish.plain() && task.device.milestones.empty());
}

}  // namespace

bool is_exact_store(const Device& device, const Grid& grid) {
  return SumGrid(Store(device, grid), grid.slots, false, 0).is_exact;
}

Error solve_store(const Task& task) {
  const Store store(task.device, task.grid);
  const std::uint32_t slots = task.grid.slots;
  std::int32_t* const profile_w = task.profile_w.data();
  const Arrays arrays = arrays_of(task.workspace, slots);
  const bool in_watts = is_in_watts(task);
  const SumGrid grid(store, slots, in_watts, store.is_without_losses() ? 0 : task.wish.largest_w(slots));
  if (grid.is_too_wide() || (in_watts && !grid.is_exact)) {
    WATTPROOF_TRY(feasible_store(task.device, task.grid, task.report));
    return Error::out_of_range;
  }
  if (task.workspace.size() < (grid.is_exact ? 2 : 4) * std::size_t{slots}) return Error::workspace_too_small;
  const PriceProblem problem = price_problem(store, grid, arrays);
  for (std::uint32_t t = 0; t < slots; ++t) {
    profile_w[t] = 0;
    arrays.price[t] = 0;
    arrays.wish[t] = task.wish.at(t, grid.bits);
  }
  Error error = Error::none;
  for (bool is_lax = false;; is_lax = true) {
    WATTPROOF_TRY(fill_limits(store, grid, is_lax, arrays, task.report));
    task.report.kind = find_prices(problem, arrays.price, profile_w) ? CertificateKind::bound : CertificateKind::dual;
    if (grid.is_exact) {
      if (grid.bits != 0) round_sums(profile_w + problem.first(), profile_w + problem.last(), grid.bits);
      break;
    }
    find_safe(store, arrays.safe);
    error = round_to_watts(store, arrays.safe, grid.bits, profile_w, task.report);
    if (ok(error) || is_lax || !store.is_soft()) break;
  }
  if (!ok(error)) {
    // What not even fractions of a watt can keep is said as such.
    WATTPROOF_TRY(feasible_store(task.device, task.grid, task.report));
    task.report.limit = Limit::whole_watts;
    return error;
  }
  to_multipliers(store, problem, in_watts ? task.report.guard_bits : 0, arrays.price);
  task.report.dual = {arrays.price, slots};
  if (!in_watts) task.report.guard_bits = grid.bits;
  return Error::none;
}

}  // namespace wattproof::solver
