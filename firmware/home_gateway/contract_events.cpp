// SPDX-License-Identifier: Apache-2.0
#include "contract_events.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "eth_abi.hpp"

namespace wattproof::gateway {
namespace {

using ethereum::AbiReader;
using nlohmann::json;

constexpr std::size_t topic_count_max = 4;

// Topics and data of a log, read in order; topics[0] names the event.
class LogReader {
 public:
  LogReader(std::vector<Hash32> topics, const ByteVector& data) : topics_(std::move(topics)), data_(data) {}

  std::uint64_t topic_uint(std::uint64_t max) {
    const auto value = ethereum::uint64_of_word(topic());
    if (!value || *value > max) ok_ = false;
    return value.value_or(0);
  }
  std::uint64_t topic_epoch() { return topic_uint(UINT64_MAX); }
  std::uint32_t topic_uint32() { return static_cast<std::uint32_t>(topic_uint(UINT32_MAX)); }
  Address topic_address() { return to_array<20>(Bytes(topic()).subspan(12)); }
  Hash32 topic() {
    if (next_ >= topics_.size()) {
      ok_ = false;
      return {};
    }
    return topics_[next_++];
  }
  std::uint32_t uint32() {
    const std::uint64_t value = data_.uint64();
    if (value > UINT32_MAX) ok_ = false;
    return static_cast<std::uint32_t>(value);
  }
  ByteVector bytes() {
    const Bytes view = data_.bytes();
    return {view.begin(), view.end()};
  }
  AbiReader& data() { return data_; }
  bool ok() const { return ok_ && data_.ok() && next_ == topics_.size(); }

