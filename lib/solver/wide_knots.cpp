// SPDX-License-Identifier: Apache-2.0
#include "solver/wide_knots.hpp"

#include <cstddef>
#include <cstring>

#include "base/check.hpp"
#include "base/math.hpp"
#include "solver/divisor.hpp"

namespace wattproof::solver {

std::int64_t wide_floor_div(std::int64_t a, std::int64_t b) { return floor_div(a, b); }

std::int64_t wide_scale(std::int64_t value, std::int32_t numerator, std::int32_t denominator) {
  return wide_floor_div(value * numerator, denominator);
}

#ifdef __OPTIMIZE_SIZE__
std::int64_t within(const EnergyLimits& limits, std::int64_t value) { return inlined::within(limits, value); }
bool contains(const EnergyLimits& limits, std::int64_t value) { return inlined::contains(limits, value); }
std::int64_t limited(std::int64_t value, std::uint32_t bits) {
  const std::int64_t limit = std::int64_t{1} << bits;
  return within({-limit, limit}, value);
}
std::int32_t saturate(std::int64_t value) { return inlined::saturate(value); }
#endif

WideKnots::WideKnots(WideKnot* begin, std::uint32_t capacity)
    : begin_(begin), end_(begin + capacity), first_(begin + capacity / 2), last_(first_) {}

bool WideKnots::move_to_middle() {
  bool is_full = false;
  std::ptrdiff_t count = last_ - first_;
  for (std::uint64_t distance = 1; end_ - begin_ - count < static_cast<std::ptrdiff_t>(wide_knot_slack); distance *= 4) {
    WATTPROOF_CHECK(distance >> 34 == 0);
    compact(distance);
    count = last_ - first_;
    is_full = true;
  }
  WideKnot* const to = begin_ + (end_ - begin_ - count) / 2;
  std::memmove(to, first_, static_cast<std::size_t>(count) * sizeof(WideKnot));
  first_ = to;
  last_ = to + count;
  return is_full;
}

// Joins neighbours that bend the same way: the two halves of a clip that fell between grid prices.
void WideKnots::compact(std::uint64_t distance) {
  WideKnot* to = first_;
  for (WideKnot* from = first_ + 1; from < last_; ++from) {
    const std::uint32_t apart = static_cast<std::uint32_t>(from->at) - static_cast<std::uint32_t>(to->at);
    if (apart <= distance && (from->rise ^ to->rise) >= 0) {
      to->rise += from->rise;
    } else {
      *++to = *from;
    }
  }
  if (first_ < last_) last_ = to + 1;
}

// From the end that is nearer: each search ends in the middle at the latest, so neither looks for the end of the array.
void WideKnots::insert(std::int32_t at, std::int64_t rise) {
  const WideKnot* const middle = first_ + (last_ - first_) / 2;
  WideKnot* hole = last_;
  if (first_ == last_ || at >= middle->at) {
    if (first_ != last_) {
      for (; hole[-1].at > at; --hole) hole[0] = hole[-1];
    }
    ++last_;
  } else {
    hole = --first_;
    for (; hole[1].at <= at; ++hole) hole[0] = hole[1];
  }
  *hole = {at, rise};
}

// Written for the low end, side 1; the high end, side -1, is its mirror image.
WATTPROOF_INLINE_FOR_SPEED
std::int32_t WideKnots::clip_end(std::uint64_t need, std::int32_t side) {
  WideKnot* knot = side > 0 ? first_ : last_ - 1;
  const WideKnot* const end = side > 0 ? last_ - 1 : first_;
  std::int64_t slope = 0;
  for (;; knot += side) {
    slope += side * knot->rise;
    if (knot == end) break;
    if (slope <= 0) continue;
    const std::uint32_t width = static_cast<std::uint32_t>(side) *
                                (static_cast<std::uint32_t>(knot[side].at) - static_cast<std::uint32_t>(knot->at));
    const std::uint64_t rise = static_cast<std::uint64_t>(slope) * width;
    if (rise >= need) break;
    need -= rise;
  }
  WATTPROOF_CHECK(slope > 0);
  std::uint32_t steps = 0;
  const std::uint64_t size = static_cast<std::uint64_t>(slope);
  if (is_for_size || need >= size) {
    steps = !is_for_size && size >> 32 == 0 ? narrow_quotient(need, static_cast<std::uint32_t>(size)) : static_cast<std::uint32_t>(need / size);
  }
  const std::int64_t rest = static_cast<std::int64_t>(need - steps * size);
  const std::int32_t at = static_cast<std::int32_t>(static_cast<std::uint32_t>(knot->at) + static_cast<std::uint32_t>(side) * steps);
  if (rest != 0) {
    slope -= rest;
    if (knot != end && knot[side].at == at + side) {
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

std::int32_t WideKnots::clip(std::uint64_t need, std::int32_t side) {
  return is_for_size ? clip_end(need, side) : side > 0 ? clip_end(need, 1) : clip_end(need, -1);
}

void WideKnots::rescale(std::int64_t& below, std::int64_t& beyond) {
  // Slopes are rounded down, not their changes, so that the function stays flat at both ends and no value grows.
  std::int64_t slope = 0;
  std::int64_t before = 0;
  for (WideKnot* knot = first_; knot < last_; ++knot) {
    slope += knot->rise;
    const std::int64_t rounded = slope >> 2;
    const std::int64_t rise = rounded - before;
    before = rounded;
    knot->rise = rise;
    knot->at = kept_price(std::int64_t{knot->at} * 2, rise, below, beyond);
  }
}

std::int32_t far_price(std::int64_t at, std::int64_t rise, std::int64_t& below, std::int64_t& beyond) {
  const std::int32_t kept = saturate(at);
  std::int64_t& far = at < kept ? below : beyond;
  // The two knots of a jump pass 63 bits in opposite directions; only their sum counts.
  far = static_cast<std::int64_t>(static_cast<std::uint64_t>(far) - static_cast<std::uint64_t>(rise) * static_cast<std::uint64_t>(at - kept));
  return kept;
}

std::int64_t WideKnots::span() const {
  std::int64_t slope = 0;
  std::int64_t sum = 0;
  for (const WideKnot* knot = first_; knot + 1 < last_; ++knot) {
    slope += knot->rise;
    sum += slope * (std::int64_t{knot[1].at} - knot->at);
  }
  return sum;
}

}  // namespace wattproof::solver
