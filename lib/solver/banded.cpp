// SPDX-License-Identifier: Apache-2.0
#include "solver/banded.hpp"

#include <bit>

#include "base/math.hpp"
#include "base/result.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t factor_bits = 26;
constexpr std::int64_t factor_one = std::int64_t{1} << factor_bits;
constexpr std::int64_t coupling_max = 8 * factor_one;      // of keeps between levels in units of their peaks
constexpr std::int64_t curvature_max = 32 * factor_one;    // of the cost to go
constexpr std::int64_t power_max = std::int64_t{1} << 30;  // of powers, limits and levels, in fine units
constexpr std::int64_t price_max = std::int64_t{1} << 31;
constexpr std::int64_t waiting_max = std::int64_t{1} << 34;  // of a level with its price over its stiffness
constexpr std::int64_t multiplier_max = std::int64_t{1} << 44;
constexpr std::int64_t multiplier_max_written = std::int64_t{1} << 27;
constexpr std::uint32_t fine_bits_max = 14;
constexpr std::int64_t stiffness = 3 * factor_one;
constexpr std::int32_t wish_shift_min = -16;
constexpr std::int32_t wish_shift_max = 2;
constexpr std::uint32_t early_iterations = 4000;
constexpr std::uint32_t balance_iterations = 32;
constexpr std::uint32_t late_balance_iterations = 2048;  // else two penalties may take turns for ever
constexpr std::uint32_t retry_iterations = 16;
constexpr std::uint32_t proof_iterations = 128;
constexpr std::uint32_t blind_iterations = 1000;  // whole watts are tried so often even if nothing has settled
constexpr std::uint32_t stage_count = 3;

std::int64_t size_of(std::int64_t value) { return value < 0 ? -value : value; }
std::int64_t limited(std::int64_t value, std::int64_t limit) { return clamp(value, -limit, limit); }
std::int64_t times(std::int64_t factor, std::int64_t value) { return (factor * value + factor_one / 2) >> factor_bits; }
std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(limited(value, power_max)); }

// value x 2^shift, rounded down, at most `limit`.
std::int64_t shifted(std::int64_t value, std::int32_t shift, std::int64_t limit) {
  if (shift < 0) return shift < -62 ? (value < 0 ? -1 : 0) : limited(value >> -shift, limit);
  const std::int64_t most = shift > 62 ? 0 : limit >> shift;
  if (size_of(value) > most) return value == 0 ? 0 : (value < 0 ? -limit : limit);
  return value * (std::int64_t{1} << shift);
}

// One slot of the factored matrix and of the iteration. Each limited quantity waits as one number w: clip(w) is the
// quantity within its limits, w - clip(w) its price over its stiffness.
struct Slot {
  std::array<std::int64_t, 2> level;
  std::array<std::int32_t, 2> level_low;
  std::array<std::int32_t, 2> level_high;
  std::array<std::int32_t, 3> gain;  // how the best power answers to both levels and to the power before
  std::int32_t inverse;              // of its curvature
  std::int32_t constant;             // the rest of the best power in this iteration
  std::int32_t power;
  std::int32_t rise;
  std::array<std::int32_t, 3> missing;  // by how much both levels and the rise miss their limits
};
static_assert(sizeof(Slot) == 9 * sizeof(std::uint64_t));

struct Limits {
  std::int64_t low;
  std::int64_t high;
};

// The number that the clipped one and its mirror image steer for: the quantity less its price.
std::int64_t aim_of(std::int64_t w, const Limits& limits) { return 2 * clamp(w, limits.low, limits.high) - w; }

class Admm {
 public:
  Admm(const BandedModel& model, const Grid& grid, const Wish& wish, Slot* slots, std::span<std::int32_t> profile_w)
      : model_(model), device_(model.device()), grid_(grid), wish_(wish), slots_(slots), profile_w_(profile_w) {}

  // From the start, limits narrowed by 2^-2stage of what rounding may do, at the last stage by nothing.
  //   out_of_range  see solve_banded
  Error prepare(std::uint32_t stage);
  // One iteration; leaves its powers in fine units in the profile.
  void iterate();
  bool is_settled() const { return primal_ <= tolerance_ && dual() <= 4 * tolerance_; }
  // Where limits and wishes settle at very different speeds: other penalties, hence other factors.
  Error balance();
  // Whole watts in the profile: within powers and ramps always, within the levels' limits if true.
  bool round();
  // Whether the multipliers to which the iteration tends prove that nothing is feasible: what the last iteration missed, or
  // the sum of all that were missed.
  bool is_proven_infeasible(bool by_sum);
  // The worst level of the last iteration.
  Error explain(Report& report) const;
  void write_multipliers(Report& report);

