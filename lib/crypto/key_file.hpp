// SPDX-License-Identifier: Apache-2.0
// A device key at rest: ChaCha20-Poly1305 (RFC 8439) under a key that is derived from a passphrase (PBKDF2, for people) or
// from a wrapping key of the board (HKDF, for devices). Fixed size, one encoding. All numbers big-endian:
//
//    at  size
//     0     4  57 50 4b 31, "WPK1"
//     4     1  version, 1
//     5     1  how the key was derived: 1 passphrase, 2 wrapping key
//     6     2  zero
//     8     4  PBKDF2 iterations; 0 for a wrapping key
//    12    16  salt, random, new for every file: it makes cipher key and nonce unique, so no nonce is stored
//    28    20  address of the key, so that a file can be told without being opened
//    48    32  the private key, encrypted
//    80    16  tag over all the bytes before
//
// PBKDF2 or HKDF (salt as above; HKDF info "wattproof key file") yields 44 bytes: cipher key (32), nonce (12).
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/drbg.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::crypto {

constexpr std::size_t key_file_size = 96;
using KeyFile = std::array<std::uint8_t, key_file_size>;

// OWASP's figure of 2023 for PBKDF2 with HMAC-SHA-256.
constexpr std::uint32_t key_file_iterations_default = 600'000;
// More makes a file that a device would work on for hours; fewer is as good as no passphrase.
constexpr std::uint32_t key_file_iterations_min = 1'000;
constexpr std::uint32_t key_file_iterations_max = 10'000'000;
constexpr std::size_t wrapping_key_size_min = 16;

enum class KeyFileKind : std::uint8_t { passphrase = 1, wrapping_key = 2 };

//   bad_key       the key is 0 or not below the group order
//   out_of_range  iterations outside their limits, or an empty passphrase
//   not_ready     the generator is not seeded
Error seal_key_file(const PrivateKey& key, Bytes passphrase, std::uint32_t iterations, Drbg& drbg, KeyFile& file);

//   wrong_length  a wrapping key shorter than wrapping_key_size_min
//   bad_key, not_ready  as above
Error wrap_key_file(const PrivateKey& key, Bytes wrapping_key, Drbg& drbg, KeyFile& file);

struct KeyFileInfo {
  KeyFileKind kind = KeyFileKind::passphrase;
  std::uint32_t iterations = 0;
  Address address{};
};

// What can be read without the secret; nothing of it is authentic before open_key_file.
//   wrong_length     other than key_file_size bytes
//   unknown_version  not a key file, or of a version or kind that this build does not know
//   non_canonical    a byte that must be zero is not
//   out_of_range     iterations outside their limits
Result<KeyFileInfo> inspect_key_file(Bytes file);

// Opens a file of either kind with its secret.
//   key_file_refused  wrong secret, or the file was changed. Both look alike, and `key` is wiped
//   others            as inspect_key_file
Error open_key_file(Bytes file, Bytes secret, PrivateKey& key);

}  // namespace wattproof::crypto
