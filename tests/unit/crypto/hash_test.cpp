// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.hpp"

#include <gtest/gtest.h>
#include <mbedtls/version.h>
#ifdef MBEDTLS_HKDF_C
#include <mbedtls/hkdf.h>
#include <mbedtls/md.h>
#include <mbedtls/pkcs5.h>
#endif

#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "support/vectors.hpp"

namespace wattproof::crypto {
namespace {

using testing::ascii;
using testing::from_hex;
using testing::to_hex;

std::vector<std::uint8_t> random_bytes(std::mt19937& random, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(hash, knows_the_answers_of_fips_180) {
  EXPECT_EQ(to_hex(sha256(ascii("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(ascii("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(hash, does_not_mind_how_a_message_is_cut_and_starts_anew) {
  std::mt19937 random(1);
  const auto message = random_bytes(random, 200);
  Sha256 hash;
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    hash.update(Bytes(message).first(cut));
    hash.update(Bytes(message).subspan(cut));
    ASSERT_EQ(hash.finish(), sha256(message)) << cut;
  }
}

TEST(hash, agrees_with_wycheproof_on_hmac) {
  const auto path = testing::find_vectors("wycheproof/hmac_sha256_test.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::ifstream file(path);
  int cases = 0;
  int valid = 0;
  const auto document = nlohmann::json::parse(file);
  for (const auto& group : document["testGroups"]) {
    const std::size_t tag_size = group["tagSize"].get<std::size_t>() / 8;
    for (const auto& test : group["tests"]) {
      ++cases;
      const auto tag = from_hex(test["tag"].get<std::string>());
      const Hash32 made = hmac_sha256(from_hex(test["key"].get<std::string>()), from_hex(test["msg"].get<std::string>()));
      const bool is_valid = test["result"] == "valid";
      valid += is_valid ? 1 : 0;
      EXPECT_EQ(equal(Bytes(made).first(tag_size), tag), is_valid) << test["tcId"];
    }
  }
  EXPECT_EQ(cases, 174);
  EXPECT_GT(valid, 30);
}

TEST(hash, keeps_the_key_of_an_hmac_for_the_next_message) {
  HmacSha256 mac(ascii("key"));
  for (int i = 0; i < 3; ++i) {
    mac.update(ascii("The quick brown fox "));
    mac.update(ascii("jumps over the lazy dog"));
    EXPECT_EQ(to_hex(mac.finish()), "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
  }
}

TEST(hash, knows_the_first_answer_of_rfc_5869) {
  std::array<std::uint8_t, 42> output{};
  ASSERT_EQ(hkdf_sha256(from_hex("000102030405060708090a0b0c"), std::vector<std::uint8_t>(22, 0x0b),
                        from_hex("f0f1f2f3f4f5f6f7f8f9"), output),
            Error::none);
  EXPECT_EQ(to_hex(output),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

// The library's own derivations, which need its heap; the cut-down build for microcontrollers has none to compare with.
#ifdef MBEDTLS_HKDF_C
TEST(hash, agrees_with_mbedtls_on_hkdf) {
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    const auto salt = random_bytes(random, random() % 80);
    const auto key = random_bytes(random, 1 + random() % 100);
    const auto info = random_bytes(random, random() % 50);
    std::vector<std::uint8_t> ours(1 + random() % 200);
    std::vector<std::uint8_t> theirs(ours.size());
    ASSERT_EQ(hkdf_sha256(salt, key, info, ours), Error::none);
    ASSERT_EQ(mbedtls_hkdf(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), salt.data(), salt.size(), key.data(), key.size(),
                           info.data(), info.size(), theirs.data(), theirs.size()),
              0);
    ASSERT_EQ(ours, theirs);
  }
}

TEST(hash, agrees_with_mbedtls_on_pbkdf2) {
  std::mt19937 random(3);
  for (int i = 0; i < 100; ++i) {
    const auto passphrase = random_bytes(random, 1 + random() % 100);
    const auto salt = random_bytes(random, random() % 40);
    const std::uint32_t iterations = static_cast<std::uint32_t>(1 + random() % 50);
    std::vector<std::uint8_t> ours(1 + random() % pbkdf2_output_size_max);
    std::vector<std::uint8_t> theirs(ours.size());
    ASSERT_EQ(pbkdf2_sha256(passphrase, salt, iterations, ours), Error::none);
    mbedtls_md_context_t context;
    mbedtls_md_init(&context);
    ASSERT_EQ(mbedtls_md_setup(&context, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1), 0);
    ASSERT_EQ(mbedtls_pkcs5_pbkdf2_hmac(&context, passphrase.data(), passphrase.size(), salt.data(), salt.size(),
                                        iterations, static_cast<std::uint32_t>(theirs.size()), theirs.data()),
              0);
    mbedtls_md_free(&context);
    ASSERT_EQ(ours, theirs);
  }
}

#endif

TEST(hash, refuses_outputs_and_iterations_beyond_the_limits) {
  std::vector<std::uint8_t> large(hkdf_output_size_max + 1);
  EXPECT_EQ(hkdf_sha256({}, {}, {}, large), Error::too_large);
  EXPECT_EQ(hkdf_sha256({}, {}, {}, MutableBytes(large).first(hkdf_output_size_max)), Error::none);
  EXPECT_EQ(pbkdf2_sha256({}, {}, 1, MutableBytes(large).first(pbkdf2_output_size_max + 1)), Error::too_large);
  EXPECT_EQ(pbkdf2_sha256({}, {}, 0, MutableBytes(large).first(32)), Error::out_of_range);
}

}  // namespace
}  // namespace wattproof::crypto
