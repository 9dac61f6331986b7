// SPDX-License-Identifier: Apache-2.0
#include "solver/divisor.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/math.hpp"

namespace wattproof::solver {
namespace {

// Numbers of every length, and those beside powers of two.
std::uint64_t draw(std::mt19937_64& random, std::uint32_t bits_max) {
  const std::uint32_t bits = 1 + static_cast<std::uint32_t>(random() % bits_max);
  const std::uint64_t top = ~std::uint64_t{0} >> (64 - bits);
  switch (random() % 4) {
    case 0: return top - random() % 3;
    case 1: return top / 2 + random() % 3;
    default: return random() & top;
  }
}

TEST(divisor, rounds_down_as_floor_div_does) {
  std::mt19937_64 random(31);
  for (int i = 0; i < 300'000; ++i) {
    const std::uint32_t divisor = static_cast<std::uint32_t>(draw(random, 31)) & 0x7fffffff;
    if (divisor == 0) continue;
    const Divisor by(divisor);
    const std::int64_t value = static_cast<std::int64_t>(draw(random, 63));
    const std::int64_t multiple = value / divisor * divisor;
    for (const std::int64_t a : {value, -value, multiple, multiple - 1, -multiple, 1 - multiple, -1 - multiple, std::int64_t{0},
                                 std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
      ASSERT_EQ(by.floor(a), floor_div(a, std::int64_t{divisor})) << a << " / " << divisor;
    }
  }
}

TEST(divisor, a_quotient_of_32_bits_is_exact) {
  std::mt19937_64 random(32);
  for (int i = 0; i < 300'000; ++i) {
    const std::uint32_t divisor = static_cast<std::uint32_t>(draw(random, 32));
    if (divisor == 0) continue;
    const std::uint64_t quotient = draw(random, 32) & 0xffffffff;
    const std::uint64_t rest = draw(random, 32) % divisor;
    ASSERT_EQ(narrow_quotient(quotient * divisor + rest, divisor), quotient) << divisor;
    ASSERT_EQ(narrow_quotient(quotient * divisor + divisor - 1, divisor), quotient) << divisor;
  }
}

}  // namespace
}  // namespace wattproof::solver
