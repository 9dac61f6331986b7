// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

extern "C" {
void secp256k1_default_illegal_callback_fn(const char* message, void* data);
void secp256k1_default_error_callback_fn(const char* message, void* data);
}

namespace {

TEST(secp256k1_callbacks, end_where_a_failed_check_ends) {
  EXPECT_DEATH(secp256k1_default_illegal_callback_fn("misuse", nullptr), "secp256k1_callbacks");
  EXPECT_DEATH(secp256k1_default_error_callback_fn("broken", nullptr), "secp256k1_callbacks");
}

}  // namespace
