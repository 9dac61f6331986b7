// SPDX-License-Identifier: Apache-2.0
// What libsecp256k1, compiled with USE_EXTERNAL_DEFAULT_CALLBACKS, calls when it is misused or finds itself broken. Both
// are our own mistakes, never an input's, so they end where CHECK ends. Debian's build has callbacks of its own and leaves
// these unused. The function types are libsecp256k1's.
#include "base/check.hpp"

extern "C" {

void secp256k1_default_illegal_callback_fn(const char* message, void* data);
void secp256k1_default_error_callback_fn(const char* message, void* data);

void secp256k1_default_illegal_callback_fn(const char* /*message*/, void* /*data*/) {
  wattproof::check_failed(__FILE__, __LINE__);
}

void secp256k1_default_error_callback_fn(const char* /*message*/, void* /*data*/) {
  wattproof::check_failed(__FILE__, __LINE__);
}

}  // extern "C"
