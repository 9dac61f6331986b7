// SPDX-License-Identifier: Apache-2.0
// The stack that heavy calls use: paints the memory below the stack pointer, calls, and looks how far down the paint is
// gone. Prints lines `name bytes`. The same source runs on a Cortex-M4 and on aarch64 Linux.
#include <algorithm>
#include <array>
#include <cstdint>

#include "base/check.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "qemu/core_report.hpp"
#include "solver/solve.hpp"
#include "step/step_replay.hpp"

WATTPROOF_EMBED(recording, WATTPROOF_RECORDING);  // what step_record wrote

namespace wattproof::bench {
namespace {

constexpr std::size_t span = 32 * 1024;  // painted; far more than any call may use
constexpr std::size_t margin = 64;       // not painted, counted as used: what paint() itself may keep there
constexpr std::uint8_t colour = 0xa5;

std::uint8_t* top = nullptr;  // where paint() was called, and with it the call that is measured

[[gnu::noinline]] void paint() {
  top = static_cast<std::uint8_t*>(__builtin_frame_address(0));
  for (volatile std::uint8_t* at = top - span; at != top - margin; ++at) *at = colour;
}

[[gnu::noinline]] std::size_t used() {
  const volatile std::uint8_t* at = top - span;
  while (at != top - margin && *at == colour) ++at;
  return static_cast<std::size_t>(top - at);
}

template <class Call>
[[gnu::noinline]] void measure(const char* name, Call call) {
  paint();
  call();
  core::print_line(name, used());
}

using Profile = std::array<std::int32_t, slot_count_max>;

void solve(const solver::Device& device) {
  static solver::Workspace<slot_count_max> workspace;
  static Profile target_w, profile_w;
  for (std::size_t slot = 0; slot < target_w.size(); ++slot) {
    target_w[slot] = static_cast<std::int32_t>(slot * 7919 % 6000) - 3000;
  }
  solver::Report report;
  const Error error = solver::solve(device, {.slots = slot_count_max, .slot_seconds = 900}, target_w, {}, workspace,
                                    profile_w, report);
  WATTPROOF_CHECK(error == Error::none);
}

void measure_crypto() {
  static crypto::Signature signature;
  static crypto::PrivateKey key;
  static Hash32 digest;
  key[31] = 1;
  measure("keccak256", [] { digest = crypto::keccak256({}); });
  measure("sign", [] { WATTPROOF_CHECK(ok(crypto::sign(key, digest, signature))); });
  measure("recover_address", [] { WATTPROOF_CHECK(static_cast<bool>(crypto::recover_address(digest, signature))); });
}

void measure_solver() {
  static Profile cycle;
  cycle.fill(500);
  measure("solve_shapeable", [] {
    solve({.kind = solver::DeviceKind::shapeable, .power_max_w = 7000, .energy_wh = 20'000});
  });
  measure("solve_battery", [] {
    solve({.kind = solver::DeviceKind::battery, .power_min_w = -3000, .power_max_w = 3000, .energy_max_wh = 9000,
           .energy_start_wh = 4000, .energy_end_max_wh = 9000});
  });
  measure("solve_appliance", [] {
    solve({.kind = solver::DeviceKind::appliance, .profile_w = std::span<const std::int32_t>(cycle).first(8)});
  });
}

// The deepest of all steps of a recorded life.
std::size_t steps_used = 0;

int measure_steps() {
  const int status = replay({recording_begin, recording_end}, paint, [] { steps_used = std::max(steps_used, used()); });
  core::print_line("node_step", steps_used);
  return status;
}

}  // namespace
}  // namespace wattproof::bench

int main() {
  wattproof::bench::measure_crypto();
  wattproof::bench::measure_solver();
  return wattproof::bench::measure_steps();
}
