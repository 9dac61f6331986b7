// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret.hpp"

namespace wattproof::crypto {

void wipe(MutableBytes secret) {
  if (secret.empty()) return;
  std::memset(secret.data(), 0, secret.size());
  // The memory counts as read here, so the stores above stay.
  asm volatile("" : : "r"(secret.data()) : "memory");
}

bool constant_time_equal(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
    // Hides the running value, or a compiler may leave the loop at the first difference.
    asm volatile("" : "+r"(difference));
  }
  return difference == 0;
}

}  // namespace wattproof::crypto
