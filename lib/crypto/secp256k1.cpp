// SPDX-License-Identifier: Apache-2.0
#include "crypto/secp256k1.hpp"

#include <secp256k1.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>

#include "base/check.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secret.hpp"

namespace wattproof::crypto {
namespace {

// The group order n and floor(n / 2), big-endian (SEC 2, section 2.4.1).
constexpr Hash32 group_order = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41};
constexpr Hash32 half_order = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                               0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
                               0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

constexpr std::size_t scalar_size = 32;
constexpr std::size_t public_key_size = 65;  // 0x04, X, Y

#ifdef WATTPROOF_CONSTANT_TIME_CHECK
constexpr unsigned context_flags = SECP256K1_CONTEXT_DECLASSIFY;
#else
constexpr unsigned context_flags = SECP256K1_CONTEXT_NONE;
#endif

// libsecp256k1 0.2 needs 208 bytes on a 64-bit machine and 180 on a Cortex-M; checked before use.
constexpr std::size_t context_size_max = 256;

bool is_scalar(Bytes value) {
  return !is_zero(value) && std::memcmp(value.data(), group_order.data(), scalar_size) < 0;
}

Error check_ranges(const Signature& signature) {
  const Bytes bytes(signature);
  if (!is_scalar(bytes.first(scalar_size)) || !is_scalar(bytes.subspan(scalar_size, scalar_size))) {
    return Error::bad_signature;
  }
  return signature[2 * scalar_size] <= 1 ? Error::none : Error::bad_signature;
}

// A context that can sign, on the stack of one call, wiped when it goes.
class SigningContext {
 public:
  SigningContext() {
    WATTPROOF_CHECK(secp256k1_context_preallocated_size(context_flags) <= context_size_max);
    context_ = secp256k1_context_preallocated_create(storage_.data(), context_flags);
  }
  SigningContext(const SigningContext&) = delete;
  SigningContext& operator=(const SigningContext&) = delete;
  ~SigningContext() {
    secp256k1_context_preallocated_destroy(context_);
    wipe(storage_);
  }
  const secp256k1_context* get() const { return context_; }

 private:
  alignas(16) std::array<std::uint8_t, context_size_max> storage_{};
  secp256k1_context* context_ = nullptr;
};

Address address_from(const secp256k1_pubkey& public_key) {
  std::array<std::uint8_t, public_key_size> bytes{};
  std::size_t length = bytes.size();
  secp256k1_ec_pubkey_serialize(secp256k1_context_static, bytes.data(), &length, &public_key,
                                SECP256K1_EC_UNCOMPRESSED);
  WATTPROOF_CHECK(length == bytes.size());
  const Hash32 digest = keccak256(Bytes(bytes).subspan(1));
  return to_array<20>(Bytes(digest).last(20));
}

}  // namespace

Error check_signature(const Signature& signature) {
  WATTPROOF_TRY(check_ranges(signature));
  if (std::memcmp(signature.data() + scalar_size, half_order.data(), scalar_size) > 0) {
    return Error::signature_high_s;
  }
  return Error::none;
}

Result<Address> recover_address_any_s(const Hash32& digest, const Signature& signature) {
  WATTPROOF_TRY(check_ranges(signature));
  secp256k1_ecdsa_recoverable_signature parsed;
  secp256k1_pubkey public_key;
  const int parity = signature[2 * scalar_size];
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &parsed, signature.data(),
                                                          parity) != 1 ||
      secp256k1_ecdsa_recover(secp256k1_context_static, &public_key, &parsed, digest.data()) != 1) {
    return Error::bad_signature;
  }
  return address_from(public_key);
}

Result<Address> recover_address(const Hash32& digest, const Signature& signature) {
  WATTPROOF_TRY(check_signature(signature));
  return recover_address_any_s(digest, signature);
}

Error sign(const PrivateKey& key, const Hash32& digest, Signature& signature) {
  signature.fill(0);
  const SigningContext context;
  secp256k1_ecdsa_recoverable_signature made;
  const int is_made =
      secp256k1_ecdsa_sign_recoverable(context.get(), &made, digest.data(), key.data(), nullptr, nullptr);
  reveal(&is_made, sizeof(is_made));
  reveal(&made, sizeof(made));
  if (is_made != 1) return Error::bad_key;
  int parity = 0;
  secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, signature.data(), &parity, &made);
  // 2 and 3 mean that the nonce point's x was above the group order: one chance in 2^127, and Ethereum has no such v.
  WATTPROOF_CHECK(parity == 0 || parity == 1);
  signature[2 * scalar_size] = static_cast<std::uint8_t>(parity);
  return Error::none;
}

Result<Address> address_of(const PrivateKey& key) {
  const SigningContext context;
  secp256k1_pubkey public_key;
  const int is_key = secp256k1_ec_pubkey_create(context.get(), &public_key, key.data());
  reveal(&is_key, sizeof(is_key));
  reveal(&public_key, sizeof(public_key));
  if (is_key != 1) return Error::bad_key;
  return address_from(public_key);
}

}  // namespace wattproof::crypto
