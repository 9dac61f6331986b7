// SPDX-License-Identifier: Apache-2.0
#include "chain_view.hpp"

#include <algorithm>
#include <stdexcept>

#include "crypto/keccak.hpp"

namespace wattproof::gateway {
namespace {

using ethereum::append;
using ethereum::append_be32;
using ethereum::append_be64;

constexpr std::size_t profile_bytes_per_slot = 4;

[[noreturn]] void contradicts(const ContractEvent& event, const std::string& what) {
  throw std::runtime_error(std::string("event ") + name_of(event.kind) + " in block " + std::to_string(event.block) +
                           ": " + what);
}

// |a - b|^2 of two profiles of one length, as the contract counts it.
std::uint64_t change2_of(Bytes a, Bytes b) {
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at + 4 <= a.size(); at += 4) {
    const std::int64_t change = std::int64_t{static_cast<std::int32_t>(load_be32(a.data() + at))} -
                                static_cast<std::int32_t>(load_be32(b.data() + at));
    sum += static_cast<std::uint64_t>(change * change);
  }
  return sum;
}

// The last of `versions` (ascending) that held at `block`, or null.
template <class Version>
const Version* version_at(const std::vector<Version>& versions, std::uint64_t block) {
  const auto after = std::upper_bound(versions.begin(), versions.end(), block,
                                      [](std::uint64_t at, const Version& version) { return at < version.block; });
  return after == versions.begin() ? nullptr : &*(after - 1);
}

// Several changes in one block leave one version, the last.
template <class Version>
void add_version(std::vector<Version>& versions, Version version) {
  if (!versions.empty() && versions.back().block == version.block) {
    versions.back() = std::move(version);
  } else {
    versions.push_back(std::move(version));
  }
}

bool is_of_registry(EventKind kind) { return kind <= EventKind::check_in_skipped; }

}  // namespace

bool KnownEpoch::is_ended() const {
  const auto status = newest().head.status;
  return status == schedule::EpochStatus::final || status == schedule::EpochStatus::failed;
}

std::uint32_t KnownEpoch::answered() const {
  const std::uint32_t round = newest().head.round;
  return static_cast<std::uint32_t>(std::count_if(participants.begin(), participants.end(), [round](const auto& entry) {
    return round > 0 && entry.second.newest().round == round;
  }));
}

std::uint32_t KnownEpoch::frozen() const {
  return static_cast<std::uint32_t>(std::count_if(participants.begin(), participants.end(),
                                                  [](const auto& entry) { return entry.second.newest().flags != 0; }));
}

ByteVector encode_record(std::uint64_t epoch, std::uint32_t id, const Participation& participation,
                         const RecordVersion& version) {
  ByteVector bytes;
  append_be64(bytes, epoch);
  append_be32(bytes, id);
  append_be32(bytes, version.round);
  bytes.push_back(version.flags);
  append(bytes, participation.signer);
  append(bytes, participation.limits_hash);
  append_be64(bytes, version.change2);
  append_be64(bytes, version.change2_before);
  append(bytes, version.profile);
  return bytes;
}

void ChainView::apply(ContractEvent event) {
  if (is_of_registry(event.kind)) {
    apply_to_registry(event);
  } else {
    apply_to_scheduler(event);
  }
  journal_.push_back(std::move(event));
}

void ChainView::roll_back(std::uint64_t block) {
  std::vector<ContractEvent> events = std::move(journal_);
  clear();
  for (ContractEvent& event : events) {
    if (event.block <= block) apply(std::move(event));
  }
}

const KnownDevice* ChainView::device(std::uint32_t id) const {
  const auto found = devices_.find(id);
  return found == devices_.end() ? nullptr : &found->second;
}

const KnownDevice* ChainView::device_of(const Address& signer) const {
  const auto found = ids_.find(signer);
  return found == ids_.end() ? nullptr : device(found->second);
}

const KnownEpoch* ChainView::epoch(std::uint64_t number) const {
  const auto found = epochs_.find(number);
  return found == epochs_.end() ? nullptr : &found->second;
}

const KnownEpoch* ChainView::negotiated() const {
  for (auto entry = epochs_.rbegin(); entry != epochs_.rend(); ++entry) {
    if (!entry->second.is_ended()) return &entry->second;
  }
  return nullptr;
}

const KnownEpoch* ChainView::followed(std::uint64_t now_s) const {
  const KnownEpoch* next = nullptr;
  for (const auto& [number, epoch] : epochs_) {
    const schedule::EpochHead& head = epoch.newest().head;
    if (head.status != schedule::EpochStatus::final || schedule::end_of(head).s <= now_s) continue;
    if (next == nullptr || head.start < next->newest().head.start) next = &epoch;
  }
  return next;
}

ByteVector ChainView::head_at(std::uint64_t number, std::uint64_t block) const {
  const KnownEpoch* known = epoch(number);
  const HeadVersion* version = known == nullptr ? nullptr : version_at(known->heads, block);
  return version == nullptr ? ByteVector() : version->bytes;
}

ByteVector ChainView::vectors_at(std::uint64_t number, std::uint64_t block) const {
  const KnownEpoch* known = epoch(number);
  const HeadVersion* version = known == nullptr ? nullptr : version_at(known->heads, block);
  return version == nullptr ? ByteVector() : version->vectors;
}

ByteVector ChainView::record_at(std::uint64_t number, std::uint32_t id, std::uint64_t block) const {
  const KnownEpoch* known = epoch(number);
  if (known == nullptr) return {};
  const auto found = known->participants.find(id);
  if (found == known->participants.end()) return {};
  const RecordVersion* version = version_at(found->second.versions, block);
  return version == nullptr ? ByteVector() : encode_record(number, id, found->second, *version);
}

