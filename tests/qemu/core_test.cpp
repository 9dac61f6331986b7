// SPDX-License-Identifier: Apache-2.0
// Runs every core test, prints the trace hash and "N passed, N failed". The host builds it too: run_image.py compares.
#include "core_report.hpp"

namespace wattproof::core {

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
      {"keys", test_keys},
      {"store", test_store},
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
