// SPDX-License-Identifier: Apache-2.0
// On a host a failed CHECK says where and aborts.
#include <cstdio>
#include <cstdlib>

#include "base/check.hpp"

// There in a build that measures coverage: what led to here would be lost with the process.
extern "C" void __attribute__((weak)) __gcov_dump();

namespace wattproof {

void check_failed(const char* file, int line) {
  std::fprintf(stderr, "CHECK failed: %s:%d\n", file, line);
  if (__gcov_dump != nullptr) __gcov_dump();
  std::abort();
}

}  // namespace wattproof