const ByteVector* ChainView::limits_of(const Hash32& hash) const {
  const auto found = limits_.find(hash);
  return found == limits_.end() ? nullptr : &found->second;
}

void ChainView::apply_to_registry(const ContractEvent& event) {
  if (event.kind == EventKind::contract_set) return;
  if (event.kind == EventKind::device_added || event.kind == EventKind::device_registered) {
    KnownDevice& device = devices_[event.id];
    device.id = event.id;
    device.status = event.kind == EventKind::device_added ? DeviceStatus::active : DeviceStatus::pending;
    device.signer = event.address;
    ids_[event.address] = event.id;
    return;
  }
  if (event.kind == EventKind::device_terms) {
    limits_[crypto::keccak256(event.first)] = event.first;
    devices_[event.id].id = event.id;  // terms may be told before the device that has them
    devices_[event.id].limits = event.first;
    devices_[event.id].fallback = event.second;
    return;
  }
  const auto found = devices_.find(event.id);
  if (event.kind == EventKind::check_in_skipped && found == devices_.end()) return;  // anyone may send such a thing
  if (found == devices_.end()) contradicts(event, "device " + std::to_string(event.id) + " is not known");
  KnownDevice& device = found->second;
  switch (event.kind) {
    case EventKind::device_approved:
    case EventKind::device_resumed: device.status = DeviceStatus::active; break;
    case EventKind::device_suspended: device.status = DeviceStatus::suspended; break;
    case EventKind::device_rejected:
      ids_.erase(device.signer);
      devices_.erase(found);
      break;
    case EventKind::key_replaced:
      ids_.erase(device.signer);
      device.signer = event.address;
      ids_[event.address] = event.id;
      break;
    case EventKind::checked_in: device.check_in_nonce = event.nonce; break;
    default: break;
  }
}

KnownEpoch& ChainView::existing_epoch(const ContractEvent& event) {
  const auto found = epochs_.find(event.epoch);
  if (found == epochs_.end()) contradicts(event, "epoch " + std::to_string(event.epoch) + " is not known");
  return found->second;
}

Participation& ChainView::existing_participant(const ContractEvent& event) {
  KnownEpoch& epoch = existing_epoch(event);
  const auto found = epoch.participants.find(event.id);
  if (found == epoch.participants.end()) {
    contradicts(event, "device " + std::to_string(event.id) + " has not entered");
  }
  return found->second;
}

void ChainView::apply_to_scheduler(const ContractEvent& event) {
  switch (event.kind) {
    case EventKind::epoch_opened: open_epoch(event); break;
    case EventKind::device_entered: {
      RecordVersion first;
      first.block = event.block;
      first.profile = event.first;
      existing_epoch(event).participants[event.id] = {event.address, event.word, {std::move(first)}};
      break;
    }
    case EventKind::enter_skipped: existing_epoch(event).skipped.insert(event.id); break;
    case EventKind::round_opened:
    case EventKind::schedule_final:
    case EventKind::epoch_failed: add_head(event); break;
    case EventKind::profile: add_profile(event); break;
    case EventKind::device_frozen: {
      Participation& participation = existing_participant(event);
      RecordVersion version = participation.newest();
      version.block = event.block;
      version.flags = 1;
      add_version(participation.versions, std::move(version));
      break;
    }
    default: break;
  }
}

void ChainView::open_epoch(const ContractEvent& event) {
  KnownEpoch& epoch = epochs_[event.epoch];
  epoch = KnownEpoch{};
  epoch.number = event.epoch;
  epoch.parameters = event.second;
  add_head(event);
  drop_epochs_before(event.epoch);
}

void ChainView::add_head(const ContractEvent& event) {
  KnownEpoch& epoch = existing_epoch(event);
  HeadVersion version{.block = event.block, .head = {}, .bytes = event.first, .vectors = {}};
  if (const Error error = schedule::decode_head(event.first, version.head); !ok(error)) {
    contradicts(event, std::string("its head cannot be read: ") + error_name(error));
  }
  if (event.kind != EventKind::epoch_opened) version.vectors = event.second;
  // An epoch that was cancelled keeps the vectors of its last round.
  if (event.kind == EventKind::epoch_failed && version.vectors.empty() && !epoch.heads.empty()) {
    version.vectors = epoch.newest().vectors;
  }
  add_version(epoch.heads, std::move(version));
}

void ChainView::add_profile(const ContractEvent& event) {
  Participation& participation = existing_participant(event);
  const RecordVersion& before = participation.newest();
  if (event.first.size() != before.profile.size() || event.first.size() % profile_bytes_per_slot != 0) {
    contradicts(event, "its profile has another length than the one before");
  }
  RecordVersion version;
  version.block = event.block;
  version.round = event.round;
  version.change2 = change2_of(event.first, before.profile);
  version.change2_before = before.round + 1 == event.round ? before.change2 : 0;
  version.profile = event.first;
  add_version(participation.versions, std::move(version));
}

// The contract's ring holds eight epochs; a newer one in the same entry has overwritten the words of the older.
void ChainView::drop_epochs_before(std::uint64_t number) {
  std::erase_if(epochs_, [number](const auto& entry) {
    return entry.first < number && entry.first % schedule::ring_size == number % schedule::ring_size;
  });
  std::erase_if(journal_, [this](const ContractEvent& event) {
    return !is_of_registry(event.kind) && !epochs_.contains(event.epoch);
  });
}

}  // namespace wattproof::gateway
