// SPDX-License-Identifier: Apache-2.0
#include "crypto/drbg.hpp"

#include <gtest/gtest.h>
#include <mbedtls/ctr_drbg.h>

#include <random>
#include <set>

#include "crypto/hash.hpp"
#include "support/vectors.hpp"

namespace wattproof::crypto {
namespace {

std::vector<std::uint8_t> noise(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> raw(raw_entropy_size);
  for (std::uint8_t& byte : raw) byte = static_cast<std::uint8_t>(random());
  return raw;
}

TEST(drbg, gives_nothing_before_it_is_seeded) {
  Drbg drbg;
  std::array<std::uint8_t, 8> output{};
  PrivateKey key{};
  EXPECT_EQ(drbg.generate(output), Error::not_ready);
  EXPECT_EQ(generate_key(drbg, key), Error::not_ready);
  EXPECT_TRUE(is_zero(key));
}

TEST(drbg, repeats_itself_for_the_same_noise_and_for_no_other) {
  const auto first_bytes = [](std::uint32_t seed, Bytes device) {
    Drbg drbg;
    EXPECT_EQ(drbg.seed(noise(seed), device), Error::none);
    Hash32 output{};
    EXPECT_EQ(drbg.generate(output), Error::none);
    return output;
  };
  const std::array<std::uint8_t, 1> serial = {7};
  EXPECT_EQ(first_bytes(1, {}), first_bytes(1, {}));
  EXPECT_NE(first_bytes(1, {}), first_bytes(2, {}));
  EXPECT_NE(first_bytes(1, {}), first_bytes(1, serial));
}

TEST(drbg, is_ctr_drbg_over_the_condensed_noise) {
  // The seed material by hand, the generator by the library's own interface.
  const auto raw = noise(5);
  std::vector<std::uint8_t> material;
  for (std::uint8_t half = 0; half < 2; ++half) {
    std::vector<std::uint8_t> message = {half};
    message.insert(message.end(), raw.begin(), raw.end());
    const Hash32 digest = sha256(message);
    material.insert(material.end(), digest.begin(), digest.end());
  }
  struct Feed {
    const std::vector<std::uint8_t>& bytes;
    std::size_t used = 0;
  } feed{material};
  const auto take = [](void* pointer, unsigned char* output, std::size_t size) {
    Feed& from = *static_cast<Feed*>(pointer);
    std::copy_n(from.bytes.begin() + static_cast<std::ptrdiff_t>(from.used), size, output);
    from.used += size;
    return 0;
  };
  mbedtls_ctr_drbg_context context;
  mbedtls_ctr_drbg_init(&context);
  mbedtls_ctr_drbg_set_entropy_len(&context, 32);
  ASSERT_EQ(mbedtls_ctr_drbg_set_nonce_len(&context, 16), 0);
  const Hash32 personal = sha256({});
  ASSERT_EQ(mbedtls_ctr_drbg_seed(&context, take, &feed, personal.data(), personal.size()), 0);
  Drbg drbg;
  ASSERT_EQ(drbg.seed(raw, {}), Error::none);
  for (int i = 0; i < 5; ++i) {
    Hash32 ours{};
    Hash32 theirs{};
    ASSERT_EQ(drbg.generate(ours), Error::none);
    ASSERT_EQ(mbedtls_ctr_drbg_random(&context, theirs.data(), theirs.size()), 0);
    EXPECT_EQ(ours, theirs);
  }
  mbedtls_ctr_drbg_free(&context);
}

TEST(drbg, makes_keys_that_are_valid_and_differ) {
  std::set<PrivateKey> keys;
  Drbg drbg;
  ASSERT_EQ(drbg.seed(noise(3), {}), Error::none);
  for (int i = 0; i < 50; ++i) {
    PrivateKey key{};
    ASSERT_EQ(generate_key(drbg, key), Error::none);
    EXPECT_TRUE(address_of(key));
    keys.insert(key);
  }
  EXPECT_EQ(keys.size(), 50U);
}

TEST(drbg, refuses_a_stuck_source) {
  Drbg drbg;
  ASSERT_EQ(drbg.seed(noise(1), {}), Error::none);
  EXPECT_EQ(drbg.seed(std::vector<std::uint8_t>(raw_entropy_size, 0xa5), {}), Error::entropy_failed);
  // A generator that was seeded once does not go on with its old state.
  std::array<std::uint8_t, 8> output{};
  EXPECT_EQ(drbg.generate(output), Error::not_ready);
}

TEST(drbg, refuses_a_source_that_sticks_for_a_while) {
  for (const std::size_t run : {std::size_t{20}, std::size_t{21}}) {
    auto raw = noise(9);
    std::fill_n(raw.begin() + 100, run, std::uint8_t{1});
    raw[99] = raw[100 + run] = 2;
    Drbg drbg;
    EXPECT_EQ(drbg.seed(raw, {}), run < EntropyHealth::repetition_max ? Error::none : Error::entropy_failed);
  }
}

TEST(drbg, refuses_a_source_that_nearly_always_says_the_same) {
  for (const std::uint32_t same : {EntropyHealth::proportion_max - 1, EntropyHealth::proportion_max}) {
    std::vector<std::uint8_t> raw(raw_entropy_size, 0);
    std::uint32_t placed = 0;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      // Never 21 in a row.
      const bool is_same = placed < same && i % 20 != 19;
      raw[i] = is_same ? 0 : static_cast<std::uint8_t>(1 + i % 200);
      placed += is_same ? 1U : 0U;
    }
    ASSERT_EQ(placed, same);
    Drbg drbg;
    EXPECT_EQ(drbg.seed(raw, {}), same < EntropyHealth::proportion_max ? Error::none : Error::entropy_failed);
  }
}

TEST(drbg, remembers_that_a_source_failed) {
  EntropyHealth health;
  for (std::uint32_t i = 1; i < EntropyHealth::repetition_max; ++i) EXPECT_EQ(health.add(5), Error::none);
  EXPECT_EQ(health.add(5), Error::entropy_failed);
  EXPECT_EQ(health.add(6), Error::entropy_failed);
}

TEST(drbg, leaves_good_noise_alone) {
  EntropyHealth health;
  std::mt19937 random(4);
  for (int i = 0; i < 1'000'000; ++i) ASSERT_EQ(health.add(static_cast<std::uint8_t>(random())), Error::none);
}

TEST(drbg, refuses_other_sizes) {
  Drbg drbg;
  EXPECT_EQ(drbg.seed(std::vector<std::uint8_t>(raw_entropy_size - 1, 0), {}), Error::wrong_length);
  ASSERT_EQ(drbg.seed(noise(1), {}), Error::none);
  std::vector<std::uint8_t> output(drbg_output_size_max + 1);
  EXPECT_EQ(drbg.generate(output), Error::too_large);
  EXPECT_EQ(drbg.generate(MutableBytes(output).first(drbg_output_size_max)), Error::none);
}

TEST(drbg, wants_a_new_seed_in_time) {
  Drbg drbg;
  ASSERT_EQ(drbg.seed(noise(1), {}), Error::none);
  std::array<std::uint8_t, 1> output{};
  for (std::int32_t i = 0; i < drbg_request_count_max; ++i) ASSERT_EQ(drbg.generate(output), Error::none);
  EXPECT_EQ(drbg.generate(output), Error::not_ready);
  ASSERT_EQ(drbg.seed(noise(2), {}), Error::none);
  EXPECT_EQ(drbg.generate(output), Error::none);
}

}  // namespace
}  // namespace wattproof::crypto
