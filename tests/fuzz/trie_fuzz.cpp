// SPDX-License-Identifier: Apache-2.0
// The walker of a trie proof, with the hashes made to fit so that a fuzzer gets past the first node: the input's nodes are
// hashed here, and the root and the link of each node to the next are overwritten with those hashes.
#include <algorithm>
#include <array>
#include <vector>

#include "chain/trie.hpp"
#include "crypto/keccak.hpp"
#include "oracle.hpp"

namespace {

using namespace wattproof;

constexpr std::size_t nodes_max = 8;
constexpr std::size_t hash_mark = 0xa0;  // prefix of a string of 32 bytes

// Splits at the length bytes: 2 for each node, big-endian.
std::vector<std::vector<std::uint8_t>> split(Bytes input) {
  std::vector<std::vector<std::uint8_t>> nodes;
  while (input.size() >= 2 && nodes.size() < nodes_max) {
    const std::size_t size = std::min<std::size_t>(load_be16(input.data()) % 600, input.size() - 2);
    nodes.emplace_back(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(size));
    input = input.subspan(2 + size);
  }
  return nodes;
}

// From the last node up: every string of 32 bytes in a node becomes the hash of the node below it.
void link(std::vector<std::vector<std::uint8_t>>& nodes) {
  for (std::size_t i = nodes.size() - 1; i-- > 0;) {
    const Hash32 hash = crypto::keccak256(nodes[i + 1]);
    for (std::size_t at = 0; at + 33 <= nodes[i].size(); ++at) {
      if (nodes[i][at] != hash_mark) continue;
      std::copy(hash.begin(), hash.end(), nodes[i].begin() + static_cast<std::ptrdiff_t>(at) + 1);
      at += 32;
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const Bytes input(data, size);
  std::vector<std::vector<std::uint8_t>> nodes = split(input.subspan(3));
  if (nodes.empty()) return 0;
  link(nodes);
  const Result<chain::TrieKey> key = chain::raw_key(input.first(1 + data[0] % 3));
  if (!key) return 0;
  static chain::TrieVerifier verifier;
  verifier.begin(crypto::keccak256(nodes[0]), *key);
  for (const auto& node : nodes) {
    const Result<chain::TrieProgress> progress = verifier.push(node);
    if (!progress) return 0;
    if (*progress == chain::TrieProgress::found) {
      fuzz::require(!verifier.value().empty() && fuzz::inside(verifier.value(), node));
    }
  }
  (void)verifier.finish();
  return 0;
}
