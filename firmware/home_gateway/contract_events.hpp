// SPDX-License-Identifier: Apache-2.0
// What DeviceRegistry and Scheduler say in events: all that a gateway must know of them, since devices prove the rest.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "hex_text.hpp"

namespace wattproof::gateway {

using ethereum::ByteVector;

enum class EventKind : std::uint8_t {
  // DeviceRegistry
  device_added, device_registered, device_terms, device_approved, device_rejected, device_suspended, device_resumed,
  key_replaced, contract_set, checked_in, check_in_skipped,
  // Scheduler
  epoch_opened, device_entered, enter_skipped, round_opened, profile, update_skipped, device_frozen, schedule_final,
  epoch_failed,
};

// One event; which fields are set depends on its kind.
struct ContractEvent {
  EventKind kind = EventKind::device_added;
  std::uint64_t block = 0;
  std::uint32_t log_index = 0;
  std::uint64_t epoch = 0;
  std::uint32_t round = 0;
  std::uint32_t id = 0;
  Address address{};         // signer, or the contract that was set
  Hash32 word{};             // keccak(limits), or the name that was set
  std::uint64_t nonce = 0;
  std::uint8_t reason = 0;
  std::uint16_t worst_slot = 0;
  std::uint32_t excess_w = 0;
  ByteVector first;          // head, limits or profile
  ByteVector second;         // vectors, parameters or fallback profile
};

const char* name_of(EventKind kind);

// The event of one entry of eth_getLogs, or nothing if it is none of the above. Throws std::runtime_error for an event
// of ours that cannot be read.
std::optional<ContractEvent> event_from_json(const nlohmann::json& log);

}  // namespace wattproof::gateway
