// SPDX-License-Identifier: Apache-2.0
#include "solver/home.hpp"

#include <array>
#include <bit>

#include "base/math.hpp"
#include "solver/home_session.hpp"
#include "solver/linear_gap.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t fine_bits = 4;  // z and u are in 1/16 W, as in the contract
constexpr std::int64_t fine = 1 << fine_bits;
constexpr std::uint32_t freeze_round = 40;  // from here on devices that choose among patterns keep theirs
// A penalty is curvature x devices, what the mean costs, x 2^(penalty_bits - even_bits).
constexpr std::int32_t even_bits = 14;
constexpr std::int32_t penalty_bits_max = 26;
constexpr std::int32_t penalty_step = 4;           // each is 2^-4 of the one before
constexpr std::uint32_t penalty_round_max = 60;    // with each but the last
constexpr std::int32_t typical_power_bits = 10;    // W, at which a linear cost is as steep as a quadratic one

std::size_t words_of(std::size_t numbers) { return (numbers + 1) / 2; }

std::size_t device_words(const Home& home, const Grid& grid) {
  std::size_t most = workspace_words(grid.slots);
  for (const Device& device : home.devices) {
    const std::size_t words = single_workspace_words(device, grid);
    if (words > most) most = words;
  }
  return most;
}

// Patterns have one too, but the same for each of their choices.
bool has_own_cost(const Device& device) {
  return device.kind == DeviceKind::generator || (device.cost_quadratic > 0 && !chooses_pattern(device));
}

// Multipliers of a device count in its whole curvature, its own cost included; here in the part of it that the home's sum has.
// What does not fit is cut off: the certificate is valid with any multipliers.
std::int32_t shared_dual(std::int32_t dual, std::int64_t weight, std::int64_t own) {
  return own == 0 ? dual : saturate(wide_floor_div(dual * (weight + own), weight));
}

// Solves device i for session.wish_w; keeps its old profile if that fails. True if the profile changed.
Error solve_device(HomeSession& session, std::uint32_t i, const Device& device, const Cost& cost, bool& changed) {
  Report report;
  WATTPROOF_TRY(optimise_single(device, session.grid, session.wish_w, cost, session.inner, session.scratch_w, report));
  to_multipliers(device, session.grid, report);
  const std::span<std::int32_t> profile = session.profile(i);
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int32_t change = session.scratch_w[t] - profile[t];
    changed = changed || change != 0;
    session.total_w[t] += change;
    profile[t] = session.scratch_w[t];
  }
  const std::int64_t weight = std::int64_t{cost.weight} + cost.wear + cost.discomfort;
  const std::span<std::int32_t> dual = session.dual(i);
  for (std::uint32_t t = 0; t < report.dual.size(); ++t) dual[t] = shared_dual(report.dual[t], weight, device.cost_quadratic);
  session.bits[i] = report.guard_bits;
  session.dual_size[i] = report.dual.size();
  return Error::none;
}

// The mean that the sum would choose around `mean`, at the penalty, within the breaker.
std::int32_t choose_mean(const HomeSession& session, std::uint32_t slot, std::int64_t mean) {
  const std::int64_t count = session.count();
  constexpr std::int64_t share = 1 << even_bits;
  const std::int64_t penalty = std::int64_t{1} << session.penalty_bits;
  const std::int64_t wish = wide_floor_div(std::int64_t{session.wish.at(slot, fine_bits)} * share, count);
  const std::int64_t limit = wide_floor_div(std::int64_t{session.home.limit_w} * fine, count);
  return static_cast<std::int32_t>(clamp(wide_floor_div(wish + mean * penalty, share + penalty), -limit, limit));
}

// The penalty rounded to a whole number would be another than the one behind the means, and the negotiation would end elsewhere;
// so penalty and own costs are both taken x 2^even_bits, as far as they fit. A linear cost beyond every power is cut to that.
// Returns the weight.
std::uint32_t weigh_own_cost(const HomeSession& session, Device& device) {
  const std::int64_t quadratic_max = device.kind == DeviceKind::generator ? std::int64_t{1} << 30 : own_cost_max;
  std::int64_t weight = (session.wish.curvature() * session.count()) << session.penalty_bits;
  std::int64_t linear = limited(device.cost_linear, 48) * (1 << even_bits);
  std::int64_t quadratic = std::int64_t{device.cost_quadratic} * (1 << even_bits);
  // At most 32 times.
  while (weight > weight_max || quadratic > quadratic_max) {
    weight = (weight + 1) >> 1;
    linear >>= 1;
    quadratic >>= 1;
  }
  const std::int64_t limit = (weight + quadratic) * session.wish.power_limit_w();
  device.cost_linear = clamp(linear, -limit, limit);
  device.cost_quadratic = static_cast<std::int32_t>(quadratic);
  return static_cast<std::uint32_t>(weight);
}

