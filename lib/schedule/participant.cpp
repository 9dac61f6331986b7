// SPDX-License-Identifier: Apache-2.0
#include "schedule/participant.hpp"

#include <bit>

#include "base/math.hpp"

namespace wattproof::schedule {

Error Participant::aim(const EpochHead& head, const Vectors& vectors, std::uint32_t record_round,
                       std::span<const std::int32_t> x, std::span<std::int32_t> target_w) {
  if (head.status != EpochStatus::open || head.round == 0) return Error::wrong_round;
  if (x.size() != head.slots || target_w.size() != head.slots) return Error::wrong_length;
  // Also false when this round was aimed at before: then q already belongs to it and is rebuilt from evidence.
  const bool is_unbroken =
      round_ != 0 && epoch_ == head.epoch && round_ + 1 == head.round && record_round + 1 == head.round;
  for (std::uint32_t t = 0; t < head.slots; ++t) {
    const std::int64_t x16 = std::int64_t{x[t]} * 16;
    const std::int64_t relaxed_mean = floor_div<std::int64_t>(8 * vectors.mean(t) - 3 * vectors.z_before(t), 5);
    const std::int64_t w = vectors.z(t) - relaxed_mean;
    const std::int64_t q = is_unbroken ? floor_div<std::int64_t>(8 * x16 - 3 * q_[t], 5) + w
                                       : x16 + vectors.z(t) - vectors.mean(t);
    q_[t] = q;
    const std::int64_t target = floor_div<std::int64_t>(q - vectors.u(t) + 8, 16);
    target_w[t] = static_cast<std::int32_t>(clamp<std::int64_t>(target, -power_w_max, power_w_max));
  }
  epoch_ = head.epoch;
  round_ = head.round;
  return Error::none;
}

solver::Cost Participant::cost(const EpochHead& head, const OwnCost& own) {
  const std::uint64_t rho = penalty(head);
  const std::uint64_t larger = rho > own.quadratic ? rho : own.quadratic;
  const auto bits = std::bit_width(larger);
  const auto bits_max = std::bit_width(std::uint64_t{solver::weight_max}) - 1;
  const auto shift = bits > bits_max ? bits - bits_max : 0;
  solver::Cost cost;
  cost.weight = static_cast<std::uint32_t>(rho >> shift);
  if (cost.weight == 0) cost.weight = 1;
  cost.wear = static_cast<std::uint32_t>(own.quadratic >> shift);
  cost.own_scale = {.linear_bits = 16, .shift = static_cast<std::uint32_t>(shift)};
  return cost;
}

solver::Device Participant::frozen(const solver::Device& device, const EpochHead& head,
                                   std::span<const std::int32_t> x) {
  const bool is_appliance = device.kind == solver::DeviceKind::appliance;
  if ((!is_appliance && device.kind != solver::DeviceKind::switched) || head.round < freeze_round) return device;
  if (!is_appliance || device.runs != 1 || device.interruptible) {
    if (!ok(solver::check_profile(device, {head.slots, head.slot_seconds}, x))) return device;
    solver::Device fixed;
    fixed.profile_w = x;
    return fixed;
  }
  for (std::uint32_t start = 0; start < x.size(); ++start) {
    const std::size_t length = device.profile_w.size();
    if (length > x.size() - start) break;
    bool is_here = true;
    for (std::size_t i = 0; i < length; ++i) is_here = is_here && x[start + i] == device.profile_w[i];
    if (!is_here) continue;
    solver::Device fixed = device;
    fixed.start_slot = start;
    fixed.end_slot = start + static_cast<std::uint32_t>(length);
    return fixed;
  }
  return device;
}

}  // namespace wattproof::schedule
