// SPDX-License-Identifier: Apache-2.0
#include "chain/header.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "codec/rlp.hpp"
#include "support/vectors.hpp"

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

}  // namespace
}  // namespace wattproof::chain
