// SPDX-License-Identifier: Apache-2.0
#include "solver/store.hpp"

#include "base/math.hpp"
#include "solver/price_path.hpp"
#include "solver/price_search.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t lossy_bits_min = 8;
constexpr std::uint32_t wish_bits = 30;  // on the grid, signed
constexpr std::int32_t grid_loss = 2;    // steps by which rounding an effect there, and what leaks of it, falls short in a slot at most
constexpr std::uint32_t near_bits = 48;  // beyond every sum of effects of a store without a leak

struct Arrays {
  SumLimits* sums;
  std::int32_t* wish;
  std::int32_t* price;
  EnergyLimits* safe;  // limits of the effects; later those from which the rest of the day can be kept
};

Arrays arrays_of(WorkspaceView workspace, std::uint32_t slots) {
  Arrays arrays{};
  arrays.sums = reinterpret_cast<SumLimits*>(workspace.data());
  arrays.wish = reinterpret_cast<std::int32_t*>(arrays.sums + slots);
  arrays.price = arrays.wish + slots;
  arrays.safe = reinterpret_cast<EnergyLimits*>(workspace.data() + 2 * std::size_t{slots});
  return arrays;
}

// How finely the sum of a store's powers is held, and how far from 0 it can be, in W x slot.
struct SumGrid {
  std::int32_t reach = 0;
  std::uint32_t bits;
  bool is_exact;  // see is_exact_store()

  SumGrid(const Store& store, std::uint32_t slots, bool is_in_watts)
      : bits(guard_bits(slots)), is_exact(store.is_without_losses()) {
    const StorageProblem& problem = store.problem();
    std::int32_t power_w = 0;
    reach = sum_of_powers(problem, power_w);
    if (!store.is_leaking()) {
      const std::int32_t lost = store.loss_w() * static_cast<std::int32_t>(slots);
      const std::int32_t room = problem.room(lost);
      if (room < reach) reach = room;
    }
    if (is_in_watts) {
      bits = 0;
      return;
    }
    // Short days of stores that are rounded by other means than their sums have a finer grid than their guard bits ask for: rounds of a
    // schedule end sooner where small changes of a target are not lost in it.
    if (!is_exact && bits < lossy_bits_min) bits = lossy_bits_min;
    // The search of prices needs limits below 2^29; guard bits that 31 bits hold are kept, so that rounding sums can break no limit.
    const std::uint32_t sum = static_cast<std::uint32_t>(reach + power_w + 2);
    for (std::uint32_t width = is_exact ? 31 : 29; (sum >> (width - bits) | static_cast<std::uint32_t>(power_w) >> (29 - bits)) != 0; --bits) {
      is_exact = false;
      width = 29;
    }
  }
};

// Brings limits of the day's effects to the grid.
class SumScale {
 public:
  SumScale(const Store& store, const SumGrid& grid)
      : by_watt_(static_cast<std::uint32_t>(store.discharge_watt())),
        reach_((grid.reach + 1) * (std::int32_t{1} << grid.bits)),
        bits_(grid.bits) {}

  // Beyond the reach nothing can act; and what can be reached is far below 2^(63 - bits).
  std::int32_t sum_of(std::int64_t effect) const {
    const std::int64_t near = is_for_size ? effect : limited(effect, near_bits);
    return clamp(saturate(by_watt_.floor(near << bits_)), -reach_, reach_);
  }

 private:
  Divisor by_watt_;
  std::int32_t reach_;
  std::uint32_t bits_;
};

// Limits of all slots. They themselves are kept if whole watts might break them.
Error fill_limits(const Store& store, const SumGrid& grid, bool is_lax, const Arrays& arrays, Report& report) {
  const SumScale scale(store, grid);
  std::int32_t rounding = 0;
  Reach states(store, is_lax ? store.tolerance() : store.slack());
  EnergyLimits before{1, 0};
  SumLimits sums{};
  for (std::uint32_t t = store.problem().first; t < store.problem().last; ++t) {
    // Whether limits can be kept shows in the end as well; a temperature may be a little out of reach, and of a soft band one has to know.
    if (is_for_size) {
      (void)states.step(t, report);  // feasible() has been asked
    } else if (store.is_leaking() || grid.is_exact) {
      WATTPROOF_TRY(states.step(t, report));
    } else {
      states.reached = states.wish(t);
    }
    const EnergyLimits& limits = states.reached;
    // By so much the grid's rounding may fall short of what can be reached.
    if (!store.is_without_losses()) rounding = static_cast<std::int32_t>(store.kept(rounding)) + grid_loss;
    // Most slots of a store without a leak are like the one before.
    if (is_for_size || limits.low != before.low || limits.high != before.high) {
      before = limits;
      sums.high = scale.sum_of(limits.high);
      sums.low = scale.sum_of(limits.low);
    }
    arrays.sums[t] = {sums.low - rounding, sums.high};
    if (!grid.is_exact) arrays.safe[t] = states.forgiven;
  }
  return Error::none;
}

