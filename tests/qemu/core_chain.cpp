// SPDX-License-Identifier: Apache-2.0
// A trie of sixteen leaves below one branch, made here without a heap; the proof of every key, of an absent key, and
// every single-bit flip of one proof.
#include "chain/trie.hpp"
#include "codec/rlp.hpp"
#include "core_report.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::core {
namespace {

using namespace chain;

constexpr std::size_t value_size = 40;
constexpr std::uint8_t leaf_odd = 0x30;

// Keys are two bytes: 0xNA 0x5C with N = 0 to 15, so that they part at the first nibble.
std::array<std::uint8_t, 2> key_of(std::uint32_t index) { return {static_cast<std::uint8_t>(index << 4 | 0xa), 0x5c}; }

class Node {
 public:
  void append(Bytes bytes) {
    for (const std::uint8_t byte : bytes) bytes_[size_++] = byte;
  }
  Bytes view() const { return Bytes(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, trie_node_size_max> bytes_{};
  std::size_t size_ = 0;
};

std::array<std::uint8_t, value_size> value_of(std::uint32_t index) {
  std::array<std::uint8_t, value_size> value{};
  value.fill(static_cast<std::uint8_t>(0x80 + index));
  return value;
}

// [compact path "a5c", value]
Node leaf(std::uint32_t index) {
  Node node;
  node.append(codec::rlp_list_prefix(3 + 1 + value_size).view());
  node.append(codec::rlp_string_prefix(2).view());
  node.append(std::array<std::uint8_t, 2>{leaf_odd | 0xa, 0x5c});
  node.append(codec::rlp_string_prefix(value_size).view());
  node.append(value_of(index));
  return node;
}

Node branch() {
  Node node;
  node.append(codec::rlp_list_prefix(16 * 33 + 1).view());
  for (std::uint32_t i = 0; i < 16; ++i) {
    node.append(codec::rlp_string_prefix(32).view());
    node.append(crypto::keccak256(leaf(i).view()));
  }
  node.append(std::array<std::uint8_t, 1>{0x80});
  return node;
}

struct Answer {
  Error error = Error::none;
  TrieProgress progress = TrieProgress::more;
  Bytes value{};
};

Answer prove(const Hash32& root, Bytes key, Bytes first, Bytes second) {
  static TrieVerifier verifier;
  const Result<TrieKey> trie_key = raw_key(key);
  if (!trie_key) return {.error = trie_key.error()};
  verifier.begin(root, *trie_key);
  for (const Bytes node : {first, second}) {
    if (const Result<TrieProgress> pushed = verifier.push(node); !pushed) return {.error = pushed.error()};
  }
  const Result<TrieProgress> end = verifier.finish();
  if (!end) return {.error = end.error()};
  return {.progress = *end, .value = *end == TrieProgress::found ? verifier.value() : Bytes{}};
}

void every_bit_flip(Report& report, const Hash32& root, const Node& top) {
  const Node intact = leaf(7);
  std::array<std::uint8_t, 3 + 3 + value_size> bytes{};
  CORE_CHECK(report, intact.view().size() <= bytes.size());
  bool all_refused = true;
  for (std::size_t bit = 0; bit < 8 * intact.view().size(); ++bit) {
    for (std::size_t i = 0; i < intact.view().size(); ++i) bytes[i] = intact.view()[i];
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] ^ 1U << bit % 8);
    const Answer answer = prove(root, key_of(7), top.view(), Bytes(bytes).first(intact.view().size()));
    all_refused = all_refused && answer.error != Error::none;
    report.mix(static_cast<std::uint64_t>(answer.error));
  }
  CORE_CHECK(report, all_refused);
}

}  // namespace

void test_chain(Report& report) {
  const Node top = branch();
  const Hash32 root = crypto::keccak256(top.view());
  report.mix(Bytes(root));
  for (std::uint32_t i = 0; i < 16; ++i) {
    const Node bottom = leaf(i);
    const Answer answer = prove(root, key_of(i), top.view(), bottom.view());
    CORE_CHECK(report, answer.error == Error::none && equal(answer.value, value_of(i)));
  }
  // A key that parts from its leaf within the path: proven absent. The same nodes prove nothing about another key.
  const Node third = leaf(3);
  const Answer absent = prove(root, std::array<std::uint8_t, 2>{0x3a, 0x5d}, top.view(), third.view());
  CORE_CHECK(report, absent.error == Error::none && absent.progress == TrieProgress::absent);
  CORE_CHECK(report, prove(root, key_of(4), top.view(), third.view()).error == Error::trie_hash_mismatch);
  every_bit_flip(report, root, top);
}

}  // namespace wattproof::core
