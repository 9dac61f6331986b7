// SPDX-License-Identifier: Apache-2.0
// Text out of an image or a host program, without printf: semihosting there, standard output here.
#include "core_report.hpp"

#if defined(__arm__)
#include "semihosting.hpp"
#else
#include <cstdio>
#endif

namespace wattproof::core {

#if defined(__arm__)
void print(const char* text) { qemu::write(text); }
#else
void print(const char* text) { std::fputs(text, stdout); }
#endif

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

void print_line(const char* name, std::uint64_t value) {
  print(name);
  print(" ");
  print_decimal(value);
  print("\n");
}

}  // namespace wattproof::core
