// SPDX-License-Identifier: Apache-2.0
// Bytes on the gateway's side, where a heap is at hand, and how they are put one after another.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"

namespace wattproof::ethereum {

using ByteVector = std::vector<std::uint8_t>;

inline void append(ByteVector& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

inline void append_be32(ByteVector& to, std::uint32_t value) {
  std::array<std::uint8_t, 4> bytes{};
  store_be32(bytes.data(), value);
  append(to, bytes);
}

inline void append_int32(ByteVector& to, std::int32_t value) { append_be32(to, static_cast<std::uint32_t>(value)); }

inline void append_be64(ByteVector& to, std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  store_be64(bytes.data(), value);
  append(to, bytes);
}

}  // namespace wattproof::ethereum
