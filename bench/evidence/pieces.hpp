// SPDX-License-Identifier: Apache-2.0
// How a host program hands data to an image of a microcontroller: a file of pieces, each after its length (two bytes,
// big-endian), which the linker puts into the image as it is.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

// Defines `name`_begin and `name`_end around the bytes of a file.
#define WATTPROOF_EMBED(name, path)                                                                             \
  asm(".section .rodata\n.global " #name "_begin, " #name "_end\n" #name "_begin:\n.incbin \"" path "\"\n" #name \
      "_end:\n.text\n");                                                                                        \
  extern "C" const std::uint8_t name##_begin[];                                                                 \
  extern "C" const std::uint8_t name##_end[]

namespace wattproof::bench {

class PieceReader {
 public:
  explicit PieceReader(Bytes file) : rest_(file) {}

  // The next piece; empty, with the error kept, if the file ends within it.
  Bytes next() {
    if (rest_.size() < 2) return fail();
    const std::size_t size = load_be16(rest_.data());
    if (rest_.size() - 2 < size) return fail();
    const Bytes piece = rest_.subspan(2, size);
    rest_ = rest_.subspan(2 + size);
    return piece;
  }
  bool at_end() const { return rest_.empty(); }
  Error error() const { return error_; }

 private:
  Bytes fail() {
    rest_ = {};
    error_ = Error::truncated;
    return {};
  }
  Bytes rest_;
  Error error_ = Error::none;
};

}  // namespace wattproof::bench
