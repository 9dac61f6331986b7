// SPDX-License-Identifier: Apache-2.0
// All quadratic and linear costs of a slot in one form: J_t = curvature x^2 - 2 numerator_t x + constant, so that
// numerator / curvature is the power that the device would choose without limits. Internal to solver/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "base/math.hpp"
#include "solver/for_size.hpp"
#include "solver/solve.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

// Guard bits of a problem of `slots` slots: the smallest F with 2^F >= 2 slots, and at least 6. Then grid error
// over all slots stays below half a watt, and rounding the cumulated energy can break no limit.
WATTPROOF_ONCE_FOR_SIZE constexpr std::uint32_t guard_bits(std::uint32_t slots) {
  std::uint32_t bits = 6;
  while (std::uint32_t{1} << bits < 2 * slots) ++bits;
  return bits;
}

// Largest |power| and |target| in W that the solvers take. On the grid they stay below 2^29, their differences, which are
// prices, below 2^30 (a target may also be -limit - 1), and differences of prices, which are multipliers, below 2^31.
constexpr std::int32_t power_limit_w(std::uint32_t slots) { return (std::int32_t{1} << (29 - guard_bits(slots))) - 1; }

// Whether `size` numbers of 32 bits, signed or not, are all one of low..low + span.
bool are_within(const void* values, std::size_t size, std::int32_t low, std::uint32_t span);

// |value| <= limit for limit >= 0.
bool is_wide_within(std::int64_t value, std::int64_t limit);

// A device's own costs in the unit of the weights, and the device with these.
inline std::int64_t scaled_linear(const Device& device, const OwnScale& scale) {
  return (device.cost_linear * (std::int64_t{1} << scale.linear_bits)) >> scale.shift;
}
inline std::int64_t scaled_quadratic(const Device& device, const OwnScale& scale) {
  return std::int64_t{device.cost_quadratic} >> scale.shift;
}
inline Device with_scaled_cost(const Device& device, const OwnScale& scale) {
  Device scaled = device;
  scaled.cost_linear = scaled_linear(device, scale);
  scaled.cost_quadratic = static_cast<std::int32_t>(scaled_quadratic(device, scale));
  return scaled;
}

class Wish {
 public:
  // Checks every span and range; `device` adds its own cost. The wish refers to the targets and to `cost`.
  //   wrong_length, out_of_range  as for solve()
  static Error make(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                    Wish& wish) {
    wish.target_w_ = target_w.data();
    wish.cost_ = &cost;
    return wish.fill(device, grid, target_w.size());
  }

  // weight * target - price + ...; |numerator| <= curvature * power_limit_w.
  std::int64_t numerator(std::uint32_t slot) const { return !is_for_size && plain_ ? target_w_[slot] : weighted(slot); }
  std::int64_t curvature() const { return curvature_; }

  // The targets if they are the wishes, else null.
  const std::int32_t* plain_target_w() const { return plain_ ? target_w_ : nullptr; }

  // True if the numerator is the target and the curvature is 1, the case of a scheduling round.
  bool plain() const { return plain_; }

  // Whether the numerator of each of the day's slots is within +-limit.
  bool is_within(std::uint32_t slots, std::int64_t limit) const;

  std::uint32_t guard_bits() const { return guard_bits_; }       // of the day's slots
  std::int32_t power_limit_w() const { return (std::int32_t{1} << (29 - guard_bits_)) - 1; }

  // numerator / curvature in 2^-bits W, rounded to nearest, halves up.
  std::int32_t at(std::uint32_t slot, std::uint32_t bits) const {
    if (!is_for_size && plain_) return static_cast<std::int32_t>(target_w_[slot] * (std::int32_t{1} << bits));
    return static_cast<std::int32_t>(divided(slot, bits));
  }

  // The same in 2^-10 W, for the 64-bit solvers.
  std::int64_t wide_at(std::uint32_t slot) const {
    if (!is_for_size && plain_) return std::int64_t{target_w_[slot]} * (1 << wide_price_bits);
    return divided(slot, wide_price_bits);
  }

 private:
  // The rest of what make() does.
  Error fill(const Device& device, const Grid& grid, std::size_t target_count);

  // Whether the numbers of each slot are in range.
  bool fits(std::uint32_t slots) const;

  std::int64_t weighted(std::uint32_t slot) const;
  std::int64_t divided(std::uint32_t slot, std::uint32_t bits) const;

  // make() sets them all. First what a Thumb instruction reaches only near the front.
  bool plain_;
  const std::int32_t* target_w_;
  const Cost* cost_;
  std::uint32_t curvature_;
  std::int64_t linear_;
  std::uint32_t guard_bits_;
};

// One problem, as the solvers of the kinds get it. They fill profile_w, and of the report the certificate.
struct Task {
  const Device& device;
  const Grid& grid;
  const Wish& wish;
  WorkspaceView workspace;
  std::span<std::int32_t> profile_w;
  Report& report;
};

}  // namespace wattproof::solver
