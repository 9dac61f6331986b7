// SPDX-License-Identifier: Apache-2.0
// What a meter said, before anybody believes it. A field that a meter does not have, or did not send this time, is absent:
// it is never zero in its place.
#pragma once

#include <cstdint>
#include <optional>

namespace wattproof::hal {

struct MeterReading {
  std::optional<std::int32_t> power_w;       // import is positive
  std::optional<std::uint64_t> import_mwh;   // the meter's own counters
  std::optional<std::uint64_t> export_mwh;
  std::optional<std::uint32_t> voltage_mv;
  bool is_degraded = false;                  // something was lost on the way: good for control, not for settlement
};

}  // namespace wattproof::hal