// The largest wish at this weight that leaves room for the device's linear cost. Far wishes come from a breaker that cannot be
// kept: then the home is refused for that, not for a number out of range.
std::int64_t wish_limit(const HomeSession& session, const Device& device, std::int64_t weight) {
  const std::int64_t limit = session.wish.power_limit_w();
  if (device.kind != DeviceKind::generator) return limit;
  const std::int64_t linear = device.cost_linear < 0 ? -device.cost_linear : device.cost_linear;
  return clamp<std::int64_t>(wide_floor_div((weight + device.cost_quadratic) * limit - linear, weight), 0, limit);
}

// In 1/16 W.
std::int32_t mean_at(const HomeSession& session, std::uint32_t slot) {
  return static_cast<std::int32_t>(wide_floor_div(session.total_w[slot] * fine, std::int64_t{session.count()}));
}

// One round: every device ...
Error ask_devices(HomeSession& session, std::uint32_t round, std::uint32_t& device_index) {
  // The means of the last round steer every device of this one.
  std::span<std::int32_t> before = session.low_w;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    before[t] = saturate(std::int64_t{session.z[t]} - session.u[t] - mean_at(session, t));
  }
  bool changed = false;
  for (std::uint32_t i = 0; i < session.count(); ++i) {
    Device device = session.device(i);
    // Below half the sum's cost a penalty would let patterns follow every price.
    if ((round >= freeze_round || session.penalty_bits < even_bits - 1) && chooses_pattern(device)) continue;
    Cost cost;
    if (has_own_cost(device)) cost.weight = weigh_own_cost(session, device);
    const std::int64_t limit = wish_limit(session, device, cost.weight);
    const std::span<std::int32_t> profile = session.profile(i);
    for (std::uint32_t t = 0; t < session.slots(); ++t) {
      const std::int64_t wish = profile[t] * fine + before[t];
      session.wish_w[t] = static_cast<std::int32_t>(clamp((wish + fine / 2) >> fine_bits, -limit, limit));
    }
    device_index = i;
    WATTPROOF_TRY(solve_device(session, i, device, cost, changed));
  }
  return Error::none;
}

// ... then the mean and its price. Returns how far the two means are apart and the second one moved, in 1/16 W, whichever is more.
std::int32_t agree(HomeSession& session) {
  std::int32_t distance = 0;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int32_t mean = mean_at(session, t);
    const std::int32_t before = session.z[t];
    const std::int64_t relaxed = wide_floor_div(std::int64_t{8 * mean - 3 * before}, std::int64_t{5});
    const std::int32_t z = choose_mean(session, t, relaxed + session.u[t]);
    session.u[t] = saturate(session.u[t] + relaxed - z);  // below a breaker that cannot be kept it grows without end
    session.z[t] = z;
    const std::int32_t step = z < before ? before - z : z - before;
    if (step > distance) distance = step;
    const std::int32_t apart = mean < z ? z - mean : mean - z;
    if (apart > distance) distance = apart;
  }
  return distance;
}

// The first penalty is no weaker than any own cost, or stiff parts would take thousands of rounds to move. Rounding to watts
// hides from a part what costs it less than half a penalty, so the last one is at most an eighth of the geometric mean of the
// sum's cost and the least own one. All of this in powers of two. Returns the bits of the last.
std::int32_t choose_penalties(HomeSession& session) {
  const auto bits_of = [](std::int64_t cost) { return static_cast<std::int32_t>(std::bit_width(static_cast<std::uint64_t>(cost))); };
  const std::int32_t offset = even_bits - bits_of(session.wish.curvature() * session.count());
  std::int32_t most = even_bits - 1;
  std::int32_t least = 2 * penalty_bits_max;
  for (std::uint32_t i = 0; i < session.count(); ++i) {
    const Device device = session.device(i);
    if (!has_own_cost(device)) continue;
    const std::int64_t linear = device.cost_linear >> typical_power_bits;
    const std::int32_t own = offset + bits_of(device.cost_quadratic | (linear < 0 ? -linear : linear));
    if (own > most) most = own;
    if (own < least) least = own;
  }
  session.penalty_bits = most < penalty_bits_max ? most : penalty_bits_max;
  return (least + even_bits - 6) >> 1;
}

