// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4, mbedTLS), and on it HMAC (RFC 2104), HKDF (RFC 5869) and PBKDF2 (RFC 8018). HMAC is ours because the
// one of mbedTLS takes its contexts from the heap. All wipe what they held.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::crypto {

constexpr std::uint32_t hkdf_output_size_max = 255 * 32;
constexpr std::uint32_t pbkdf2_output_size_max = 64;

class Sha256 {
 public:
  Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();
  void update(Bytes message);
  // The digest of everything given so far. Afterwards the object is as new.
  Hash32 finish();

 private:
  friend class HmacSha256;
  // mbedTLS's context, checked in the source file.
  alignas(8) std::array<std::uint8_t, 112> context_{};
};

Hash32 sha256(Bytes message);

class HmacSha256 {
 public:
  explicit HmacSha256(Bytes key);
  HmacSha256(const HmacSha256&) = delete;
  HmacSha256& operator=(const HmacSha256&) = delete;
  void update(Bytes message) { running_.update(message); }
  // The tag of everything given so far. Afterwards the object is as new, with the same key.
  Hash32 finish();

 private:
  // The states after the padded key, so that a second message costs two blocks less.
  Sha256 inner_start_;
  Sha256 outer_start_;
  Sha256 running_;
};

Hash32 hmac_sha256(Bytes key, Bytes message);

// Derives `output` from a key that has full entropy already.
//   too_large  more than hkdf_output_size_max
Error hkdf_sha256(Bytes salt, Bytes key, Bytes info, MutableBytes output);

// Derives `output` from a passphrase; `iterations` HMACs twice over for every 32 bytes.
//   out_of_range  no iterations
//   too_large     more than pbkdf2_output_size_max
Error pbkdf2_sha256(Bytes passphrase, Bytes salt, std::uint32_t iterations, MutableBytes output);

}  // namespace wattproof::crypto
