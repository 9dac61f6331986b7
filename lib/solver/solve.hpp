// SPDX-License-Identifier: Apache-2.0
// The profile that a device would choose: minimise J = sum of weight (x - target)^2 + 2 price x within its limits,
// in integers, the same to the last bit on every machine, with a certificate of how far from the continuous optimum
// the answer can be. No heap; time O(slots x live knots) for storage, O(slots) to O(slots x cycle) for the others.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/error.hpp"
#include "base/result.hpp"
#include "solver/device.hpp"

namespace wattproof::solver {

// A device's own costs in the unit of the weights: linear x 2^(linear_bits - shift), quadratic x 2^-shift, rounded down.
struct OwnScale {
  std::uint32_t linear_bits = 0;  // 0..16
  std::uint32_t shift = 0;        // 0..63
};

// What is minimised beside the device's limits. All weights are plain integers in one unit of money.
//   J = sum weight (x - target)^2 + wear x^2 + discomfort (x - preferred)^2 + 2 price x        (x, target, preferred in W)
struct Cost {
  std::uint32_t weight = 1;                      // 1..weight_max
  std::span<const std::int64_t> price{};         // empty, or one per slot
  std::uint32_t wear = 0;                        // 0..weight_max
  std::uint32_t discomfort = 0;                  // 0..weight_max
  std::span<const std::int32_t> preferred_w{};   // empty means 0 W
  OwnScale own_scale{};
};

constexpr std::uint32_t weight_max = 1u << 24;

// How the answer is known to be good.
enum class CertificateKind : std::uint8_t {
  none = 0,
  dual = 1,        // J(x) - continuous minimum <= gap, shown by the prices in Report::dual
  enumerated = 2,  // the search covered every choice; gap is 0
  bound = 3,       // feasible; J(x) - minimum <= gap, and the gap is more than rounding
};

// Which limit cannot be met.
enum class Limit : std::uint8_t {
  none = 0,
  power = 1,        // power_min_w > power_max_w in `slot` (W)
  energy_min = 2,   // at least `needed` Wh before `slot` begins; `possible` is the most that can be reached
  energy_max = 3,   // at most `needed` Wh before `slot` begins; `possible` is the least that can be reached
  window = 4,       // the cycles or on-slots need `needed` slots; `possible` slots are in the window
  comfort_min = 5,  // at least `needed` milli-degrees after the slot before `slot`; `possible` is the most
  comfort_max = 6,  // at most `needed`; `possible` is the least
  pattern = 7,      // no switching pattern has `needed` on-slots; once on it is on for at least `possible`
  breaker = 9,      // a home: |sum| of `needed` W before `slot` begins, `possible` W are allowed
  ramp = 10,        // banded: at `slot` power would have to be `needed` W; the ramps allow `possible`
  state_min = 11,   // banded: state `state` at least `needed` before `slot` begins; `possible` is the most found
  state_max = 12,   // at most `needed`; `possible` is the least
  whole_watts = 8,  // fractions of a watt would keep the limits; rounding found no whole watts in `slot`
};

struct Report {
  // Certificate of a profile.
  CertificateKind kind = CertificateKind::none;
  std::uint64_t gap = 0;                  // unit of J, rounded up; 2^64 - 1 says that no bound below that was found
  // Multipliers of the state limits after each slot, in 2^-guard_bits W: above 0 where the lower limit holds the
  // device up, below 0 where the upper one holds it down. One number per slot; or one in all, that of the device's last
  // slot, if only the energy at its end is limited; or none. Lives in the workspace.
  std::span<const std::int32_t> dual{};
  std::uint32_t guard_bits = 0;

  // When the answer is infeasible, infeasible_below or infeasible_above.
  Limit limit = Limit::none;
  std::uint32_t slot = 0;
  std::uint32_t state = 0;  // of a banded device
  std::int64_t needed = 0;
  std::int64_t possible = 0;
};

// Working memory. A view is any array of 64-bit words; Workspace<slots> owns enough for the kinds without losses, leak and
// patterns, FullWorkspace<slots> also for those with losses or leak. No state lives in it between calls.
using WorkspaceView = std::span<std::uint64_t>;

constexpr std::size_t workspace_words(std::uint32_t slots) { return 2 + 2 * std::size_t{slots} + (std::size_t{slots} + 1) / 2; }

// Enough for batteries with losses, stores beyond 31 bits and thermal stores as well.
constexpr std::size_t full_workspace_words(std::uint32_t slots) { return 9 * std::size_t{slots} + 16; }

// What solve() needs for this device; appliances with several parts and switched loads may need more than the above.
std::size_t workspace_words(const Device& device, const Grid& grid);

template <std::uint32_t slots>
struct Workspace {
  std::array<std::uint64_t, workspace_words(slots)> words;
  constexpr operator WorkspaceView() { return words; }
};

template <std::uint32_t slots>
struct FullWorkspace {
  std::array<std::uint64_t, full_workspace_words(slots)> words;
  constexpr operator WorkspaceView() { return words; }
};

// Fills profile_w with the best profile. Spans hold exactly one entry per slot; profile_w must not overlap the others.
// On an error profile_w holds nothing of use.
//   every error of validate()
//   wrong_length         target, price, preferred or profile without one entry per slot
//   out_of_range         a target, weight or price for which the integers of this solver would not suffice
//   workspace_too_small  see workspace_words
//   not_converged        banded only: neither an answer nor a proof that there is none
//   infeasible_below / infeasible_above / infeasible  the limits contradict each other: report says which, where, by how much
Error solve(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
            WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report);

// The same without the certificate: what a small device runs every round. Report::dual is then not for use.
Error optimise(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
               WorkspaceView workspace, std::span<std::int32_t> profile_w, Report& report);

// Whether any profile meets the limits; needs no workspace and no target. Fills report as solve does.
Error feasible(const Device& device, const Grid& grid, Report& report);

// Whether this profile meets every limit of the device, in exact arithmetic.
//   infeasible, infeasible_below, infeasible_above  it breaks one, or nothing can meet them all
//   unknown_kind                                    a home, whose sum alone does not tell
Error check_profile(const Device& device, const Grid& grid, std::span<const std::int32_t> profile_w);

// Recomputes the certificate of a profile from the device's data and the dual prices alone: an upper bound of
// J(profile) - continuous minimum, rounded up. Any dual prices give a valid bound; bad ones give a large one.
//   infeasible    the profile breaks a limit
//   unknown_kind  a home: each of its parts is rechecked alone
Error recheck(const Device& device, const Grid& grid, std::span<const std::int32_t> target_w, const Cost& cost,
              std::span<const std::int32_t> profile_w, std::span<const std::int32_t> dual, std::uint32_t guard_bits,
              std::uint64_t& gap);

}  // namespace wattproof::solver
