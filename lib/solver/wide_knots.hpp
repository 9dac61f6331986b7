// SPDX-License-Identifier: Apache-2.0
// A nondecreasing piecewise linear function with 64-bit knots, for slots whose slopes are not 1: leak, losses, and
// energies beyond the 31 bits of clip_dp. Prices are in 2^-10 W; the user chooses the unit of slopes, and values are in
// the product of the two units.
// Internal to solver/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "solver/for_size.hpp"

namespace wattproof::solver {

constexpr std::uint32_t wide_price_bits = 10;
constexpr std::int64_t wide_energy_limit = std::int64_t{1} << 27;    // W x slot

// floor_div of base/math.hpp, compiled once: on a CPU without 64-bit division each inlined copy costs dozens of bytes;
// and round_div.
std::int64_t wide_floor_div(std::int64_t a, std::int64_t b);
inline std::int64_t wide_round_div(std::int64_t a, std::int64_t b) { return wide_floor_div(a + (b >> 1), b); }

// floor(value numerator / denominator), for a product within 63 bits.
std::int64_t wide_scale(std::int64_t value, std::int32_t numerator, std::int32_t denominator);

// Both ends included.
struct EnergyLimits {
  std::int64_t low;
  std::int64_t high;
};

// The nearest price of 32 bits; its two ends stand for no price at all.
constexpr std::int32_t price_low = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t price_high = std::numeric_limits<std::int32_t>::max();

namespace inlined {

constexpr std::int64_t within(const EnergyLimits& limits, std::int64_t value) {
  if (value < limits.low) return limits.low;
  return value > limits.high ? limits.high : value;
}
constexpr bool contains(const EnergyLimits& limits, std::int64_t value) { return limits.low <= value && value <= limits.high; }
constexpr std::int64_t limited(std::int64_t value, std::uint32_t bits) {
  const std::int64_t limit = std::int64_t{1} << bits;
  if (static_cast<std::uint64_t>(value) + static_cast<std::uint64_t>(limit) <= 2 * static_cast<std::uint64_t>(limit)) return value;
  return value < 0 ? -limit : limit;
}
constexpr std::int32_t saturate(std::int64_t value) {
  const std::int32_t kept = static_cast<std::int32_t>(value);
  if (kept == value) return kept;
  return value < 0 ? price_low : price_high;
}

}  // namespace inlined

// Compiled for size, each of these is one function for all.
#ifdef __OPTIMIZE_SIZE__
std::int64_t within(const EnergyLimits& limits, std::int64_t value);
bool contains(const EnergyLimits& limits, std::int64_t value);
std::int64_t limited(std::int64_t value, std::uint32_t bits);  // within +-2^bits
std::int32_t saturate(std::int64_t value);
#else
using inlined::contains;
using inlined::limited;
using inlined::saturate;
using inlined::within;
#endif

// At price `at` the slope rises by `rise`. Packed, or a third of it would be padding that every insertion moves.
struct [[gnu::packed, gnu::aligned(4)]] WideKnot {
  std::int32_t at;
  std::int64_t rise;
};

// The nearest price of 32 bits to that of a knot. The part of the function at prices below or beyond them is added to those.
std::int32_t far_price(std::int64_t at, std::int64_t rise, std::int64_t& below, std::int64_t& beyond);
inline std::int32_t kept_price(std::int64_t at, std::int64_t rise, std::int64_t& below, std::int64_t& beyond) {
  const std::int32_t kept = static_cast<std::int32_t>(at);
  return !is_for_size && kept == at ? kept : far_price(at, rise, below, beyond);
}

// Places for knots beyond those that may be in use: what a slot adds may all go to one end.
constexpr std::uint32_t wide_knot_slack = 10;

class WideKnots {
 public:
  // `capacity` of at least the knots that all slots insert, plus wide_knot_slack.
  WideKnots(WideKnot* begin, std::uint32_t capacity);

  // Makes room for five knots at each end; to be called once for each slot. Clips may leave more knots than were
  // inserted; then the closest become one. True if that happened, and the span has changed with it.
  bool make_room() { return (first_ - begin_ < 5 || end_ - last_ < 5) && move_to_middle(); }

  // Up to four a slot.
  void insert(std::int32_t at, std::int64_t rise);

  // Cuts off the lowest (side 1) or the highest (side -1) `need` > 0 of the function. Returns the last grid price, from that
  // side, at which all of it is cut.
  std::int32_t clip(std::uint64_t need, std::int32_t side);

  // Cuts off all of it.
  void clear() { last_ = first_; }

  // Prices doubled, slopes a quarter: the unit of a leaking store has moved, and values are halved. The span changes
  // by rounding, and by what now lies at prices beyond 32 bits, which is added to `below` and `beyond`.
  void rescale(std::int64_t& below, std::int64_t& beyond);

  // By how much the function rises from its left end to its right end.
  std::int64_t span() const;

 private:
  bool move_to_middle();
  void compact(std::uint64_t distance);
  std::int32_t clip_end(std::uint64_t need, std::int32_t side);

  WideKnot* begin_;
  WideKnot* end_;
  WideKnot* first_;
  WideKnot* last_;
};

}  // namespace wattproof::solver
