// SPDX-License-Identifier: Apache-2.0
// What drives one contact on Linux. Several kinds exist side by side and the configuration picks one at start.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "hal/linux/gpio_line.hpp"

namespace wattproof::hal {

class RelayDriver {
 public:
  virtual ~RelayDriver() = default;
  //   hardware_failed  the contact was not driven; detail() says why
  virtual Error command(bool on, BootMs now) = 0;
  //   not_ready        this board cannot read the contact back
  //   hardware_failed  it can, but the reading failed
  virtual Error sense(bool& on, BootMs now) = 0;
  [[nodiscard]] virtual std::string detail() const { return {}; }
  // True once after somebody else than the owner has opened the contact: the owner must be told, since a board without a
  // sense line would believe for ever that its relay is closed.
  [[nodiscard]] virtual bool take_overruled() { return false; }
};

struct GpioRelayOptions {
  std::string chip_label;      // of the GPIO chip, e.g. "pinctrl-bcm2711": numbers of chips move, labels do not
  unsigned line = 0;           // offset on that chip
  bool active_low = false;     // the contact closes when the line is low
  int sense_line = -1;         // offset of an input on the same chip that follows the contact; -1: none
  bool sense_active_low = false;
  GpioBackend backend = GpioBackend::automatic;
};

// Takes the line as an output that is off from the first moment, so that starting does not click.
//   configuration_invalid  driving the line to off has closed the contact (seen on the sense line): active_low is wrong
//   not_ready        built without the back end that is asked for
//   hardware_failed  no chip with that label, no such line, or the line is busy; `detail` says which and what is there
Error open_gpio_relay(const GpioRelayOptions& options, std::unique_ptr<RelayDriver>& driver, std::string& detail);

}  // namespace wattproof::hal
