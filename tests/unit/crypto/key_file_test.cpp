// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_file.hpp"

#include <gtest/gtest.h>
#include <mbedtls/chachapoly.h>

#include <random>

#include "crypto/hash.hpp"
#include "support/vectors.hpp"

namespace wattproof::crypto {
namespace {

using testing::ascii;

class KeyFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::mt19937 random(1);
    std::vector<std::uint8_t> raw(raw_entropy_size);
    for (std::uint8_t& byte : raw) byte = static_cast<std::uint8_t>(random());
    ASSERT_EQ(drbg.seed(raw, {}), Error::none);
    ASSERT_EQ(generate_key(drbg, key), Error::none);
  }

  Drbg drbg;
  PrivateKey key{};
  KeyFile file{};
  const Bytes passphrase = ascii("correct horse battery staple");
  const Bytes wrapping = ascii("0123456789abcdef");
};

TEST_F(KeyFileTest, opens_with_its_passphrase) {
  ASSERT_EQ(seal_key_file(key, passphrase, 1000, drbg, file), Error::none);
  const auto info = inspect_key_file(file);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, KeyFileKind::passphrase);
  EXPECT_EQ(info->iterations, 1000U);
  EXPECT_EQ(info->address, *address_of(key));
  PrivateKey opened{};
  ASSERT_EQ(open_key_file(file, passphrase, opened), Error::none);
  EXPECT_EQ(opened, key);
}

TEST_F(KeyFileTest, opens_with_its_wrapping_key) {
  ASSERT_EQ(wrap_key_file(key, wrapping, drbg, file), Error::none);
  EXPECT_EQ(inspect_key_file(file)->kind, KeyFileKind::wrapping_key);
  PrivateKey opened{};
  ASSERT_EQ(open_key_file(file, wrapping, opened), Error::none);
  EXPECT_EQ(opened, key);
}

TEST_F(KeyFileTest, refuses_another_secret_and_gives_nothing_away) {
  ASSERT_EQ(wrap_key_file(key, wrapping, drbg, file), Error::none);
  PrivateKey opened;
  opened.fill(9);
  EXPECT_EQ(open_key_file(file, ascii("0123456789abcdeg"), opened), Error::key_file_refused);
  EXPECT_TRUE(is_zero(opened));
  EXPECT_EQ(open_key_file(file, {}, opened), Error::key_file_refused);
}

TEST_F(KeyFileTest, refuses_every_single_bit_flip) {
  ASSERT_EQ(wrap_key_file(key, wrapping, drbg, file), Error::none);
  for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
    KeyFile changed = file;
    changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
    PrivateKey opened;
    opened.fill(9);
    EXPECT_NE(open_key_file(changed, wrapping, opened), Error::none) << bit;
    EXPECT_TRUE(is_zero(opened)) << bit;
  }
}

TEST_F(KeyFileTest, is_another_file_every_time) {
  KeyFile second{};
  ASSERT_EQ(wrap_key_file(key, wrapping, drbg, file), Error::none);
  ASSERT_EQ(wrap_key_file(key, wrapping, drbg, second), Error::none);
  EXPECT_FALSE(equal(Bytes(file).subspan(12, 16), Bytes(second).subspan(12, 16)));
  EXPECT_FALSE(equal(Bytes(file).subspan(48), Bytes(second).subspan(48)));
}

TEST_F(KeyFileTest, does_not_hold_the_key_in_the_clear) {
  ASSERT_EQ(wrap_key_file(key, wrapping, drbg, file), Error::none);
  for (std::size_t at = 0; at + 8 <= file.size(); ++at) {
    for (std::size_t from = 0; from + 8 <= key.size(); ++from) {
      ASSERT_FALSE(equal(Bytes(file).subspan(at, 8), Bytes(key).subspan(from, 8)));
    }
  }
}

TEST_F(KeyFileTest, is_laid_out_as_documented) {
  ASSERT_EQ(wrap_key_file(key, wrapping, drbg, file), Error::none);
  EXPECT_EQ(testing::to_hex(Bytes(file).first(12)), "57504b31" "01" "02" "0000" "00000000");
  EXPECT_TRUE(equal(Bytes(file).subspan(28, 20), *address_of(key)));
  // Opened by hand, with the library's cipher and the derivation of the header.
  std::array<std::uint8_t, 44> derived{};
  ASSERT_EQ(hkdf_sha256(Bytes(file).subspan(12, 16), wrapping, ascii("wattproof key file"), derived), Error::none);
  mbedtls_chachapoly_context context;
  mbedtls_chachapoly_init(&context);
  ASSERT_EQ(mbedtls_chachapoly_setkey(&context, derived.data()), 0);
  PrivateKey opened{};
  ASSERT_EQ(mbedtls_chachapoly_auth_decrypt(&context, 32, derived.data() + 32, file.data(), 48, file.data() + 80,
                                            file.data() + 48, opened.data()),
            0);
  mbedtls_chachapoly_free(&context);
  EXPECT_EQ(opened, key);
}

TEST_F(KeyFileTest, says_what_is_wrong_with_a_file) {
  ASSERT_EQ(seal_key_file(key, passphrase, 1000, drbg, file), Error::none);
  EXPECT_EQ(inspect_key_file(Bytes(file).first(95)).error(), Error::wrong_length);
  EXPECT_EQ(inspect_key_file({}).error(), Error::wrong_length);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    KeyFile changed = file;
    changed[at] = value;
    return inspect_key_file(changed).error();
  };
  EXPECT_EQ(with(0, 0), Error::unknown_version);
  EXPECT_EQ(with(4, 2), Error::unknown_version);
  EXPECT_EQ(with(5, 0), Error::unknown_version);
  EXPECT_EQ(with(5, 3), Error::unknown_version);
  EXPECT_EQ(with(7, 1), Error::non_canonical);
  EXPECT_EQ(with(5, 2), Error::non_canonical);  // a wrapping key needs no iterations
  EXPECT_EQ(with(8, 1), Error::out_of_range);   // 16 million iterations are never begun
  KeyFile few = file;
  store_be32(few.data() + 8, key_file_iterations_min - 1);
  EXPECT_EQ(inspect_key_file(few).error(), Error::out_of_range);
}

TEST_F(KeyFileTest, refuses_poor_secrets_and_bad_keys) {
  EXPECT_EQ(seal_key_file(key, {}, 1000, drbg, file), Error::out_of_range);
  EXPECT_EQ(seal_key_file(key, passphrase, key_file_iterations_min - 1, drbg, file), Error::out_of_range);
  EXPECT_EQ(seal_key_file(key, passphrase, key_file_iterations_max + 1, drbg, file), Error::out_of_range);
  EXPECT_EQ(wrap_key_file(key, wrapping.first(15), drbg, file), Error::wrong_length);
  EXPECT_EQ(wrap_key_file(PrivateKey{}, wrapping, drbg, file), Error::bad_key);
  Drbg unseeded;
  EXPECT_EQ(wrap_key_file(key, wrapping, unseeded, file), Error::not_ready);
  EXPECT_TRUE(is_zero(file));
}

}  // namespace
}  // namespace wattproof::crypto
