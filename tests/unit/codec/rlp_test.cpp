// SPDX-License-Identifier: Apache-2.0
#include "codec/rlp.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"

namespace wattproof::codec {
namespace {

using nlohmann::json;
using testing::find_vectors;
using testing::from_hex;
using testing::to_hex;
using Buffer = std::vector<std::uint8_t>;

void append(Buffer& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

Buffer encode_string(Bytes payload) {
  Buffer out;
  if (payload.size() != 1 || payload[0] >= 0x80) {
    append(out, rlp_string_prefix(static_cast<std::uint32_t>(payload.size())).view());
  }
  append(out, payload);
  return out;
}

// Big-endian bytes of a decimal number of any size.
Buffer big_integer(std::string digits) {
  Buffer bytes;
  while (!digits.empty()) {
    std::string quotient;
    int remainder = 0;
    for (const char digit : digits) {
      const int value = remainder * 10 + (digit - '0');
      if (!quotient.empty() || value / 256 != 0) quotient += static_cast<char>('0' + value / 256);
      remainder = value % 256;
    }
    bytes.insert(bytes.begin(), static_cast<std::uint8_t>(remainder));
    digits = quotient;
  }
  while (!bytes.empty() && bytes[0] == 0) bytes.erase(bytes.begin());
  return bytes;
}

// The encoding of a value of the official vectors, by the encoder half of the library.
Buffer encode(const json& value) {
  if (value.is_array()) {
    Buffer payload;
    for (const json& item : value) append(payload, encode(item));
    Buffer out;
    append(out, rlp_list_prefix(static_cast<std::uint32_t>(payload.size())).view());
    append(out, payload);
    return out;
  }
  Buffer out;
  if (value.is_number()) {
    append(out, rlp_integer(value.get<std::uint64_t>()).view());
    return out;
  }
  const std::string text = value.get<std::string>();
  if (text.starts_with('#')) return encode_string(big_integer(text.substr(1)));
  return encode_string(Buffer(text.begin(), text.end()));
}

// Compares what the decoder finds with the value that was encoded.
void expect_same(const json& value, const RlpItem& item) {
  ASSERT_EQ(value.is_array(), item.is_list);
  if (!value.is_array()) {
    EXPECT_EQ(to_hex(encode(value)), to_hex(item.encoded()));
    return;
  }
  RlpReader reader(item.payload);
  for (const json& inner : value) expect_same(inner, reader.any());
  EXPECT_EQ(reader.finish(), Error::none);
}

TEST(rlp, agrees_with_the_official_valid_cases) {
  const auto path = find_vectors("ethereum-tests/RLPTests/rlptest.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::size_t cases = 0;
  const json vectors = json::parse(std::ifstream(path));
  for (const auto& [name, vector] : vectors.items()) {
    const Buffer expected = from_hex(vector["out"].get<std::string>());
    EXPECT_EQ(check_rlp(expected), Error::none) << name;
    EXPECT_EQ(to_hex(encode(vector["in"])), to_hex(expected)) << name;
    const Result<RlpItem> item = first_rlp_item(expected);
    ASSERT_TRUE(bool(item)) << name;
    expect_same(vector["in"], *item);
    ++cases;
  }
  EXPECT_EQ(cases, 28U);
  std::printf("valid rlp accepted: %zu of %zu\n", cases, vectors.size());
}

TEST(rlp, refuses_every_official_invalid_case) {
  const auto path = find_vectors("ethereum-tests/RLPTests/invalidRLPTest.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::size_t refused = 0;
  const json vectors = json::parse(std::ifstream(path));
  for (const auto& [name, vector] : vectors.items()) {
    const Error error = check_rlp(from_hex(vector["out"].get<std::string>()));
    EXPECT_NE(error, Error::none) << name;
    if (error != Error::none) ++refused;
  }
  EXPECT_EQ(refused, 26U);
  std::printf("invalid rlp refused: %zu of %zu\n", refused, vectors.size());
}

TEST(rlp, each_fault_has_its_own_error) {
  const auto error_of = [](std::string_view hex) { return check_rlp(from_hex(hex)); };
  EXPECT_EQ(error_of(""), Error::truncated);
  EXPECT_EQ(error_of("8180"), Error::none);
  EXPECT_EQ(error_of("817f"), Error::non_canonical);
  EXPECT_EQ(error_of("8261"), Error::truncated);
  EXPECT_EQ(error_of("c26161"), Error::none);
  EXPECT_EQ(error_of("c261"), Error::truncated);
  EXPECT_EQ(error_of("c1826161"), Error::truncated);
  EXPECT_EQ(error_of("c16161"), Error::trailing_bytes);
  EXPECT_EQ(error_of("6161"), Error::trailing_bytes);
  EXPECT_EQ(error_of("b8"), Error::truncated);
  EXPECT_EQ(error_of("b80161"), Error::non_canonical);
  EXPECT_EQ(error_of("b90038"), Error::non_canonical);
  EXPECT_EQ(error_of("bb80000000"), Error::truncated);
  EXPECT_EQ(error_of("bbffffffff"), Error::truncated);
  EXPECT_EQ(error_of("bf8000000000000000"), Error::too_large);
  EXPECT_EQ(error_of("ff8000000000000000"), Error::too_large);
  EXPECT_EQ(error_of("f83700"), Error::non_canonical);
}

TEST(rlp, refuses_a_depth_bomb) {
  // Built from the inside: `deep` lists around nothing.
  const auto nested = [](std::uint32_t deep) {
    Buffer out;
    for (std::uint32_t i = 0; i < deep; ++i) {
      Buffer outer;
      append(outer, rlp_list_prefix(static_cast<std::uint32_t>(out.size())).view());
      append(outer, out);
      out = outer;
    }
    return out;
  };
  EXPECT_EQ(check_rlp(nested(rlp_depth_max)), Error::none);
  EXPECT_EQ(check_rlp(nested(rlp_depth_max + 1)), Error::too_deep);
  EXPECT_EQ(check_rlp(nested(2000)), Error::too_deep);
}

TEST(rlp, reader_checks_type_size_and_integers) {
  const auto first_error = [](std::string_view hex, auto read) {
    const Buffer bytes = from_hex(hex);
    RlpReader reader(bytes);
    read(reader);
    return reader.error();
  };
  EXPECT_EQ(first_error("c0", [](RlpReader& r) { (void)r.string(); }), Error::wrong_type);
  EXPECT_EQ(first_error("80", [](RlpReader& r) { (void)r.list(); }), Error::wrong_type);
  EXPECT_EQ(first_error("820102", [](RlpReader& r) { (void)r.fixed(3); }), Error::wrong_length);
  EXPECT_EQ(first_error("820102", [](RlpReader& r) { (void)r.fixed(2); }), Error::none);
  EXPECT_EQ(first_error("00", [](RlpReader& r) { (void)r.integer(); }), Error::non_canonical);
  EXPECT_EQ(first_error("820001", [](RlpReader& r) { (void)r.integer(); }), Error::non_canonical);
  EXPECT_EQ(first_error("89010000000000000000", [](RlpReader& r) { (void)r.integer(); }), Error::too_large);
  EXPECT_EQ(first_error("", [](RlpReader& r) { (void)r.any(); }), Error::truncated);

  const Buffer numbers = from_hex("8001" "88ffffffffffffffff");
  RlpReader reader(numbers);
  EXPECT_EQ(reader.integer(), 0U);
  EXPECT_EQ(reader.integer(), 1U);
  EXPECT_EQ(reader.integer(), UINT64_MAX);
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(reader.finish(), Error::none);
}

TEST(rlp, reader_keeps_its_first_error_and_reads_nothing_more) {
  const Buffer bytes = from_hex("c00102");
  RlpReader reader(bytes);
  EXPECT_TRUE(reader.string().empty());
  EXPECT_EQ(reader.integer(), 0U);
  EXPECT_EQ(reader.finish(), Error::wrong_type);
  RlpReader unread(bytes);
  EXPECT_EQ(unread.finish(), Error::trailing_bytes);
}

TEST(rlp, opens_exactly_one_list) {
  const auto error_of = [](std::string_view hex) {
    const Buffer bytes = from_hex(hex);
    return open_rlp_list(bytes).error();
  };
  EXPECT_EQ(error_of("c101"), Error::none);
  EXPECT_EQ(error_of("c10101"), Error::trailing_bytes);
  EXPECT_EQ(error_of("8101"), Error::non_canonical);
  EXPECT_EQ(error_of("01"), Error::wrong_type);
}

TEST(rlp, writes_the_shortest_prefix_of_every_size) {
  const auto prefix = [](std::uint32_t size) {
    const RlpSmall list = rlp_list_prefix(size);
    return testing::to_hex(list.view());
  };
  EXPECT_EQ(prefix(55), "f7");
  EXPECT_EQ(prefix(56), "f838");
  EXPECT_EQ(prefix(0xff), "f8ff");
  EXPECT_EQ(prefix(0x100), "f90100");
  EXPECT_EQ(prefix(0xffff), "f9ffff");
  EXPECT_EQ(prefix(0x10000), "fa010000");
  EXPECT_EQ(prefix(0xffffff), "faffffff");
  EXPECT_EQ(prefix(0x1000000), "fb01000000");
  EXPECT_EQ(prefix(UINT32_MAX), "fbffffffff");
}

// All inputs of up to three bytes: what is accepted must be the encoding of what was decoded.
TEST(rlp, accepts_one_encoding_only_among_all_short_inputs) {
  std::size_t accepted = 0;
  for (std::uint32_t size = 1; size <= 3; ++size) {
    for (std::uint32_t value = 0; value < 1U << (8 * size); ++value) {
      std::array<std::uint8_t, 3> bytes{};
      for (std::uint32_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
      const Bytes input = Bytes(bytes).first(size);
      const Result<RlpItem> item = first_rlp_item(input);
      if (!item) continue;
      ++accepted;
      const std::uint32_t payload_size = static_cast<std::uint32_t>(item->payload.size());
      const RlpSmall prefix = item->is_list ? rlp_list_prefix(payload_size) : rlp_string_prefix(payload_size);
      const bool bare = item->prefix_size == 0;
      ASSERT_TRUE(bare ? payload_size == 1 && input[0] < 0x80
                       : equal(prefix.view(), item->encoded().first(item->prefix_size)));
    }
  }
  EXPECT_GT(accepted, 8'000'000U);
}

}  // namespace
}  // namespace wattproof::codec
