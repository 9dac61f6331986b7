// SPDX-License-Identifier: Apache-2.0
// Keccak-256 as Ethereum uses it: Keccak[c = 512] with the padding 0x01 of the original submission, not SHA3-256's 0x06.
// Source: the Keccak reference (Bertoni, Daemen, Peeters, Van Assche, version 3.0). Public data only: nothing is wiped.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "base/bytes.hpp"

namespace wattproof::crypto {

// A message may come in any number of pieces of any size; the digest depends on their concatenation alone.
class Keccak256 {
 public:
  void update(Bytes message);

  // The digest of everything given so far. Afterwards the object is as new.
  Hash32 finish();

 private:
  void absorb_lane(const std::uint8_t* lane);

  // 25 lanes of 64 bits: one word each on a 64-bit target, on a 32-bit target the even bits and then the odd bits of each.
  using Word = std::conditional_t<sizeof(std::uintptr_t) >= 8, std::uint64_t, std::uint32_t>;
  std::array<Word, 200 / sizeof(Word)> state_{};
  std::array<std::uint8_t, 8> pending_{};  // bytes of a lane that is not complete yet
  std::uint8_t pending_size_ = 0;          // 0 to 7
  std::uint8_t lane_ = 0;                  // next lane of the block, 0 to 16
};

Hash32 keccak256(Bytes message);

}  // namespace wattproof::crypto
