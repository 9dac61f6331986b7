// SPDX-License-Identifier: Apache-2.0
// Where the tests find vectors and data that this project did not write, and how they read hexadecimal.
// An absent folder skips a test with a message; under CI=true it fails, or an empty run would pass unseen.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace wattproof::testing {

// The file, or an empty path if it is not there. `variable` names the environment variable of the folder.
inline std::filesystem::path find_input(const char* variable, const char* folder, std::string_view name) {
  const char* given = std::getenv(variable);
  const std::filesystem::path root =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(WATTPROOF_SOURCE_DIR) / ".." / "shared" / folder;
  const std::filesystem::path file = root / name;
  return std::filesystem::exists(file) ? file : std::filesystem::path();
}

inline std::filesystem::path find_vectors(std::string_view name) {
  return find_input("WATTPROOF_VECTORS", "vectors", name);
}

inline std::filesystem::path find_data(std::string_view name) { return find_input("WATTPROOF_DATA", "data", name); }

inline bool absence_is_failure() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

// Bytes of "0x1234" or "1234". A wrong digit or an odd count fails the test and gives nothing.
inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::vector<std::uint8_t> bytes;
  EXPECT_EQ(text.size() % 2, 0U) << text;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned value = 0;
    for (const char digit : text.substr(i, 2)) {
      const std::size_t nibble = std::string_view("0123456789abcdef").find(static_cast<char>(digit | 0x20));
      if (nibble == std::string_view::npos) {
        ADD_FAILURE() << "not hexadecimal: " << text;
        return {};
      }
      value = value << 4 | static_cast<unsigned>(nibble);
    }
    bytes.push_back(static_cast<std::uint8_t>(value));
  }
  return bytes;
}

// The bytes of a text, which has to outlive them.
inline Bytes ascii(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

template <std::size_t size>
std::array<std::uint8_t, size> array_from_hex(std::string_view text) {
  const std::vector<std::uint8_t> bytes = from_hex(text);
  EXPECT_EQ(bytes.size(), size) << text;
  return bytes.size() == size ? to_array<size>(bytes) : std::array<std::uint8_t, size>{};
}

inline std::string to_hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace wattproof::testing

// Leaves the running test if the vectors are not there.
#define WATTPROOF_REQUIRE_INPUT(path)                                                         \
  do {                                                                                        \
    if ((path).empty()) {                                                                     \
      if (::wattproof::testing::absence_is_failure()) FAIL() << "input file absent: " #path;  \
      GTEST_SKIP() << "input file absent: " #path;                                            \
    }                                                                                         \
  } while (false)
