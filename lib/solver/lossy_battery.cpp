// SPDX-License-Identifier: Apache-2.0
#include "solver/lossy_battery.hpp"

#include <limits>

#include "base/math.hpp"
#include "solver/wide_knots.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t one_w = std::int64_t{1} << wide_price_bits;
constexpr std::uint32_t slope_bits = 24;
constexpr std::uint32_t value_bits = wide_price_bits + slope_bits;  // 2^27 W x slot in 61 bits
constexpr std::int64_t slope_one = std::int64_t{1} << slope_bits;
constexpr std::int64_t value_w = std::int64_t{1} << value_bits;
constexpr std::uint32_t draft_bits = 8;
constexpr std::int32_t price_low = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t price_high = std::numeric_limits<std::int32_t>::max();

std::int32_t saturate(std::int64_t value) {
  return static_cast<std::int32_t>(clamp<std::int64_t>(value, price_low, price_high));
}

// The knots are needed on the way forward only; the energies take their place on the way back.
struct Arrays {
  WideKnot* knots;
  std::int64_t* safe_low;   // energies from which the rest of the day can be kept
  std::int64_t* safe_high;
  std::int64_t* best_low;   // energies that an optimal day passes through
  std::int64_t* best_high;
  std::int32_t* low_price;  // later the larger of a slot's two powers
  std::int32_t* high_price; // later the multipliers
};

Arrays arrays_of(WorkspaceView workspace, std::uint32_t slots) {
  Arrays arrays{};
  arrays.knots = reinterpret_cast<WideKnot*>(workspace.data());
  arrays.safe_low = reinterpret_cast<std::int64_t*>(workspace.data());
  arrays.safe_high = arrays.safe_low + slots;
  arrays.best_low = arrays.safe_high + slots;
  arrays.best_high = arrays.best_low + slots;
  arrays.low_price = reinterpret_cast<std::int32_t*>(workspace.data() + 2 * (4 * slots + 8));
  arrays.high_price = arrays.low_price + slots;
  return arrays;
}

