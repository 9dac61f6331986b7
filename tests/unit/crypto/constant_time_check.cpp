// SPDX-License-Identifier: Apache-2.0
// Runs what touches a private key with the key marked as undefined memory. Under valgrind's memcheck every branch and every
// index that depends on it is then an error, so a clean run says that control flow and addresses do not depend on the key.
// With the argument "canary" it branches on the key on purpose, to prove that the check can fail.
#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstring>

#include "crypto/hash.hpp"
#include "crypto/key_file.hpp"
#include "crypto/secp256k1.hpp"
#include "crypto/secret.hpp"

namespace wattproof::crypto {

void reveal(const void* data, std::size_t size) { (void)VALGRIND_MAKE_MEM_DEFINED(data, size); }

}  // namespace wattproof::crypto

namespace {

using namespace wattproof;
using namespace wattproof::crypto;

template <class T>
void hide(T& secret) {
  (void)VALGRIND_MAKE_MEM_UNDEFINED(&secret, sizeof(secret));
}

template <class T>
void reveal(const T& value) {
  wattproof::crypto::reveal(&value, sizeof(value));
}

bool sign_and_derive(PrivateKey key) {
  const Hash32 digest = sha256({});
  Signature signature{};
  hide(key);
  Error error = sign(key, digest, signature);
  reveal(error);
  reveal(signature);
  Result<Address> address = address_of(key);
  reveal(address);
  Result<Address> signer = recover_address(digest, signature);
  return ok(error) && address && signer && *signer == *address;
}

bool compare_and_authenticate(PrivateKey key) {
  PrivateKey other = key;
  other[31] = static_cast<std::uint8_t>(other[31] ^ 1);
  hide(key);
  bool same = constant_time_equal(key, key);
  bool different = constant_time_equal(key, other);
  Hash32 tag = hmac_sha256(key, {});
  reveal(same);
  reveal(different);
  reveal(tag);
  wipe(key);
  return same && !different && !is_zero(tag);
}

bool wrap_and_open(const PrivateKey& key) {
  Drbg drbg;
  std::array<std::uint8_t, raw_entropy_size> raw{};
  std::uint32_t state = 1;
  for (std::uint8_t& byte : raw) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  if (!ok(drbg.seed(raw, {}))) return false;
  std::array<std::uint8_t, 32> wrapping = {1, 2, 3};
  PrivateKey secret = key;
  KeyFile file{};
  hide(wrapping);
  hide(secret);
  Error wrapped = wrap_key_file(secret, wrapping, drbg, file);
  reveal(wrapped);
  reveal(file);
  PrivateKey opened{};
  Error error = open_key_file(file, wrapping, opened);
  reveal(error);
  reveal(opened);
  return ok(wrapped) && ok(error) && opened == key;
}

}  // namespace

int main(int argc, char** argv) {
  PrivateKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(17 * i + 3);
  if (argc > 1 && std::strcmp(argv[1], "canary") == 0) {
    hide(key);
    if (key[5] > 100) std::puts("the key's sixth byte is large");
    return 0;
  }
  const bool all_right = sign_and_derive(key) && compare_and_authenticate(key) && wrap_and_open(key);
  std::puts(all_right ? "constant time: every result is right" : "constant time: a result is wrong");
  return all_right ? 0 : 1;
}
