// SPDX-License-Identifier: Apache-2.0
// Builds Merkle-Patricia tries and their proofs for the tests: recursive, on the heap, from the yellow paper's appendix D
// and from nothing of the verifier under test.
#pragma once

#include <map>
#include <vector>

#include "crypto/keccak.hpp"
#include "unit/chain/header_maker.hpp"

namespace wattproof::testing {

class TestTrie {
 public:
  using Nibbles = std::vector<std::uint8_t>;

  static Nibbles nibbles_of(Bytes key) {
    Nibbles out;
    for (const std::uint8_t byte : key) {
      out.push_back(static_cast<std::uint8_t>(byte >> 4));
      out.push_back(static_cast<std::uint8_t>(byte & 15));
    }
    return out;
  }

  // An empty value removes the key.
  void put(Bytes key, Bytes value) {
    if (value.empty()) {
      items_.erase(nibbles_of(key));
    } else {
      items_[nibbles_of(key)] = Buffer(value.begin(), value.end());
    }
  }
  std::size_t size() const { return items_.size(); }

  Hash32 root() const { return crypto::keccak256(root_node()); }
  Buffer root_node() const { return items_.empty() ? Buffer{0x80} : node(entries(), 0); }

  // The hashed nodes on the way to a key, root first: the proof of its value or of its absence.
  std::vector<Buffer> prove(Bytes key) const {
    std::vector<Buffer> proof;
    if (items_.empty()) return {{0x80}};
    proof.push_back(root_node());
    walk(entries(), 0, nibbles_of(key), proof);
    return proof;
  }

 private:
  using Entry = std::pair<Nibbles, Buffer>;
  using Entries = std::vector<Entry>;

  Entries entries() const { return Entries(items_.begin(), items_.end()); }

  static Buffer compact(const Nibbles& path, bool is_leaf) {
    Nibbles all;
    const std::uint8_t flag = is_leaf ? 2 : 0;
    if (path.size() % 2 == 1) {
      all.push_back(static_cast<std::uint8_t>(flag + 1));
    } else {
      all.push_back(flag);
      all.push_back(0);
    }
    all.insert(all.end(), path.begin(), path.end());
    Buffer out;
    for (std::size_t i = 0; i < all.size(); i += 2) out.push_back(static_cast<std::uint8_t>(all[i] << 4 | all[i + 1]));
    return out;
  }

  static std::size_t common_prefix(const Entries& entries, std::size_t depth) {
    std::size_t length = entries[0].first.size() - depth;
    for (const Entry& entry : entries) {
      std::size_t same = 0;
      while (same < length && depth + same < entry.first.size() &&
             entry.first[depth + same] == entries[0].first[depth + same]) {
        ++same;
      }
      length = same;
    }
    return length;
  }

  static Entries below(const Entries& entries, std::size_t depth, std::uint8_t nibble) {
    Entries out;
    for (const Entry& entry : entries) {
      if (entry.first.size() > depth && entry.first[depth] == nibble) out.push_back(entry);
    }
    return out;
  }

  // A child as it stands in its parent: the node itself if short, else its hash as a string.
  static Buffer reference(const Buffer& child) {
    return child.size() < 32 ? child : rlp_string(crypto::keccak256(child));
  }

  static Buffer branch(const Entries& entries, std::size_t depth) {
    std::vector<Buffer> items;
    for (std::uint8_t nibble = 0; nibble < 16; ++nibble) {
      const Entries part = below(entries, depth, nibble);
      items.push_back(part.empty() ? Buffer{0x80} : reference(node(part, depth + 1)));
    }
    Buffer value;
    for (const Entry& entry : entries) {
      if (entry.first.size() == depth) value = entry.second;
    }
    items.push_back(rlp_string(value));
    return rlp_list(items);
  }

  static Buffer node(const Entries& entries, std::size_t depth) {
    if (entries.size() == 1) {
      const Nibbles rest(entries[0].first.begin() + static_cast<std::ptrdiff_t>(depth), entries[0].first.end());
      return rlp_list({rlp_string(compact(rest, true)), rlp_string(entries[0].second)});
    }
    const std::size_t shared = common_prefix(entries, depth);
    if (shared == 0) return branch(entries, depth);
    const auto first = entries[0].first.begin() + static_cast<std::ptrdiff_t>(depth);
    const Nibbles path(first, first + static_cast<std::ptrdiff_t>(shared));
    return rlp_list({rlp_string(compact(path, false)), reference(branch(entries, depth + shared))});
  }

  static void push(const Buffer& child, std::vector<Buffer>& proof) {
    if (child.size() >= 32) proof.push_back(child);
  }

  // Follows the key below the node that stands for `entries` at `depth`, which is in the proof already.
  static void walk(const Entries& entries, std::size_t depth, const Nibbles& key, std::vector<Buffer>& proof) {
    if (entries.size() == 1) return;
    const std::size_t shared = common_prefix(entries, depth);
    for (std::size_t i = 0; i < shared; ++i) {
      if (depth + i >= key.size() || key[depth + i] != entries[0].first[depth + i]) return;
    }
    depth += shared;
    if (shared != 0) push(branch(entries, depth), proof);
    if (depth >= key.size()) return;
    const Entries part = below(entries, depth, key[depth]);
    if (part.empty()) return;
    push(node(part, depth + 1), proof);
    walk(part, depth + 1, key, proof);
  }

  std::map<Nibbles, Buffer> items_;
};

inline std::vector<Bytes> views_of(const std::vector<Buffer>& nodes) { return {nodes.begin(), nodes.end()}; }

}  // namespace wattproof::testing