// The function S of the sum of energy changes, standing losses left out.
class ChangeSum {
 public:
  ChangeSum(const LossyModel& model, WideKnot* knots, std::uint32_t capacity)
      : model_(model),
        knots_(knots, capacity),
        charge_slope_((model.charge_permille() * model.charge_permille() * slope_one + 500'000) / 1'000'000),
        discharge_slope_(1'000'000 * slope_one / (model.discharge_permille() * model.discharge_permille())) {}

  void add(std::int64_t low_w, std::int64_t high_w, std::int64_t v) {
    if (knots_.make_room()) top_ = base_ + knots_.span();
    const std::int64_t low_change = change(low_w);
    base_ += low_change;
    top_ += low_change;
    if (low_w >= high_w) return;
    if (low_w >= 0) {
      ramp(charge_price(low_w * one_w - v), charge_price(high_w * one_w - v), charge_slope_);
    } else if (high_w <= 0) {
      ramp(discharge_price(low_w * one_w - v), discharge_price(high_w * one_w - v), discharge_slope_);
    } else if (v <= 0) {
      ramp(discharge_price(low_w * one_w - v), discharge_price(-v), discharge_slope_);
      ramp(charge_price(-v), charge_price(high_w * one_w - v), charge_slope_);
    } else {
      add_jump(low_w, high_w, v, change(high_w) - low_change);
    }
  }

  void clip(std::int64_t floor, std::int64_t ceiling, std::int32_t& low_price, std::int32_t& high_price) {
    if (floor > top_) floor = top_;
    low_price = solver::price_low;
    high_price = solver::price_high;
    if (base_ < floor) {
      low_price = saturate(knots_.clip_low(static_cast<std::uint64_t>(floor - base_)));
      base_ = floor;
    }
    if (ceiling < base_) ceiling = base_;
    if (top_ > ceiling) {
      high_price = saturate(knots_.clip_high(static_cast<std::uint64_t>(top_ - ceiling)));
      top_ = ceiling;
    }
  }

 private:
  std::int64_t change(std::int64_t power_w) const {
    return power_w < 0 ? -(wide_floor_div(-power_w * value_w, model_.discharge_permille()) * 1000)
                       : wide_floor_div(power_w * value_w, std::int64_t{1000}) * model_.charge_permille();
  }
  std::int64_t charge_price(std::int64_t power) const { return wide_floor_div(power * 1000, model_.charge_permille()); }
  std::int64_t discharge_price(std::int64_t power) const {
    return wide_floor_div(power * model_.discharge_permille(), std::int64_t{1000});
  }

  void ramp(std::int64_t from, std::int64_t to, std::int64_t slope) {
    if (from >= to) return;
    knots_.insert(from, slope);
    knots_.insert(to, -slope);
    top_ += slope * (to - from);
  }

  // Discharging up to the jump price, charging from it on; the jump is a slope over one step of the grid.
  void add_jump(std::int64_t low_w, std::int64_t high_w, std::int64_t v, std::int64_t total) {
    const std::int64_t jump = jump_price(model_, low_w, high_w, v);
    const std::int64_t from = discharge_price(low_w * one_w - v);
    const std::int64_t to = charge_price(high_w * one_w - v);
    const std::int64_t below = from < jump ? discharge_slope_ * (jump - from) : 0;
    const std::int64_t above = to > jump + 1 ? charge_slope_ * (to - jump - 1) : 0;
    const std::int64_t height = total - below - above > 0 ? total - below - above : 0;
    top_ += below + above + height;
    if (below > 0) knots_.insert(from, discharge_slope_);
    knots_.insert(jump, height - (below > 0 ? discharge_slope_ : 0));
    knots_.insert(jump + 1, (above > 0 ? charge_slope_ : 0) - height);
    if (above > 0) knots_.insert(to, -charge_slope_);
  }

  const LossyModel& model_;
  WideKnots knots_;
  std::int64_t charge_slope_;
  std::int64_t discharge_slope_;
  std::int64_t base_ = 0;
  std::int64_t top_ = 0;
};

void forward(const LossyModel& model, const Wish& wish, const Arrays& arrays, std::uint32_t slots) {
  const StorageProblem& problem = model.problem();
  ChangeSum sum(model, arrays.knots, 4 * slots + 8);
  std::int64_t lost = 0;
  std::size_t next = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    sum.add(problem.low_w.at(t), problem.high_w.at(t), wish.wide_at(t));
    lost += model.standing_loss_w();
    const EnergyLimits limits = limits_after(problem, t, next);
    constexpr std::int64_t limit = wide_energy_limit;
    constexpr std::int64_t far_away = std::int64_t{1} << 40;
    const std::int64_t low = clamp(limits.low, -far_away, far_away) - problem.start + lost;
    const std::int64_t high = clamp(limits.high, -far_away, far_away) - problem.start + lost;
    sum.clip(clamp(low, -limit, limit) * value_w, clamp(high, -limit, limit) * value_w, arrays.low_price[t],
             arrays.high_price[t]);
  }
}

std::int64_t effect_of(const LossyModel& model, std::int32_t draft) {
  return model.effect(draft) >> draft_bits;
}

// The limits of each slot are wanted in descending order, milestones too.
EnergyLimits limits_back(const LossyModel& model, std::uint32_t slot, std::size_t& next) {
  const std::span<const Milestone> milestones = model.problem().milestones;
  while (next > 0 && milestones[next - 1].slot > slot + 1) --next;
  std::size_t index = next > 0 && milestones[next - 1].slot == slot + 1 ? next - 1 : milestones.size();
  return model.limits(slot, index);
}

// Prices, the powers they make best, and the energies that lead there.
void backward(const LossyModel& model, const Wish& wish, const Arrays& arrays, std::span<std::int32_t> profile_w) {
  const StorageProblem& problem = model.problem();
  std::int64_t price = 0;
  std::size_t next = problem.milestones.size();
  for (std::uint32_t t = problem.last; t-- > problem.first;) {
    const std::int64_t before = price;
    price = clamp<std::int64_t>(price, arrays.low_price[t], arrays.high_price[t]);
    const std::int64_t multiplier = price - before;
    arrays.high_price[t] = saturate(multiplier);
    const SlotChoice choice = choose(model, problem.low_w.at(t), problem.high_w.at(t), wish.wide_at(t), price);
    profile_w[t] = static_cast<std::int32_t>(choice.low >> (wide_price_bits - draft_bits));
    arrays.low_price[t] = static_cast<std::int32_t>(choice.high >> (wide_price_bits - draft_bits));
    const EnergyLimits limits = limits_back(model, t, next);
    EnergyLimits safe = limits;
    EnergyLimits best = limits;
    if (t + 1 < problem.last) {
      const std::int64_t low = arrays.safe_low[t + 1] - model.effect(problem.high_w.at(t + 1)) + model.loss();
      const std::int64_t high = arrays.safe_high[t + 1] - model.effect(problem.low_w.at(t + 1)) + model.loss();
      if (low > safe.low) safe.low = low;
      if (high < safe.high) safe.high = high;
      best.low = arrays.best_low[t + 1] - effect_of(model, arrays.low_price[t + 1]) + model.loss();
      best.high = arrays.best_high[t + 1] - effect_of(model, profile_w[t + 1]) + model.loss();
    }
    if (multiplier > 0) best.low = best.high = limits.low;
    if (multiplier < 0) best.low = best.high = limits.high;
    arrays.safe_low[t] = safe.low;
    arrays.safe_high[t] = safe.high;
    arrays.best_low[t] = clamp(best.low, limits.low, limits.high);
    arrays.best_high[t] = clamp(best.high, limits.low, limits.high);
  }
}

// The energy after a slot that an optimal day would choose, and whether it had to settle for less.
std::int64_t aim(const LossyModel& model, const Arrays& arrays, std::uint32_t slot, std::int64_t idle, std::int32_t low,
                 std::int32_t high, bool& is_between) {
  const std::int64_t down = idle + effect_of(model, low);
  const std::int64_t up = idle + effect_of(model, high);
  if (low == high) return clamp(up, arrays.best_low[slot], arrays.best_high[slot]);
  if (up <= arrays.best_high[slot]) return up > arrays.best_low[slot] ? up : arrays.best_low[slot];
  if (down >= arrays.best_low[slot]) return down < arrays.best_high[slot] ? down : arrays.best_high[slot];
  is_between = true;
  return arrays.best_high[slot];
}

// The whole watts nearest to an energy change; halves go up.
std::int64_t nearest_watts(const LossyModel& model, std::int64_t change) {
  return change < 0 ? wide_round_div(change, model.discharge_watt()) : wide_round_div(change, model.charge_watt());
}

Error no_whole_watts(Report& report, std::uint32_t slot) {
  report.limit = Limit::whole_watts;
  report.slot = slot;
  return Error::infeasible;
}

Error round_to_watts(const LossyModel& model, const Arrays& arrays, std::span<std::int32_t> profile_w, Report& report) {
  const StorageProblem& problem = model.problem();
  bool is_between = false;
  std::int64_t energy = model.start();
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int64_t idle = energy - model.loss();
    std::int64_t power_w =
        nearest_watts(model, aim(model, arrays, t, idle, profile_w[t], arrays.low_price[t], is_between) - idle);
    if (profile_w[t] == arrays.low_price[t]) {
      // Within a watt of the best power, also where an earlier rounding has to be made good.
      const std::int64_t below_w = profile_w[t] >> draft_bits;
      power_w = clamp(power_w, below_w, below_w + ((profile_w[t] & ((1 << draft_bits) - 1)) != 0 ? 1 : 0));
    }
    const std::int64_t least = arrays.safe_low[t] - idle;
    const std::int64_t most = arrays.safe_high[t] - idle;
    const std::int64_t least_w = -wide_floor_div(-least, least < 0 ? model.discharge_watt() : model.charge_watt());
    const std::int64_t most_w = wide_floor_div(most, most < 0 ? model.discharge_watt() : model.charge_watt());
    if (least_w > most_w) return no_whole_watts(report, t);
    power_w = clamp(power_w, least_w, most_w);
    power_w = clamp<std::int64_t>(power_w, problem.low_w.at(t), problem.high_w.at(t));
    profile_w[t] = static_cast<std::int32_t>(power_w);
    energy = idle + model.effect(power_w);
    if (energy < arrays.safe_low[t] || energy > arrays.safe_high[t]) return no_whole_watts(report, t);
  }
  report.kind = is_between ? CertificateKind::bound : CertificateKind::dual;
  return Error::none;
}

}  // namespace

