// SPDX-License-Identifier: Apache-2.0
#include "crypto/keccak.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "support/vectors.hpp"

namespace wattproof::crypto {
namespace {

using testing::find_vectors;
using testing::from_hex;
using testing::to_hex;

// The digests of the empty string and of "abc" that every Ethereum client knows.
TEST(keccak, hashes_the_empty_message_and_abc) {
  EXPECT_EQ(to_hex(keccak256({})), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  const std::array<std::uint8_t, 3> abc{'a', 'b', 'c'};
  EXPECT_EQ(to_hex(keccak256(abc)), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
}

TEST(keccak, agrees_with_the_known_answers) {
  const auto path = find_vectors("keccak/keccak256_kats.json");
  WATTPROOF_REQUIRE_INPUT(path);
  std::size_t cases = 0;
  for (const auto& vector : nlohmann::json::parse(std::ifstream(path))) {
    std::vector<std::uint8_t> message;
    if (vector.contains("msg")) {
      message = from_hex(vector["msg"].get<std::string>());
    } else {
      message.assign(vector["count"].get<std::size_t>(), from_hex(vector["repeat"].get<std::string>()).at(0));
    }
    EXPECT_EQ(to_hex(keccak256(message)), vector["digest"].get<std::string>()) << message.size() << " bytes";
    ++cases;
  }
  EXPECT_EQ(cases, 9U);
  std::printf("keccak known answers: %zu\n", cases);
}

// Every split of every length around the lane and block boundaries: the buffer of a part of a lane is the only state
// that depends on how a message was cut.
TEST(keccak, digest_does_not_depend_on_how_the_message_is_cut) {
  std::vector<std::uint8_t> message(3 * 136 + 9);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i * 7 + 1);
  std::size_t cases = 0;
  for (std::size_t size : {0U, 1U, 7U, 8U, 9U, 127U, 128U, 135U, 136U, 137U, 143U, 271U, 272U, 273U, 417U}) {
    const Bytes whole = Bytes(message).first(size);
    const Hash32 expected = keccak256(whole);
    for (std::size_t cut = 0; cut <= size; ++cut) {
      Keccak256 hash;
      hash.update(whole.first(cut));
      hash.update(whole.subspan(cut));
      ASSERT_EQ(hash.finish(), expected) << size << " bytes cut at " << cut;
      ++cases;
    }
    Keccak256 bytewise;
    for (const std::uint8_t& byte : whole) bytewise.update({&byte, 1});
    ASSERT_EQ(bytewise.finish(), expected) << size << " bytes one by one";
  }
  EXPECT_GT(cases, 2000U);
}

TEST(keccak, object_is_as_new_after_finish) {
  const std::array<std::uint8_t, 5> message{1, 2, 3, 4, 5};
  Keccak256 hash;
  hash.update(message);
  const Hash32 first = hash.finish();
  EXPECT_EQ(hash.finish(), keccak256({}));
  hash.update(message);
  EXPECT_EQ(hash.finish(), first);
}

}  // namespace
}  // namespace wattproof::crypto
