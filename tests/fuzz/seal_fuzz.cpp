// SPDX-License-Identifier: Apache-2.0
// However a sealed header is edited, no engine accepts another block than the one that was sealed.
#include "seal_cases.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattproof;
  if (size == 0) return 0;
  fuzz::require(!fuzz::accepts_another(Bytes(data, size)));
  return 0;
}
