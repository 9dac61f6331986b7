// SPDX-License-Identifier: Apache-2.0
#include "base/math.hpp"
#include "solver/home_session.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

// By how much the breaker is passed by what of low..high passes it least.
std::int64_t over(const HomeSession& session, std::int64_t low_w, std::int64_t high_w) {
  const std::int64_t limit = session.home.limit_w - session.reserve_w;
  if (low_w > limit) return low_w - limit;
  return high_w < -limit ? -limit - high_w : 0;
}

std::int64_t over(const HomeSession& session, std::int64_t power_w) { return over(session, power_w, power_w); }

// Sum of the squares by which the total would pass the breaker with another profile of device i; 16 devices fit 63 bits.
std::int64_t overload_with(const HomeSession& session, std::uint32_t i, std::span<const std::int32_t> instead) {
  std::int64_t sum = 0;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    const std::int64_t size = over(session, std::int64_t{session.total_w[t]} - session.profile(i)[t] + instead[t]);
    sum += size * size;
  }
  return sum;
}

void put(HomeSession& session, std::uint32_t i, std::span<const std::int32_t> instead) {
  const std::span<std::int32_t> profile = session.profile(i);
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    session.total_w[t] += instead[t] - profile[t];
    profile[t] = instead[t];
  }
}

bool is_one_run(const Device& device) {
  return device.kind == DeviceKind::appliance && device.runs == 1 && !device.interruptible;
}

// One whole run from `start` on, in scratch_w.
void write_run(HomeSession& session, const Device& device, std::uint32_t start) {
  for (std::int32_t& power_w : session.scratch_w) power_w = 0;
  for (std::uint32_t k = 0; k < device.profile_w.size(); ++k) session.scratch_w[start + k] = device.profile_w[k];
}

std::uint32_t last_start(const HomeSession& session, const Device& device) {
  return end_slot(device, session.grid) - static_cast<std::uint32_t>(device.profile_w.size());
}

// The start of one whole run at which the least is over, in scratch_w.
void place_run(HomeSession& session, std::uint32_t i) {
  const Device& device = session.home.devices[i];
  std::int64_t least = -1;
  std::uint32_t best = device.start_slot;
  for (std::uint32_t start = device.start_slot; start <= last_start(session, device); ++start) {
    write_run(session, device, start);
    const std::int64_t overload = overload_with(session, i, session.scratch_w);
    if (least >= 0 && overload >= least) continue;
    least = overload;
    best = start;
  }
  write_run(session, device, best);
}

// The power of a device that chooses a pattern that is furthest from 0.
std::int32_t largest_power(const Device& device) {
  if (device.kind == DeviceKind::switched) return device.power_w;
  std::int32_t power_w = 0;
  for (const std::int32_t step_w : device.profile_w) {
    if ((step_w < 0 ? -step_w : step_w) > (power_w < 0 ? -power_w : power_w)) power_w = step_w;
  }
  return power_w;
}

// Which powers a device may have in a slot, as far as slots alone tell.
void powers_in(const Device& device, const Grid& grid, std::uint32_t t, std::int32_t& low_w, std::int32_t& high_w) {
  low_w = high_w = 0;
  const bool is_pattern = chooses_pattern(device);
  if ((is_pattern || device.kind == DeviceKind::shapeable) && (t < device.start_slot || t >= end_slot(device, grid))) return;
  if (is_pattern) {
    const std::int32_t power_w = largest_power(device);
    (power_w < 0 ? low_w : high_w) = power_w;
  } else {
    low_w = device.power_min_w.at(t);
    high_w = device.power_max_w.at(t);
  }
}

// A wish that makes a slot as dear as the overload that the device's largest power would bring there. Alone by its square, as overloads
// are compared; with a partner, that may do anything between its limits, by itself, so that no watt of it is lost in a division.
void wish_for_room(HomeSession& session, std::uint32_t i, std::uint32_t partner) {
  const std::int64_t power = largest_power(session.home.devices[i]);
  const std::int64_t size = power < 0 ? -power : power;
  const std::int64_t limit = power_limit_w(session.slots()) >> 4;
  for (std::uint32_t t = 0; t < session.slots(); ++t) {
    std::int64_t others = std::int64_t{session.total_w[t]} - session.profile(i)[t];
    std::int32_t low_w = 0;
    std::int32_t high_w = 0;
    if (partner != i) {
      others -= session.profile(partner)[t];
      powers_in(session.home.devices[partner], session.grid, t, low_w, high_w);
    }
    const std::int64_t with = over(session, others + power + low_w, others + power + high_w);
    const std::int64_t without = over(session, others + low_w, others + high_w);
    std::int64_t wish = without - with;
    if (partner == i) wish = size == 0 ? 0 : wide_floor_div(without * without - with * with, 2 * size);
    session.wish_w[t] = static_cast<std::int32_t>(clamp(power < 0 ? -wish : wish, -limit, limit));
  }
}

