// SPDX-License-Identifier: Apache-2.0
// splitmix64 (Steele, Lea, Flood 2014): a sequence of 64-bit numbers from a seed. For jitter and for faults that repeat,
// never for anything that an adversary must not guess.
#pragma once

#include <cstdint>

namespace wattproof::hal {

class Splitmix {
 public:
  explicit constexpr Splitmix(std::uint64_t seed = 0) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }

 private:
  std::uint64_t state_;
};

// The first outputs for seed 0, as published with the reference implementation.
static_assert([] { Splitmix random(0); return random.next() == 0xe220a8397b1dcdafU && random.next() == 0x6e789e6aa1b965f4U; }());

}  // namespace wattproof::hal
