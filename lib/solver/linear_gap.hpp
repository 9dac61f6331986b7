// SPDX-License-Identifier: Apache-2.0
// What a device's profile costs above the best that any of its profiles could do at given prices, from its multipliers.
// The part of a home's certificate that one device contributes. Internal to solver/.
#pragma once

#include <cstdint>
#include <span>

#include "solver/gap.hpp"
#include "solver/solve.hpp"

namespace wattproof::solver {

// Prices in 2^-linear_gap_bits W: a watt in a slot costs 2 weight price. `dual` and `guard_bits` are those of the report that
// the profile came with. Adds to `gap`, in units of weight x 2^-linear_gap_bits. For appliances and switched loads the best
// profile at these prices is searched, in `workspace` and `scratch_w`.
constexpr std::uint32_t linear_gap_bits = 10;
Error add_linear_gap(const Device& device, const Grid& grid, std::span<const std::int64_t> prices, std::int64_t weight,
                     std::span<const std::int32_t> profile_w, std::span<const std::int32_t> dual, std::uint32_t guard_bits,
                     WorkspaceView workspace, std::span<std::int32_t> scratch_w, Gap& gap);

// Takes over as price, in each slot where `is_set` is false, what a watt is worth to a device that could go either way,
// and sets it: at that price its part of the gap is nothing but rounding.
void adopt_marginals(const Device& device, const Grid& grid, std::int64_t weight, std::span<const std::int32_t> profile_w,
                     std::span<const std::int32_t> dual, std::uint32_t guard_bits, std::span<std::int64_t> prices,
                     std::span<bool> is_set);

}  // namespace wattproof::solver
