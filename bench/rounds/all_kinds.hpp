// SPDX-License-Identifier: Apache-2.0
// A community of every kind of device that the library knows, so that whole epochs tell how the kinds agree together.
#pragma once

#include <random>
#include <vector>

#include "rounds/members.hpp"

namespace wattproof::bench {

constexpr std::uint32_t all_kinds_count = 50;

// The same number of each variety in every community; what each device is like is drawn.
std::vector<Member> make_all_kinds(const solver::Grid& grid, std::mt19937& random);

}  // namespace wattproof::bench
