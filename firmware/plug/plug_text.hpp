// SPDX-License-Identifier: Apache-2.0
// Text without printf: lines of bounded length, built from words, numbers and hex.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"

namespace wattproof::firmware {

constexpr std::uint32_t line_size_max = 200;

// A line that is too long is cut; what is cut is text for people.
class Line {
 public:
  Line& add(const char* text) {
    while (*text != 0) put(*text++);
    return *this;
  }
  Line& add(const char* key, const char* text) { return add(" ").add(key).add("=").add(text); }
  Line& add(const char* key, std::uint64_t number) { return add(" ").add(key).add("=").number(number); }
  Line& add(const char* key, Bytes bytes) { return add(" ").add(key).add("=0x").hex(bytes); }

  Line& number(std::uint64_t number) {
    std::array<char, 20> digits{};
    std::uint32_t count = 0;
    do {
      digits[count++] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    while (count != 0) put(digits[--count]);
    return *this;
  }
  Line& hex(Bytes bytes) {
    for (const std::uint8_t byte : bytes) {
      put("0123456789abcdef"[byte >> 4]);
      put("0123456789abcdef"[byte & 15]);
    }
    return *this;
  }
  [[nodiscard]] const char* begin() const { return text_.data(); }
  [[nodiscard]] const char* end() const { return text_.data() + size_; }

 private:
  void put(char letter) {
    if (size_ < text_.size()) text_[size_++] = letter;
  }

  std::array<char, line_size_max> text_{};
  std::uint32_t size_ = 0;
};

}  // namespace wattproof::firmware
