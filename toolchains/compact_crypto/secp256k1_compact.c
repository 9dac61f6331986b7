/* SPDX-License-Identifier: Apache-2.0
 * libsecp256k1 as one translation unit without its two largest parts: the generator's table (32 kB at its smallest) and an
 * unrolled SHA-256 (8 kB). Nothing of the library is changed or copied: the headers below take the places of two of its own
 * headers, whose include guards they define. Everything that depends on them is compiled from the library's own sources. */
#define SECP256K1_BUILD

#include "include/secp256k1.h"
#include "include/secp256k1_preallocated.h"

#include "src/assumptions.h"
#include "src/util.h"

#include "hash_by_mbedtls.h"

#include "src/field_impl.h"
#include "src/scalar_impl.h"
#include "src/group_impl.h"
#include "src/ecmult_impl.h"
#include "src/ecmult_const_impl.h"

#include "generator_without_table.h"

#undef SECP256K1_BUILD
#include "src/secp256k1.c"
