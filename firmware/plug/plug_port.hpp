// SPDX-License-Identifier: Apache-2.0
// The board that a plug's node lives on: hal::Port over hal/cortex_m/board.hpp, with the store, the key and the log.
#pragma once

#include "crypto/drbg.hpp"
#include "crypto/secp256k1.hpp"
#include "firmware/plug/plug_link.hpp"
#include "firmware/plug/plug_settings.hpp"
#include "firmware/plug/plug_text.hpp"
#include "hal/cortex_m/board.hpp"
#include "hal/port.hpp"
#include "store/record_store.hpp"

namespace wattproof::firmware {

// Beside the node's own records (ids 1 to 8).
constexpr std::uint8_t key_record = 9;
constexpr std::uint8_t settings_record = 10;
constexpr std::uint8_t version_record = 11;

constexpr std::uint32_t sectors_per_bank = 8;
constexpr std::uint32_t sector_size_min = 1024;

// Writes one line of the log: "@ms text".
void tell(const Line& line);
Line event(const char* name);

class PlugPort {
 public:
  explicit PlugPort(PlugLink& link) : link_(link) {}

  // Finds the store and the key; makes the key in the first boot of all.
  //   entropy_failed  no key and no healthy noise: the plug must not run
  //   configuration_invalid  the board's sectors are smaller than sector_size_min
  //   what store and key say
  Error open();

  // hal::Port
  BootMs now() { return {board::now_ms()}; }
  Error entropy(MutableBytes into);
  Error send(Bytes frame) { return link_.send(frame); }
  Error write_record(std::uint8_t id, Bytes record);
  Result<std::uint32_t> read_record(std::uint8_t id, MutableBytes into) { return store_.read(id, into); }
  Error sign(const Hash32& digest, crypto::Signature& signature) { return crypto::sign(key_, digest, signature); }
  Error set_relay(bool on, const node::Evidence& why);
  Error set_point(std::int32_t power_w, const node::Evidence& why);
  Error sense_relay(bool& on);
  void report(hal::Fault fault, Error error);

  crypto::Drbg& random() { return drbg_; }
  [[nodiscard]] const Address& address() const { return address_; }
  void set_has_contact(bool has_contact) { has_contact_ = has_contact; }
  Error forget_settings();
  Error forget_everything();
  [[nodiscard]] std::uint32_t write_failures() const { return write_failures_; }

 private:
  [[gnu::noinline]] Error seed();
  [[gnu::noinline]] Error open_key();
  [[gnu::noinline]] Error make_key();

  PlugLink& link_;
  board::Flash flash_{};
  store::RecordStore<board::Flash> store_{flash_, {.first_sector = 0, .sectors_per_bank = sectors_per_bank}};
  crypto::Drbg drbg_{};
  crypto::PrivateKey key_{};
  Address address_{};
  bool has_contact_ = false;
  bool relay_told_ = false;      // its first state was told
  bool relay_on_ = false;
  std::int32_t set_point_w_ = 0;
  std::uint32_t write_failures_ = 0;
};

static_assert(hal::Port<PlugPort>);

}  // namespace wattproof::firmware
