// SPDX-License-Identifier: Apache-2.0
#include "round_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/math.hpp"

namespace wattproof::gateway {
namespace {

using schedule::EpochStatus;
using schedule::Vectors;

constexpr std::size_t parameters_fixed_size = 8;
constexpr std::size_t parameters_slot_size = 12;  // price, base, cap

std::int64_t power_at(const ByteVector& profile, std::size_t slot) {
  return static_cast<std::int32_t>(load_be32(profile.data() + 4 * slot));
}

std::int64_t parameter_at(const ByteVector& parameters, std::size_t slot, std::size_t index) {
  return static_cast<std::int32_t>(
      load_be32(parameters.data() + parameters_fixed_size + parameters_slot_size * slot + 4 * index));
}

double square(double value) { return value * value; }

double ratio(double part, double whole) { return whole > 0 ? std::sqrt(std::max(part, 0.0) / whole) : 0; }

// SPEC section 5, in floating point.
void measure(const KnownEpoch& epoch, const Vectors& now, const Vectors* before, RoundReport& report) {
  const std::vector<std::int64_t> sum = sum_profiles(epoch);
  const double count = std::max(1u, report.participants);
  double gap2 = 0, z2 = 0, u2 = 0, shift2 = 0;
  for (std::uint32_t t = 0; t < sum.size(); ++t) {
    const double movers = std::max(1u, now.movers(t));
    const double plan = movers * static_cast<double>(now.z(t));
    gap2 += square(16.0 * static_cast<double>(sum[t]) - plan) / count;
    z2 += square(plan) / count;
    u2 += count * square(static_cast<double>(now.u(t)));
    if (before == nullptr) continue;
    const double share = before->movers(t) / movers;  // what was per mover then is per mover now
    const double mean_change = static_cast<double>(now.mean(t)) - share * static_cast<double>(before->mean(t));
    const double a = static_cast<double>(now.z(t)) - share * static_cast<double>(before->z(t)) - mean_change;
    shift2 += 2 * movers * mean_change * a + count * a * a;
  }
  double power2 = 0, movement = 0;
  for (const auto& [id, participation] : epoch.participants) {
    const RecordVersion& record = participation.newest();
    for (std::size_t t = 0; t < sum.size(); ++t) power2 += square(static_cast<double>(power_at(record.profile, t)));
    if (record.round == report.round) movement += static_cast<double>(record.change2);
  }
  report.primal = ratio(gap2, std::max(256 * power2, z2));
  report.dual = ratio(256 * movement + shift2, u2);
}

void find_worst_slot(const KnownEpoch& epoch, RoundReport& report) {
  const std::vector<std::int64_t> sum = sum_profiles(epoch);
  report.cap_excess_w = INT64_MIN;
  for (std::uint32_t t = 0; t < sum.size(); ++t) {
    const std::int64_t excess = sum[t] + parameter_at(epoch.parameters, t, 1) - parameter_at(epoch.parameters, t, 2);
    if (excess <= report.cap_excess_w) continue;
    report.cap_excess_w = excess;
    report.worst_slot = t;
  }
}

}  // namespace

std::vector<std::int64_t> sum_profiles(const KnownEpoch& epoch) {
  std::vector<std::int64_t> sum(epoch.newest().head.slots);
  for (const auto& [id, participation] : epoch.participants) {
    const ByteVector& profile = participation.newest().profile;
    for (std::size_t t = 0; t < sum.size() && 4 * t + 4 <= profile.size(); ++t) sum[t] += power_at(profile, t);
  }
  return sum;
}

std::optional<RoundReport> report_last_round(const KnownEpoch& epoch) {
  const HeadVersion& newest = epoch.newest();
  const bool is_open = newest.head.status == EpochStatus::open;
  if (newest.head.status == EpochStatus::entering || (is_open && newest.head.round <= 1)) return std::nullopt;
  const std::size_t slots = newest.head.slots;
  if (epoch.parameters.size() != parameters_fixed_size + parameters_slot_size * slots) return std::nullopt;
  RoundReport report;
  report.epoch = epoch.number;
  report.round = is_open ? newest.head.round - 1 : newest.head.round;
  report.participants = newest.head.participants;
  report.penalty_exponent = newest.head.penalty_exponent;
  for (const auto& [id, participation] : epoch.participants) {
    if (participation.newest().round == report.round) ++report.answered;
  }
  Vectors now;
  if (!ok(Vectors::decode(newest.vectors, newest.head.slots, now))) return std::nullopt;
  Vectors before;
  const bool has_before = epoch.heads.size() >= 2 &&
                          ok(Vectors::decode((epoch.heads.end() - 2)->vectors, newest.head.slots, before));
  measure(epoch, now, has_before ? &before : nullptr, report);
  find_worst_slot(epoch, report);
  return report;
}

nlohmann::ordered_json to_json(const RoundReport& report) {
  return {{"epoch", report.epoch},
          {"round", report.round},
          {"answered", report.answered},
          {"participants", report.participants},
          {"primal", report.primal},
          {"dual", report.dual},
          {"cap_excess_w", report.cap_excess_w},
          {"worst_slot", report.worst_slot},
          {"penalty_exponent", report.penalty_exponent}};
}

}  // namespace wattproof::gateway