// Goes on with a weaker penalty, at the same prices. False if this is the last one, or if a weaker one could not hold these.
bool weaken(HomeSession& session, std::int32_t last) {
  if (session.penalty_bits <= last || session.penalty_bits < penalty_step) return false;
  for (const std::int32_t u : session.u) {
    if (!is_within(u, session.wish.power_limit_w() >> 1)) return false;
  }
  for (std::int32_t& u : session.u) u *= 1 << penalty_step;
  session.penalty_bits -= penalty_step;
  return true;
}

Error negotiate(HomeSession& session, std::uint32_t& device_index) {
  // So that the first round asks every device for its share of the wish.
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    session.z[t] = static_cast<std::int32_t>(wide_floor_div(std::int64_t{session.wish.at(t, fine_bits)}, std::int64_t{session.count()}));
    session.u[t] = 0;
    session.total_w[t] = 0;
  }
  for (std::int32_t& power_w : session.profiles_w) power_w = 0;
  const std::int32_t last = choose_penalties(session);
  std::uint32_t end = penalty_round_max;
  for (std::uint32_t round = 0; round < home_round_max; ++round) {
    WATTPROOF_TRY(ask_devices(session, round, device_index));
    const bool is_settled = agree(session) <= fine / 4;
    if (!is_settled && round + 1 != end) continue;
    if (weaken(session, last)) {
      end = round + 1 + penalty_round_max;
    } else if (is_settled) {
      break;
    }
  }
  return Error::none;
}

// Narrows a device's powers to what the breaker leaves beside the others. Where that is nothing, to the nearest power.
void narrow(HomeSession& session, std::uint32_t i) {
  const Device device = session.device(i);
  const std::span<std::int32_t> profile = session.profile(i);
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int32_t others = session.total_w[t] - profile[t];
    const std::int32_t low = device.power_min_w.at(t);
    const std::int32_t high = device.power_max_w.at(t);
    session.low_w[t] = clamp(-session.home.limit_w - others, low, high);
    session.high_w[t] = clamp(session.home.limit_w - others, low, high);
  }
}

// What all other devices leave of the wish, as the target of device i and, where more than the target counts, a price.
// Returns what device i then minimises beside its own cost, which the device has already.
Cost leave_rest(HomeSession& session, std::uint32_t i, const Device& device) {
  const std::span<std::int32_t> profile = session.profile(i);
  const auto limit = static_cast<std::int32_t>(wish_limit(session, device, session.wish.curvature()));
  Cost cost = session.cost;
  cost.own_scale = {};
  const bool is_priced = cost.wear != 0 || cost.discomfort != 0 || !cost.price.empty();
  if (is_priced) cost.price = session.prices;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int32_t others = session.total_w[t] - profile[t];
    session.wish_w[t] = clamp(session.target_w[t] - others, -limit, limit);
    if (!is_priced) continue;
    // The sum's numerator less what the others take of it, whatever target and preference say.
    const std::int64_t most = session.wish.curvature() * limit;
    const std::int64_t rest = clamp(session.wish.numerator(t) - session.wish.curvature() * others, -most, most);
    const std::int64_t preferred = cost.preferred_w.empty() ? 0 : cost.preferred_w[t];
    session.prices[t] = std::int64_t{cost.weight} * session.wish_w[t] + std::int64_t{cost.discomfort} * preferred - rest;
  }
  return cost;
}

// J of the sum, up to a constant, in a unit that lets 63 bits hold it: |x| is below 2^25, the other factor below 2^26 curvatures.
std::int64_t cost_of(const HomeSession& session) {
  const std::int64_t curvature = session.wish.curvature();
  const std::uint32_t bits = static_cast<std::uint32_t>(std::bit_width(static_cast<std::uint64_t>(curvature)));
  const std::uint32_t shift = bits > 11 ? bits - 3 : 8;
  std::int64_t sum = 0;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int64_t x = session.total_w[t];
    const std::int64_t factor = curvature * x - 2 * session.wish.numerator(t);
    const std::int64_t high = factor >> shift;
    sum += x * high + ((x * (factor - high * (std::int64_t{1} << shift))) >> shift);
  }
  return sum;
}

