// SPDX-License-Identifier: Apache-2.0
// 64-bit division where a CPU has none: by a number that many are divided by, and with a quotient of 32 bits.
// Internal to solver/.
#pragma once

#include <cstdint>

#include "solver/wide_math.hpp"

namespace wattproof::solver {

// value / divisor for value / 2^32 < divisor, so that the quotient fits.
std::uint32_t narrow_quotient(std::uint64_t value, std::uint32_t divisor);

// A divisor of 1..2^31 - 1 with its reciprocal, which is worked out once; for size, just the divisor.
class Divisor {
 public:
  Divisor() = default;
#ifdef __OPTIMIZE_SIZE__
  explicit Divisor(std::uint32_t divisor) : divisor_(divisor) {}
#else
  explicit Divisor(std::uint32_t divisor);
#endif

  std::int32_t value() const { return static_cast<std::int32_t>(divisor_); }

  // floor(value / divisor).
  std::int64_t floor(std::int64_t value) const;

 private:
  std::uint32_t divisor_;
#ifndef __OPTIMIZE_SIZE__
  std::uint32_t shift_;    // brings the divisor's highest bit to bit 31
  std::uint32_t inverse_;  // floor((2^64 - 1) / (divisor << shift)) - 2^32
#endif
};

#ifdef __OPTIMIZE_SIZE__
inline std::int64_t Divisor::floor(std::int64_t value) const { return wide_floor_div(value, divisor_); }
#else
// Moeller and Granlund, Improved division by invariant integers (2011), algorithm 4, for the lower word; what the upper one
// is divided by itself is small or nothing.
inline std::int64_t Divisor::floor(std::int64_t value) const {
  const std::int64_t sign = value >> 63;  // floor(value / d) is ~floor(~value / d) below 0
  const std::uint64_t size = static_cast<std::uint64_t>(value ^ sign);
  const std::uint32_t low = static_cast<std::uint32_t>(size);
  std::uint32_t high = static_cast<std::uint32_t>(size >> 32);
  std::uint32_t upper = 0;
  if (high >= divisor_) {
    upper = high / divisor_;
    high -= upper * divisor_;
  }
  const std::uint32_t normal = divisor_ << shift_;
  const std::uint32_t head = high << shift_ | low >> (32 - shift_);
  const std::uint32_t tail = low << shift_;
  const std::uint64_t guess = std::uint64_t{inverse_} * head + (std::uint64_t{head} << 32 | tail);
  std::uint32_t quotient = static_cast<std::uint32_t>(guess >> 32) + 1;
  std::uint32_t rest = tail - quotient * normal;
  if (rest > static_cast<std::uint32_t>(guess)) {
    --quotient;
    rest += normal;
  }
  if (rest >= normal) ++quotient;
  return static_cast<std::int64_t>(std::uint64_t{upper} << 32 | quotient) ^ sign;
}
#endif

}  // namespace wattproof::solver
