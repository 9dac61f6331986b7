// SPDX-License-Identifier: Apache-2.0
// Runs every core test, prints the trace hash and "N passed, N failed". The host builds it too: run_image.py compares.
#include "core_report.hpp"

#include <array>

#if defined(__arm__)
#include "semihosting.hpp"
namespace wattproof::core {
void print(const char* text) { qemu::write(text); }
}  // namespace wattproof::core
#else
#include <cstdio>
namespace wattproof::core {
void print(const char* text) { std::fputs(text, stdout); }
}  // namespace wattproof::core
#endif

namespace wattproof::core {
namespace {

void print_decimal(std::uint64_t value) {
  std::array<char, 21> text{};
  std::size_t at = text.size() - 1;
  do {
    text[--at] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  print(&text[at]);
}

void print_hexadecimal(std::uint64_t value) {
  std::array<char, 17> text{};
  for (std::size_t i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
  print(text.data());
}

}  // namespace

void Report::check(bool holds, const char* file, int line) {
  if (holds) {
    ++passed_;
    return;
  }
  ++failed_;
  print("FAILED: ");
  print(file);
  print(":");
  print_decimal(static_cast<std::uint64_t>(line));
  print("\n");
}

void Report::mix(Bytes bytes) {
  for (const std::uint8_t byte : bytes) trace_ = (trace_ ^ byte) * 0x100000001b3;
}

void Report::mix(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  store_be64(bytes.data(), value);
  mix(Bytes(bytes));
}

}  // namespace wattproof::core

int main() {
  using namespace wattproof::core;
  struct Test {
    const char* name;
    void (*run)(Report&);
  };
  constexpr Test tests[] = {
      {"codec", test_codec},
      {"crypto", test_crypto},
      {"chain", test_chain},
      {"solver", test_solver},
      {"control", test_control},
  };
  Report report;
  for (const Test& test : tests) {
    test.run(report);
    print(test.name);
    print(" trace ");
    print_hexadecimal(report.trace());
    print("\n");
  }
  print_decimal(report.passed());
  print(" passed, ");
  print_decimal(report.failed());
  print(" failed\n");
  return report.failed() == 0 && report.passed() != 0 ? 0 : 1;
}
