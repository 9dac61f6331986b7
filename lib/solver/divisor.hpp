// SPDX-License-Identifier: Apache-2.0
// 64-bit division where a CPU has none: by a number that many are divided by, and with a quotient of 32 bits.
// Internal to solver/.
#pragma once

#include <cstdint>

namespace wattproof::solver {

// Compiled for size, one loop serves what has loops of its own for the common cases where speed counts. The answers are the
// same.
#ifdef __OPTIMIZE_SIZE__
constexpr bool is_for_size = true;
#else
constexpr bool is_for_size = false;
#endif

// value / divisor for value / 2^32 < divisor, so that the quotient fits.
std::uint32_t narrow_quotient(std::uint64_t value, std::uint32_t divisor);

// A divisor of 1..2^31 - 1 with its reciprocal, which is worked out once.
class Divisor {
 public:
  explicit Divisor(std::uint32_t divisor);

  // floor(value / divisor).
  std::int64_t floor(std::int64_t value) const;

 private:
  std::uint32_t divisor_;
  std::uint32_t shift_ = 0;    // brings the divisor's highest bit to bit 31
  std::uint32_t inverse_ = 0;  // floor((2^64 - 1) / (divisor << shift)) - 2^32
};

}  // namespace wattproof::solver
