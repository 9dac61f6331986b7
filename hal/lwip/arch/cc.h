/* SPDX-License-Identifier: Apache-2.0
 * lwIP's view of the compiler. Its assertions are ours: a broken invariant resets the board. */
#ifndef WATTPROOF_LWIP_CC_H
#define WATTPROOF_LWIP_CC_H

#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_CTYPE_H 1
#define LWIP_NO_UNISTD_H 1
#define X8_F "02x"
#define U16_F "u"
#define S16_F "d"
#define X16_F "x"
#define U32_F "lu"
#define S32_F "ld"
#define X32_F "lx"
#define SZT_F "u"
#define BYTE_ORDER LITTLE_ENDIAN

#ifdef __cplusplus
extern "C" {
#endif
void wattproof_lwip_failed(void);
uint32_t wattproof_lwip_random(void);
#ifdef __cplusplus
}
#endif

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) wattproof_lwip_failed()
#define LWIP_RAND() wattproof_lwip_random()

#endif
