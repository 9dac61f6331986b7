// SPDX-License-Identifier: Apache-2.0
// CHECK is for our own mistakes, never for what comes from outside. It stays on in every build: the handler drives the
// outputs to their fallback state, notes file and line where they survive a reset, and resets.
#pragma once

namespace wattproof {

// Supplied by the board or the program; must not return. Hosts abort.
[[noreturn]] void check_failed(const char* file, int line);

}  // namespace wattproof

#define WATTPROOF_CHECK(condition)                                       \
  do {                                                                   \
    if (!(condition)) ::wattproof::check_failed(__FILE__, __LINE__);     \
  } while (false)
