/* SPDX-License-Identifier: Apache-2.0
 * SHA-256, HMAC (RFC 2104) and the deterministic generator of RFC 6979 for libsecp256k1, in the place of src/hash_impl.h: the
 * compression function is mbedTLS's, which the image holds anyway. Names and types are those of src/hash.h. */
#ifndef SECP256K1_HASH_IMPL_H
#define SECP256K1_HASH_IMPL_H

#include <string.h>

#include "mbedtls/platform_util.h"
#include "mbedtls/sha256.h"
#include "src/hash.h"
#include "src/util.h"

static void secp256k1_sha256_initialize(secp256k1_sha256 *hash) {
  static const uint32_t start[8] = {0x6a09e667ul, 0xbb67ae85ul, 0x3c6ef372ul, 0xa54ff53aul,
                                    0x510e527ful, 0x9b05688cul, 0x1f83d9abul, 0x5be0cd19ul};
  memcpy(hash->s, start, sizeof start);
  hash->bytes = 0;
}

static void secp256k1_sha256_compress(secp256k1_sha256 *hash) {
  mbedtls_sha256_context work;
  memset(&work, 0, sizeof work);
  memcpy(work.state, hash->s, sizeof hash->s);
  (void)mbedtls_internal_sha256_process(&work, hash->buf); /* cannot fail: no hardware behind it */
  memcpy(hash->s, work.state, sizeof hash->s);
  mbedtls_platform_zeroize(&work, sizeof work);
}

static void secp256k1_sha256_write(secp256k1_sha256 *hash, const unsigned char *data, size_t size) {
  while (size > 0) {
    const size_t used = (size_t)(hash->bytes & 63);
    const size_t part = size < 64 - used ? size : 64 - used;
    memcpy(hash->buf + used, data, part);
    hash->bytes += part;
    data += part;
    size -= part;
    if (used + part == 64) secp256k1_sha256_compress(hash);
  }
}

static void secp256k1_sha256_finalize(secp256k1_sha256 *hash, unsigned char *out32) {
  static const unsigned char pad[64] = {0x80};
  unsigned char bits[8];
  int i;
  secp256k1_write_be32(&bits[0], (uint32_t)(hash->bytes >> 29));
  secp256k1_write_be32(&bits[4], (uint32_t)(hash->bytes << 3));
  secp256k1_sha256_write(hash, pad, 1 + (size_t)((119 - (hash->bytes % 64)) % 64));
  secp256k1_sha256_write(hash, bits, sizeof bits);
  for (i = 0; i < 8; i++) secp256k1_write_be32(&out32[4 * i], hash->s[i]);
  mbedtls_platform_zeroize(hash, sizeof *hash);
}

static void secp256k1_hmac_sha256_initialize(secp256k1_hmac_sha256 *hash, const unsigned char *key, size_t size) {
  unsigned char block[64];
  size_t i;
  memset(block, 0, sizeof block);
  if (size <= sizeof block) {
    memcpy(block, key, size);
  } else {
    secp256k1_sha256_initialize(&hash->inner);
    secp256k1_sha256_write(&hash->inner, key, size);
    secp256k1_sha256_finalize(&hash->inner, block);
  }
  for (i = 0; i < sizeof block; i++) block[i] ^= 0x5c;
  secp256k1_sha256_initialize(&hash->outer);
  secp256k1_sha256_write(&hash->outer, block, sizeof block);
  for (i = 0; i < sizeof block; i++) block[i] ^= 0x5c ^ 0x36;
  secp256k1_sha256_initialize(&hash->inner);
  secp256k1_sha256_write(&hash->inner, block, sizeof block);
  mbedtls_platform_zeroize(block, sizeof block);
}

static void secp256k1_hmac_sha256_write(secp256k1_hmac_sha256 *hash, const unsigned char *data, size_t size) {
  secp256k1_sha256_write(&hash->inner, data, size);
}

static void secp256k1_hmac_sha256_finalize(secp256k1_hmac_sha256 *hash, unsigned char *out32) {
  unsigned char digest[32];
  secp256k1_sha256_finalize(&hash->inner, digest);
  secp256k1_sha256_write(&hash->outer, digest, sizeof digest);
  secp256k1_sha256_finalize(&hash->outer, out32);
  mbedtls_platform_zeroize(digest, sizeof digest);
}

/* V = HMAC_K(V), the step that RFC 6979 repeats. */
static void secp256k1_rfc6979_next(secp256k1_rfc6979_hmac_sha256 *rng) {
  secp256k1_hmac_sha256 hmac;
  secp256k1_hmac_sha256_initialize(&hmac, rng->k, sizeof rng->k);
  secp256k1_hmac_sha256_write(&hmac, rng->v, sizeof rng->v);
  secp256k1_hmac_sha256_finalize(&hmac, rng->v);
}

/* K = HMAC_K(V || mark || data), then V: steps d and f (and h where there is no data). */
static void secp256k1_rfc6979_update(secp256k1_rfc6979_hmac_sha256 *rng, unsigned char mark, const unsigned char *data,
                                     size_t size) {
  secp256k1_hmac_sha256 hmac;
  secp256k1_hmac_sha256_initialize(&hmac, rng->k, sizeof rng->k);
  secp256k1_hmac_sha256_write(&hmac, rng->v, sizeof rng->v);
  secp256k1_hmac_sha256_write(&hmac, &mark, 1);
  secp256k1_hmac_sha256_write(&hmac, data, size);
  secp256k1_hmac_sha256_finalize(&hmac, rng->k);
  secp256k1_rfc6979_next(rng);
}

static void secp256k1_rfc6979_hmac_sha256_initialize(secp256k1_rfc6979_hmac_sha256 *rng, const unsigned char *key,
                                                     size_t keylen) {
  memset(rng->v, 0x01, sizeof rng->v);
  memset(rng->k, 0x00, sizeof rng->k);
  secp256k1_rfc6979_update(rng, 0x00, key, keylen);
  secp256k1_rfc6979_update(rng, 0x01, key, keylen);
  rng->retry = 0;
}

static void secp256k1_rfc6979_hmac_sha256_generate(secp256k1_rfc6979_hmac_sha256 *rng, unsigned char *out, size_t outlen) {
  if (rng->retry) secp256k1_rfc6979_update(rng, 0x00, NULL, 0);
  while (outlen > 0) {
    const size_t part = outlen < 32 ? outlen : 32;
    secp256k1_rfc6979_next(rng);
    memcpy(out, rng->v, part);
    out += part;
    outlen -= part;
  }
  rng->retry = 1;
}

static void secp256k1_rfc6979_hmac_sha256_finalize(secp256k1_rfc6979_hmac_sha256 *rng) {
  mbedtls_platform_zeroize(rng, sizeof *rng);
}

#endif