 private:
  void set_scale();
  bool round_from(std::int64_t owed);
  std::int64_t mended(const Levels& before, std::uint32_t slot, std::int64_t power, const Limits& safe) const;
  bool keeps_levels(const Levels& before, std::uint32_t slot, std::int64_t power_w) const;
  std::int64_t margin_of(std::int64_t full) const { return stage_ + 1 == stage_count ? 0 : full >> (2 * stage_); }
  std::int64_t multiplier(std::uint32_t slot, std::uint32_t index) const;
  void set_limits();
  Error factor();
  void backward();
  void forward();
  std::int64_t renew(std::int64_t value, std::int64_t w, const Limits& limits, std::int64_t w_max);
  Limits powers(std::uint32_t slot) const {
    return {std::int64_t{device_.power_min_w.at(slot)} * fine(), std::int64_t{device_.power_max_w.at(slot)} * fine()};
  }
  static Limits levels(const Slot& slot, std::uint32_t i) { return {slot.level_low[i], slot.level_high[i]}; }
  std::int64_t stiffness_of_rise(std::uint32_t slot) const { return model_.is_ramped(slot) ? rise_stiffness_ : 0; }
  std::int64_t dual() const { return shifted(dual_, -wish_shift_, price_max); }  // as a change of prices
  std::int64_t fine() const { return std::int64_t{1} << bits_; }

  const BandedModel& model_;
  const Device& device_;
  const Grid& grid_;
  const Wish& wish_;
  Slot* slots_;
  std::span<std::int32_t> profile_w_;  // in fine units until round()
  std::uint32_t stage_ = 0;
  std::uint32_t bits_ = 0;             // fine units are 2^-bits W
  std::array<std::array<std::int64_t, 2>, 2> keep_{};
  std::array<std::int64_t, 2> effect_{};
  std::array<std::int64_t, 2> stiffness_{};
  std::int64_t rise_stiffness_ = 0;
  Limits rises_{};
  std::int64_t primal_ = 0;
  std::int64_t dual_ = 0;
  std::int64_t tolerance_ = 0;
  std::int32_t wish_shift_ = 0;  // the wish counts 2^wish_shift_ beside the penalties
};

Error Admm::prepare(std::uint32_t stage) {
  stage_ = stage;
  wish_shift_ = 0;
  std::int64_t sum = 0;
  std::int64_t most = size_of(device_.power_before_w);
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    const std::int64_t low = size_of(device_.power_min_w.at(t));
    const std::int64_t high = size_of(device_.power_max_w.at(t));
    const std::int64_t wish = size_of(wish_.wide_at(t)) >> wide_price_bits;
    sum += low > high ? low : high;
    if (wish > most) most = wish;
  }
  if (sum > banded_reach_max || most >= std::int64_t{1} << 21) return Error::out_of_range;
  if (sum > most) most = sum;
  bits_ = 28 - static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(most)));
  if (bits_ > fine_bits_max) bits_ = fine_bits_max;
  tolerance_ = fine() >> 4;
  set_scale();
  set_limits();
  return factor();
}

// Levels are counted in what a watt does to them at most, rounded to a power of two, so that all are alike.
void Admm::set_scale() {
  for (std::uint32_t i = 0; i < model_.count(); ++i) {
    if (!model_.is_moved(i)) continue;
    effect_[i] = shifted(model_.watt(i), static_cast<std::int32_t>(factor_bits) - model_.peak_bits(i), coupling_max);
    for (std::uint32_t j = 0; j < model_.count(); ++j) {
      if (!model_.is_moved(j)) continue;
      const std::int64_t keep = wide_round_div(model_.keep_ppm(i, j) * factor_one, std::int64_t{1'000'000});
      keep_[i][j] = shifted(keep, model_.peak_bits(j) - model_.peak_bits(i), coupling_max);
    }
    stiffness_[i] = wide_floor_div(stiffness << banded_memory_bits, model_.memory(i));
  }
  if (device_.ramp_up_w == ramp_unlimited && device_.ramp_down_w == ramp_unlimited) return;
  rise_stiffness_ = stiffness;
  // Whole watts follow the powers within two watts, and need that much room to do so.
  const std::int64_t room = (std::int64_t{device_.ramp_up_w} + device_.ramp_down_w) * fine();
  const std::int64_t wanted = model_.count() == 0 ? 0 : margin_of(2 * fine());
  const std::int64_t margin = room < 4 * wanted ? room >> 2 : wanted;
  rises_ = {margin - limited(device_.ramp_down_w * fine(), power_max), limited(device_.ramp_up_w * fine(), power_max) - margin};
}

