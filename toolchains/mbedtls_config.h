/* SPDX-License-Identifier: Apache-2.0
 * What lib/crypto needs of mbedTLS 2.28 on a microcontroller, and nothing that allocates: SHA-256, ChaCha20-Poly1305
 * for the key file, CTR_DRBG (which brings AES) for key generation. The message-digest layer is left out because its
 * contexts come from the heap; HMAC is built on SHA-256 in lib/crypto/hash.hpp instead. */
#ifndef WATTPROOF_MBEDTLS_CONFIG_H
#define WATTPROOF_MBEDTLS_CONFIG_H

#include <limits.h> /* the library's own check of this file uses CHAR_BIT */

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER /* a fifth slower, half the code */

#define MBEDTLS_CHACHA20_C
#define MBEDTLS_POLY1305_C
#define MBEDTLS_CHACHAPOLY_C

#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES /* tables in flash: 8 kB of RAM less */
#define MBEDTLS_AES_FEWER_TABLES
#define MBEDTLS_CTR_DRBG_C
#define MBEDTLS_CTR_DRBG_ENTROPY_LEN 32
#define MBEDTLS_NO_PLATFORM_ENTROPY

#include "mbedtls/check_config.h"

#endif
