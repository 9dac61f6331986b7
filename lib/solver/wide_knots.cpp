// SPDX-License-Identifier: Apache-2.0
#include "solver/wide_knots.hpp"

#include <cstddef>
#include <cstring>

#include "base/check.hpp"
#include "base/math.hpp"

namespace wattproof::solver {

std::int64_t wide_floor_div(std::int64_t a, std::int64_t b) { return floor_div(a, b); }
std::int64_t wide_round_div(std::int64_t a, std::int64_t b) { return wide_floor_div(a + (b >> 1), b); }

std::int64_t wide_scale(std::int64_t value, std::int32_t numerator, std::int32_t denominator) {
  return wide_floor_div(value * numerator, denominator);
}

std::int64_t within(const EnergyLimits& limits, std::int64_t value) {
  if (value < limits.low) return limits.low;
  return value > limits.high ? limits.high : value;
}

bool contains(const EnergyLimits& limits, std::int64_t value) { return within(limits, value) == value; }

std::int64_t limited(std::int64_t value, std::uint32_t bits) {
  const std::int64_t limit = std::int64_t{1} << bits;
  return within({-limit, limit}, value);
}

std::int32_t saturate(std::int64_t value) {
  return static_cast<std::int32_t>(within({price_low, price_high}, value));
}

WideKnots::WideKnots(WideKnot* begin, std::uint32_t capacity)
    : begin_(begin), end_(begin + capacity), first_(begin + capacity / 2), last_(first_) {}

bool WideKnots::make_room() {
  if (first_ - begin_ >= 4 && end_ - last_ >= 4) return false;
  const bool is_full = is_crowded();
  for (std::int64_t distance = 1; is_crowded() && distance < wide_price_limit; distance *= 4) compact(distance);
  const std::int32_t count = static_cast<std::int32_t>(last_ - first_);
  WideKnot* const to = begin_ + (end_ - begin_ - count) / 2;
  WATTPROOF_CHECK(to - begin_ >= 4);
  std::memmove(to, first_, static_cast<std::uint32_t>(count) * sizeof(WideKnot));
  first_ = to;
  last_ = to + count;
  return is_full;
}

// Joins neighbours that bend the same way: the two halves of a clip that fell between grid prices.
void WideKnots::compact(std::int64_t distance) {
  WideKnot* to = first_;
  for (WideKnot* from = first_ + 1; from < last_; ++from) {
    if (from->at - to->at <= distance && (from->rise < 0) == (to->rise < 0)) {
      to->rise += from->rise;
    } else {
      *++to = *from;
    }
  }
  if (first_ < last_) last_ = to + 1;
}

void WideKnots::insert(std::int64_t at, std::int64_t rise) {
  if (rise > 0) {
    WideKnot* hole = --first_;
    while (hole + 1 < last_ && hole[1].at <= at) {
      hole[0] = hole[1];
      ++hole;
    }
    *hole = {at, rise};
  } else {
    WideKnot* hole = last_++;
    while (hole > first_ && hole[-1].at > at) {
      hole[0] = hole[-1];
      --hole;
    }
    *hole = {at, rise};
  }
}

// Written for the low end, side 1; the high end, side -1, is its mirror image.
std::int64_t WideKnots::clip(std::uint64_t need, std::int32_t side) {
  WideKnot* knot = side > 0 ? first_ : last_ - 1;
  std::int64_t slope = 0;
  std::ptrdiff_t left = last_ - first_;
  for (;; knot += side, --left) {
    WATTPROOF_CHECK(left > 0);
    slope += side * knot->rise;
    if (slope <= 0) continue;
    if (left == 1) break;
    const std::uint64_t rise = static_cast<std::uint64_t>(slope) * static_cast<std::uint64_t>(side * (knot[side].at - knot->at));
    if (rise >= need) break;
    need -= rise;
  }
  const std::uint64_t steps = need / static_cast<std::uint64_t>(slope);
  const std::int64_t rest = static_cast<std::int64_t>(need - steps * static_cast<std::uint64_t>(slope));
  const std::int64_t at = knot->at + side * static_cast<std::int64_t>(steps);
  if (rest != 0) {
    slope -= rest;
    if (left > 1 && knot[side].at == at + side) {
      knot[side].rise += side * rest;
    } else {
      *knot = {at + side, side * rest};
      knot -= side;
    }
  }
  *knot = {at, side * slope};
  (side > 0 ? first_ : last_) = side > 0 ? knot : knot + 1;
  return at;
}

void WideKnots::rescale() {
  // Slopes are rounded down, not their changes, so that the function stays flat at both ends and no value grows.
  std::int64_t slope = 0;
  std::int64_t before = 0;
  for (WideKnot* knot = first_; knot < last_; ++knot) {
    slope += knot->rise;
    const std::int64_t rounded = slope >> 2;
    knot->rise = rounded - before;
    before = rounded;
    knot->at = clamp(knot->at, -wide_price_limit / 2, wide_price_limit / 2) * 2;
  }
}

std::int64_t WideKnots::span() const {
  std::int64_t slope = 0;
  std::int64_t sum = 0;
  for (const WideKnot* knot = first_; knot + 1 < last_; ++knot) {
    slope += knot->rise;
    sum += slope * (knot[1].at - knot->at);
  }
  return sum;
}

}  // namespace wattproof::solver
