// SPDX-License-Identifier: Apache-2.0
// A value or an Error. No exceptions, no heap.
#pragma once

#include <type_traits>

#include "base/error.hpp"

namespace wattproof {

template <class T>
class [[nodiscard]] Result {
  static_assert(std::is_trivially_copyable_v<T>, "large state is filled in place, not returned");

 public:
  constexpr Result(T value) : value_(value) {}
  constexpr Result(Error error) : error_(error) {}

  constexpr explicit operator bool() const { return error_ == Error::none; }
  constexpr Error error() const { return error_; }
  // Only after the test above; a failed Result holds a value-initialised T.
  constexpr const T& operator*() const { return value_; }
  constexpr const T* operator->() const { return &value_; }

 private:
  T value_{};
  Error error_{};
};

// A function that has no value to give returns an Error (nodiscard); Error::none is success.
constexpr bool ok(Error error) { return error == Error::none; }

}  // namespace wattproof

// Returns from the enclosing function if `expression` (an Error) is not none.
#define WATTPROOF_TRY(expression)                                                    \
  do {                                                                               \
    if (const ::wattproof::Error wattproof_error = (expression);                     \
        wattproof_error != ::wattproof::Error::none)                                 \
      return wattproof_error;                                                        \
  } while (false)
