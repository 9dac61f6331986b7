// SPDX-License-Identifier: Apache-2.0
#include "solver/divisor.hpp"

#include <bit>

#include "solver/wide_math.hpp"

namespace wattproof::solver {

namespace {

constexpr std::uint32_t low_half = 0xffff;

// One digit of 16 bits, with `rest` < divisor; Knuth's guess from the divisor's upper half is at most two too large.
std::uint32_t next_digit(std::uint32_t& rest, std::uint32_t next, std::uint32_t divisor) {
  const std::uint32_t upper = divisor >> 16;
  const std::uint32_t lower = divisor & low_half;
  std::uint32_t digit = rest / upper;
  std::uint32_t left = rest - digit * upper;
  while (digit > low_half || digit * lower > (left << 16 | next)) {
    --digit;
    left += upper;
    if (left > low_half) break;
  }
  rest = (rest << 16 | next) - digit * divisor;
  return digit;
}

}  // namespace

std::uint32_t narrow_quotient(std::uint64_t value, std::uint32_t divisor) {
  const int shift = std::countl_zero(divisor);
  const std::uint64_t shifted = value << shift;
  const std::uint32_t low = static_cast<std::uint32_t>(shifted);
  std::uint32_t rest = static_cast<std::uint32_t>(shifted >> 32);
  const std::uint32_t digit = next_digit(rest, low >> 16, divisor << shift);
  return digit << 16 | next_digit(rest, low & low_half, divisor << shift);
}

#ifndef __OPTIMIZE_SIZE__
Divisor::Divisor(std::uint32_t divisor) : divisor_(divisor), shift_(static_cast<std::uint32_t>(std::countl_zero(divisor))) {
  const std::uint32_t normal = divisor << shift_;
  inverse_ = narrow_quotient(std::uint64_t{~normal} << 32 | 0xffffffffu, normal);
}
#endif

}  // namespace wattproof::solver
