// SPDX-License-Identifier: Apache-2.0
// How far an epoch has come, for people: residuals and cap of the round that was closed last. Computed from events;
// the contract's own integers decide, these figures only show them.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "chain_view.hpp"

namespace wattproof::gateway {

struct RoundReport {
  std::uint64_t epoch = 0;
  std::uint32_t round = 0;        // the one that was closed
  std::uint32_t answered = 0;
  std::uint32_t participants = 0;
  double primal = 0;              // |x - z| relative to the larger of |x| and |z|
  double dual = 0;                // |movement of the plan| relative to |u|
  std::int64_t cap_excess_w = 0;  // sum + base - cap at the worst slot; negative is room
  std::uint32_t worst_slot = 0;
  std::int32_t penalty_exponent = 0;
};

// Of the round whose closing wrote the newest head, or nothing if that was no closing of a round.
std::optional<RoundReport> report_last_round(const KnownEpoch& epoch);

// S, the sum of all profiles in each slot as it stands in the records, in W.
std::vector<std::int64_t> sum_profiles(const KnownEpoch& epoch);

nlohmann::ordered_json to_json(const RoundReport& report);

}  // namespace wattproof::gateway
