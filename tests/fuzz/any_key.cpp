// SPDX-License-Identifier: Apache-2.0
// A stand-in for crypto/secp256k1.cpp: a signature is the signer's address and nothing else, so a fuzzer can sign.
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::crypto {

Error check_signature(const Signature&) { return Error::none; }

Result<Address> recover_address(const Hash32&, const Signature& signature) { return to_array<20>(Bytes(signature).first(20)); }

Result<Address> recover_address_any_s(const Hash32& digest, const Signature& signature) {
  return recover_address(digest, signature);
}

Error sign(const PrivateKey& key, const Hash32&, Signature& signature) {
  const Address address = *address_of(key);
  signature = {};
  for (std::size_t i = 0; i < address.size(); ++i) signature[i] = address[i];
  return Error::none;
}

Result<Address> address_of(const PrivateKey& key) {
  const Hash32 digest = keccak256(key);
  return to_array<20>(Bytes(digest).last(20));
}

}  // namespace wattproof::crypto
