// SPDX-License-Identifier: Apache-2.0
#include "crypto/secp256k1.hpp"

#include <gtest/gtest.h>
#include <mbedtls/sha256.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "crypto/keccak.hpp"
#include "support/vectors.hpp"

namespace wattproof::crypto {
namespace {

using testing::array_from_hex;
using testing::from_hex;
using testing::to_hex;

constexpr char order_hex[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
constexpr char half_order_hex[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
constexpr char half_order_plus_one_hex[] = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";

Hash32 sha256(Bytes message) {
  Hash32 digest{};
  EXPECT_EQ(mbedtls_sha256_ret(message.data(), message.size(), digest.data(), 0), 0);
  return digest;
}

// a - b over 32 big-endian bytes.
Hash32 subtract(const Hash32& a, const Hash32& b) {
  Hash32 difference{};
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int value = int{a[i]} - int{b[i]} - borrow;
    borrow = value < 0 ? 1 : 0;
    difference[i] = static_cast<std::uint8_t>(value & 0xff);
  }
  return difference;
}

Signature with_s(Signature signature, const Hash32& s) {
  std::copy(s.begin(), s.end(), signature.begin() + 32);
  return signature;
}

Signature with_r(Signature signature, const Hash32& r) {
  std::copy(r.begin(), r.end(), signature.begin());
  return signature;
}

Signature a_signature(const Hash32& digest) {
  PrivateKey key{};
  key[31] = 7;
  Signature signature{};
  EXPECT_EQ(sign(key, digest, signature), Error::none);
  return signature;
}

// A strict DER reader for ECDSA signatures, of the tests alone: r and s as 32-byte words, nothing if the encoding is not
// the one DER form or a number does not fit.
std::optional<Hash32> der_integer(Bytes& input) {
  if (input.size() < 3 || input[0] != 0x02) return std::nullopt;
  const std::size_t length = input[1];
  if (length == 0 || length > 33 || input.size() - 2 < length) return std::nullopt;
  Bytes digits = input.subspan(2, length);
  input = input.subspan(2 + length);
  if ((digits[0] & 0x80) != 0) return std::nullopt;
  if (digits.size() > 1 && digits[0] == 0) {
    if ((digits[1] & 0x80) == 0) return std::nullopt;
    digits = digits.subspan(1);
  }
  if (digits.size() > 32) return std::nullopt;
  Hash32 value{};
  std::copy(digits.begin(), digits.end(), value.end() - static_cast<std::ptrdiff_t>(digits.size()));
  return value;
}

std::optional<std::pair<Hash32, Hash32>> der_signature(Bytes input) {
  if (input.size() < 8 || input[0] != 0x30 || input[1] >= 0x80 || input[1] != input.size() - 2) return std::nullopt;
  input = input.subspan(2);
  const auto r = der_integer(input);
  if (!r) return std::nullopt;
  const auto s = der_integer(input);
  if (!s || !input.empty()) return std::nullopt;
  return std::pair(*r, *s);
}

TEST(secp256k1, agrees_with_wycheproof_on_which_signatures_are_of_a_key) {
  const auto path = testing::find_vectors("wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::ifstream file(path);
  const auto document = nlohmann::json::parse(file);
  int cases = 0;
  int valid = 0;
  int large_x = 0;
  for (const auto& group : document["testGroups"]) {
    const auto point = from_hex(group["publicKey"]["uncompressed"].get<std::string>());
    ASSERT_EQ(point.size(), 65U);
    const Hash32 point_digest = keccak256(Bytes(point).subspan(1));
    const Address expected = to_array<20>(Bytes(point_digest).last(20));
    for (const auto& test : group["tests"]) {
      ++cases;
      const Hash32 digest = sha256(from_hex(test["msg"].get<std::string>()));
      const auto encoded = from_hex(test["sig"].get<std::string>());
      bool accepted = false;
      if (const auto numbers = der_signature(encoded)) {
        for (std::uint8_t v = 0; v <= 1; ++v) {
          Signature signature = with_s(with_r({}, numbers->first), numbers->second);
          signature[64] = v;
          const auto signer = recover_address(digest, signature);
          accepted = accepted || (signer && *signer == expected);
        }
      }
      // In one valid case the nonce point's x exceeds n, so that its v would be 2 or 3: Ethereum has no such signature.
      const bool has_large_x = test["comment"] == "k*G has a large x-coordinate";
      large_x += has_large_x ? 1 : 0;
      const bool is_valid = test["result"] == "valid" && !has_large_x;
      valid += is_valid ? 1 : 0;
      EXPECT_EQ(accepted, is_valid) << "tcId " << test["tcId"] << " " << test["comment"];
    }
  }
  EXPECT_EQ(cases, 463);
  EXPECT_GT(valid, 100);
  EXPECT_EQ(large_x, 1);
}

struct Field {
  std::size_t begin, size;
};

// The payload of an RLP item of at most 55 bytes at `at`; enough for the fields of the transactions below.
Field short_item(Bytes input, std::size_t at) {
  const std::uint8_t head = input[at];
  if (head < 0x80) return {at, 1};
  EXPECT_LE(head, 0xb7);
  return {at + 1, static_cast<std::size_t>(head - 0x80)};
}

TEST(secp256k1, recovers_the_senders_of_the_eip155_transactions) {
  const auto path = testing::find_vectors("tx/eip155_vitalik.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::ifstream file(path);
  int cases = 0;
  for (const auto& test : nlohmann::json::parse(file)) {
    ++cases;
    const auto transaction = from_hex(test["rlp"].get<std::string>());
    ASSERT_EQ(transaction[0], 0xf8);
    std::array<Field, 9> fields{};
    std::size_t at = 2;
    for (Field& field : fields) {
      field = short_item(transaction, at);
      at = field.begin + field.size;
    }
    ASSERT_EQ(at, transaction.size());
    const std::uint8_t v = transaction[fields[6].begin];
    ASSERT_TRUE(v == 37 || v == 38);  // chain 1
    // Signed are the first six fields, the chain id and two empty strings.
    std::vector<std::uint8_t> body(transaction.begin() + 2,
                                   transaction.begin() + static_cast<std::ptrdiff_t>(fields[6].begin));
    body.insert(body.end(), {1, 0x80, 0x80});
    ASSERT_LE(body.size(), 55U);
    body.insert(body.begin(), static_cast<std::uint8_t>(0xc0 + body.size()));
    Signature signature{};
    const auto place = [&](Field field, std::size_t end) {
      std::copy_n(transaction.begin() + static_cast<std::ptrdiff_t>(field.begin), field.size,
                  signature.begin() + static_cast<std::ptrdiff_t>(end - field.size));
    };
    place(fields[7], 32);
    place(fields[8], 64);
    signature[64] = static_cast<std::uint8_t>(v - 37);
    const auto signer = recover_address(keccak256(body), signature);
    ASSERT_TRUE(signer) << error_name(signer.error());
    EXPECT_EQ("0x" + to_hex(*signer), test["sender"].get<std::string>());
  }
  EXPECT_EQ(cases, 10);
}

TEST(secp256k1, knows_the_addresses_of_small_private_keys) {
  // Public knowledge of every Ethereum library: the addresses of the private keys 1 and 2.
  PrivateKey key{};
  key[31] = 1;
  EXPECT_EQ(to_hex(*address_of(key)), "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
  key[31] = 2;
  EXPECT_EQ(to_hex(*address_of(key)), "2b5ad5c4795c026514f8317c7a215e218dccd6cf");
}

TEST(secp256k1, signs_deterministically_as_rfc6979_says) {
  // Key 1 and SHA-256("Satoshi Nakamoto"), a known answer of RFC 6979 on secp256k1.
  PrivateKey key{};
  key[31] = 1;
  const std::string_view text = "Satoshi Nakamoto";
  const Hash32 digest = sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  Signature signature{};
  ASSERT_EQ(sign(key, digest, signature), Error::none);
  EXPECT_EQ(to_hex(Bytes(signature).first(64)),
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
            "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
}

TEST(secp256k1, recovers_what_it_signed_over_many_keys) {
  int seen_odd = 0;
  for (std::uint8_t i = 1; i < 100; ++i) {
    const Hash32 key = keccak256(Bytes(&i, 1));
    const Hash32 digest = keccak256(key);
    Signature signature{};
    ASSERT_EQ(sign(key, digest, signature), Error::none);
    EXPECT_EQ(check_signature(signature), Error::none);
    seen_odd += signature[64];
    const auto signer = recover_address(digest, signature);
    ASSERT_TRUE(signer);
    EXPECT_EQ(*signer, *address_of(key));
    Signature other_parity = signature;
    other_parity[64] ^= 1;
    const auto other = recover_address(digest, other_parity);
    EXPECT_TRUE(!other || *other != *signer);
  }
  EXPECT_GT(seen_odd, 20);
  EXPECT_LT(seen_odd, 80);
}

TEST(secp256k1, refuses_the_high_s_twin_unless_asked) {
  const Hash32 digest = keccak256({});
  const Signature low = a_signature(digest);
  Signature twin = with_s(low, subtract(array_from_hex<32>(order_hex), to_array<32>(Bytes(low).subspan(32, 32))));
  twin[64] ^= 1;
  EXPECT_EQ(recover_address(digest, twin).error(), Error::signature_high_s);
  const auto signer = recover_address_any_s(digest, twin);
  ASSERT_TRUE(signer);
  EXPECT_EQ(*signer, *recover_address(digest, low));
}

TEST(secp256k1, draws_the_line_of_low_s_at_half_the_order) {
  const Signature base = a_signature(keccak256({}));
  EXPECT_EQ(check_signature(with_s(base, array_from_hex<32>(half_order_hex))), Error::none);
  EXPECT_EQ(check_signature(with_s(base, array_from_hex<32>(half_order_plus_one_hex))), Error::signature_high_s);
}

TEST(secp256k1, refuses_numbers_outside_their_range) {
  const Hash32 digest = keccak256({});
  const Signature base = a_signature(digest);
  const Hash32 order = array_from_hex<32>(order_hex);
  Hash32 ones;
  ones.fill(0xff);
  for (const Hash32& wrong : {Hash32{}, order, ones}) {
    EXPECT_EQ(recover_address(digest, with_r(base, wrong)).error(), Error::bad_signature);
    EXPECT_EQ(recover_address(digest, with_s(base, wrong)).error(), Error::bad_signature);
    EXPECT_EQ(recover_address_any_s(digest, with_r(base, wrong)).error(), Error::bad_signature);
    EXPECT_EQ(recover_address_any_s(digest, with_s(base, wrong)).error(), Error::bad_signature);
  }
  for (const std::uint8_t v : std::array<std::uint8_t, 5>{2, 3, 27, 28, 255}) {
    Signature signature = base;
    signature[64] = v;
    EXPECT_EQ(recover_address(digest, signature).error(), Error::bad_signature);
    EXPECT_EQ(recover_address_any_s(digest, signature).error(), Error::bad_signature);
  }
}

TEST(secp256k1, refuses_an_r_that_is_on_no_point) {
  // x = 5 solves no y^2 = x^3 + 7 over this field.
  Hash32 r{};
  r[31] = 5;
  const Hash32 digest = keccak256({});
  EXPECT_EQ(recover_address(digest, with_r(a_signature(digest), r)).error(), Error::bad_signature);
}

TEST(secp256k1, refuses_keys_outside_their_range_and_clears_the_signature) {
  Hash32 above = array_from_hex<32>(order_hex);
  ++above[31];
  for (const PrivateKey& key : {PrivateKey{}, array_from_hex<32>(order_hex), above}) {
    Signature signature;
    signature.fill(0xaa);
    EXPECT_EQ(sign(key, Hash32{}, signature), Error::bad_key);
    EXPECT_TRUE(is_zero(signature));
    EXPECT_EQ(address_of(key).error(), Error::bad_key);
  }
  Hash32 largest = array_from_hex<32>(order_hex);
  --largest[31];
  EXPECT_TRUE(address_of(largest));
}

}  // namespace
}  // namespace wattproof::crypto
