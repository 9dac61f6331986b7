// SPDX-License-Identifier: Apache-2.0
// A relay contact as hardware behaves: what was commanded and what the contact does are two things. Faults: a coil that
// no longer closes (stuck open), a contact that has welded (stuck closed), one that follows late, a driver that refuses.
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "base/time.hpp"

namespace wattproof::hal {

enum class RelayFault : std::uint8_t { none = 0, stuck_open = 1, welded = 2, slow = 3, driver = 4 };

class SimulatedRelay {
 public:
  // A contact starts open, as after a power cut.
  void set_fault(RelayFault fault, std::uint32_t slow_ms = 0) {
    fault_ = fault;
    slow_ms_ = slow_ms;
  }

  //   hardware_failed  the driver refuses (RelayFault::driver); nothing was commanded
  Error command(bool on, BootMs now) {
    if (fault_ == RelayFault::driver) return Error::hardware_failed;
    settle(now);
    if (on == commanded_) return Error::none;
    commanded_ = on;
    commanded_at_ = now;
    settle(now);
    return Error::none;
  }

  // What the contact does at this moment.
  bool sensed(BootMs now) {
    settle(now);
    return closed_;
  }

  [[nodiscard]] bool commanded() const { return commanded_; }
  // How often the contact itself moved: the wear that a test may bound.
  [[nodiscard]] std::uint32_t switches() const { return switches_; }

 private:
  void settle(BootMs now) {
    bool closed = commanded_;
    if (fault_ == RelayFault::stuck_open) closed = false;
    if (fault_ == RelayFault::welded) closed = closed_ || commanded_;
    if (fault_ == RelayFault::slow && now.since(commanded_at_) < slow_ms_) closed = closed_;
    if (closed != closed_) ++switches_;
    closed_ = closed;
  }

  RelayFault fault_ = RelayFault::none;
  std::uint32_t slow_ms_ = 0;
  bool commanded_ = false;
  bool closed_ = false;
  BootMs commanded_at_{};
  std::uint32_t switches_ = 0;
};

}  // namespace wattproof::hal
