// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic with a written rounding. Division in C++ and Solidity truncates; a schedule that two machines must
// agree on floors everywhere, so nothing in lib/ divides a signed number by `/` but these functions.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

#include "base/result.hpp"

namespace wattproof {

// floor(a / b) for b > 0.
template <std::signed_integral T>
constexpr T floor_div(T a, T b) {
  const T quotient = static_cast<T>(a / b);
  return (a % b != 0 && a < 0) ? static_cast<T>(quotient - 1) : quotient;
}

// a / b rounded to the nearest integer, halves up, for b > 0.
template <std::signed_integral T>
constexpr T round_div(T a, T b) {
  return floor_div(static_cast<T>(a + b / 2), b);
}

template <class T>
constexpr T clamp(T value, T low, T high) {
  return value < low ? low : (high < value ? high : value);
}

// |value| <= limit for limit >= 0, both ends in one comparison.
constexpr bool is_within(std::int32_t value, std::int32_t limit) {
  return static_cast<std::uint32_t>(value) + static_cast<std::uint32_t>(limit) <= 2 * static_cast<std::uint32_t>(limit);
}

// Checked arithmetic: an error instead of a wrapped or undefined value.
template <std::integral T>
constexpr Result<T> checked_add(T a, T b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) return Error::overflow;
  return sum;
}

template <std::integral T>
constexpr Result<T> checked_sub(T a, T b) {
  T difference{};
  if (__builtin_sub_overflow(a, b, &difference)) return Error::overflow;
  return difference;
}

template <std::integral T>
constexpr Result<T> checked_mul(T a, T b) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) return Error::overflow;
  return product;
}

}  // namespace wattproof
