// SPDX-License-Identifier: Apache-2.0
// Fuzzing from something valid: the fuzzer's bytes are edits of it. So it reaches what lies behind a bloom filter of 256
// bytes or a signature, which no fuzzer writes by itself.
#pragma once

#include <algorithm>
#include <vector>

#include "base/bytes.hpp"

namespace wattproof::fuzz {

constexpr std::size_t edit_size = 5;   // operation, place (2), value, count
constexpr std::size_t edits_max = 16;

// Takes one edit off the front of `script` and applies it to `bytes`.
inline void apply_edit(Bytes& script, std::vector<std::uint8_t>& bytes) {
  const std::uint8_t operation = script[0] % 5;
  const std::size_t place = bytes.empty() ? 0 : load_be16(&script[1]) % bytes.size();
  const std::uint8_t value = script[3];
  const std::size_t count = std::min<std::size_t>(1 + script[4] % 70, bytes.size() - place);
  script = script.subspan(edit_size);
  const auto at = bytes.begin() + static_cast<std::ptrdiff_t>(place);
  if (bytes.empty() || operation == 0) {
    bytes.insert(at, value);
  } else if (operation == 1) {
    *at = value;
  } else if (operation == 2) {
    *at = static_cast<std::uint8_t>(*at ^ 1U << value % 8);
  } else if (operation == 3) {
    bytes.erase(at, at + static_cast<std::ptrdiff_t>(count));
  } else {  // a copy of a part, in front of it
    const std::vector<std::uint8_t> part(at, at + static_cast<std::ptrdiff_t>(count));
    bytes.insert(at, part.begin(), part.end());
  }
}

inline void apply_edits(Bytes script, std::vector<std::uint8_t>& bytes) {
  for (std::size_t i = 0; i < edits_max && script.size() >= edit_size; ++i) apply_edit(script, bytes);
}

}  // namespace wattproof::fuzz
