// SPDX-License-Identifier: Apache-2.0
// Dies on an input that only a fuzzer that follows the code finds. fuzz.py demands that it dies, or finding nothing in the
// others would mean nothing.
#include "oracle.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wattproof::fuzz::require(!(size >= 3 && data[0] == 'w' && data[1] == 'a' && data[2] == 't'));
  return 0;
}