// A pattern device tries its best pattern beside the others and takes it if that is better and the breaker agrees.
Error polish_pattern(HomeSession& session, std::uint32_t i, bool& changed) {
  const std::int64_t before_excess = excess_of(session);
  const std::int64_t before_cost = cost_of(session);
  const std::span<std::int32_t> profile = session.profile(i);
  for (std::uint32_t t = 0; t < session.slots(); ++t) session.low_w[t] = profile[t];
  bool moved = false;
  const Device device = session.device(i);
  const Cost cost = leave_rest(session, i, device);
  WATTPROOF_TRY(solve_device(session, i, device, cost, moved));
  const std::int64_t excess = excess_of(session);
  if (!moved || excess < before_excess || (excess == before_excess && cost_of(session) < before_cost)) {
    changed = changed || moved;
    return Error::none;
  }
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    session.total_w[t] += session.low_w[t] - profile[t];
    profile[t] = session.low_w[t];
  }
  return Error::none;
}

// One device after another, exactly, against what the others leave. No step makes the sum worse.
Error polish(HomeSession& session) {
  for (std::uint32_t pass = 0; pass < home_polish_max; ++pass) {
    bool changed = false;
    for (std::uint32_t i = 0; i < session.count(); ++i) {
      const Device device = session.device(i);
      if (device.kind == DeviceKind::fixed) continue;
      if (chooses_pattern(device)) {
        WATTPROOF_TRY(polish_pattern(session, i, changed));
        continue;
      }
      const Cost cost = leave_rest(session, i, device);
      narrow(session, i);
      Device narrowed = device;
      narrowed.power_min_w = std::span<const std::int32_t>(session.low_w);
      narrowed.power_max_w = std::span<const std::int32_t>(session.high_w);
      const Error error = solve_device(session, i, narrowed, cost, changed);
      const bool is_stuck = error == Error::infeasible || error == Error::infeasible_below || error == Error::infeasible_above;
      if (!ok(error) && !is_stuck) return error;
    }
    if (!changed) break;
  }
  return Error::none;
}

std::span<const std::int32_t> dual_of(const HomeSession& session, std::uint32_t i) {
  return session.dual(i).first(session.dual_size[i]);
}

// The price of each slot: what it is worth to a device that could go either way; else what the sum would pay for a watt.
void set_prices(HomeSession& session) {
  std::array<bool, slot_count_max> is_set{};
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    session.prices[t] = session.total_w[t] * (std::int64_t{1} << linear_gap_bits) - session.wish.wide_at(t);
  }
  // Those with a cost of their own come last: half a watt of rounding is a price to them, and one that others would pay for.
  for (const bool is_last : {false, true}) {
    for (std::uint32_t i = 0; i < session.count(); ++i) {
      const Device device = session.device(i);
      if ((device.kind != DeviceKind::generator && has_own_cost(device)) != is_last) continue;
      adopt_marginals(device, session.grid, session.wish.curvature(), session.profile(i), dual_of(session, i), session.bits[i],
                      session.prices, is_set);
    }
  }
}

// The bound at session.prices with the devices' duals as they are.
Error bound_gap(HomeSession& session, std::uint64_t& total) {
  Gap gap{linear_gap_bits};
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    // The wish is rounded by at most one step of the grid.
    const std::int64_t best = session.wish.wide_at(t) + session.prices[t];
    add_regret(gap, session.total_w[t], -session.home.limit_w, session.home.limit_w, best - 1, best + 1);
  }
  const std::int64_t weight = session.wish.curvature();
  for (std::uint32_t i = 0; i < session.count(); ++i) {
    WATTPROOF_TRY(add_linear_gap(session.device(i), session.grid, session.prices, weight, session.profile(i),
                                 dual_of(session, i), session.bits[i], session.inner, session.scratch_w, gap));
  }
  total = gap.total(static_cast<std::uint64_t>(weight));
  return Error::none;
}

