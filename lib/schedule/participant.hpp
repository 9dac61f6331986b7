// SPDX-License-Identifier: Apache-2.0
// The device's side of the sharing ADMM (Boyd et al. 2011, section 7.3; over-relaxation 8/5): from a proven round to the
// profile that this device answers with. It keeps q, its share of z; all else comes with the evidence.
//
//   w = z - floor((8 xb - 3 zp) / 5)
//   q = floor((8 * 16 x - 3 q) / 5) + w     with an unbroken chain of rounds
//   q = 16 x + z - xb                       after a gap or a reboot, from evidence alone
//   v = q - u;  target = floor((v + 8) / 16);  answer = prox(target)
//
// All in 1/16 W, x in W. The device believes only in the profile x of its own proven record: an update that was lost or
// withheld must not move q, else the devices' view and the contract's sum drift apart.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/limits.hpp"
#include "base/result.hpp"
#include "schedule/epoch.hpp"
#include "solver/device.hpp"
#include "solver/solve.hpp"

namespace wattproof::schedule {

// A device's own cost beside the community's price, in 2^-16 micro-units per kWh and W:
// quadratic / 2 x^2 (wear of a battery, gentle charging), counted per W x slot like the community's own gamma.
struct OwnCost {
  std::uint64_t quadratic = 0;  // below penalty_bound
};

constexpr std::uint32_t freeze_round = 12;  // from here on a device that chooses among patterns keeps the one that it posted last

class Participant {
 public:
  // Forgets q: the next answer starts from evidence alone. After a boot, and when another epoch is negotiated.
  void reset() { round_ = 0; }

  // Prepares the target of an open round. `x` is the profile of the own proven record; in round 1 of a warm epoch the
  // caller gives the profile of the epoch before, if it still has it.
  //   wrong_round    the epoch is not open
  //   wrong_length   spans of another length than the epoch's slots
  Error aim(const EpochHead& head, const Vectors& vectors, std::uint32_t record_round,
            std::span<const std::int32_t> x, std::span<std::int32_t> target_w);

  // The weights of the proximal problem for this penalty: rho / 2 |x - target|^2 + own / 2 x^2, scaled to the solver's range.
  // The device's costs of its description count beside them, and those of a home's parts: cost_linear in micro-units per kWh,
  // cost_quadratic in 2^-16 of that per W.
  static solver::Cost cost(const EpochHead& head, const OwnCost& own);

  // A device whose problem is not convex moves no more from freeze_round on: an appliance with its start fixed where the
  // record's profile has it; one of several or interrupted runs, and a switched load, with the whole profile, if it is one
  // of theirs. The device refers to `x` then. Other devices come back as they are.
  static solver::Device frozen(const solver::Device& device, const EpochHead& head, std::span<const std::int32_t> x);

 private:
  std::array<std::int64_t, slot_count_max> q_{};
  std::uint64_t epoch_ = 0;
  std::uint32_t round_ = 0;  // of q; 0 = none
};

}  // namespace wattproof::schedule
