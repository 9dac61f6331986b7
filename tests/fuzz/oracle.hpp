// SPDX-License-Identifier: Apache-2.0
// A fuzz target's way to say that an answer is wrong although nothing crashed.
#pragma once

#include <cstdlib>

#include "base/bytes.hpp"

namespace wattproof::fuzz {

// Built with the stand-ins any_hash.cpp and any_key.cpp: what depends on hashes and signatures may then be forged.
#ifdef WATTPROOF_FUZZ_STUBBED
constexpr bool is_stubbed = true;
#else
constexpr bool is_stubbed = false;
#endif

inline void require(bool holds) {
  if (!holds) std::abort();
}

// Whether `part` lies inside `whole`. An empty view may point anywhere.
inline bool inside(Bytes part, Bytes whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace wattproof::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