// Less what rounding to whole watts may do; the middle where that leaves nothing.
void Admm::set_limits() {
  Levels idle = model_.start();
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    idle = model_.after(idle, t, 0);
    slots_[t] = Slot{};
    for (std::uint32_t i = 0; i < model_.count(); ++i) {
      if (!model_.is_moved(i)) continue;
      const std::int32_t shift = static_cast<std::int32_t>(bits_) - model_.peak_bits(i);
      std::int64_t low = shifted(model_.low(i, t) - idle[i], shift, power_max);
      std::int64_t high = shifted(model_.high(i, t) - idle[i], shift, power_max);
      const std::int64_t margin = margin_of(shifted(model_.variation(i), shift - 1, power_max)) + (stage_ == 0 ? tolerance_ : 0);
      const bool has_room = high - low >= 2 * margin;
      low = has_room ? low + margin : (low + high) >> 1;
      slots_[t].level_low[i] = narrow(low);
      slots_[t].level_high[i] = narrow(has_room ? high - margin : low);
    }
  }
}

// The cost to go after each slot is a quadratic of both levels and the power before. Its matrix does not depend on the
// iteration, so the gains that it gives are worked out once: the factors of a banded matrix.
Error Admm::factor() {
  std::array<std::array<std::int64_t, 3>, 3> p{};
  for (std::uint32_t t = grid_.slots; t-- > 0;) {
    p[0][0] += stiffness_[0];
    p[1][1] += stiffness_[1];
    const std::int64_t rise = stiffness_of_rise(t);
    std::array<std::int64_t, 3> watt{};  // p times what a watt does
    std::array<std::array<std::int64_t, 2>, 3> kept{};
    for (std::size_t i = 0; i < 3; ++i) {
      watt[i] = times(p[i][0], effect_[0]) + times(p[i][1], effect_[1]) + p[i][2];
      for (std::size_t j = 0; j < 2; ++j) kept[i][j] = times(p[i][0], keep_[0][j]) + times(p[i][1], keep_[1][j]);
    }
    const std::int64_t own = factor_one + shifted(factor_one, wish_shift_, curvature_max) + rise + times(effect_[0], watt[0]) + times(effect_[1], watt[1]) + watt[2];
    if (own >= curvature_max) return Error::out_of_range;
    std::array<std::int64_t, 3> cross{0, 0, -rise};
    for (std::size_t j = 0; j < 2; ++j) {
      cross[j] = times(effect_[0], kept[0][j]) + times(effect_[1], kept[1][j]) + kept[2][j];
    }
    Slot& slot = slots_[t];
    slot.inverse = static_cast<std::int32_t>(wide_round_div(factor_one * factor_one, own));
    for (std::size_t i = 0; i < 3; ++i) {
      if (size_of(cross[i]) >= curvature_max) return Error::out_of_range;
      const std::int64_t gain = wide_round_div(cross[i] * factor_one, own);
      if (size_of(gain) >= power_max) return Error::out_of_range;
      slot.gain[i] = static_cast<std::int32_t>(gain);
    }
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        const std::int64_t stay = i == 2 || j == 2 ? (i == j ? rise : 0)
                                                   : times(keep_[0][i], kept[0][j]) + times(keep_[1][i], kept[1][j]);
        p[i][j] = stay - times(slot.gain[i], cross[j]);
        if (size_of(p[i][j]) >= curvature_max) return Error::out_of_range;
      }
    }
  }
  return Error::none;
}

