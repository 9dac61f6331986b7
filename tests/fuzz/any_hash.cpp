// SPDX-License-Identifier: Apache-2.0
// A stand-in for crypto/keccak.cpp with a hash of eight bits: one byte, 32 times over. One edit in 256 keeps a hash as it was,
// so a fuzzer gets past every link of a proof by itself.
#include "crypto/keccak.hpp"

namespace wattproof::crypto {

// state_[0] is FNV-1a of what was given so far, without its starting value.
void Keccak256::update(Bytes message) {
  for (const std::uint8_t byte : message) state_[0] = (state_[0] ^ byte ^ 0x5a) * 0x100000001b3;
}

Hash32 Keccak256::finish() {
  Hash32 digest;
  digest.fill(static_cast<std::uint8_t>(state_[0] >> 32 ^ state_[0] >> 16 ^ state_[0]));
  *this = Keccak256();
  return digest;
}

Hash32 keccak256(Bytes message) {
  Keccak256 hash;
  hash.update(message);
  return hash.finish();
}

}  // namespace wattproof::crypto
