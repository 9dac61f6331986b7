// SPDX-License-Identifier: Apache-2.0
#include "chain/header.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "codec/rlp.hpp"
#include "support/vectors.hpp"
#include "unit/chain/header_maker.hpp"

namespace wattproof::chain {
namespace {

using nlohmann::json;
using testing::find_vectors;
using testing::from_hex;
using testing::to_hex;

const std::map<std::size_t, HeaderShape> shape_of_count = {{15, HeaderShape::frontier},
                                                           {16, HeaderShape::london},
                                                           {17, HeaderShape::shanghai},
                                                           {20, HeaderShape::cancun},
                                                           {21, HeaderShape::prague}};
constexpr std::array all_shapes = {
    HeaderShape::frontier, HeaderShape::london,      HeaderShape::shanghai,         HeaderShape::cancun,
    HeaderShape::prague,   HeaderShape::aura,        HeaderShape::aura_london,      HeaderShape::aura_empty_steps,
    HeaderShape::aura_empty_steps_london};

std::size_t count_items(Bytes header) {
  codec::RlpReader reader = codec::open_rlp_list(header);
  std::size_t count = 0;
  for (; !reader.at_end(); ++count) (void)reader.any();
  return count;
}

TEST(header, decodes_every_fork_shape_of_a_recorded_chain) {
  const auto path = find_vectors("execution-apis/chain_headers.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::map<std::size_t, std::size_t> seen;
  const json vectors = json::parse(std::ifstream(path));
  const json& headers = vectors.is_array() ? vectors : vectors["headers"];
  for (const json& vector : headers) {
    const auto encoded = from_hex(vector["header_rlp"].get<std::string>());
    const std::size_t count = count_items(encoded);
    ASSERT_TRUE(shape_of_count.contains(count)) << count;
    Header header;
    ASSERT_EQ(decode_header(encoded, shape_of_count.at(count), header), Error::none);
    EXPECT_EQ(header.number, vector["number"].get<std::uint64_t>());
    EXPECT_EQ(to_hex(hash_as_delivered(header)), to_hex(from_hex(vector["hash"].get<std::string>())));
    const std::array<Bytes, 1> same{header.extra_data};
    if (header.extra_data.size() >= 2) {
      EXPECT_EQ(hash_with_extra(header, same), hash_as_delivered(header));
    }
    // Any other shape is refused, by the count wherever the counts differ.
    for (const HeaderShape other : all_shapes) {
      if (other == shape_of_count.at(count)) continue;
      const Error error = decode_header(encoded, other, header);
      if (header_field_count(other) != count) {
        EXPECT_EQ(error, Error::header_field_count);
      } else {
        EXPECT_NE(error, Error::none);
      }
    }
    ++seen[count];
  }
  std::size_t total = 0;
  for (const auto& [count, number] : seen) {
    std::printf("headers of %zu fields: %zu\n", count, number);
    total += number;
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_EQ(total, 54U);
}

// A header of 15 fields and more, all zero, with the last ones replaced.
std::vector<testing::Buffer> items_with(const std::vector<testing::Buffer>& tail) {
  std::vector<testing::Buffer> items = testing::fields_before_extra({});
  items.push_back(testing::rlp_string(testing::Buffer(40, 1)));
  items.insert(items.end(), tail.begin(), tail.end());
  return items;
}

TEST(header, refuses_each_fault_by_its_name) {
  using testing::Buffer;
  const Buffer hash = testing::rlp_string(Hash32{});
  const Buffer nonce = testing::rlp_string(Buffer(8, 0));
  const auto error_of = [](const std::vector<Buffer>& items, HeaderShape shape) {
    Header header;
    const Buffer encoded = testing::rlp_list(items);
    return decode_header(encoded, shape, header);
  };
  EXPECT_EQ(error_of(items_with({hash, nonce}), HeaderShape::frontier), Error::none);
  EXPECT_EQ(error_of(items_with({nonce, nonce}), HeaderShape::frontier), Error::wrong_length);
  EXPECT_EQ(error_of(items_with({hash, {0x80}}), HeaderShape::frontier), Error::wrong_length) << "a nonce is no integer";
  EXPECT_EQ(error_of(items_with({hash, {0xc0}}), HeaderShape::frontier), Error::wrong_type);
  EXPECT_EQ(error_of(items_with({hash}), HeaderShape::frontier), Error::header_field_count);
  EXPECT_EQ(error_of(items_with({hash, nonce, {0x00}}), HeaderShape::london), Error::non_canonical);
  EXPECT_EQ(error_of(items_with({hash, nonce, testing::rlp_string(Buffer(33, 1))}), HeaderShape::london), Error::too_large);
  EXPECT_EQ(error_of(items_with({hash, {0x88}}), HeaderShape::frontier), Error::truncated);

  const Buffer seal = testing::rlp_string(Buffer(65, 1));
  EXPECT_EQ(error_of(items_with({{0x05}, seal, {0xc0}}), HeaderShape::aura_empty_steps), Error::none);
  EXPECT_EQ(error_of(items_with({{0x05}, seal, {0x80}}), HeaderShape::aura_empty_steps), Error::wrong_type);
  EXPECT_EQ(error_of(items_with({{0x05}, hash, {0xc0}}), HeaderShape::aura_empty_steps), Error::wrong_length);
  EXPECT_EQ(error_of(items_with({{0x05}, seal, {0xc0}}), HeaderShape::aura_london), Error::wrong_type);

  Header header;
  EXPECT_EQ(decode_header(Buffer(header_size_max + 1, 0xc0), HeaderShape::london, header), Error::too_large);
  EXPECT_EQ(decode_header({}, HeaderShape::london, header), Error::truncated);
  EXPECT_EQ(decode_header(Buffer{0x80}, HeaderShape::london, header), Error::wrong_type);
  Buffer trailing = testing::rlp_list(items_with({hash, nonce}));
  trailing.push_back(0x80);
  EXPECT_EQ(decode_header(trailing, HeaderShape::frontier, header), Error::trailing_bytes);
}

TEST(header, compares_difficulties_of_one_byte) {
  const auto is = [](const testing::Buffer& difficulty, std::uint8_t value) {
    Header header;
    header.difficulty = difficulty;
    return difficulty_is(header, value);
  };
  EXPECT_TRUE(is({}, 0));
  EXPECT_FALSE(is({}, 1));
  EXPECT_TRUE(is({1}, 1));
  EXPECT_FALSE(is({1}, 2));
  EXPECT_FALSE(is({1, 0}, 1));
  EXPECT_FALSE(is({1}, 0));
}

}  // namespace
}  // namespace wattproof::chain
