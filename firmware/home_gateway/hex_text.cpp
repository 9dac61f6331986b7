// SPDX-License-Identifier: Apache-2.0
#include "hex_text.hpp"

namespace wattproof::ethereum {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::uint32_t not_a_digit = 16;

std::uint32_t digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::uint32_t>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::uint32_t>(digit - 'a' + 10);
  if (digit >= 'A' && digit <= 'F') return static_cast<std::uint32_t>(digit - 'A' + 10);
  return not_a_digit;
}

// The digits of a quantity without "0x", or nothing: no digits and leading zeros are refused.
std::optional<std::string_view> quantity_digits(std::string_view text) {
  if (!text.starts_with("0x")) return std::nullopt;
  text.remove_prefix(2);
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  return text;
}

std::optional<ByteVector> parse_digits(std::string_view text) {
  ByteVector bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const std::uint32_t high = digit_value(text[i]);
    const std::uint32_t low = digit_value(text[i + 1]);
    if (high == not_a_digit || low == not_a_digit) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

}  // namespace

std::string to_hex_digits(Bytes bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += hex_digits[byte >> 4];
    text += hex_digits[byte & 15];
  }
  return text;
}

std::string to_hex(Bytes bytes) { return "0x" + to_hex_digits(bytes); }

std::string to_quantity(std::uint64_t value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), hex_digits[value & 15]);
    value >>= 4;
  } while (value != 0);
  return "0x" + digits;
}

std::optional<ByteVector> parse_hex(std::string_view text) {
  if (!text.starts_with("0x") || text.size() % 2 != 0) return std::nullopt;
  return parse_digits(text.substr(2));
}

std::optional<std::uint64_t> parse_quantity(std::string_view text) {
  const std::optional<std::string_view> digits = quantity_digits(text);
  if (!digits || digits->size() > 16) return std::nullopt;
  std::uint64_t value = 0;
  for (const char digit : *digits) {
    if (digit_value(digit) == not_a_digit) return std::nullopt;
    value = value << 4 | digit_value(digit);
  }
  return value;
}

std::optional<ByteVector> parse_big_quantity(std::string_view text) {
  const std::optional<std::string_view> digits = quantity_digits(text);
  if (!digits || digits->size() > 64) return std::nullopt;
  if (*digits == "0") return ByteVector{};
  return parse_digits(digits->size() % 2 == 0 ? std::string(*digits) : "0" + std::string(*digits));
}

}  // namespace wattproof::ethereum
