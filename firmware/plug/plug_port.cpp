// SPDX-License-Identifier: Apache-2.0
#include "firmware/plug/plug_port.hpp"

#include <algorithm>

#include "crypto/secret.hpp"
#include "firmware/log_names.hpp"
#include "node/records.hpp"

namespace wattproof::firmware {
namespace {

// "WPKP" and the key. The LM3S6965 has no key of its own to wrap it with: what protects it is the chip's read protection.
constexpr std::array<std::uint8_t, 4> key_magic = {'W', 'P', 'K', 'P'};
constexpr std::size_t key_record_size = key_magic.size() + 32;
using KeyRecord = std::array<std::uint8_t, key_record_size>;

// All records at their longest, with what a bank needs around them, for the largest unit.
constexpr std::uint32_t live_size_max = [] {
  constexpr store::EntryLayout layout{store::program_size_max};
  constexpr std::uint32_t version_record_size = 4, seal_size = 0;
  std::uint32_t size = layout.first_entry() + layout.program_size;  // the bank's head, the next boot's pin
  for (const std::uint32_t record : {node::boot_record_size, node::record_size_max /* head */, node::record_size_max /* message */,
                                     node::record_size_max, node::record_size_max /* schedules */, std::uint32_t{key_record_size},
                                     settings_size_max, version_record_size, seal_size}) {
    size += layout.entry_size(record);
  }
  return size;
}();
static_assert(live_size_max <= sectors_per_bank * sector_size_min, "the store of a plug is never full");

const char* reason_name(node::Reason reason) {
  switch (reason) {
    case node::Reason::fallback: return "fallback";
    case node::Reason::schedule: return "schedule";
    case node::Reason::override_by_person: return "override";
    case node::Reason::trip: return "trip";
  }
  return "unknown";
}

void add_evidence(Line& line, const node::Evidence& why) {
  line.add("reason", reason_name(why.reason));
  if (why.block_number != 0) line.add("epoch", why.epoch).add("slot", std::uint64_t{why.slot}).add("block", why.block_number);
}

}  // namespace

[[gnu::noinline]] static void tell_relay(bool on, const node::Evidence& why) {
  Line line = event("relay");
  line.add("on", std::uint64_t{on});
  add_evidence(line, why);
  tell(line);
}

Line event(const char* name) {
  Line line;
  line.add("@").number(board::now_ms()).add(" ").add(name);
  return line;
}

void tell(const Line& line) {
  for (const char letter : line) board::write_console(letter);
  board::write_console('\n');
}

Error PlugPort::open() {
  if (flash_.geometry().sector_size < sector_size_min) return Error::configuration_invalid;
  WATTPROOF_TRY(store_.mount());
  WATTPROOF_TRY(seed());
  return open_key();
}

Error PlugPort::seed() {
  std::array<std::uint8_t, crypto::raw_entropy_size> noise{};
  const crypto::WipedAtExit wiped(noise);
  if (!board::draw_noise(noise)) return Error::entropy_failed;
  return drbg_.seed(noise, {});
}

Error PlugPort::open_key() {
  KeyRecord record{};
  const crypto::WipedAtExit wiped(record);
  const Result<std::uint32_t> size = store_.read(key_record, record);
  if (size.error() == Error::record_absent) {
    WATTPROOF_TRY(make_key());
  } else if (!size) {
    return size.error();
  } else if (*size != record.size() || !std::equal(key_magic.begin(), key_magic.end(), record.begin())) {
    return Error::key_file_refused;
  } else {
    std::copy(record.begin() + key_magic.size(), record.end(), key_.begin());
  }
  const Result<Address> address = crypto::address_of(key_);
  if (!address) return address.error();
  address_ = *address;
  return Error::none;
}

Error PlugPort::make_key() {
  WATTPROOF_TRY(crypto::generate_key(drbg_, key_));
  KeyRecord record{};
  const crypto::WipedAtExit wiped(record);
  std::copy(key_magic.begin(), key_magic.end(), record.begin());
  std::copy(key_.begin(), key_.end(), record.begin() + key_magic.size());
  return store_.write(key_record, record);
}

Error PlugPort::entropy(MutableBytes into) { return drbg_.generate(into); }

Error PlugPort::write_record(std::uint8_t id, Bytes record) {
  const Error error = store_.write(id, record);
  if (error != Error::none) ++write_failures_;
  return error;
}

Error PlugPort::set_relay(bool on, const node::Evidence& why) {
  board::set_relay(on);
  if (!relay_told_ || relay_on_ != on) tell_relay(on, why);
  relay_told_ = true;
  relay_on_ = on;
  return Error::none;
}

// A charger or inverter on the same line reads it there.
Error PlugPort::set_point(std::int32_t power_w, const node::Evidence& why) {
  if (power_w == set_point_w_) return Error::none;
  set_point_w_ = power_w;
  Line line = event("setpoint");
  line.add(" power_w=").add(power_w < 0 ? "-" : "").number(power_w < 0 ? -static_cast<std::int64_t>(power_w) : power_w);
  add_evidence(line, why);
  tell(line);
  return Error::none;
}

Error PlugPort::sense_relay(bool& on) {
  if (!has_contact_) return Error::not_ready;
  on = board::sense_relay();
  return Error::none;
}

void PlugPort::report(hal::Fault fault, Error error) {
  // Frames are lost whenever the link is down; that alone is nothing to warn of.
  if (fault == hal::Fault::send) return;
  Line line = event(fault_name(fault));
  line.add("error", error_name(error));
  tell(line);
}

// An empty record: the store has no other way to lose one.
Error PlugPort::forget_settings() { return store_.write(settings_record, {}); }

Error PlugPort::forget_everything() {
  crypto::wipe(key_);
  return store_.erase_all();
}

}  // namespace wattproof::firmware
