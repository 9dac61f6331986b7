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

#ifdef WATTPROOF_PLUG_TLS
/* A client with a pre-shared key and one suite, PSK-CHACHA20-POLY1305: OpenSSL offers it by default, and it takes the same time for every key. What the library allocates comes from an array of its caller. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_MEMORY_DEBUG /* the most that was in use can be asked for */
#define MBEDTLS_PLATFORM_FPRINTF_MACRO(...) 0
#define MBEDTLS_PLATFORM_EXIT_MACRO(code) wattproof_tls_failed()
void wattproof_tls_failed(void);
#define MBEDTLS_MD_C
#define MBEDTLS_CIPHER_C
#define MBEDTLS_SSL_TLS_C
#define MBEDTLS_SSL_CLI_C
#define MBEDTLS_SSL_PROTO_TLS1_2
#define MBEDTLS_KEY_EXCHANGE_PSK_ENABLED
#define MBEDTLS_SSL_CIPHERSUITES MBEDTLS_TLS_PSK_WITH_CHACHA20_POLY1305_SHA256
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
#define MBEDTLS_SSL_ENCRYPT_THEN_MAC
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
/* A packet takes two or three records of the size that a client may ask for (RFC 6066); each byte of it counts twice. */
#define MBEDTLS_SSL_IN_CONTENT_LEN 512
#define MBEDTLS_SSL_OUT_CONTENT_LEN 512
#define MBEDTLS_PSK_MAX_LEN 64
#endif

#include "mbedtls/check_config.h"

#endif