// Where the breaker holds the sum, the devices' own solutions do not tell what a watt is worth; the negotiation does.
// Each device is asked once more, near its profile and at these prices, for the duals that belong to them.
Error reprice(HomeSession& session) {
  constexpr std::int64_t one = std::int64_t{1} << linear_gap_bits;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int64_t total = session.total_w[t];
    const std::int64_t price = (std::int64_t{session.u[t]} * session.count()) << session.penalty_bits;
    const std::int64_t paid = limited(price >> (even_bits + fine_bits - linear_gap_bits), 40);
    session.prices[t] = total * one - session.wish.wide_at(t);
    if (total >= session.home.limit_w && paid > session.prices[t]) session.prices[t] = paid;
    if (total <= -session.home.limit_w && paid < session.prices[t]) session.prices[t] = paid;
  }
  for (std::uint32_t i = 0; i < session.count(); ++i) {
    Device device = session.device(i);
    if (chooses_pattern(device) || device.kind == DeviceKind::curtailable || device.kind == DeviceKind::generator) continue;
    // So near, its own cost is a price.
    const std::int64_t own = device.cost_quadratic;
    device.cost_quadratic = 0;
    const std::span<std::int32_t> profile = session.profile(i);
    const auto own_price = [&](std::uint32_t t) { return wide_floor_div(own * profile[t] * one, session.wish.curvature()); };
    for (std::uint32_t t = 0; own != 0 && t < session.slots(); ++t) session.prices[t] += own_price(t);
    Report report;
    const Error error = optimise_single(device, session.grid, profile, {.weight = 1u << linear_gap_bits, .price = session.prices},
                                        session.inner, session.scratch_w, report);
    for (std::uint32_t t = 0; own != 0 && t < session.slots(); ++t) session.prices[t] -= own_price(t);
    if (!ok(error)) continue;  // prices out of range: the duals at hand stay valid
    to_multipliers(device, session.grid, report);
    const std::span<std::int32_t> dual = session.dual(i);
    for (std::uint32_t t = 0; t < report.dual.size(); ++t) dual[t] = report.dual[t];
    session.bits[i] = report.guard_bits;
    session.dual_size[i] = report.dual.size();
  }
  return Error::none;
}

// Two ways to price the slots; each gives a valid bound, and the smaller one counts.
Error certify(HomeSession& session, Report& report) {
  set_prices(session);
  WATTPROOF_TRY(bound_gap(session, report.gap));
  const std::uint64_t weight = static_cast<std::uint64_t>(session.wish.curvature());
  const std::uint64_t rounding = 2 * weight * session.slots() * session.count();
  if (report.gap > rounding) {
    std::uint64_t other = 0;
    WATTPROOF_TRY(reprice(session));
    WATTPROOF_TRY(bound_gap(session, other));
    if (other < report.gap) report.gap = other;
  }
  report.kind = report.gap <= rounding ? CertificateKind::dual : CertificateKind::bound;
  report.guard_bits = linear_gap_bits;
  return Error::none;
}

// Names the slot that is furthest over the breaker; of equals the first.
Error check_breaker(const HomeSession& session, Report& report) {
  std::int32_t most_w = session.home.limit_w;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int32_t power_w = session.total_w[t];
    const std::int32_t size_w = power_w < 0 ? -power_w : power_w;
    if (size_w <= most_w) continue;
    most_w = size_w;
    report.slot = t;
  }
  if (most_w == session.home.limit_w) return Error::none;
  report.limit = Limit::breaker;
  report.needed = most_w;
  report.possible = session.home.limit_w;
  return Error::infeasible;
}

std::size_t session_words(std::size_t part_words, std::size_t count, const Grid& grid) {
  return part_words + grid.slots + words_of((count + 6) * grid.slots);
}

}  // namespace

std::size_t home_workspace_words(const Home& home, const Grid& grid) {
  return session_words(device_words(home, grid), home.devices.size(), grid);
}

