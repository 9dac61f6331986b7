// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.hpp"

#include <mbedtls/chachapoly.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret.hpp"

namespace wattproof::crypto {
namespace {

constexpr std::uint32_t magic = 0x57504b31;  // "WPK1"
constexpr std::uint8_t version = 1;
constexpr std::size_t version_at = 4, kind_at = 5, zero_at = 6, iterations_at = 8, salt_at = 12, address_at = 28,
                      sealed_at = 48, tag_at = 80;
constexpr std::size_t salt_size = 16;
constexpr std::size_t tag_size = 16;
constexpr std::array<std::uint8_t, 18> hkdf_info = {'w', 'a', 't', 't', 'p', 'r', 'o', 'o', 'f',
                                                    ' ', 'k', 'e', 'y', ' ', 'f', 'i', 'l', 'e'};

struct CipherKey {
  std::array<std::uint8_t, 32> key{};
  std::array<std::uint8_t, 12> nonce{};
};

// mbedTLS's context, wiped when it goes.
class Cipher {
 public:
  explicit Cipher(const CipherKey& key) {
    mbedtls_chachapoly_init(&context_);
    WATTPROOF_CHECK(mbedtls_chachapoly_setkey(&context_, key.key.data()) == 0);
  }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;
  ~Cipher() { mbedtls_chachapoly_free(&context_); }
  mbedtls_chachapoly_context* get() { return &context_; }

 private:
  mbedtls_chachapoly_context context_;
};

Error derive(KeyFileKind kind, Bytes secret, Bytes salt, std::uint32_t iterations, CipherKey& key) {
  std::array<std::uint8_t, 44> bytes{};
  const WipedAtExit wiped(bytes);
  if (kind == KeyFileKind::passphrase) {
    WATTPROOF_TRY(pbkdf2_sha256(secret, salt, iterations, bytes));
  } else {
    WATTPROOF_TRY(hkdf_sha256(salt, secret, hkdf_info, bytes));
  }
  std::copy_n(bytes.begin(), key.key.size(), key.key.begin());
  std::copy_n(bytes.begin() + 32, key.nonce.size(), key.nonce.begin());
  return Error::none;
}

Error make(const PrivateKey& key, KeyFileKind kind, Bytes secret, std::uint32_t iterations, Drbg& drbg, KeyFile& file) {
  file.fill(0);
  const Result<Address> address = address_of(key);
  if (!address) return address.error();
  KeyFile made{};
  store_be32(made.data(), magic);
  made[version_at] = version;
  made[kind_at] = static_cast<std::uint8_t>(kind);
  store_be32(made.data() + iterations_at, iterations);
  WATTPROOF_TRY(drbg.generate(MutableBytes(made).subspan(salt_at, salt_size)));
  std::copy(address->begin(), address->end(), made.begin() + address_at);
  CipherKey cipher_key;
  const WipedAtExit wiped(cipher_key);
  WATTPROOF_TRY(derive(kind, secret, Bytes(made).subspan(salt_at, salt_size), iterations, cipher_key));
  Cipher cipher(cipher_key);
  WATTPROOF_CHECK(mbedtls_chachapoly_encrypt_and_tag(cipher.get(), key.size(), cipher_key.nonce.data(), made.data(),
                                                     sealed_at, key.data(), made.data() + sealed_at,
                                                     made.data() + tag_at) == 0);
  file = made;
  return Error::none;
}

// Whether the tag is right. Step by step and not by the library's one call, so that the comparison is ours to vouch for.
bool decrypt(const CipherKey& cipher_key, Bytes file, PrivateKey& key) {
  Cipher cipher(cipher_key);
  std::array<std::uint8_t, tag_size> tag{};
  WATTPROOF_CHECK(
      mbedtls_chachapoly_starts(cipher.get(), cipher_key.nonce.data(), MBEDTLS_CHACHAPOLY_DECRYPT) == 0 &&
      mbedtls_chachapoly_update_aad(cipher.get(), file.data(), sealed_at) == 0 &&
      mbedtls_chachapoly_update(cipher.get(), key.size(), file.data() + sealed_at, key.data()) == 0 &&
      mbedtls_chachapoly_finish(cipher.get(), tag.data()) == 0);
  const bool is_right = constant_time_equal(tag, file.subspan(tag_at, tag_size));
  reveal(&is_right, sizeof(is_right));
  return is_right;
}

bool is_in_limits(std::uint32_t iterations) {
  return iterations >= key_file_iterations_min && iterations <= key_file_iterations_max;
}

}  // namespace

Error seal_key_file(const PrivateKey& key, Bytes passphrase, std::uint32_t iterations, Drbg& drbg, KeyFile& file) {
  file.fill(0);
  if (passphrase.empty() || !is_in_limits(iterations)) return Error::out_of_range;
  return make(key, KeyFileKind::passphrase, passphrase, iterations, drbg, file);
}

Error wrap_key_file(const PrivateKey& key, Bytes wrapping_key, Drbg& drbg, KeyFile& file) {
  file.fill(0);
  if (wrapping_key.size() < wrapping_key_size_min) return Error::wrong_length;
  return make(key, KeyFileKind::wrapping_key, wrapping_key, 0, drbg, file);
}

Result<KeyFileInfo> inspect_key_file(Bytes file) {
  if (file.size() != key_file_size) return Error::wrong_length;
  const std::uint8_t kind = file[kind_at];
  if (load_be32(file.data()) != magic || file[version_at] != version ||
      (kind != static_cast<std::uint8_t>(KeyFileKind::passphrase) &&
       kind != static_cast<std::uint8_t>(KeyFileKind::wrapping_key))) {
    return Error::unknown_version;
  }
  KeyFileInfo info;
  info.kind = static_cast<KeyFileKind>(kind);
  info.iterations = load_be32(file.data() + iterations_at);
  info.address = to_array<20>(file.subspan(address_at, 20));
  if (load_be16(file.data() + zero_at) != 0) return Error::non_canonical;
  if (info.kind == KeyFileKind::wrapping_key) {
    if (info.iterations != 0) return Error::non_canonical;
  } else if (!is_in_limits(info.iterations)) {
    return Error::out_of_range;
  }
  return info;
}

Error open_key_file(Bytes file, Bytes secret, PrivateKey& key) {
  wipe(key);
  const Result<KeyFileInfo> info = inspect_key_file(file);
  if (!info) return info.error();
  CipherKey cipher_key;
  const WipedAtExit wiped(cipher_key);
  WATTPROOF_TRY(derive(info->kind, secret, file.subspan(salt_at, salt_size), info->iterations, cipher_key));
  if (!decrypt(cipher_key, file, key)) {
    wipe(key);
    return Error::key_file_refused;
  }
  // Only a maker who knew the secret gets here; still, a file that names another device is nobody's.
  const Result<Address> address = address_of(key);
  if (!address || *address != info->address) {
    wipe(key);
    return Error::key_file_refused;
  }
  return Error::none;
}

}  // namespace wattproof::crypto
