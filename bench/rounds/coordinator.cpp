// SPDX-License-Identifier: Apache-2.0
#include "rounds/coordinator.hpp"

#include <algorithm>

#include "base/math.hpp"

namespace wattproof::bench {
namespace {

constexpr std::uint32_t rounds_max = 60;
constexpr std::int64_t u_bound = std::int64_t{1} << 40;

}  // namespace

Coordinator::Coordinator(const Day& day, std::uint64_t rho0, std::uint32_t tolerance_w,
                         const std::vector<Profile>& fallbacks, const Coordinator* warm)
    : day_(day), tolerance_w_(tolerance_w), sums_(day.price.size(), 0) {
  head_.status = schedule::EpochStatus::open;
  head_.slots = static_cast<std::uint32_t>(day.price.size());
  head_.slot_seconds = 86'400 / head_.slots;
  head_.round = 1;
  head_.epoch = warm == nullptr ? 1 : warm->head_.epoch + 1;
  head_.participants = static_cast<std::uint32_t>(fallbacks.size());
  head_.rho0 = warm == nullptr ? rho0 : warm->head_.rho0;
  for (const Profile& profile : fallbacks) {
    for (std::size_t t = 0; t < sums_.size(); ++t) {
      sums_[t] += profile[t];
      power2_ += Wide{profile[t]} * profile[t];
    }
  }
  if (warm != nullptr) {
    head_.penalty_exponent = warm->head_.penalty_exponent;
    z_ = z_before_ = warm->z_;
    u_ = warm->u_;
    mean_ = warm->mean_;
    return;
  }
  for (const std::int64_t sum : sums_) mean_.push_back(floor_div<std::int64_t>(16 * sum, head_.participants));
  z_ = z_before_ = mean_;
  u_.assign(sums_.size(), 0);
}

std::vector<std::uint8_t> Coordinator::vector_bytes() const {
  std::vector<std::uint8_t> bytes;
  for (const auto* vector : {&z_, &u_, &mean_, &z_before_}) {
    for (const std::int64_t value : *vector) {
      std::array<std::uint8_t, 8> word{};
      store_be64(word.data(), static_cast<std::uint64_t>(value));
      bytes.insert(bytes.end(), word.begin(), word.end());
    }
  }
  return bytes;
}

void Coordinator::submit(std::span<const std::int32_t> before, std::span<const std::int32_t> after) {
  for (std::size_t t = 0; t < sums_.size(); ++t) {
    const Wide change = Wide{after[t]} - before[t];
    sums_[t] += after[t] - before[t];
    movement_ += change * change;
    power2_ += Wide{after[t]} * after[t] - Wide{before[t]} * before[t];
  }
}

std::int64_t Coordinator::excess_w() const {
  std::int64_t worst = INT64_MIN;
  for (std::size_t t = 0; t < sums_.size(); ++t) worst = std::max(worst, sums_[t] + day_.base_w[t] - day_.cap_w[t]);
  return worst;
}

Coordinator::Residuals Coordinator::step() {
  const std::int64_t n = head_.participants;
  const Wide rho = static_cast<Wide>(schedule::penalty(head_));
  const Wide gamma = static_cast<Wide>(day_.gamma);
  Residuals out;
  Wide shift2 = 0, z2 = 0;
  z_before_ = z_;
  for (std::size_t t = 0; t < sums_.size(); ++t) {
    const std::int64_t cap = day_.cap_w[t], base = day_.base_w[t];
    const std::int64_t total = 16 * sums_[t];
    const std::int64_t mean = floor_div(total, n);
    const std::int64_t h = floor_div<std::int64_t>(8 * mean - 3 * z_[t], 5);
    const Wide free_numerator = rho * (h + u_[t]) - (Wide{1} << 20) * day_.price[t] - 16 * gamma * base;
    const Wide divisor = rho + gamma * n;
    const Wide quotient = free_numerator / divisor - (free_numerator % divisor < 0 ? 1 : 0);
    const std::int64_t room = floor_div<std::int64_t>(16 * (cap - floor_div<std::int64_t>(cap, 256) - base), n);
    const std::int64_t z = static_cast<std::int64_t>(std::min<Wide>(quotient, room));
    const Wide change = Wide{mean} - mean_[t];
    const Wide a = Wide{z} - z_[t] - change;
    out.gap2 += (Wide{total} - Wide{n} * z) * (Wide{total} - Wide{n} * z);
    shift2 += 2 * change * a + a * a;
    z2 += Wide{z} * z;
    u_[t] -= z - h;
    out.u2 += Wide{u_[t]} * u_[t];
    z_[t] = z;
    mean_[t] = mean;
  }
  out.dual2 = std::max<Wide>(256 * movement_ + n * shift2, 0);
  out.scale2 = std::max<Wide>(256 * power2_, n * z2);
  return out;
}

bool Coordinator::is_small(const Residuals& residuals) const {
  constexpr Wide million = 1'000'000;
  const Wide n = head_.participants;
  const Wide absolute = 16 * n * head_.slots * tolerance_w_ * tolerance_w_;
  return million * residuals.gap2 <= n * (residuals.scale2 + million * absolute) &&
         million * residuals.dual2 <= n * residuals.u2 + million * absolute;
}

std::int32_t Coordinator::penalty_step(const Residuals& residuals) const {
  std::int32_t most = 0;
  if (head_.round >= 2 && head_.round <= 6) most = 3;
  if (head_.round >= 8 && head_.round <= 60 && head_.round % 2 == 0) most = 1;
  const auto primal = static_cast<long double>(residuals.gap2) * static_cast<long double>(residuals.u2);
  const auto dual = static_cast<long double>(residuals.dual2) * static_cast<long double>(residuals.scale2);
  std::int32_t up = 0, down = 0;
  for (const long double factor : {16.0L, 256.0L, 4096.0L}) {
    up += primal > factor * dual ? 1 : 0;
    down += dual > factor * primal ? 1 : 0;
  }
  return up > 0 ? std::min(up, most) : -std::min(down, most);
}

void Coordinator::close() {
  const Residuals residuals = step();
  const bool is_too_large = std::any_of(u_.begin(), u_.end(), [](std::int64_t u) { return u >= u_bound || u <= -u_bound; });
  if (head_.round > 1 && excess_w() <= 0 && !is_too_large && is_small(residuals)) {
    head_.status = schedule::EpochStatus::final;
    return;
  }
  if (is_too_large || head_.round >= rounds_max) {
    head_.status = schedule::EpochStatus::failed;
    return;
  }
  const std::int32_t k = std::clamp(head_.penalty_exponent + penalty_step(residuals), -schedule::penalty_exponent_max,
                                    schedule::penalty_exponent_max);
  const std::int32_t j = k - head_.penalty_exponent;
  for (std::int64_t& u : u_) u = j > 0 ? floor_div(u, std::int64_t{1} << j) : u * (std::int64_t{1} << -j);
  head_.penalty_exponent = k;
  head_.round += 1;
  movement_ = 0;
}

}  // namespace wattproof::bench
