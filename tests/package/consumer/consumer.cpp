// SPDX-License-Identifier: Apache-2.0
// Proves that the installed headers compile and that the installed library links: signs, recovers, compares.
#include <cstdio>
#include <cstdlib>

#include "base/check.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

void wattproof::check_failed(const char* file, int line) {
  std::fprintf(stderr, "%s:%d\n", file, line);
  std::abort();
}

int main() {
  using namespace wattproof;
  crypto::PrivateKey key{};
  key[31] = 1;
  const Hash32 digest = crypto::keccak256({});
  crypto::Signature signature{};
  if (crypto::sign(key, digest, signature) != Error::none) return 1;
  const Result<Address> own = crypto::address_of(key);
  const Result<Address> signer = crypto::recover_address(digest, signature);
  if (!own || !signer || *own != *signer) return 1;
  std::puts("consumer: ok");
  return 0;
}
