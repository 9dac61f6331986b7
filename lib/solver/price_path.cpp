// SPDX-License-Identifier: Apache-2.0
#include "solver/price_path.hpp"

#include "base/math.hpp"
#include "solver/for_size.hpp"
#include "solver/price_slot.hpp"

namespace wattproof::solver {

namespace {

// S before a slot if its price is `at`, with the prices that go with it.
WATTPROOF_ONCE_FOR_SIZE std::int32_t sum_before(const PriceProblem& problem, std::uint32_t slot, std::int32_t at) {
  for (std::uint32_t t = slot + 1; t-- > problem.first(); at = price_before(problem, at)) problem.price[t] = at;
  std::int32_t sum = 0;
  for (std::uint32_t t = problem.first(); t < slot; ++t) {
    sum = sum_after<AnyPath>(problem, sum, power_at<AnyPath>(problem, t, problem.price[t]));
    sum = clamp(sum, problem.limits[t].low, problem.limits[t].high);
  }
  return sum;
}

// S_t(at), which is S after the slot before its own limits.
WATTPROOF_ONCE_FOR_SIZE std::int32_t sum_at(const PriceProblem& problem, std::uint32_t slot, std::int32_t at) {
  return sum_after<AnyPath>(problem, sum_before(problem, slot, at), power_at<AnyPath>(problem, slot, at));
}

// From a price `at` where S_t misses a limit: the nearest one where it is the limit, else the last that misses it; on whole watts
// the one of these two where S_t is above. Written for a lower limit; the mirror image has all signs turned.
std::int32_t meet_limit(const PriceProblem& problem, std::uint32_t slot, std::int32_t limit, bool is_below, std::int32_t at) {
  const std::int32_t sign = is_below ? 1 : -1;
  std::int32_t missing = sign * at;
  std::int32_t meeting = price_unlimited;
  while (meeting - missing > 1) {
    const std::int32_t tried = missing + ((meeting - missing) >> 1);
    (sign * sum_at(problem, slot, sign * tried) < sign * limit ? missing : meeting) = tried;
  }
  if (sum_at(problem, slot, sign * meeting) == limit || (is_below && problem.bits == 0)) missing = meeting;
  return sign * missing;
}

}  // namespace

bool find_prices(const PriceProblem& problem) {
  bool is_between = false;
  std::int32_t at = 0;
  std::int32_t next = -price_unlimited - 1;  // that of the next slot, seen from this one; the last one has no next
  std::int32_t aim = 0;
  for (std::uint32_t t = problem.last(); t-- > problem.first();) {
    const SumLimits& limits = problem.limits[t];
    std::int32_t sum = sum_at(problem, t, at);
    const std::int32_t limit = clamp(sum, limits.low, limits.high);
    if (limit != sum) {
      at = meet_limit(problem, t, limit, sum < limit, at);
      sum = sum_at(problem, t, at);
    }
    if (at != next) aim = limit;
    is_between |= choose_for_aim(problem, t, at, sum, aim, problem.power[t],
                                 [&](std::int32_t other) { return sum_before(problem, t, other); });
    problem.price[t] = at;
    next = at = price_before(problem, at);
  }
  return is_between;
}

}  // namespace wattproof::solver
