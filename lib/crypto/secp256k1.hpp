// SPDX-License-Identifier: Apache-2.0
// ECDSA on secp256k1 as Ethereum uses it (SEC 1 and SEC 2; RFC 6979 nonces; low s as in EIP-2). The arithmetic is
// libsecp256k1's. No heap and no global state: the signing context lives on the stack for the length of one call.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::crypto {

// r (32 bytes, big-endian), s (32), v (1). v is the parity of the recovered point, 0 or 1; never 27, 28, 2 or 3.
using Signature = std::array<std::uint8_t, 65>;

// Big-endian scalar, 0 < key < group order. A secret: whoever holds one wipes it (crypto/secret.hpp).
using PrivateKey = std::array<std::uint8_t, 32>;

// What can be said of a signature without curve arithmetic, in microseconds:
//   bad_signature     r or s is zero or not below the group order, or v is neither 0 nor 1
//   signature_high_s  s is above n/2: the second form (r, n - s, v ^ 1) of somebody's signature
Error check_signature(const Signature& signature);

// The address whose key signed `digest`. Checks the form first, so that rubbish costs no curve arithmetic.
// Anything well formed recovers *some* address: the caller must compare it with the one that it expects, and must count
// distinct signers by the address returned, never by signature bytes.
//   bad_signature     as above, or no point has this r
//   signature_high_s  as above
Result<Address> recover_address(const Hash32& digest, const Signature& signature);

// The same, but s may be above n/2. Only for seals that lie inside a block hash (Clique, AuRa), where the hash and not
// the rule on s rules out a second form.
Result<Address> recover_address_any_s(const Hash32& digest, const Signature& signature);

// Signs deterministically (RFC 6979, HMAC-SHA-256), low s, constant time in the key.
//   bad_key  the key is 0 or not below the group order; `signature` is then zero
Error sign(const PrivateKey& key, const Hash32& digest, Signature& signature);

// The address of a private key; constant time in the key.
//   bad_key  as above
Result<Address> address_of(const PrivateKey& key);

}  // namespace wattproof::crypto