Error solve_lossy(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                  std::span<std::int32_t> profile_w, Report& report) {
  if (workspace.size() < lossy_workspace_words(grid.slots)) return Error::workspace_too_small;
  WATTPROOF_TRY(feasible_lossy(device, grid, report));
  const LossyModel model(device, grid);
  const StorageProblem& problem = model.problem();
  std::int64_t energy_sum = 0;
  for (std::uint32_t t = problem.first; t < problem.last; ++t) {
    const std::int64_t down = -model.effect(problem.low_w.at(t));
    const std::int64_t up = model.effect(problem.high_w.at(t));
    energy_sum += (down > up ? down : up) / model.unit() + 1 + model.standing_loss_w();
  }
  if (energy_sum >= wide_energy_limit) return Error::out_of_range;
  const Arrays arrays = arrays_of(workspace, grid.slots);
  forward(model, wish, arrays, grid.slots);
  backward(model, wish, arrays, profile_w);
  WATTPROOF_TRY(round_to_watts(model, arrays, profile_w, report));
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (t < problem.first || t >= problem.last) arrays.high_price[t] = profile_w[t] = 0;
  }
  report.dual = {arrays.high_price, grid.slots};
  report.guard_bits = wide_price_bits;
  return Error::none;
}

}  // namespace wattproof::solver