 private:
  std::vector<Hash32> topics_;
  std::size_t next_ = 1;
  AbiReader data_;
  bool ok_ = true;
};

using Reader = void (*)(LogReader&, ContractEvent&);

struct Known {
  EventKind kind;
  Reader read;
};

void read_device_and_signer(LogReader& log, ContractEvent& event) {
  event.id = log.topic_uint32();
  event.address = log.topic_address();
}

void read_device(LogReader& log, ContractEvent& event) { event.id = log.topic_uint32(); }

void read_terms(LogReader& log, ContractEvent& event) {
  event.id = log.topic_uint32();
  event.first = log.bytes();
  event.second = log.bytes();
}

void read_key_replaced(LogReader& log, ContractEvent& event) {
  event.id = log.topic_uint32();
  log.topic();  // the key before
  event.address = log.topic_address();
}

void read_contract_set(LogReader& log, ContractEvent& event) {
  event.word = log.topic();
  event.address = log.topic_address();
}

void read_checked_in(LogReader& log, ContractEvent& event) {
  event.id = log.topic_uint32();
  event.nonce = log.data().uint64();
}

void read_check_in_skipped(LogReader& log, ContractEvent& event) {
  read_checked_in(log, event);
  event.reason = static_cast<std::uint8_t>(log.uint32());
}

void read_epoch_opened(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.first = log.bytes();
  event.second = log.bytes();
}

void read_device_entered(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.id = log.topic_uint32();
  event.address = log.data().address();
  event.word = log.data().word();
  event.first = log.bytes();
}

void read_enter_skipped(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.id = log.topic_uint32();
  event.reason = static_cast<std::uint8_t>(log.uint32());
}

void read_round(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.round = log.topic_uint32();
  event.first = log.bytes();
  event.second = log.bytes();
}

void read_profile(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.round = log.topic_uint32();
  event.id = log.topic_uint32();
  event.first = log.bytes();
}

void read_update_skipped(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.round = log.topic_uint32();
  event.id = log.topic_uint32();
  event.reason = static_cast<std::uint8_t>(log.uint32());
}

void read_device_frozen(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.id = log.topic_uint32();
  event.round = log.uint32();
}

void read_epoch_failed(LogReader& log, ContractEvent& event) {
  event.epoch = log.topic_epoch();
  event.reason = static_cast<std::uint8_t>(log.uint32());
  event.worst_slot = static_cast<std::uint16_t>(log.uint32());
  event.excess_w = log.uint32();
  event.first = log.bytes();
  event.second = log.bytes();
}

const std::map<Hash32, Known>& known_events() {
  using ethereum::topic_of;
  static const std::map<Hash32, Known> known{
      {topic_of("DeviceAdded(uint32,address)"), {EventKind::device_added, read_device_and_signer}},
      {topic_of("DeviceRegistered(uint32,address)"), {EventKind::device_registered, read_device_and_signer}},
      {topic_of("DeviceTerms(uint32,bytes,bytes)"), {EventKind::device_terms, read_terms}},
      {topic_of("DeviceApproved(uint32)"), {EventKind::device_approved, read_device}},
      {topic_of("DeviceRejected(uint32,address)"), {EventKind::device_rejected, read_device_and_signer}},
      {topic_of("DeviceSuspended(uint32)"), {EventKind::device_suspended, read_device}},
      {topic_of("DeviceResumed(uint32)"), {EventKind::device_resumed, read_device}},
      {topic_of("KeyReplaced(uint32,address,address)"), {EventKind::key_replaced, read_key_replaced}},
      {topic_of("ContractSet(bytes32,address)"), {EventKind::contract_set, read_contract_set}},
      {topic_of("CheckedIn(uint32,uint64)"), {EventKind::checked_in, read_checked_in}},
      {topic_of("CheckInSkipped(uint32,uint64,uint8)"), {EventKind::check_in_skipped, read_check_in_skipped}},
      {topic_of("EpochOpened(uint64,bytes,bytes)"), {EventKind::epoch_opened, read_epoch_opened}},
      {topic_of("DeviceEntered(uint64,uint32,address,bytes32,bytes)"), {EventKind::device_entered, read_device_entered}},
      {topic_of("EnterSkipped(uint64,uint32,uint8)"), {EventKind::enter_skipped, read_enter_skipped}},
      {topic_of("RoundOpened(uint64,uint32,bytes,bytes)"), {EventKind::round_opened, read_round}},
      {topic_of("Profile(uint64,uint32,uint32,bytes)"), {EventKind::profile, read_profile}},
      {topic_of("UpdateSkipped(uint64,uint32,uint32,uint8)"), {EventKind::update_skipped, read_update_skipped}},
      {topic_of("DeviceFrozen(uint64,uint32,uint32)"), {EventKind::device_frozen, read_device_frozen}},
      {topic_of("ScheduleFinal(uint64,uint32,bytes,bytes)"), {EventKind::schedule_final, read_round}},
      {topic_of("EpochFailed(uint64,uint8,uint16,uint32,bytes,bytes)"), {EventKind::epoch_failed, read_epoch_failed}},
  };
  return known;
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("event log: " + what); }

std::uint64_t quantity_in(const json& log, const char* name) {
  const auto field = log.find(name);
  const auto value = field != log.end() && field->is_string()
                         ? ethereum::parse_quantity(field->get_ref<const std::string&>()) : std::nullopt;
  if (!value) fail(std::string(name) + " is missing or no quantity");
  return *value;
}

std::vector<Hash32> topics_of(const json& log) {
  const auto field = log.find("topics");
  if (field == log.end() || !field->is_array() || field->size() > topic_count_max) fail("topics are missing");
  std::vector<Hash32> topics;
  for (const json& topic : *field) {
    const auto word = topic.is_string() ? ethereum::parse_hex_array<32>(topic.get_ref<const std::string&>()) : std::nullopt;
    if (!word) fail("a topic is not 32 bytes");
    topics.push_back(*word);
  }
  return topics;
}

}  // namespace

const char* name_of(EventKind kind) {
  switch (kind) {
    case EventKind::device_added: return "device_added";
    case EventKind::device_registered: return "device_registered";
    case EventKind::device_terms: return "device_terms";
    case EventKind::device_approved: return "device_approved";
    case EventKind::device_rejected: return "device_rejected";
    case EventKind::device_suspended: return "device_suspended";
    case EventKind::device_resumed: return "device_resumed";
    case EventKind::key_replaced: return "key_replaced";
    case EventKind::contract_set: return "contract_set";
    case EventKind::checked_in: return "checked_in";
    case EventKind::check_in_skipped: return "check_in_skipped";
    case EventKind::epoch_opened: return "epoch_opened";
    case EventKind::device_entered: return "device_entered";
    case EventKind::enter_skipped: return "enter_skipped";
    case EventKind::round_opened: return "round_opened";
    case EventKind::profile: return "profile";
    case EventKind::update_skipped: return "update_skipped";
    case EventKind::device_frozen: return "device_frozen";
    case EventKind::schedule_final: return "schedule_final";
    case EventKind::epoch_failed: return "epoch_failed";
  }
  return "unknown";
}

std::optional<ContractEvent> event_from_json(const json& log) {
  if (!log.is_object()) fail("an entry is no object");
  std::vector<Hash32> topics = topics_of(log);
  if (topics.empty()) return std::nullopt;
  const auto known = known_events().find(topics[0]);
  if (known == known_events().end()) return std::nullopt;
  const auto field = log.find("data");
  const auto data = field != log.end() && field->is_string()
                        ? ethereum::parse_hex(field->get_ref<const std::string&>()) : std::nullopt;
  if (!data) fail("data is missing or not hexadecimal");

  ContractEvent event;
  event.kind = known->second.kind;
  event.block = quantity_in(log, "blockNumber");
  event.log_index = static_cast<std::uint32_t>(quantity_in(log, "logIndex"));
  LogReader reader(std::move(topics), *data);
  known->second.read(reader, event);
  if (!reader.ok()) fail(std::string(name_of(event.kind)) + " in block " + std::to_string(event.block) + " cannot be read");
  return event;
}

}  // namespace wattproof::gateway
