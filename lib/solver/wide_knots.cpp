// SPDX-License-Identifier: Apache-2.0
#include "solver/wide_knots.hpp"

#include "base/check.hpp"
#include "base/math.hpp"

namespace wattproof::solver {

std::int64_t wide_floor_div(std::int64_t a, std::int64_t b) { return floor_div(a, b); }
std::int64_t wide_round_div(std::int64_t a, std::int64_t b) { return round_div(a, b); }

std::int64_t wide_scale(std::int64_t value, std::int32_t numerator, std::int32_t denominator) {
  return wide_floor_div(value * numerator, denominator);
}

std::int64_t within(const EnergyLimits& limits, std::int64_t value) {
  if (value < limits.low) return limits.low;
  return value > limits.high ? limits.high : value;
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
  if (to < first_) {
    for (std::int32_t i = 0; i < count; ++i) to[i] = first_[i];
  } else {
    for (std::int32_t i = count; i > 0; --i) to[i - 1] = first_[i - 1];
  }
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

std::int64_t WideKnots::clip_low(std::uint64_t need) {
  std::int64_t slope = 0;
  for (WideKnot* knot = first_;; ++knot) {
    WATTPROOF_CHECK(knot < last_);
    slope += knot->rise;
    if (slope <= 0) continue;
    const std::uint64_t rate = static_cast<std::uint64_t>(slope);
    if (knot + 1 < last_) {
      const std::uint64_t rise = rate * static_cast<std::uint64_t>(knot[1].at - knot->at);
      if (rise < need) {
        need -= rise;
        continue;
      }
    }
    const std::uint64_t steps = need / rate;
    const std::int64_t rest = static_cast<std::int64_t>(need - steps * rate);
    const std::int64_t at = knot->at + static_cast<std::int64_t>(steps);
    first_ = knot;
    if (rest == 0) {
      *first_ = {at, slope};
    } else {
      if (knot + 1 < last_ && knot[1].at == at + 1) {
        knot[1].rise += rest;
      } else {
        *knot = {at + 1, rest};
        --first_;
      }
      *first_ = {at, slope - rest};
    }
    return at;
  }
}

std::int64_t WideKnots::clip_high(std::uint64_t need) {
  std::int64_t slope = 0;
  for (WideKnot* knot = last_ - 1;; --knot) {
    WATTPROOF_CHECK(knot >= first_);
    slope -= knot->rise;
    if (slope <= 0) continue;
    const std::uint64_t rate = static_cast<std::uint64_t>(slope);
    if (knot > first_) {
      const std::uint64_t rise = rate * static_cast<std::uint64_t>(knot->at - knot[-1].at);
      if (rise < need) {
        need -= rise;
        continue;
      }
    }
    const std::uint64_t steps = need / rate;
    const std::int64_t rest = static_cast<std::int64_t>(need - steps * rate);
    const std::int64_t at = knot->at - static_cast<std::int64_t>(steps);
    last_ = knot + 1;
    if (rest == 0) {
      *knot = {at, -slope};
    } else {
      if (knot > first_ && knot[-1].at == at - 1) {
        knot[-1].rise -= rest;
      } else {
        *knot = {at - 1, -rest};
        ++last_;
      }
      last_[-1] = {at, rest - slope};
    }
    return at;
  }
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
