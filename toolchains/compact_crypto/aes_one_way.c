/* SPDX-License-Identifier: Apache-2.0
 * AES in one direction. The random generator only ever encrypts; mbedTLS would keep the other
 * direction with its tables, 2 kB, because one of its functions can be asked for either. */
#include "mbedtls/aes.h"

int mbedtls_internal_aes_decrypt(mbedtls_aes_context *context, const unsigned char input[16], unsigned char output[16]) {
  (void)context;
  (void)input;
  (void)output;
  return MBEDTLS_ERR_AES_FEATURE_UNAVAILABLE;
}