// What device i would do to pass the breaker least, in scratch_w; one that chooses a pattern, with what `partner` can do about it.
Error respond(HomeSession& session, std::uint32_t i, std::uint32_t partner) {
  Device device = session.home.devices[i];
  if (is_one_run(device)) {
    place_run(session, i);
    return Error::none;
  }
  if (chooses_pattern(device)) {
    wish_for_room(session, i, partner);
  } else {
    const std::span<std::int32_t> profile = session.profile(i);
    for (std::uint32_t t = 0; t < session.slots(); ++t) {
      const std::int32_t others = session.total_w[t] - profile[t];
      const std::int32_t limit_w = session.home.limit_w - session.reserve_w;
      session.wish_w[t] = clamp(profile[t], -limit_w - others, limit_w - others);
    }
  }
  device.cost_linear = 0;
  device.cost_quadratic = 0;
  Report report;
  return optimise_single(device, session.grid, session.wish_w, {}, session.inner, session.scratch_w, report);
}

// One device after another moves to where it passes the breaker least. True if any did.
Error make_room(HomeSession& session, bool& moved) {
  moved = false;
  for (std::uint32_t i = 0; i < session.count(); ++i) {
    if (session.home.devices[i].kind == DeviceKind::fixed) continue;
    const std::int64_t before = overload_with(session, i, session.profile(i));
    if (before == 0) return Error::none;
    WATTPROOF_TRY(respond(session, i, i));
    if (overload_with(session, i, session.scratch_w) >= before) continue;
    put(session, i, session.scratch_w);
    moved = true;
  }
  return Error::none;
}

// Device j's best answer to what device i has just done. True, and put, if less than `before` is left.
Error answer(HomeSession& session, std::uint32_t i, std::uint32_t j, std::int64_t before, bool& moved) {
  if (j == i || session.home.devices[j].kind == DeviceKind::fixed) return Error::none;
  WATTPROOF_TRY(respond(session, j, j));
  moved = overload_with(session, j, session.scratch_w) < before;
  if (moved) put(session, j, session.scratch_w);
  return Error::none;
}

// Every start of a run, with the best answer of one other device.
Error try_starts(HomeSession& session, std::uint32_t i, std::int64_t before, bool& moved) {
  const Device& device = session.home.devices[i];
  for (std::uint32_t start = device.start_slot; !moved && start <= last_start(session, device); ++start) {
    write_run(session, device, start);
    put(session, i, session.scratch_w);
    for (std::uint32_t j = 0; !moved && j < session.count(); ++j) WATTPROOF_TRY(answer(session, i, j, before, moved));
  }
  return Error::none;
}

// Of a device with more patterns than can be tried, for each other device the one that asks least of both.
Error try_partners(HomeSession& session, std::uint32_t i, std::int64_t before, bool& moved) {
  for (std::uint32_t j = 0; !moved && j < session.count(); ++j) {
    if (j == i || session.home.devices[j].kind == DeviceKind::fixed) continue;
    WATTPROOF_TRY(respond(session, i, j));
    put(session, i, session.scratch_w);
    WATTPROOF_TRY(answer(session, i, j, before, moved));
  }
  return Error::none;
}

// Where no device alone can do better.
Error make_room_together(HomeSession& session, bool& moved) {
  moved = false;
  for (std::uint32_t i = 0; i < session.count(); ++i) {
    const Device& device = session.home.devices[i];
    if (!chooses_pattern(device) || device.kind == DeviceKind::fixed) continue;
    const std::int64_t before = overload_with(session, i, session.profile(i));
    if (before == 0) return Error::none;
    const std::span<std::int32_t> kept = session.low_w;
    for (std::uint32_t t = 0; t < session.slots(); ++t) kept[t] = session.profile(i)[t];
    WATTPROOF_TRY(is_one_run(device) ? try_starts(session, i, before, moved) : try_partners(session, i, before, moved));
    if (moved) return Error::none;
    put(session, i, kept);
  }
  return Error::none;
}

}  // namespace

std::int64_t excess_of(const HomeSession& session) {
  std::int64_t excess = 0;
  for (const std::int32_t power_w : session.total_w) {
    const std::int64_t size = power_w < 0 ? -std::int64_t{power_w} : power_w;
    if (size > session.home.limit_w) excess += size - session.home.limit_w;
  }
  return excess;
}

// Whole watts can get stuck a watt or two above the breaker; aiming lower then frees them.
Error find_room(HomeSession& session, bool& has_moved) {
  has_moved = excess_of(session) != 0;
  if (!has_moved) return Error::none;
  const std::int32_t count = static_cast<std::int32_t>(session.count());
  const std::int32_t reserves_w[] = {0, count, 4 * count};
  for (const std::int32_t reserve_w : reserves_w) {
    session.reserve_w = reserve_w < session.home.limit_w ? reserve_w : session.home.limit_w;
    bool moved = true;
    for (std::uint32_t pass = 0; moved && pass < home_room_max; ++pass) {
      WATTPROOF_TRY(make_room(session, moved));
      if (excess_of(session) == 0) return Error::none;
      if (!moved) WATTPROOF_TRY(make_room_together(session, moved));
    }
  }
  return Error::none;
}

}  // namespace wattproof::solver