void Admm::backward() {
  std::array<std::int64_t, 3> to_go{};  // slope of the cost to go
  for (std::uint32_t t = grid_.slots; t-- > 0;) {
    Slot& slot = slots_[t];
    for (std::uint32_t i = 0; i < 2; ++i) {
      to_go[i] = limited(to_go[i] - times(stiffness_[i], aim_of(slot.level[i], levels(slot, i))), price_max);
    }
    const std::int64_t rise = times(stiffness_of_rise(t), aim_of(slot.rise, rises_));
    const std::int64_t wish = shifted(wish_.wide_at(t), static_cast<std::int32_t>(bits_) - static_cast<std::int32_t>(wide_price_bits) + wish_shift_, power_max);
    const std::int64_t own = limited(times(effect_[0], to_go[0]) + times(effect_[1], to_go[1]) + to_go[2] - wish -
                                         aim_of(slot.power, powers(t)) - rise, price_max);
    slot.constant = narrow(times(slot.inverse, own));
    const std::int64_t first = times(keep_[0][0], to_go[0]) + times(keep_[1][0], to_go[1]) - times(slot.gain[0], own);
    const std::int64_t second = times(keep_[0][1], to_go[0]) + times(keep_[1][1], to_go[1]) - times(slot.gain[1], own);
    to_go = {limited(first, price_max), limited(second, price_max), limited(rise - times(slot.gain[2], own), price_max)};
  }
}

// The relaxed step 8/5 of one quantity.
std::int64_t Admm::renew(std::int64_t value, std::int64_t w, const Limits& limits, std::int64_t w_max) {
  const std::int64_t before = clamp(w, limits.low, limits.high);
  const std::int64_t next = limited(wide_floor_div(8 * value - 3 * before, std::int64_t{5}) + w - before, w_max);
  const std::int64_t after = clamp(next, limits.low, limits.high);
  if (size_of(value - after) > primal_) primal_ = size_of(value - after);
  if (size_of(after - before) > dual_) dual_ = size_of(after - before);
  return next;
}

void Admm::forward() {
  std::array<std::int64_t, 2> level{};
  std::int64_t before = device_.power_before_w * fine();
  primal_ = dual_ = 0;
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    Slot& slot = slots_[t];
    const std::int64_t power = limited(-times(slot.gain[0], level[0]) - times(slot.gain[1], level[1]) -
                                           times(slot.gain[2], before) - slot.constant, power_max / 2);
    const std::int64_t first = times(keep_[0][0], level[0]) + times(keep_[0][1], level[1]) + times(effect_[0], power);
    const std::int64_t second = times(keep_[1][0], level[0]) + times(keep_[1][1], level[1]) + times(effect_[1], power);
    level = {limited(first, power_max), limited(second, power_max)};
    profile_w_[t] = static_cast<std::int32_t>(power);
    slot.power = narrow(renew(power, slot.power, powers(t), power_max));
    if (stiffness_of_rise(t) != 0) {
      slot.rise = narrow(renew(power - before, slot.rise, rises_, power_max));
      slot.missing[2] = narrow(clamp<std::int64_t>(slot.rise, rises_.low, rises_.high) - (power - before));
    }
    for (std::uint32_t i = 0; i < 2; ++i) {
      if (stiffness_[i] == 0) continue;
      slot.level[i] = renew(level[i], slot.level[i], levels(slot, i), waiting_max);
      slot.missing[i] = narrow(clamp<std::int64_t>(slot.level[i], slot.level_low[i], slot.level_high[i]) - level[i]);
    }
    before = power;
  }
}

Error Admm::balance() {
  const bool is_stiffer = primal_ > 4 * dual() && wish_shift_ > wish_shift_min;
  const bool is_softer = dual() > 4 * primal_ && wish_shift_ < wish_shift_max;
  if (!is_stiffer && !is_softer) return Error::none;
  const std::int32_t change = is_stiffer ? -2 : 2;
  wish_shift_ += change;
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    Slot& slot = slots_[t];
    const auto renewed = [change](std::int64_t w, const Limits& limits, std::int64_t w_max) {
      const std::int64_t inside = clamp(w, limits.low, limits.high);
      return limited(inside + shifted(w - inside, change, w_max), w_max);
    };
    slot.power = narrow(renewed(slot.power, powers(t), power_max));
    slot.rise = narrow(renewed(slot.rise, rises_, power_max));
    for (std::uint32_t i = 0; i < 2; ++i) slot.level[i] = renewed(slot.level[i], levels(slot, i), waiting_max);
  }
  return factor();
}

void Admm::iterate() {
  backward();
  forward();
}

bool Admm::keeps_levels(const Levels& before, std::uint32_t slot, std::int64_t power_w) const {
  const Levels now = model_.after(before, slot, power_w);
  for (std::uint32_t i = 0; i < model_.count(); ++i) {
    const std::int64_t slack = model_.slack(i, slot);
    if (now[i] < model_.low(i, slot) - slack || now[i] > model_.high(i, slot) + slack) return false;
  }
  return true;
}

