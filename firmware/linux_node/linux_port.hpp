// SPDX-License-Identifier: Apache-2.0
// The board that a node on Linux lives on: clock, link, store, key and outputs, put together from hal/linux as the
// configuration says.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "firmware/linux_node/configuration.hpp"
#include "firmware/linux_node/device_events.hpp"
#include "hal/button.hpp"
#include "hal/linux/device_key.hpp"
#include "hal/linux/file_store.hpp"
#include "hal/linux/gpio_line.hpp"
#include "hal/linux/mqtt_link.hpp"
#include "hal/linux/relay_driver.hpp"
#include "hal/port.hpp"
#include "hal/sim/scaled_clock.hpp"

namespace wattproof::firmware {

class LinuxPort {
 public:
  LinuxPort(const Configuration& configuration, const hal::DeviceKey& key, EventLog& log)
      : configuration_(configuration), key_(key), log_(log) {}

  // Opens store, clock and outputs. What failed is in the log.
  Error open();
  // Opens the link: apart, since a configuration can be checked without a broker.
  Error open_link();

  // hal::Port
  BootMs now();
  Error entropy(MutableBytes into);
  Error send(Bytes frame);
  Error write_record(std::uint8_t id, Bytes record);
  Result<std::uint32_t> read_record(std::uint8_t id, MutableBytes into);
  Error sign(const Hash32& digest, crypto::Signature& signature);
  Error set_relay(bool on, const node::Evidence& why);
  Error set_point(std::int32_t power_w, const node::Evidence& why);
  Error sense_relay(bool& on);
  void report(hal::Fault fault, Error error);

  hal::MqttLink& link() { return link_; }
  [[nodiscard]] const Address& address() const { return key_.address(); }

  // True once after the keeper has opened the relay on its own: the node is to be told with an input `opened`.
  bool take_overruled();

  // Readable when the meter has something; -1: nothing to wait for.
  [[nodiscard]] int meter_file() const;
  // A new believed power, if there is one. To be called in every turn.
  std::optional<std::int32_t> read_meter();

  // Readable when the button moved; -1: there is none.
  [[nodiscard]] int button_file() const;
  // What the person did since the last look; to be called when the file is readable and, while it is pressed, now and then.
  hal::Push look_at_button(std::uint64_t now_ms);
  [[nodiscard]] bool is_button_pressed() const { return button_.is_pressed(); }

  // Drives every output to its fallback state at once, past the guard: the program is about to end, and a relay that
  // nobody watches must not stay on. Reported as reason "fallback".
  void make_safe();

  // Real milliseconds, for sockets and limits on repetition; now() may run scaled.
  [[nodiscard]] static std::uint64_t real_ms();
  // How long to sleep until the node's time `wake`, in real milliseconds.
  std::uint64_t real_ms_until(BootMs wake);

  void log(Level level, const Event& event) { log_.write(level, event, now().ms, real_ms()); }

 private:
  Error open_relay();
  Error open_button();
  Error open_meter();
  Error write_set_point(std::int32_t power_w);
  void tell_of_frame(Bytes frame);
  void tell_of_record(std::uint8_t id, Bytes record);

  const Configuration& configuration_;
  const hal::DeviceKey& key_;
  EventLog& log_;
  hal::FileStore store_;
  hal::MqttLink link_;
  hal::ScaledClock clock_;
  std::uint64_t start_ms_ = 0;
  std::unique_ptr<hal::RelayDriver> relay_;
  std::optional<bool> relay_commanded_;
  std::optional<BootMs> differs_since_;  // since when the contact is not what was commanded
  std::unique_ptr<hal::GpioLine> button_line_;
  hal::Button button_;
  std::unique_ptr<MeterService> meter_;
  bool meter_was_available_ = false;
  bool meter_was_closed_ = false;
  BootMs meter_told_{};
  std::uint64_t epoch_told_ = 0;
  std::uint32_t round_told_ = 0;
  std::optional<std::int32_t> set_point_w_;
};

static_assert(hal::Port<LinuxPort>);

}  // namespace wattproof::firmware
