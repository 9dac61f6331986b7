// SPDX-License-Identifier: Apache-2.0
// What vectors in JSON hold again and again.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/vectors.hpp"

namespace wattproof::testing {

// A list of hexadecimal texts.
inline std::vector<std::vector<std::uint8_t>> buffers_of(const nlohmann::json& list) {
  std::vector<std::vector<std::uint8_t>> buffers;
  for (const nlohmann::json& item : list) buffers.push_back(from_hex(item.get<std::string>()));
  return buffers;
}

}  // namespace wattproof::testing
