// SPDX-License-Identifier: Apache-2.0
// What one slot of a store does at a price of energy. Internal to solver/.
#pragma once

#include <cstdint>

#include "solver/store.hpp"

namespace wattproof::solver {

// One power, or either of two if the price is that of a jump. In 2^-10 W.
struct SlotChoice {
  std::int32_t low;
  std::int32_t high;
};

// Powers in W of a slot, and its wish in 2^-10 W.
struct SlotPowers {
  std::int32_t low_w;
  std::int32_t high_w;
  std::int64_t wish;
};

// The price at which the slot jumps, if low_w < 0 < high_w and wish > 0.
std::int64_t jump_price(const Store& store, const SlotPowers& slot);
SlotChoice choose(const Store& store, const SlotPowers& slot, std::int32_t price);

}  // namespace wattproof::solver
