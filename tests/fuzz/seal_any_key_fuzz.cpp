// SPDX-License-Identifier: Apache-2.0
// The same edits where every signature is good (any_key.cpp): everything behind the seals is reached, whatever it holds.
#include "seal_cases.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattproof;
  if (size != 0) (void)fuzz::accepts_another(Bytes(data, size));
  return 0;
}
