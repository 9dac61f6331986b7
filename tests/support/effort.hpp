// SPDX-License-Identifier: Apache-2.0
// How long a random test runs. $WATTPROOF_FUZZ_CASES says how many cases, else the test's own usual count; a fifth of that
// where each case takes ten times as long: under sanitizers, and where another machine's processor is emulated.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace wattproof::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(WATTPROOF_TESTS_EMULATED)
constexpr bool is_slow_build = true;
#else
constexpr bool is_slow_build = false;
#endif

inline std::uint64_t case_count(std::uint64_t usual) {
  const char* given = std::getenv("WATTPROOF_FUZZ_CASES");
  if (given != nullptr) return std::strtoull(given, nullptr, 10);
  return is_slow_build ? usual / 5 : usual;
}

}  // namespace wattproof::testing
