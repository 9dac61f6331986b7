// SPDX-License-Identifier: Apache-2.0
#include "crypto/drbg.hpp"

#include <mbedtls/ctr_drbg.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret.hpp"

namespace wattproof::crypto {
namespace {

// What CTR_DRBG with AES-256 is given (SP 800-90A, table 3): 256 bits of entropy and a nonce of half of it.
constexpr std::size_t entropy_size = 32;
constexpr std::size_t nonce_size = 16;

// A uniform 256-bit number is no valid key once in 2^128.
constexpr int key_attempts_max = 4;

struct Seed {
  std::array<std::uint8_t, 64> bytes{};
  std::size_t used = 0;
};

// mbedTLS asks for its seed by this callback, in one piece or in two.
int take_seed(void* seed_pointer, unsigned char* output, std::size_t size) {
  Seed& seed = *static_cast<Seed*>(seed_pointer);
  if (seed.bytes.size() - seed.used < size) return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
  std::copy_n(seed.bytes.begin() + static_cast<std::ptrdiff_t>(seed.used), size, output);
  seed.used += size;
  return 0;
}

template <std::size_t size>
mbedtls_ctr_drbg_context* context_of(std::array<std::uint8_t, size>& storage) {
  static_assert(sizeof(mbedtls_ctr_drbg_context) <= sizeof(storage));
  static_assert(alignof(mbedtls_ctr_drbg_context) <= 8);
  return static_cast<mbedtls_ctr_drbg_context*>(static_cast<void*>(storage.data()));
}

// All the noise, condensed to twice 256 bits.
void condense(Bytes raw, Seed& seed) {
  for (std::uint8_t half = 0; half < 2; ++half) {
    Sha256 hash;
    hash.update({&half, 1});
    hash.update(raw);
    Hash32 digest = hash.finish();
    std::copy(digest.begin(), digest.end(), seed.bytes.begin() + 32 * half);
    wipe(digest);
  }
}

}  // namespace

Error EntropyHealth::add(std::uint8_t sample) {
  repetitions_ = has_last_ && sample == last_ ? repetitions_ + 1 : 1;
  has_last_ = true;
  last_ = sample;
  if (window_count_ == 0) {
    window_first_ = sample;
    window_same_ = 0;
  }
  if (sample == window_first_) ++window_same_;
  window_count_ = window_count_ + 1 == window_size ? 0 : window_count_ + 1;
  if (repetitions_ >= repetition_max || window_same_ >= proportion_max) has_failed_ = true;
  return has_failed_ ? Error::entropy_failed : Error::none;
}

Drbg::Drbg() { mbedtls_ctr_drbg_init(context_of(context_)); }

Drbg::~Drbg() {
  mbedtls_ctr_drbg_free(context_of(context_));
  wipe(context_);
}

Error Drbg::seed(Bytes raw, Bytes device) {
  is_seeded_ = false;
  if (raw.size() != raw_entropy_size) return Error::wrong_length;
  EntropyHealth health;
  for (const std::uint8_t sample : raw) WATTPROOF_TRY(health.add(sample));
  Seed seed;
  const WipedAtExit wiped(seed);
  condense(raw, seed);
  Hash32 personal = sha256(device);
  mbedtls_ctr_drbg_free(context_of(context_));
  mbedtls_ctr_drbg_init(context_of(context_));
  // Stated, because the library's defaults differ between its builds.
  mbedtls_ctr_drbg_set_entropy_len(context_of(context_), entropy_size);
  if (mbedtls_ctr_drbg_set_nonce_len(context_of(context_), nonce_size) != 0) return Error::entropy_failed;
  if (mbedtls_ctr_drbg_seed(context_of(context_), take_seed, &seed, personal.data(), personal.size()) != 0 ||
      seed.used != entropy_size + nonce_size) {
    return Error::entropy_failed;
  }
  // The seed lives on this stack: the generator must never come back for more of it by itself.
  mbedtls_ctr_drbg_set_reseed_interval(context_of(context_), 2 * drbg_request_count_max);
  requests_ = 0;
  is_seeded_ = true;
  return Error::none;
}

Error Drbg::generate(MutableBytes output) {
  if (!is_seeded_ || requests_ == drbg_request_count_max) return Error::not_ready;
  if (output.size() > drbg_output_size_max) return Error::too_large;
  ++requests_;
  WATTPROOF_CHECK(mbedtls_ctr_drbg_random(context_of(context_), output.data(), output.size()) == 0);
  return Error::none;
}

Error generate_key(Drbg& drbg, PrivateKey& key) {
  for (int attempt = 0; attempt < key_attempts_max; ++attempt) {
    WATTPROOF_TRY(drbg.generate(key));
    if (address_of(key)) return Error::none;
  }
  wipe(key);
  return Error::entropy_failed;
}

}  // namespace wattproof::crypto