// From limits to the effects from which the rest of the day can be kept.
void find_safe(const Store& store, EnergyLimits* limits) {
  for (std::uint32_t t = store.problem().last; --t > store.problem().first;) {
    EnergyLimits needed = limits[t];
    store.low_before(store.high_w(t), needed.low);
    store.high_before(store.low_w(t), needed.high);
    EnergyLimits& safe = limits[t - 1];
    safe = {within(safe, needed.low), within(safe, needed.high)};
  }
}

// Half watts that are added, less than the last whole one, before all below a whole watt is dropped.
enum Rounding : std::int32_t { round_down = 0, round_nearest = 1, round_up = 2 };

// Whole watts that lead from one effect to another.
std::int32_t watts_to(const Store& store, Rounding rounding, const std::int64_t& from, const std::int64_t& to) {
  std::int64_t change = to - from;
  const std::int32_t watt = store.watt(change);
  change += (watt * rounding - (rounding >> 1)) >> 1;
  return saturate(wide_floor_div(change, watt));  // at most beyond every power
}

// The nearest whole watts, of the two around the grid's power: where that is at a limit, one watt less would cost much.
std::int32_t nearest_watts(const Store& store, const std::int64_t& from, const std::int64_t& to, std::int32_t draft, std::uint32_t bits) {
  const std::int32_t low_w = draft >> bits;
  const std::int32_t high_w = -(-draft >> bits);
  if (is_for_size) return clamp(watts_to(store, round_nearest, from, to), low_w, high_w);
  if (low_w == high_w) return low_w;
  const std::int32_t watt = store.watt(to - from);
  return low_w + (to - from + (watt >> 1) >= std::int64_t{watt} * (low_w + 1) ? 1 : 0);
}

// Whole watts forward: of the two around the grid's power those nearest to its path, halves up, inside what is safe.
Error round_to_watts(const Store& store, const EnergyLimits* safe, std::uint32_t bits, std::int32_t* profile_w, Report& report) {
  std::int64_t drafted = 0;
  std::int64_t now = 0;
  for (std::uint32_t t = store.problem().first; t < store.problem().last; ++t) {
    const std::int32_t draft = profile_w[t];
    drafted = store.kept(drafted) + (store.effect(draft) >> bits);
    now = store.kept(now);
    std::int32_t power_w = nearest_watts(store, now, drafted, draft, bits);
    if (is_for_size || !contains(safe[t], now + store.effect(power_w))) {
      power_w = clamp(power_w, watts_to(store, round_up, now, safe[t].low), watts_to(store, round_down, now, safe[t].high));
    }
    if (!is_for_size) power_w = clamp(power_w, store.low_w(t), store.high_w(t));  // what feasible() has allowed is never outside
    profile_w[t] = power_w;
    now += store.effect(power_w);
    if (!contains(safe[t], now)) {
      report.slot = t;
      return Error::infeasible;
    }
  }
  return Error::none;
}

// Powers that are whole watts as they are: an amount of energy by one slot, as water_filling.hpp has it, or no energy at all.
bool is_in_watts(const Task& task) {
  const DeviceKind kind = task.device.kind;
  if (kind == DeviceKind::shapeable) return is_one_program && task.wish.plain() && task.device.milestones.empty();
  return is_one_program && kind != DeviceKind::battery && kind != DeviceKind::thermal;
}

}  // namespace

bool is_exact_store(const Device& device, const Grid& grid) {
  return SumGrid(Store(device, grid), grid.slots, false).is_exact;
}

Error solve_store(const Task& task) {
  const Store store(task.device, task.grid);
  const std::uint32_t slots = task.grid.slots;
  std::int32_t* const profile_w = task.profile_w.data();
  const Arrays arrays = arrays_of(task.workspace, slots);
  const SumGrid grid(store, slots, is_in_watts(task));
  if (task.workspace.size() < (grid.is_exact ? 2 : 4) * std::size_t{slots}) return Error::workspace_too_small;
  const PriceProblem problem{store.problem(), arrays.wish, arrays.sums, arrays.price, profile_w, grid.bits,
                             fraction(store.charge_watt(), store.discharge_watt()), fraction(store.keep_permyriad(), Store::permyriad)};
  for (std::uint32_t t = 0; t < slots; ++t) {
    // Short days have a finer grid than the guard bits that the wishes were checked for; what it cannot hold is beyond every power.
    arrays.wish[t] = saturate(std::int64_t{task.wish.at(t, grid.bits)} << (32 - wish_bits)) >> (32 - wish_bits);
    profile_w[t] = 0;
  }
  Error error = Error::none;
  for (bool is_lax = false;; is_lax = true) {
    WATTPROOF_TRY(fill_limits(store, grid, is_lax, arrays, task.report));
    const bool is_between = is_for_size ? find_prices(problem) : search_prices(problem);
    if (is_between) task.report.kind = CertificateKind::bound;
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
    if (!is_for_size) WATTPROOF_TRY(keep_store(task.device, task.grid, nullptr, task.report));
    task.report.limit = Limit::whole_watts;
    return error;
  }
  task.report.dual = {arrays.price, slots};
  task.report.guard_bits = grid.bits;
  return Error::none;
}

}  // namespace wattproof::solver
