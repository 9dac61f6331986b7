// SPDX-License-Identifier: Apache-2.0
// What the events of the chain add up to: devices with their terms, epochs with heads and vectors, and every device's
// record, each with the block from which it holds. An answer about block B is what was true at B. Nothing here is
// evidence; a device compares every byte with a proven word.
//
// A journal of the events is kept so that a reorganised chain can be replayed from memory, without a rescan.
#pragma once

#include <map>
#include <set>
#include <string>

#include "contract_events.hpp"
#include "schedule/epoch.hpp"

namespace wattproof::gateway {

enum class DeviceStatus : std::uint8_t { pending, active, suspended };

struct KnownDevice {
  std::uint32_t id = 0;
  DeviceStatus status = DeviceStatus::pending;
  Address signer{};
  ByteVector limits;
  ByteVector fallback;
  std::uint64_t check_in_nonce = 0;  // of the check-in that counted last
};

// A device's record word as bytes, and the fields that a witness repeats.
struct RecordVersion {
  std::uint64_t block = 0;
  std::uint32_t round = 0;
  std::uint8_t flags = 0;
  std::uint64_t change2 = 0;
  std::uint64_t change2_before = 0;
  ByteVector profile;
};

struct Participation {
  Address signer{};
  Hash32 limits_hash{};
  std::vector<RecordVersion> versions;  // ascending by block

  const RecordVersion& newest() const { return versions.back(); }
};

struct HeadVersion {
  std::uint64_t block = 0;
  schedule::EpochHead head;
  ByteVector bytes;    // 128
  ByteVector vectors;  // empty while entering
};

struct KnownEpoch {
  std::uint64_t number = 0;
  ByteVector parameters;
  std::vector<HeadVersion> heads;                        // ascending by block, never empty
  std::map<std::uint32_t, Participation> participants;
  std::set<std::uint32_t> skipped;                       // tried to enter and may not

  const HeadVersion& newest() const { return heads.back(); }
  bool is_ended() const;
  std::uint32_t answered() const;                        // of the present round
  std::uint32_t frozen() const;
};

// The bytes whose hash is a device's record word.
ByteVector encode_record(std::uint64_t epoch, std::uint32_t id, const Participation& participation,
                         const RecordVersion& version);

class ChainView {
 public:
  // Takes one event. Events come in the order of the chain. Throws std::runtime_error for one that contradicts what is
  // known: then the scan began too late or the node lies.
  void apply(ContractEvent event);

  // Forgets every event above `block`.
  void roll_back(std::uint64_t block);
  void clear() { *this = ChainView(); }

  const std::map<std::uint32_t, KnownDevice>& devices() const { return devices_; }
  const KnownDevice* device(std::uint32_t id) const;
  const KnownDevice* device_of(const Address& signer) const;

  // Epochs that the ring still holds, by number.
  const std::map<std::uint64_t, KnownEpoch>& epochs() const { return epochs_; }
  const KnownEpoch* epoch(std::uint64_t number) const;
  const KnownEpoch* negotiated() const;                             // entering or open, the newest; null if none
  const KnownEpoch* followed(std::uint64_t now_s) const;            // final; running now, else the next to start

  // Bytes as of `block`; empty if there were none.
  ByteVector head_at(std::uint64_t epoch, std::uint64_t block) const;
  ByteVector vectors_at(std::uint64_t epoch, std::uint64_t block) const;
  ByteVector record_at(std::uint64_t epoch, std::uint32_t id, std::uint64_t block) const;

  // Limits by their hash: a record keeps those of its entering even if the registry has newer ones.
  const ByteVector* limits_of(const Hash32& hash) const;

 private:
  void apply_to_registry(const ContractEvent& event);
  void apply_to_scheduler(const ContractEvent& event);
  void open_epoch(const ContractEvent& event);
  void add_head(const ContractEvent& event);
  void add_profile(const ContractEvent& event);
  KnownEpoch& existing_epoch(const ContractEvent& event);
  Participation& existing_participant(const ContractEvent& event);
  void drop_epochs_before(std::uint64_t number);

  std::map<std::uint32_t, KnownDevice> devices_;
  std::map<Address, std::uint32_t> ids_;
  std::map<Hash32, ByteVector> limits_;
  std::map<std::uint64_t, KnownEpoch> epochs_;
  std::vector<ContractEvent> journal_;
};

}  // namespace wattproof::gateway