// The power, or one a watt or two beside it that keeps the levels where it does not.
std::int64_t Admm::mended(const Levels& before, std::uint32_t slot, std::int64_t power, const Limits& safe) const {
  constexpr std::array<std::int64_t, 5> steps{0, 1, -1, 2, -2};
  for (const std::int64_t step : steps) {
    const std::int64_t other = clamp(power + step, safe.low, safe.high);
    if (keeps_levels(before, slot, other)) return other;
  }
  return power;
}

// Whole watts nearest to the sum of powers so far and `owed`, inside what leaves a way on.
bool Admm::round_from(std::int64_t owed) {
  std::int64_t before = device_.power_before_w;
  Levels levels = model_.start();
  bool is_kept = true;
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    owed += slots_[t].missing[1];
    Limits safe{slots_[t].constant, slots_[t].missing[0]};
    if (model_.is_ramped(t)) {
      safe = {clamp(before - device_.ramp_down_w, safe.low, safe.high), clamp(before + device_.ramp_up_w, safe.low, safe.high)};
    }
    const std::int64_t power = mended(levels, t, clamp((owed + fine() / 2) >> bits_, safe.low, safe.high), safe);
    owed = model_.count() == 0 ? 0 : owed - power * fine();
    profile_w_[t] = static_cast<std::int32_t>(power);
    before = power;
    is_kept = is_kept && keeps_levels(levels, t, power);
    levels = model_.after(levels, t, power);
  }
  return is_kept && ok(check_banded(device_, grid_, profile_w_));
}

// Backward, which powers leave a way on through the ramps (in `constant` and `missing`); forward, whole watts. Where they
// break a limit, the sum starts some part of a watt higher or lower.
bool Admm::round() {
  Limits safe{-power_max, power_max};
  for (std::uint32_t t = grid_.slots; t-- > 0;) {
    const std::int64_t low = device_.power_min_w.at(t);
    const std::int64_t high = device_.power_max_w.at(t);
    safe = {safe.low < low ? low : safe.low, safe.high > high ? high : safe.high};
    slots_[t].constant = static_cast<std::int32_t>(safe.low);
    slots_[t].missing[0] = static_cast<std::int32_t>(safe.high);
    slots_[t].missing[1] = profile_w_[t];
    safe = {limited(safe.low - device_.ramp_up_w, power_max), limited(safe.high + device_.ramp_down_w, power_max)};
  }
  constexpr std::array<std::int64_t, 7> eighths{0, 2, -2, 3, -3, 1, -1};
  for (const std::int64_t part : eighths) {
    if (round_from(part * (fine() >> 3))) return true;
  }
  return false;
}

// What the iteration misses tends to prices that no feasible day can pay. Leaves whole watts in the profile.
bool Admm::is_proven_infeasible(bool by_sum) {
  std::int64_t most = 1;
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    Slot& slot = slots_[t];
    for (std::uint32_t i = 0; i < 3; ++i) {
      const std::int64_t penalty = i < 2 ? stiffness_[i] : stiffness_of_rise(t);
      const Limits limits = i < 2 ? levels(slot, i) : rises_;
      const std::int64_t w = i < 2 ? slot.level[i] : slot.rise;
      // Of a sum only the greater bits can matter.
      const std::int64_t missed = by_sum ? (clamp(w, limits.low, limits.high) - w) >> 6 : slot.missing[i];
      slot.missing[i] = narrow(times(penalty, missed));
      if (size_of(slot.missing[i]) > most) most = size_of(slot.missing[i]);
    }
    const std::int64_t power = (profile_w_[t] + fine() / 2) >> bits_;
    profile_w_[t] = static_cast<std::int32_t>(clamp<std::int64_t>(power, device_.power_min_w.at(t), device_.power_max_w.at(t)));
  }
  // Only their proportions count; 20 bits keep the sums over a day within 63.
  const std::int32_t shift = 20 - static_cast<std::int32_t>(std::bit_width(static_cast<std::uint64_t>(most)));
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    for (std::int32_t& missing : slots_[t].missing) missing = static_cast<std::int32_t>(shifted(missing, shift, power_max));
  }
  return is_refuted(model_, grid_, profile_w_, BandedMultipliers(slots_[0].missing.data(), sizeof(Slot) / sizeof(std::int32_t)));
}

// The price of a limit over its penalty, as a multiplier in fine units.
std::int64_t Admm::multiplier(std::uint32_t slot, std::uint32_t index) const {
  const Slot& at = slots_[slot];
  const std::int64_t w = index < 2 ? at.level[index] : at.rise;
  const Limits limits = index < 2 ? levels(at, index) : rises_;
  const std::int64_t penalty = index < 2 ? stiffness_[index] : stiffness_of_rise(slot);
  return shifted(times(penalty, clamp(w, limits.low, limits.high) - w), -wish_shift_, multiplier_max);
}

