// SPDX-License-Identifier: Apache-2.0
// The prices of price_path.hpp by shooting, for builds where speed counts: the same prices and powers.
//
// At too low a price the path of S first breaks a lower limit, or ends the day with a price below 0; at too high a price it is the
// other way round. So from a slot whose S is known the two neighbouring grid prices are searched between which the day turns
// from too low to too high, by Newton's steps; both paths are followed, each held by the limits that it meets, until one can no longer
// be held, and the limit that held last ends the stretch. Nothing is stored but the prices. Internal to solver/.
#pragma once

#include <cstdint>

#include "solver/price_path.hpp"

namespace wattproof::solver {

// Prices that are tried from one slot: eight steps of Newton, then each second one halves what is left.
constexpr std::uint32_t price_pass_max = 8 + 2 * 31 + 2;

// As find_prices(), for bits > 0 and limits below 2^29.
bool search_prices(const PriceProblem& problem);

}  // namespace wattproof::solver