Error solve_home(const Home& home, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                 WorkspaceView workspace, std::span<std::int32_t> total_w, std::span<std::int32_t> profiles_w,
                 Report& report, std::uint32_t& device_index, bool is_certified) {
  report = Report{};
  device_index = 0;
  if (home.devices.empty() || home.devices.size() > home_device_count_max) return Error::too_large;
  if (home.limit_w < 0 || home.limit_w > power_w_max) return Error::out_of_range;
  if (cost.own_scale.linear_bits > 16 || cost.own_scale.shift > 63) return Error::out_of_range;
  for (const Device& device : home.devices) {
    if (device.kind == DeviceKind::banded || device.kind == DeviceKind::home) return Error::unknown_kind;
    WATTPROOF_TRY(feasible_single(device, grid, report));
    ++device_index;
  }
  if (total_w.size() != grid.slots || profiles_w.size() != grid.slots * home.devices.size()) return Error::wrong_length;
  if (workspace.size() < home_workspace_words(home, grid)) return Error::workspace_too_small;
  Wish wish;
  WATTPROOF_TRY(Wish::make(Device{}, grid, target_w, cost, wish));
  const std::size_t inner = device_words(home, grid);
  std::int32_t* numbers = reinterpret_cast<std::int32_t*>(workspace.data() + inner + grid.slots);
  const auto take = [&numbers](std::size_t size) {
    const std::span<std::int32_t> taken(numbers, size);
    numbers += size;
    return taken;
  };
  const std::size_t slots = grid.slots;
  HomeSession session{.home = home, .grid = grid, .wish = wish, .cost = cost, .target_w = target_w,
                  .inner = workspace.first(inner),
                  .prices = {reinterpret_cast<std::int64_t*>(workspace.data() + inner), slots},
                  .duals = take(slots * home.devices.size()), .z = take(slots), .u = take(slots), .wish_w = take(slots),
                  .low_w = take(slots), .high_w = take(slots), .scratch_w = take(slots), .total_w = total_w,
                  .profiles_w = profiles_w};
  WATTPROOF_TRY(negotiate(session, device_index));
  WATTPROOF_TRY(polish(session));
  bool has_moved = false;
  WATTPROOF_TRY(find_room(session, has_moved));
  if (has_moved) WATTPROOF_TRY(polish(session));
  WATTPROOF_TRY(check_breaker(session, report));
  if (!is_certified) return Error::none;
  return certify(session, report);
}

namespace {

std::span<std::int32_t> part_profiles(const Device& device, const Grid& grid, WorkspaceView workspace) {
  const std::size_t words = home_workspace_words(home_of(device), grid);
  return {reinterpret_cast<std::int32_t*>(workspace.data() + words), std::size_t{device.part_count} * grid.slots};
}

}  // namespace

Error validate_home(const Device& device, const Grid& grid) {
  if (device.part_count < 1 || device.part_count > home_device_count_max) return Error::too_large;
  if (device.limit_w < 0 || device.limit_w > power_w_max) return Error::out_of_range;
  for (std::uint32_t i = 0; i < device.part_count; ++i) {
    const Device& part = device.parts[i];
    if (part.kind == DeviceKind::home || part.kind == DeviceKind::banded) return Error::unknown_kind;
    WATTPROOF_TRY(validate_single(part, grid));
  }
  return Error::none;
}

std::size_t home_device_words(std::size_t part_words, std::size_t count, const Grid& grid) {
  const std::size_t least = workspace_words(grid.slots);
  return session_words(part_words < least ? least : part_words, count, grid) + words_of(count * grid.slots);
}

std::size_t home_device_words(const Device& device, const Grid& grid) {
  return home_device_words(device_words(home_of(device), grid), device.part_count, grid);
}

std::span<const std::int32_t> part_profile(const Device& device, const Grid& grid, WorkspaceView workspace, std::uint32_t part) {
  return part_profiles(device, grid, workspace).subspan(std::size_t{part} * grid.slots, grid.slots);
}

Error feasible_home(const Device& device, const Grid& grid, Report& report) {
  for (std::uint32_t i = 0; i < device.part_count; ++i) WATTPROOF_TRY(feasible_single(device.parts[i], grid, report));
  return Error::none;
}

Error solve_home_device(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                        WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report, bool is_certified) {
  report = Report{};
  WATTPROOF_TRY(validate_home(device, grid));
  if (workspace.size() < home_device_words(device, grid)) return Error::workspace_too_small;
  std::uint32_t at_fault = 0;
  return solve_home(home_of(device), grid, target_w, cost, workspace.first(home_workspace_words(home_of(device), grid)),
                    profile_w, part_profiles(device, grid, workspace), report, at_fault, is_certified);
}

}  // namespace wattproof::solver
