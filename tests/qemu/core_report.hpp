// SPDX-License-Identifier: Apache-2.0
// The smallest test runner that fits a microcontroller: no heap, no printf, the same source on the host. Each core test
// counts its checks and mixes what it computed into one trace hash; equal hashes mean equal results to the last bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace wattproof::core {

class Report {
 public:
  // Prints where, if not true. Use CORE_CHECK.
  void check(bool holds, const char* file, int line);

  // FNV-1a, 64 bits, over the bytes or the big-endian value.
  void mix(Bytes bytes);
  void mix(std::uint64_t value);

  std::uint32_t passed() const { return passed_; }
  std::uint32_t failed() const { return failed_; }
  std::uint64_t trace() const { return trace_; }

 private:
  std::uint32_t passed_ = 0;
  std::uint32_t failed_ = 0;
  std::uint64_t trace_ = 0xcbf29ce484222325;
};

// Pseudo-random numbers that are the same everywhere (splitmix64, Vigna 2015).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  // 0 to bound - 1. The modulo's bias does not matter here.
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(next() >> 32) % bound; }

 private:
  std::uint64_t state_;
};

constexpr std::uint8_t hex_digit(char digit) {
  return static_cast<std::uint8_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

// hex("00ff") as bytes.
template <std::size_t length>
constexpr std::array<std::uint8_t, (length - 1) / 2> hex(const char (&text)[length]) {
  std::array<std::uint8_t, (length - 1) / 2> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
  }
  return bytes;
}

// Text to the machine that runs the program (core_print.cpp).
void print(const char* text);
void print_decimal(std::uint64_t value);
void print_hexadecimal(std::uint64_t value);   // 16 digits
void print_line(const char* name, std::uint64_t value);

// The tests, one source file each.
void test_codec(Report& report);
void test_crypto(Report& report);
void test_chain(Report& report);
void test_solver(Report& report);
void test_control(Report& report);
void test_keys(Report& report);
void test_store(Report& report);

}  // namespace wattproof::core

#define CORE_CHECK(report, condition) (report).check((condition), __FILE_NAME__, __LINE__)
