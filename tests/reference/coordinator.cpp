// SPDX-License-Identifier: Apache-2.0
#include "reference/coordinator.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/math.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::reference {
namespace {

using schedule::EpochStatus;
using schedule::FailReason;

constexpr std::int64_t u_bound = std::int64_t{1} << 36;
constexpr std::uint32_t million = 1'000'000;      // the relative tolerance is 10^-3, here squared
constexpr std::uint32_t freeze_round_min = 10;
constexpr std::uint32_t dual_weight = 4;          // the dual residual counts twice when the penalty moves, here squared
constexpr std::uint64_t balance = 16;             // by how much the square of a residual must be the larger to move it
constexpr std::uint32_t balance_from_round = 2, balance_to_round = 60;
constexpr std::uint32_t balance_seldom_round = 12;  // after it every second round at most
constexpr std::uint32_t hasten_from_round = 8, hasten_to_round = 20;  // before, every gap is a large one; after, textbook
constexpr std::uint64_t slackness_divisor = 1000;  // what the cap may leave unused, in money: this part of the bill
constexpr std::int64_t cap_margin_divisor = 256;
constexpr std::uint32_t count_from_round = 3;     // the rounds before say little about who can move later
constexpr std::uint32_t shrink_to_round = 20;     // after it the movers of a slot do not become fewer

Int128 floor_div_wide(Int128 a, Int128 b) {
  const Int128 quotient = a / b;
  return a % b != 0 && a < 0 ? quotient - 1 : quotient;
}

UInt128 square(Int128 value) {
  const UInt128 magnitude = static_cast<UInt128>(value < 0 ? -value : value);
  return magnitude * magnitude;
}

// For a number whose square may need more than 128 bits.
UInt256 wide_square(Int128 value) {
  const UInt256 magnitude(static_cast<UInt128>(value < 0 ? -value : value));
  return magnitude * magnitude;
}

UInt128 norm2(const Profile& profile) {
  UInt128 sum = 0;
  for (const std::int32_t x : profile) sum += square(x);
  return sum;
}

// How many devices share a slot: between every sixteenth and all of them.
std::int64_t movers_within(std::int64_t movers, std::int64_t devices) {
  return clamp<std::int64_t>(movers, (devices + 15) / 16, devices);
}

std::int32_t at(const Profile& values, std::size_t slot) { return values[values.size() == 1 ? 0 : slot]; }

void append(std::vector<std::uint8_t>& bytes, std::uint64_t value, std::uint32_t size) {
  for (std::uint32_t i = size; i-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append(std::vector<std::uint8_t>& bytes, Bytes more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

void append_i32(std::vector<std::uint8_t>& bytes, std::int32_t value) { append(bytes, static_cast<std::uint32_t>(value), 4); }

}  // namespace

UInt256::UInt256(UInt128 value) {
  for (std::size_t i = digits; value != 0; value >>= 32) digit_[--i] = static_cast<std::uint32_t>(value);
}

UInt256 UInt256::operator+(const UInt256& other) const {
  UInt256 sum;
  std::uint64_t carry = 0;
  for (std::size_t i = digits; i-- > 0;) {
    carry += std::uint64_t{digit_[i]} + other.digit_[i];
    sum.digit_[i] = static_cast<std::uint32_t>(carry);
    carry >>= 32;
  }
  if (carry != 0) std::abort();
  return sum;
}

UInt256 UInt256::operator*(const UInt256& other) const {
  std::array<std::uint64_t, 2 * digits> product{};  // least significant first, each below 2^32 after its row
  for (std::size_t i = 0; i < digits; ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < digits; ++j) {
      carry += product[i + j] + std::uint64_t{digit_[digits - 1 - i]} * other.digit_[digits - 1 - j];
      product[i + j] = carry & 0xffff'ffff;
      carry >>= 32;
    }
    product[i + digits] = carry;
  }
  UInt256 result;
  for (std::size_t i = 0; i < digits; ++i) {
    result.digit_[digits - 1 - i] = static_cast<std::uint32_t>(product[i]);
    if (product[digits + i] != 0) std::abort();
  }
  return result;
}

std::vector<std::uint8_t> Parameters::encode() const {
  std::vector<std::uint8_t> bytes;
  append(bytes, gamma, 8);
  for (std::size_t t = 0; t < price.size(); ++t) {
    for (const std::int32_t value : {price[t], base_w[t], cap_w[t]}) append_i32(bytes, value);
  }
  return bytes;
}

std::vector<std::uint8_t> Bounds::encode() const {
  std::vector<std::uint8_t> bytes;
  append(bytes, min_w.size(), 2);
  for (std::size_t t = 0; t < min_w.size(); ++t) {
    for (const std::int32_t value : {min_w[t], max_w[t]}) append_i32(bytes, value);
  }
  return bytes;
}

Coordinator::Coordinator(const Rules& rules, const Parameters& parameters, std::uint64_t now_s)
    : rules_(rules), parameters_(parameters), sums_(rules.slots, 0), moves_(rules.slots, 0) {
  head_.slots = rules.slots;
  head_.slot_seconds = rules.slot_seconds;
  head_.epoch = rules.epoch;
  head_.start = {rules.start_s};
  head_.deadline = {now_s + rules.enter_seconds};
  head_.changed = {now_s};
  head_.rho0 = rules.rho0;
  head_.parameters_hash = crypto::keccak256(parameters.encode());
}

void Coordinator::enter(std::uint32_t id, const Address& signer, const Bounds& bounds, const Profile& fallback) {
  Entry entry{.record = {}, .bounds = bounds};
  entry.record.id = id;
  entry.record.signer = signer;
  for (std::size_t t = 0; t < sums_.size(); ++t) {
    entry.record.profile.push_back(at(fallback, t));
    sums_[t] += at(fallback, t);
  }
  power2_ += norm2(entry.record.profile);
  entries_[id] = std::move(entry);
}

void Coordinator::start(std::uint64_t now_s, const Coordinator* warm) {
  head_.participants = static_cast<std::uint32_t>(entries_.size());
  if (entries_.empty()) return fail(now_s, FailReason::nobody_entered);
  settled_before_ = head_.participants;
  const bool is_warm = warm != nullptr && warm->head_.status == EpochStatus::final && warm->head_.slots == head_.slots &&
                       warm->head_.slot_seconds == head_.slot_seconds;
  if (is_warm) {
    vectors_ = warm->vectors_;
    vectors_.z_before = vectors_.z;
    for (std::int64_t& movers : vectors_.movers) movers = movers_within(movers, head_.participants);
    vectors_.moves.assign(sums_.size(), 0);
    head_.penalty_exponent = warm->head_.penalty_exponent;
    head_.rho0 = warm->head_.rho0;
  } else {
    for (const std::int64_t sum : sums_) {
      vectors_.mean.push_back(floor_div<std::int64_t>(16 * sum, head_.participants));
    }
    vectors_.movers.assign(sums_.size(), head_.participants);
    vectors_.moves.assign(sums_.size(), 0);
    vectors_.z = vectors_.z_before = vectors_.mean;
    vectors_.u.assign(sums_.size(), 0);
  }
  open_round(now_s);
}

RecordData Coordinator::advanced(const RecordData& record, const Profile& profile) const {
  RecordData next = record;
  next.round = head_.round;
  next.change2_before = record.round + 1 == head_.round ? record.change2 : 0;
  UInt128 change2 = 0;
  for (std::size_t t = 0; t < profile.size(); ++t) change2 += square(std::int64_t{profile[t]} - record.profile[t]);
  next.change2 = static_cast<std::uint64_t>(change2);  // cut off only for a witness that is not true
  next.profile = profile;
  return next;
}

bool Coordinator::keeps(const Bounds& bounds, const Profile& profile) const {
  for (std::size_t t = 0; t < profile.size(); ++t) {
    if (profile[t] < at(bounds.min_w, t) || profile[t] > at(bounds.max_w, t)) return false;
  }
  return true;
}

Outcome Coordinator::submit(std::uint32_t id, const Profile& profile, const std::optional<RecordData>& shown) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return Outcome::wrong_record;
  RecordData& record = found->second.record;
  RecordData witness = shown.value_or(record);
  witness.is_frozen = false;
  if (witness != record) return advanced(witness, profile) == record ? Outcome::repeated : Outcome::wrong_record;
  if (record.round == head_.round) return Outcome::repeated;
  if (!keeps(found->second.bounds, profile)) return Outcome::outside_limits;
  const RecordData next = advanced(record, profile);
  for (std::size_t t = 0; t < sums_.size(); ++t) {
    sums_[t] += std::int64_t{profile[t]} - record.profile[t];
    moves_[t] += profile[t] != record.profile[t] ? 1 : 0;
  }
  movement_ += next.change2;
  power2_ = power2_ + norm2(profile) - norm2(record.profile);
  ++answered_;
  record = next;
  return Outcome::counted;
}

bool Coordinator::may_close(std::uint64_t now_s) const {
  const std::uint32_t settled = answered_ + frozen_;
  if (settled >= head_.participants || now_s >= head_.deadline.s) return true;
  return now_s >= head_.changed.s + rules_.grace_seconds && settled >= settled_before_;
}

// The movers of a slot after this round, and z and xb per each of them.
void Coordinator::recount(std::size_t slot) {
  const std::int64_t moved = moves_[slot] - vectors_.moves[slot];
  const std::int64_t before = vectors_.movers[slot];
  std::int64_t movers = before;
  if (head_.round >= count_from_round && moved > before) {
    movers = moved;
  } else if (head_.round >= count_from_round && head_.round <= shrink_to_round) {
    movers = (moved + before) / 2;
  }
  movers = movers_within(movers, head_.participants);
  vectors_.moves[slot] = moves_[slot];
  vectors_.movers[slot] = movers;
  vectors_.z[slot] = floor_div(vectors_.z[slot] * before, movers);
  vectors_.mean[slot] = floor_div(vectors_.mean[slot] * before, movers);
}

Coordinator::Measure Coordinator::step() {
  const Int128 devices = head_.participants;
  Measure measure;
  UInt256 z2;
  Int128 shift2 = 0;
  vectors_.z_before.resize(sums_.size());
  second_steps_.assign(sums_.size(), 0);
  for (std::size_t t = 0; t < sums_.size(); ++t) {
    recount(t);
    const Int128 n = vectors_.movers[t];
    const Int128 mean = floor_div_wide(Int128{16} * sums_[t], n);
    const Int128 h = floor_div_wide(8 * mean - 3 * Int128{vectors_.z[t]}, 5);
    const Plan plan = plan_of(t, h);
    const Int128 z = plan.z;
    const Int128 change = mean - vectors_.mean[t];
    const Int128 a = z - vectors_.z[t] - change;
    const Int128 gap_before = plan.is_at_cap ? n * (vectors_.mean[t] - vectors_.z[t]) : 0;
    vectors_.u[t] = static_cast<std::int64_t>(vectors_.u[t] - (z - h));
    vectors_.z_before[t] = vectors_.z[t];
    vectors_.z[t] = static_cast<std::int64_t>(z);
    vectors_.mean[t] = static_cast<std::int64_t>(mean);
    if (gap_before * (z - mean) < 0) second_steps_[t] = static_cast<std::int64_t>(z - mean);
    if (vectors_.u[t] >= u_bound || vectors_.u[t] <= -u_bound) measure.is_too_large = true;
    if (measure.is_too_large) continue;  // the epoch fails, nothing else is asked for, and 128 bits may not hold it
    judge(t, plan, gap_before, measure);
    measure.u2 += square(vectors_.u[t]);
    shift2 += 2 * n * change * a + devices * a * a;
    z2 = z2 + wide_square(n * z);
  }
  const Int128 dual2 = 256 * static_cast<Int128>(movement_) + shift2;
  measure.dual2 = dual2 > 0 ? static_cast<UInt128>(dual2) : 0;
  measure.scale2 = std::max(UInt256(static_cast<UInt128>(256 * devices)) * UInt256(power2_), z2);
  return measure;
}

Coordinator::Plan Coordinator::plan_of(std::size_t t, Int128 h) const {
  const Int128 rho = static_cast<Int128>(schedule::penalty(head_));
  const Int128 gamma = static_cast<Int128>(parameters_.gamma);
  const Int128 n = vectors_.movers[t];
  const std::int64_t base = parameters_.base_w[t], cap = parameters_.cap_w[t];
  const Int128 numerator = rho * (h + vectors_.u[t]) - (Int128{1} << 20) * parameters_.price[t] - 16 * gamma * base;
  const Int128 free = floor_div_wide(numerator, rho + gamma * n);
  const Int128 room = floor_div_wide(16 * (cap - floor_div<std::int64_t>(cap, cap_margin_divisor) - base), n);
  if (free <= room) return {.z = free};
  return {.z = room, .is_at_cap = true, .cap_cost = numerator - rho * room - 16 * gamma * sums_[t]};
}

// What the gap of a slot counts for: its square, or at a cap that is kept, what it leaves unused in money.
void Coordinator::judge(std::size_t t, const Plan& plan, Int128 gap_before, Measure& measure) const {
  const std::int64_t base = parameters_.base_w[t];
  const Int128 gap = Int128{16} * sums_[t] - vectors_.movers[t] * plan.z;
  if (!plan.is_at_cap || sums_[t] + base > parameters_.cap_w[t]) {
    measure.gap2 = measure.gap2 + wide_square(gap);
  } else if (gap < 0) {
    measure.short2 = measure.short2 + wide_square(gap);
    measure.slackness = measure.slackness + UInt256(static_cast<UInt128>(plan.cap_cost)) * UInt256(static_cast<UInt128>(-gap));
  }
  const Int128 bill = Int128{parameters_.price[t]} * (sums_[t] + base);
  measure.bill += static_cast<UInt128>(bill < 0 ? -bill : bill);
  UInt256& side = gap * gap_before < 0 ? measure.against : measure.along;
  const auto magnitude = [](Int128 value) { return UInt256(static_cast<UInt128>(value < 0 ? -value : value)); };
  side = side + magnitude(gap) * magnitude(gap_before);
  measure.before2 = measure.before2 + wide_square(gap_before);
}

UInt128 Coordinator::absolute_tolerance2() const {
  return UInt128{16} * head_.participants * head_.slots * rules_.tolerance_w * rules_.tolerance_w;
}

bool Coordinator::is_small(const Measure& measure) const {
  const UInt256 n(head_.participants), absolute(million * absolute_tolerance2());
  const bool is_slack = UInt256(slackness_divisor) * measure.slackness <= UInt256(UInt128{1} << 24) * UInt256(measure.bill);
  const UInt256 gap2 = is_slack ? measure.gap2 : measure.gap2 + measure.short2;
  return UInt256(million) * gap2 <= measure.scale2 + n * absolute &&
         UInt256(million) * measure.dual2 <= n * measure.u2 + absolute;
}

Coordinator::Sides Coordinator::sides(const Measure& measure) const {
  return {.primal = UInt256(head_.participants) * (measure.gap2 + measure.short2) * measure.u2,
          .dual = UInt256(dual_weight) * measure.dual2 * measure.scale2};
}

std::int32_t Coordinator::penalty_step(const Measure& measure) const {
  if (head_.round < balance_from_round || head_.round > balance_to_round) return 0;
  if (head_.round > balance_seldom_round && head_.round % 2 == 1) return 0;
  const auto [primal, dual] = sides(measure);
  if (primal > UInt256(balance) * dual) return 1;
  return dual > UInt256(balance) * primal ? -1 : 0;
}

bool Coordinator::is_stalled(const Measure& measure) const {
  const auto [primal, dual] = sides(measure);
  const UInt256 five(5), eight(8);
  return head_.round >= hasten_from_round && head_.round <= hasten_to_round &&
         eight * measure.along > five * measure.before2 + eight * measure.against && dual <= UInt256(balance) * primal;
}

std::int64_t Coordinator::worst_excess_w() const {
  std::int64_t worst = INT64_MIN;
  for (std::size_t t = 0; t < sums_.size(); ++t) {
    worst = std::max(worst, sums_[t] + parameters_.base_w[t] - parameters_.cap_w[t]);
  }
  return worst;
}

void Coordinator::close(std::uint64_t now_s) {
  const Measure measure = step();
  const bool is_too_large = measure.is_too_large;
  const bool holds_cap = worst_excess_w() <= 0;
  const bool is_agreed = head_.round > 1 && !is_too_large && is_small(measure);
  if (is_agreed && holds_cap) {
    head_.status = EpochStatus::final;
    head_.changed = {now_s};
    set_vectors_hash();
    return;
  }
  if (is_too_large || head_.round >= rules_.rounds_max) {
    return fail(now_s, is_too_large || !holds_cap ? FailReason::cap_cannot_be_met : FailReason::rounds_used_up);
  }
  if (is_stalled(measure)) {
    for (std::size_t t = 0; t < sums_.size(); ++t) vectors_.u[t] -= second_steps_[t];
  }
  move_penalty(is_agreed ? 1 : penalty_step(measure));  // agreed but for the cap: the price has to climb
  settled_before_ = answered_ + frozen_;
  open_round(now_s);
}

void Coordinator::move_penalty(std::int32_t step) {
  constexpr std::int32_t most = schedule::penalty_exponent_max;
  const std::int32_t k = std::clamp(head_.penalty_exponent + step, -most, most);
  const std::int32_t j = k - head_.penalty_exponent;
  for (std::int64_t& u : vectors_.u) {
    u = j > 0 ? floor_div(u, std::int64_t{1} << j) : u * (std::int64_t{1} << -j);
  }
  head_.penalty_exponent = k;
}

bool Coordinator::may_freeze(std::uint32_t id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  const RecordData& record = found->second.record;
  return head_.status == EpochStatus::open && head_.round >= freeze_round_min && !record.is_frozen &&
         record.round + 1 == head_.round && UInt128{2} * record.change2 > movement_before_ &&
         UInt128{2} * record.change2_before > movement_before_that_ &&
         UInt128{256} * record.change2 > absolute_tolerance2();
}

void Coordinator::freeze(std::uint32_t id) {
  entries_.at(id).record.is_frozen = true;
  ++frozen_;
}

void Coordinator::cancel(std::uint64_t now_s) {
  head_.status = EpochStatus::failed;
  head_.reason = FailReason::cancelled;
  head_.changed = {now_s};
}

void Coordinator::open_round(std::uint64_t now_s) {
  movement_before_that_ = movement_before_;
  movement_before_ = movement_;
  movement_ = 0;
  answered_ = 0;
  head_.status = EpochStatus::open;
  head_.round += 1;
  head_.deadline = {now_s + rules_.round_seconds};
  head_.changed = {now_s};
  set_vectors_hash();
}

void Coordinator::fail(std::uint64_t now_s, FailReason reason) {
  head_.status = EpochStatus::failed;
  head_.reason = reason;
  head_.changed = {now_s};
  if (reason == FailReason::cap_cannot_be_met) {
    const std::int64_t worst = worst_excess_w();
    head_.excess_w = static_cast<std::uint32_t>(clamp<std::int64_t>(worst, 0, UINT32_MAX));
    for (std::size_t t = sums_.size(); t-- > 0;) {
      if (sums_[t] + parameters_.base_w[t] - parameters_.cap_w[t] == worst) head_.worst_slot = static_cast<std::uint32_t>(t);
    }
  }
  if (!vectors_.z.empty()) set_vectors_hash();
}

void Coordinator::set_vectors_hash() { head_.vectors_hash = crypto::keccak256(vector_bytes()); }

std::vector<std::uint8_t> Coordinator::head_bytes() const {
  std::array<std::uint8_t, schedule::head_size> bytes;
  schedule::encode_head(head_, bytes);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::uint8_t> Coordinator::vector_bytes() const {
  std::vector<std::uint8_t> bytes;
  for (const auto* vector : {&vectors_.z, &vectors_.u, &vectors_.mean, &vectors_.z_before}) {
    for (const std::int64_t value : *vector) append(bytes, static_cast<std::uint64_t>(value), 8);
  }
  for (const auto* counts : {&vectors_.movers, &vectors_.moves}) {
    for (const std::int64_t value : *counts) append(bytes, static_cast<std::uint64_t>(value), 4);
  }
  return bytes;
}

std::vector<std::uint8_t> Coordinator::record_bytes(std::uint32_t id) const {
  const Entry& entry = entries_.at(id);
  const RecordData& record = entry.record;
  std::vector<std::uint8_t> bytes;
  append(bytes, rules_.epoch, 8);
  append(bytes, record.id, 4);
  append(bytes, record.round, 4);
  append(bytes, record.is_frozen ? 1 : 0, 1);
  append(bytes, record.signer);
  append(bytes, crypto::keccak256(entry.bounds.encode()));
  append(bytes, record.change2, 8);
  append(bytes, record.change2_before, 8);
  for (const std::int32_t x : record.profile) append_i32(bytes, x);
  return bytes;
}

}  // namespace wattproof::reference
