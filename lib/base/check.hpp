// SPDX-License-Identifier: Apache-2.0
// CHECK is for our own mistakes, never for what comes from outside. It stays on in every build: the handler drives the
// outputs to their fallback state, notes file and line where they survive a reset, and resets.
#pragma once

namespace wattproof {

// Supplied by the board or the program; must not return. Hosts abort.
[[noreturn]] void check_failed(const char* file, int line);

}  // namespace wattproof

// The name without its folders: no two files of the library share one, and an image is the same wherever it was built.
#ifdef __FILE_NAME__
#define WATTPROOF_FILE __FILE_NAME__
#else
#define WATTPROOF_FILE __FILE__
#endif

#define WATTPROOF_CHECK(condition)                                       \
  do {                                                                   \
    if (!(condition)) ::wattproof::check_failed(WATTPROOF_FILE, __LINE__); \
  } while (false)