// Three a slot, at the start of the workspace, where each slot is read before its place is needed.
void Admm::write_multipliers(Report& report) {
  std::int64_t most = 0;
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    for (std::uint32_t i = 0; i < 3; ++i) {
      const std::int64_t size = size_of(multiplier(t, i));
      if (size > most) most = size;
    }
  }
  std::uint32_t drop = 0;
  while (drop < bits_ && most >> drop >= multiplier_max_written) ++drop;
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    std::array<std::int32_t, 3> multipliers{};
    for (std::uint32_t i = 0; i < 3; ++i) {
      multipliers[i] = static_cast<std::int32_t>(limited(multiplier(t, i) >> drop, multiplier_max_written));
    }
    slots_[t].missing = multipliers;
  }
  std::int32_t* const dual = reinterpret_cast<std::int32_t*>(slots_);
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    const std::array<std::int32_t, 3> multipliers = slots_[t].missing;
    for (std::uint32_t i = 0; i < 3; ++i) dual[3 * t + i] = multipliers[i];
  }
  report.dual = {dual, 3 * std::size_t{grid_.slots}};
  report.guard_bits = bits_ - drop;
}

// The level that the whole watts in the profile miss most.
Error Admm::explain(Report& report) const {
  report.limit = Limit::whole_watts;
  std::int64_t worst = 0;
  Levels now = model_.start();
  for (std::uint32_t t = 0; t < grid_.slots; ++t) {
    now = model_.after(now, t, profile_w_[t]);
    for (std::uint32_t i = 0; i < model_.count(); ++i) {
      const std::int64_t below = shifted(model_.low(i, t) - now[i], static_cast<std::int32_t>(bits_) - model_.peak_bits(i), power_max);
      const std::int64_t above = shifted(now[i] - model_.high(i, t), static_cast<std::int32_t>(bits_) - model_.peak_bits(i), power_max);
      const std::int64_t size = below > above ? below : above;
      if (size <= worst) continue;
      worst = size;
      const LinearState& state = device_.states[i];
      report.limit = below > above ? Limit::state_min : Limit::state_max;
      report.state = i;
      report.slot = t + 1;
      report.needed = below > above ? state.min.at(t) : state.max.at(t);
      report.possible = wide_floor_div(now[i], model_.unit());
    }
  }
  return Error::infeasible;
}

// One stage. not_converged: neither whole watts that keep every limit nor a proof that there are none.
Error iterate_stage(Admm& admm, std::uint32_t iterations, Report& report) {
  for (std::uint32_t iteration = 1; iteration <= iterations; ++iteration) {
    admm.iterate();
    const bool is_hopeful = admm.is_settled() && iteration % retry_iterations == 0;
    if (is_hopeful || iteration % blind_iterations == 0) {
      if (!admm.round()) continue;
      admm.write_multipliers(report);
      report.kind = CertificateKind::bound;
      return Error::none;
    }
    const std::uint32_t balance = iteration < early_iterations ? balance_iterations : late_balance_iterations;
    if (iteration % balance == 0) WATTPROOF_TRY(admm.balance());
    if (iteration % proof_iterations == 0 && admm.is_proven_infeasible(iteration % (2 * proof_iterations) == 0)) {
      admm.iterate();
      (void)admm.round();
      return admm.explain(report);
    }
  }
  return Error::not_converged;
}

}  // namespace

Error solve_banded(const Device& device, const Grid& grid, const Wish& wish, WorkspaceView workspace,
                   std::span<std::int32_t> profile_w, Report& report) {
  if (workspace.size() < banded_workspace_words(grid.slots)) return Error::workspace_too_small;
  WATTPROOF_TRY(feasible_banded(device, grid, report));
  const BandedModel model(device, grid);
  Admm admm(model, grid, wish, reinterpret_cast<Slot*>(workspace.data()), profile_w);
  for (std::uint32_t stage = 0; stage < stage_count; ++stage) {
    WATTPROOF_TRY(admm.prepare(stage));
    const Error error = iterate_stage(admm, stage == 0 ? banded_iteration_max : banded_retry_iteration_max, report);
    if (error != Error::not_converged) return error;
  }
  (void)admm.explain(report);
  return Error::not_converged;
}

}  // namespace wattproof::solver
