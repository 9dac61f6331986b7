// SPDX-License-Identifier: Apache-2.0
// Days of a relay guard under random instructions, with the boot clock crossing 2^32 ms. What the relay did goes into the
// trace; minimum on and off times are checked here, from outside.
#include "control/relay_guard.hpp"
#include "core_report.hpp"

namespace wattproof::core {
namespace {

constexpr std::uint64_t start_ms = 0x1'0000'0000 - 3'600'000;
constexpr std::uint32_t step_count = 100'000;

}  // namespace

void test_control(Report& report) {
  const control::RelayLimits limits;
  Random random(4);
  BootMs now{start_ms};
  control::RelayGuard guard(limits, now, 5);
  BootMs changed = now;
  bool was_on = false;
  bool holds_kept = true;
  std::uint32_t switch_count = 0;
  for (std::uint32_t i = 0; i < step_count; ++i) {
    now = now.plus(1 + random.below(20'000));
    if (random.below(20) == 0) guard.instruct(now, random.below(2) == 0);
    if (random.below(2000) == 0) guard.withdraw();
    const bool is_on = guard.step(now).on;
    if (is_on != was_on) {
      holds_kept = holds_kept && now.since(changed) >= (was_on ? limits.on_ms_min : limits.off_ms_min);
      changed = now;
      was_on = is_on;
      ++switch_count;
      report.mix(now.ms);
    }
  }
  CORE_CHECK(report, holds_kept);
  CORE_CHECK(report, switch_count > 100);
}

}  // namespace wattproof::core
