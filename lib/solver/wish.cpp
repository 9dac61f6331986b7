// SPDX-License-Identifier: Apache-2.0
#include "solver/wish.hpp"

#include <cstring>

#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::int64_t price_max = std::int64_t{1} << 50;

// An optional array: none, or one entry per slot.
template <class T>
bool is_absent_or_whole(std::span<const T> values, const Grid& grid) {
  return values.empty() || values.size() == grid.slots;
}

}  // namespace

WATTPROOF_ONCE_FOR_SIZE bool are_within(const void* values, std::size_t size, std::int32_t low, std::uint32_t span) {
  const unsigned char* value = static_cast<const unsigned char*>(values);
  for (; size > 0; --size, value += sizeof(std::uint32_t)) {
    std::uint32_t number = 0;
    std::memcpy(&number, __builtin_assume_aligned(value, alignof(std::uint32_t)), sizeof number);
    if (number - static_cast<std::uint32_t>(low) > span) return false;
  }
  return true;
}

WATTPROOF_ONCE_FOR_SIZE bool is_wide_within(std::int64_t value, std::int64_t limit) {
  const std::uint64_t above = static_cast<std::uint64_t>(limit) + static_cast<std::uint64_t>(value);
  if (!is_for_size) return above <= 2 * static_cast<std::uint64_t>(limit);
  const std::uint64_t below = static_cast<std::uint64_t>(limit) - static_cast<std::uint64_t>(value);
  return static_cast<std::int64_t>(below | above) >= 0;
}

std::int64_t Wish::weighted(std::uint32_t slot) const {
  const Cost& cost = *cost_;
  std::int64_t value = linear_;
  if (!cost.price.empty()) value -= cost.price[slot];
  value += std::int64_t{cost.weight} * target_w_[slot];
  if (!cost.preferred_w.empty()) value += std::int64_t{cost.discomfort} * cost.preferred_w[slot];
  return value;
}

std::int64_t Wish::divided(std::uint32_t slot, std::uint32_t bits) const {
  return wide_round_div(numerator(slot) << bits, curvature());
}

bool Wish::is_within(std::uint32_t slots, std::int64_t limit) const {
  for (std::uint32_t t = slots; t-- > 0;) {
    if (!is_wide_within(numerator(t), limit)) return false;
  }
  return true;
}

WATTPROOF_ONCE_FOR_SIZE bool Wish::fits(std::uint32_t slots) const {
  const Cost& cost = *cost_;
  const std::int32_t limit_w = power_limit_w();
  if (!is_for_size && plain_) {
    // Shifted into 0..2 (limit + 1) - 1, no target has a bit above those of the limit: one test for all.
    const std::uint32_t half = static_cast<std::uint32_t>(limit_w) + 1;
    std::uint32_t bits = 0;
    const std::int32_t* target = target_w_;
    const std::int32_t* const end = target + slots;
    if (slots % 2 != 0) bits = static_cast<std::uint32_t>(*target++) + half;
    for (; target != end; target += 2) {
      bits |= (static_cast<std::uint32_t>(target[0]) + half) | (static_cast<std::uint32_t>(target[1]) + half);
    }
    return bits < 2 * half;
  }
  const std::uint32_t span = 2 * static_cast<std::uint32_t>(limit_w);
  if (!are_within(target_w_, slots, -limit_w - 1, span + 1)) return false;
  if (plain_) return true;
  if (!are_within(cost.preferred_w.data(), cost.preferred_w.size(), -limit_w, span)) return false;
  for (const std::int64_t price : cost.price) {
    if (!is_wide_within(price, price_max)) return false;
  }
  return is_within(slots, curvature() * limit_w);
}

Error Wish::fill(const Device& device, const Grid& grid, std::size_t target_count) {
  const Cost& cost = *cost_;
  if (target_count != grid.slots || !is_absent_or_whole(cost.price, grid) || !is_absent_or_whole(cost.preferred_w, grid)) {
    return Error::wrong_length;
  }
  if (cost.weight - 1 >= weight_max || cost.wear > weight_max || cost.discomfort > weight_max) return Error::out_of_range;
  if (cost.own_scale.linear_bits > 16 || cost.own_scale.shift > 63) return Error::out_of_range;
  curvature_ = cost.weight + cost.wear + cost.discomfort + static_cast<std::uint32_t>(scaled_quadratic(device, cost.own_scale));
  linear_ = 0;
  if (device.kind == DeviceKind::generator) linear_ = scaled_linear(device, cost.own_scale);
  guard_bits_ = solver::guard_bits(grid.slots);
  plain_ = (static_cast<std::uint64_t>(linear_) | (curvature_ - 1) | cost.price.size()) == 0;
  return fits(grid.slots) ? Error::none : Error::out_of_range;
}

}  // namespace wattproof::solver
