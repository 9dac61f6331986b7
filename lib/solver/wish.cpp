// SPDX-License-Identifier: Apache-2.0
#include "solver/wish.hpp"

#include "solver/gap.hpp"
#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t price_bits = 50;

// An optional array: none, or one entry per slot.
template <class T>
bool is_absent_or_whole(std::span<const T> values, const Grid& grid) {
  return values.empty() || values.size() == grid.slots;
}

}  // namespace

std::int64_t Wish::weighted(std::uint32_t slot) const {
  std::int64_t value = std::int64_t{weight_} * target_w_[slot] + linear_;
  if (price_ != nullptr) value -= price_[slot];
  if (preferred_w_ != nullptr) value += std::int64_t{discomfort_} * preferred_w_[slot];
  return value;
}

std::int64_t Wish::divided(std::uint32_t slot, std::uint32_t bits) const {
  return wide_floor_div(numerator(slot) * (std::int64_t{2} << bits) + curvature_, 2 * curvature_);
}

bool Wish::is_within(std::uint32_t slots, std::int64_t limit) const {
  for (std::uint32_t t = 0; t < slots; ++t) {
    if (!contains({-limit, limit}, numerator(t))) return false;
  }
  return true;
}

std::int32_t Wish::largest_w(std::uint32_t slots) const {
  std::int32_t largest = 0;
  for (std::uint32_t t = 0; t < slots; ++t) {
    const std::int32_t value = at(t, 0);
    const std::int32_t size = value < 0 ? -value : value;
    if (size >= largest) largest = size + 1;
  }
  return largest;
}

Error Wish::make(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
                 Wish& wish) {
  if (target_w.size() != grid.slots || !is_absent_or_whole(cost.price, grid) || !is_absent_or_whole(cost.preferred_w, grid)) {
    return Error::wrong_length;
  }
  if (cost.weight - 1 >= weight_max || cost.wear > weight_max || cost.discomfort > weight_max) return Error::out_of_range;
  wish.target_w_ = target_w.data();
  wish.price_ = cost.price.empty() ? nullptr : cost.price.data();
  wish.preferred_w_ = cost.preferred_w.empty() ? nullptr : cost.preferred_w.data();
  wish.weight_ = static_cast<std::int32_t>(cost.weight);
  wish.discomfort_ = static_cast<std::int32_t>(cost.discomfort);
  wish.curvature_ = cost.weight + cost.wear + cost.discomfort;
  wish.linear_ = 0;
  if (device.kind == DeviceKind::generator || device.cost_quadratic != 0) {
    if (cost.own_scale.linear_bits > 16 || cost.own_scale.shift > 63) return Error::out_of_range;
    wish.curvature_ += scaled_quadratic(device, cost.own_scale);
    if (device.kind == DeviceKind::generator) wish.linear_ = scaled_linear(device, cost.own_scale);
  }
  wish.guard_bits_ = solver::guard_bits(grid.slots);
  const std::int32_t limit_w = wish.power_limit_w();
  const bool is_plain = wish.curvature_ == 1 && wish.price_ == nullptr && wish.linear_ == 0;
  wish.plain_ = is_plain;
  // Shifted into 0..2 (limit + 1) - 1, no target has a bit above those of the limit: one test for all.
  const std::uint32_t half = static_cast<std::uint32_t>(limit_w) + 1;
  if (!is_for_size && is_plain) {
    std::uint32_t bits = 0;
    const std::int32_t* target = target_w.data();
    const std::int32_t* const end = target + target_w.size();
    if (target_w.size() % 2 != 0) bits = static_cast<std::uint32_t>(*target++) + half;
    for (; target != end; target += 2) {
      bits |= (static_cast<std::uint32_t>(target[0]) + half) | (static_cast<std::uint32_t>(target[1]) + half);
    }
    return bits >= 2 * half ? Error::out_of_range : Error::none;
  }
  for (std::uint32_t t = 0; t < grid.slots; ++t) {
    if (static_cast<std::uint32_t>(target_w[t]) + half >= 2 * half) return Error::out_of_range;
    if (is_plain) continue;
    if (wish.preferred_w_ != nullptr && !wattproof::is_within(wish.preferred_w_[t], limit_w)) return Error::out_of_range;
    if (wish.price_ != nullptr && limited(wish.price_[t], price_bits) != wish.price_[t]) return Error::out_of_range;
  }
  return is_plain || wish.is_within(grid.slots, wish.curvature_ * limit_w) ? Error::none : Error::out_of_range;
}

}  // namespace wattproof::solver
