// SPDX-License-Identifier: Apache-2.0
// On a host a failed CHECK says where and aborts.
#include <cstdio>
#include <cstdlib>

#include "base/check.hpp"

namespace wattproof {

void check_failed(const char* file, int line) {
  std::fprintf(stderr, "CHECK failed: %s:%d\n", file, line);
  std::abort();
}

}  // namespace wattproof
