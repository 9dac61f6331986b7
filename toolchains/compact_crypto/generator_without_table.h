/* SPDX-License-Identifier: Apache-2.0
 * Multiples of the generator by libsecp256k1's constant-time multiplication of any point (the one that its ECDH uses), in the
 * place of src/ecmult_gen_impl.h: no table, about as many instructions as with the smallest table.
 *
 * Blinding: the library blinds (n - b) G + b G. lib/crypto makes a context for one call and never randomises it, so b is the
 * library's constant in either form; secp256k1_context_randomize is refused by doing nothing. */
#ifndef SECP256K1_ECMULT_GEN_IMPL_H
#define SECP256K1_ECMULT_GEN_IMPL_H

#include "src/ecmult_const.h"
#include "src/ecmult_gen.h"
#include "src/group.h"
#include "src/scalar.h"

static void secp256k1_ecmult_gen_context_build(secp256k1_ecmult_gen_context *ctx) {
  secp256k1_ecmult_gen_blind(ctx, NULL);
  ctx->built = 1;
}

static int secp256k1_ecmult_gen_context_is_built(const secp256k1_ecmult_gen_context *ctx) { return ctx->built; }

static void secp256k1_ecmult_gen_context_clear(secp256k1_ecmult_gen_context *ctx) { ctx->built = 0; }

/* Callers have replaced a scalar of zero, without branching, before they come here. */
static void secp256k1_ecmult_gen(const secp256k1_ecmult_gen_context *ctx, secp256k1_gej *r, const secp256k1_scalar *gn) {
  (void)ctx;
  secp256k1_ecmult_const(r, &secp256k1_ge_const_g, gn, 256);
}

static void secp256k1_ecmult_gen_blind(secp256k1_ecmult_gen_context *ctx, const unsigned char *seed32) {
  (void)ctx;
  (void)seed32;
}

#endif
