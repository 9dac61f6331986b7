// SPDX-License-Identifier: Apache-2.0
// SHA-256 and what is built on it, key generation and the key file. The generator's bytes and the sealed file go into the
// trace: mbedTLS cut down for a microcontroller must give what Debian's does.
#include "core_report.hpp"
#include "crypto/hash.hpp"
#include "crypto/key_file.hpp"

namespace wattproof::core {
namespace {

void hashes(Report& report) {
  constexpr auto abc = hex("616263");
  CORE_CHECK(report, crypto::sha256(abc) == hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  // RFC 4231, case 2, and RFC 5869, case 1.
  constexpr auto jefe = hex("4a656665");
  constexpr auto question = hex("7768617420646f2079612077616e7420666f72206e6f7468696e673f");
  CORE_CHECK(report, crypto::hmac_sha256(jefe, question) ==
                         hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
  constexpr auto salt = hex("000102030405060708090a0b0c");
  constexpr auto key = hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  constexpr auto info = hex("f0f1f2f3f4f5f6f7f8f9");
  std::array<std::uint8_t, 42> output{};
  CORE_CHECK(report, crypto::hkdf_sha256(salt, key, info, output) == Error::none);
  CORE_CHECK(report, output == hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"));
}

void key_files(Report& report) {
  std::array<std::uint8_t, crypto::raw_entropy_size> raw{};
  Random random(11);
  for (std::uint8_t& byte : raw) byte = static_cast<std::uint8_t>(random.next());
  crypto::Drbg drbg;
  crypto::PrivateKey key{};
  crypto::KeyFile file{};
  constexpr auto wrapping = hex("000102030405060708090a0b0c0d0e0f");
  CORE_CHECK(report, drbg.seed(raw, {}) == Error::none);
  CORE_CHECK(report, crypto::generate_key(drbg, key) == Error::none);
  CORE_CHECK(report, crypto::wrap_key_file(key, wrapping, drbg, file) == Error::none);
  report.mix(Bytes(file));
  crypto::PrivateKey opened{};
  CORE_CHECK(report, crypto::open_key_file(file, wrapping, opened) == Error::none && opened == key);
  file[60] ^= 1;
  CORE_CHECK(report, crypto::open_key_file(file, wrapping, opened) == Error::key_file_refused && is_zero(opened));
  raw.fill(7);
  CORE_CHECK(report, drbg.seed(raw, {}) == Error::entropy_failed);
}

}  // namespace

void test_keys(Report& report) {
  hashes(report);
  key_files(report);
}

}  // namespace wattproof::core
