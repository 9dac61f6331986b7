// SPDX-License-Identifier: Apache-2.0
#include "chain/head.hpp"

#include "base/check.hpp"

namespace wattproof::chain {
namespace {

constexpr std::uint8_t record_version = 1;
constexpr std::uint8_t flag_linked = 1;
constexpr std::uint8_t flag_conflicting = 2;

constexpr std::size_t count_offset = 2;
constexpr std::size_t number_offset = 4;
constexpr std::size_t timestamp_offset = 12;
constexpr std::size_t hash_offset = 20;
constexpr std::size_t root_offset = 52;
constexpr std::size_t validators_offset = 84;

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

}  // namespace

std::uint64_t Freshness::drift_ms(std::uint64_t passed_ms) const {
  return passed_ms / 1'000'000 * config_.drift_ppm_max + passed_ms % 1'000'000 * config_.drift_ppm_max / 1'000'000;
}

// Latest chain time that can be now, without skew; only with a late anchor.
std::uint64_t Freshness::latest_s(BootMs now) const {
  const std::uint64_t passed_ms = now.since(late_.boot);
  return saturating_add(late_.chain.s, (passed_ms + drift_ms(passed_ms)) / 1000 + 1);
}

std::uint64_t Freshness::earliest_s(BootMs now) const {
  if (!has_early_) return 0;
  const std::uint64_t passed_ms = now.since(early_.boot);
  return saturating_add(early_.chain.s, (passed_ms - drift_ms(passed_ms)) / 1000);
}

void Freshness::set_clock(ChainSeconds chain, BootMs now) {
  late_ = {chain, now};
  has_late_ = true;
  observe(chain, now);
}

void Freshness::start_challenge(BootMs now) {
  challenge_boot_ = now;
  is_challenged_ = true;
}

Error Freshness::prove(ChainSeconds chain) {
  if (!is_challenged_) return Error::not_ready;
  is_challenged_ = false;
  late_ = {chain, challenge_boot_};
  has_late_ = true;
  return Error::none;
}

void Freshness::observe(ChainSeconds head, BootMs now) {
  if (!has_early_ || head.s > earliest_s(now)) {
    early_ = {head, now};
    has_early_ = true;
  }
  if (has_late_ && head.s > latest_s(now)) late_ = {head, now};
}

Result<std::uint64_t> Freshness::age_s(ChainSeconds head, BootMs now) const {
  if (!has_late_) return Error::head_not_proved_fresh;
  const std::uint64_t latest = latest_s(now);
  return latest > head.s ? latest - head.s : 0;
}

Error Freshness::check(const TrustedHead& head, BootMs now) const {
  if (head.is_conflicting) return Error::conflicting_final_headers;
  const Result<std::uint64_t> age = age_s(head.timestamp, now);
  if (!age) return age.error();
  return *age > config_.age_s_max ? Error::head_stale : Error::none;
}

TimeBounds Freshness::bounds(BootMs now) const {
  TimeBounds bounds;
  bounds.at_least.s = earliest_s(now);
  if (has_late_) bounds.at_most.s = saturating_add(latest_s(now), config_.skew_s_max);
  return bounds;
}

Error check_not_rolled_back(const TrustedHead& head, std::uint64_t number_min) {
  return head.number < number_min ? Error::head_rolled_back : Error::none;
}

void encode_head(const TrustedHead& head, std::span<std::uint8_t, head_record_size> out) {
  WATTPROOF_CHECK(head.validators.count <= validator_count_max);
  for (std::uint8_t& byte : out) byte = 0;
  out[0] = record_version;
  out[1] = static_cast<std::uint8_t>((head.is_linked ? flag_linked : 0) | (head.is_conflicting ? flag_conflicting : 0));
  store_be16(&out[count_offset], static_cast<std::uint16_t>(head.validators.count));
  store_be64(&out[number_offset], head.number);
  store_be64(&out[timestamp_offset], head.timestamp.s);
  std::memcpy(&out[hash_offset], head.hash.data(), head.hash.size());
  std::memcpy(&out[root_offset], head.state_root.data(), head.state_root.size());
  for (std::uint32_t i = 0; i < head.validators.count; ++i) {
    std::memcpy(&out[validators_offset + 20 * i], head.validators.items[i].data(), 20);
  }
}

Error decode_head(Bytes record, TrustedHead& out) {
  if (record.size() != head_record_size) return Error::wrong_length;
  if (record[0] != record_version) return Error::unknown_version;
  const std::uint32_t count = load_be16(&record[count_offset]);
  if (record[1] > (flag_linked | flag_conflicting) || count > validator_count_max) return Error::record_corrupt;
  if (!is_zero(record.subspan(validators_offset + 20 * count))) return Error::record_corrupt;

  out = TrustedHead();
  out.number = load_be64(&record[number_offset]);
  out.timestamp.s = load_be64(&record[timestamp_offset]);
  out.hash = to_array<32>(record.subspan(hash_offset, 32));
  out.state_root = to_array<32>(record.subspan(root_offset, 32));
  out.is_linked = (record[1] & flag_linked) != 0;
  out.is_conflicting = (record[1] & flag_conflicting) != 0;
  out.validators.count = count;
  for (std::uint32_t i = 0; i < count; ++i) {
    out.validators.items[i] = to_array<20>(record.subspan(validators_offset + 20 * i, 20));
  }
  return Error::none;
}

}  // namespace wattproof::chain
