// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.hpp"

#include <mbedtls/sha256.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/secret.hpp"

namespace wattproof::crypto {
namespace {

constexpr std::size_t digest_size = 32;
constexpr std::size_t block_size = 64;
constexpr std::uint8_t inner_pad = 0x36;  // RFC 2104
constexpr std::uint8_t outer_pad = 0x5c;

mbedtls_sha256_context* context_of(std::array<std::uint8_t, 112>& storage) {
  static_assert(sizeof(mbedtls_sha256_context) <= sizeof(storage));
  static_assert(alignof(mbedtls_sha256_context) <= 8);
  return static_cast<mbedtls_sha256_context*>(static_cast<void*>(storage.data()));
}

}  // namespace

Sha256::Sha256() {
  mbedtls_sha256_init(context_of(context_));
  WATTPROOF_CHECK(mbedtls_sha256_starts_ret(context_of(context_), 0) == 0);
}

Sha256::~Sha256() { wipe(context_); }

void Sha256::update(Bytes message) {
  WATTPROOF_CHECK(mbedtls_sha256_update_ret(context_of(context_), message.data(), message.size()) == 0);
}

Hash32 Sha256::finish() {
  Hash32 digest{};
  WATTPROOF_CHECK(mbedtls_sha256_finish_ret(context_of(context_), digest.data()) == 0);
  wipe(context_);
  WATTPROOF_CHECK(mbedtls_sha256_starts_ret(context_of(context_), 0) == 0);
  return digest;
}

Hash32 sha256(Bytes message) {
  Sha256 hash;
  hash.update(message);
  return hash.finish();
}

HmacSha256::HmacSha256(Bytes key) {
  std::array<std::uint8_t, block_size> padded{};
  const WipedAtExit wiped(padded);
  if (key.size() > block_size) {
    Hash32 digest = sha256(key);
    std::copy(digest.begin(), digest.end(), padded.begin());
    wipe(digest);
  } else {
    std::copy(key.begin(), key.end(), padded.begin());
  }
  for (std::uint8_t& byte : padded) byte ^= inner_pad;
  inner_start_.update(padded);
  for (std::uint8_t& byte : padded) byte ^= inner_pad ^ outer_pad;
  outer_start_.update(padded);
  running_.context_ = inner_start_.context_;
}

Hash32 HmacSha256::finish() {
  Hash32 inner = running_.finish();
  running_.context_ = outer_start_.context_;
  running_.update(inner);
  wipe(inner);
  const Hash32 tag = running_.finish();
  running_.context_ = inner_start_.context_;
  return tag;
}

Hash32 hmac_sha256(Bytes key, Bytes message) {
  HmacSha256 mac(key);
  mac.update(message);
  return mac.finish();
}

Error hkdf_sha256(Bytes salt, Bytes key, Bytes info, MutableBytes output) {
  if (output.size() > hkdf_output_size_max) return Error::too_large;
  Hash32 extracted = hmac_sha256(salt, key);
  const WipedAtExit wiped_extracted(extracted);
  HmacSha256 mac(extracted);
  Hash32 block{};
  const WipedAtExit wiped_block(block);
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < output.size();) {
    if (counter != 0) mac.update(block);
    mac.update(info);
    ++counter;
    mac.update({&counter, 1});
    block = mac.finish();
    const std::size_t size = std::min(digest_size, output.size() - done);
    std::copy_n(block.begin(), size, output.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
  }
  return Error::none;
}

Error pbkdf2_sha256(Bytes passphrase, Bytes salt, std::uint32_t iterations, MutableBytes output) {
  if (iterations == 0) return Error::out_of_range;
  if (output.size() > pbkdf2_output_size_max) return Error::too_large;
  HmacSha256 mac(passphrase);
  std::array<std::uint8_t, 4> index{};
  for (std::size_t done = 0; done < output.size();) {
    store_be32(index.data(), load_be32(index.data()) + 1);
    mac.update(salt);
    mac.update(index);
    Hash32 last = mac.finish();
    const WipedAtExit wiped_last(last);
    Hash32 sum = last;
    const WipedAtExit wiped_sum(sum);
    for (std::uint32_t i = 1; i < iterations; ++i) {
      mac.update(last);
      last = mac.finish();
      for (std::size_t byte = 0; byte < digest_size; ++byte) sum[byte] ^= last[byte];
    }
    const std::size_t size = std::min(digest_size, output.size() - done);
    std::copy_n(sum.begin(), size, output.begin() + static_cast<std::ptrdiff_t>(done));
    done += size;
  }
  return Error::none;
}

}  // namespace wattproof::crypto
