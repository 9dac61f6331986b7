// SPDX-License-Identifier: Apache-2.0
// CLOCK_BOOTTIME: it goes on while the machine sleeps, and nobody can set it back.
#pragma once

#include <ctime>

#include "base/time.hpp"

namespace wattproof::hal {

inline BootMs boot_now() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return {static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000};
}

}  // namespace wattproof::hal
