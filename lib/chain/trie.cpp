// SPDX-License-Identifier: Apache-2.0
#include "chain/trie.hpp"

#include "base/check.hpp"
#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::chain {
namespace {

using codec::RlpItem;
using codec::RlpReader;

constexpr std::uint32_t branch_child_count = 16;
constexpr std::uint32_t hash_size = 32;  // a node of at least this size is named by its hash, a shorter one is embedded

// A child of a branch or of an extension: nothing, a hash, or a node of less than 32 bytes.
bool is_child(const RlpItem& item) {
  if (item.is_list) return !item.payload.empty() && item.payload.size() + item.prefix_size < hash_size;
  return item.payload.empty() || item.payload.size() == hash_size;
}

// Number of items of a node, at most 18; what is beyond makes no difference.
std::uint32_t count_items(Bytes items) {
  RlpReader reader(items);
  std::uint32_t count = 0;
  while (!reader.at_end() && count <= branch_child_count + 1) {
    (void)reader.any();
    ++count;
  }
  return reader.error() == Error::none ? count : 0;
}

// The high nibble of a byte comes first.
std::uint8_t nibble_of(Bytes bytes, std::uint32_t index) {
  const std::uint8_t byte = bytes[index / 2];
  return index % 2 == 0 ? static_cast<std::uint8_t>(byte >> 4) : static_cast<std::uint8_t>(byte & 15);
}

}  // namespace

const Hash32 empty_trie_root = {0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45,
                                0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99, 0x6c,
                                0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21};

TrieKey account_key(const Address& address) {
  TrieKey key;
  const Hash32 hash = crypto::keccak256(address);
  std::memcpy(key.bytes.data(), hash.data(), hash.size());
  key.size = hash_size;
  return key;
}

TrieKey storage_key(const Hash32& slot) {
  TrieKey key;
  const Hash32 hash = crypto::keccak256(slot);
  std::memcpy(key.bytes.data(), hash.data(), hash.size());
  key.size = hash_size;
  return key;
}

TrieKey index_key(std::uint64_t index) {
  TrieKey key;
  const codec::RlpSmall encoded = codec::rlp_integer(index);
  std::memcpy(key.bytes.data(), encoded.bytes.data(), encoded.size);
  key.size = encoded.size;
  key.node_size_max = trie_body_node_size_max;
  return key;
}

Result<TrieKey> raw_key(Bytes bytes) {
  if (bytes.size() > trie_key_size_max) return Error::trie_too_deep;
  TrieKey key;
  for (std::size_t i = 0; i < bytes.size(); ++i) key.bytes[i] = bytes[i];
  key.size = static_cast<std::uint8_t>(bytes.size());
  key.is_prefix_free = false;
  key.node_size_max = trie_body_node_size_max;
  return key;
}

void TrieVerifier::begin(const Hash32& root, const TrieKey& key) {
  *this = TrieVerifier();
  key_ = key;
  wanted_ = root;
  error_ = Error::none;
}

Result<TrieProgress> TrieVerifier::answer(Error error) {
  if (error_ == Error::none) error_ = error;
  if (error_ == Error::none) return progress_;
  progress_ = TrieProgress::more;  // what was found is void: nothing may be read from a refused proof
  value_ = {};
  return error_;
}

Result<TrieProgress> TrieVerifier::push(Bytes node) {
  if (error_ != Error::none) return error_;
  if (progress_ != TrieProgress::more) return answer(Error::trie_trailing_nodes);
  if (node.size() > key_.node_size_max) return answer(Error::trie_node_too_large);
  return answer(check_and_walk(node, crypto::keccak256(node)));
}

Result<TrieProgress> TrieVerifier::finish() {
  if (error_ == Error::none && progress_ == TrieProgress::more) {
    if (!is_root_ || wanted_ != empty_trie_root) return answer(Error::trie_truncated);
    progress_ = TrieProgress::absent;
  }
  return answer(Error::none);
}

Error TrieVerifier::check_and_walk(Bytes node, const Hash32& hash) {
  if (node.size() < hash_size && !is_root_) return Error::trie_node_too_short;
  if (hash != wanted_) return Error::trie_hash_mismatch;
  is_root_ = false;
  constexpr std::uint8_t empty_node = 0x80;
  if (equal(node, Bytes(&empty_node, 1))) {
    progress_ = TrieProgress::absent;
    return Error::none;
  }
  return walk(node);
}

// Goes down through a node and the nodes embedded in it. Each embedded node is shorter than the one around it, and the
// first has 531 bytes at most, so the loop ends; in fact every turn but the last uses up a nibble of the key.
Error TrieVerifier::walk(Bytes node) {
  while (!node.empty()) {
    const RlpReader reader = codec::open_rlp_list(node);
    if (reader.error() != Error::none) return Error::trie_node_malformed;
    const Bytes items = reader.rest();
    const std::uint32_t count = count_items(items);
    Bytes embedded;
    if (count == branch_child_count + 1) {
      WATTPROOF_TRY(take_branch(items, embedded));
    } else if (count == 2 && !is_branch_due_) {
      WATTPROOF_TRY(take_path(items, embedded));
    } else {
      return Error::trie_node_malformed;
    }
    node = embedded;
  }
  return Error::none;
}

Error TrieVerifier::take_branch(Bytes items, Bytes& embedded) {
  is_branch_due_ = false;
  const bool is_key_used_up = position_ == nibble_count();
  const std::uint32_t place = is_key_used_up ? branch_child_count : nibble_of(key_.bytes, position_);
  RlpReader reader(items);
  RlpItem chosen;
  std::uint32_t occupied = 0;
  for (std::uint32_t i = 0; i < branch_child_count; ++i) {
    const RlpItem item = reader.any();
    if (!is_child(item)) return Error::trie_node_malformed;
    occupied += item.payload.empty() ? 0U : 1U;
    if (i == place) chosen = item;
  }
  const RlpItem value = reader.any();
  if (value.is_list || (key_.is_prefix_free && !value.payload.empty())) return Error::trie_value_malformed;
  occupied += value.payload.empty() ? 0U : 1U;
  if (occupied < 2) return Error::trie_node_malformed;

  if (is_key_used_up) {
    value_ = value.payload;
    progress_ = value.payload.empty() ? TrieProgress::absent : TrieProgress::found;
    return Error::none;
  }
  ++position_;
  return descend(chosen.is_list, chosen.payload, chosen.encoded(), embedded);
}

// A leaf or an extension: a path in compact form (flags, then nibbles), then a value or a child.
Error TrieVerifier::take_path(Bytes items, Bytes& embedded) {
  RlpReader reader(items);
  const RlpItem path = reader.any();
  const RlpItem target = reader.any();
  if (path.is_list) return Error::trie_node_malformed;
  if (path.payload.empty()) return Error::trie_path_malformed;
  const std::uint8_t flags = static_cast<std::uint8_t>(path.payload[0] >> 4);
  const bool is_odd = (flags & 1) != 0;
  const bool is_leaf = (flags & 2) != 0;
  if (flags > 3 || (!is_odd && (path.payload[0] & 15) != 0)) return Error::trie_path_malformed;

  const std::uint32_t first = is_odd ? 1 : 2;  // where the path begins, in nibbles of the string
  const std::uint32_t length = 2 * static_cast<std::uint32_t>(path.payload.size()) - first;
  if (is_leaf) {
    if (target.is_list || target.payload.empty()) return Error::trie_value_malformed;
  } else {
    if (length == 0) return Error::trie_path_malformed;
    if (!is_child(target) || target.payload.empty()) return Error::trie_node_malformed;
  }

  const std::uint32_t left = nibble_count() - position_;
  bool is_match = is_leaf ? length == left : length <= left;
  for (std::uint32_t i = 0; is_match && i < length; ++i) {
    is_match = nibble_of(path.payload, first + i) == nibble_of(key_.bytes, position_ + i);
  }
  if (!is_match) {
    progress_ = TrieProgress::absent;
    return Error::none;
  }
  position_ += length;
  if (!is_leaf) {
    is_branch_due_ = true;
    return descend(target.is_list, target.payload, target.encoded(), embedded);
  }
  value_ = target.payload;
  progress_ = TrieProgress::found;
  return Error::none;
}

// To a child that is_child has passed: absent, wanted by its hash, or embedded.
Error TrieVerifier::descend(bool is_list, Bytes payload, Bytes encoded, Bytes& embedded) {
  if (is_list) {
    embedded = encoded;
  } else if (payload.empty()) {
    progress_ = TrieProgress::absent;
  } else {
    wanted_ = to_array<hash_size>(payload);
  }
  return Error::none;
}

Result<std::uint64_t> push_shared(std::span<TrieVerifier> verifiers, Bytes node) {
  WATTPROOF_CHECK(verifiers.size() <= 64);
  const Hash32 hash = crypto::keccak256(node);
  std::uint64_t takers = 0;
  bool is_any_open = false;
  for (std::size_t i = 0; i < verifiers.size(); ++i) {
    TrieVerifier& verifier = verifiers[i];
    if (verifier.error_ != Error::none) return verifier.error_;
    if (verifier.progress_ != TrieProgress::more) continue;
    is_any_open = true;
    if (verifier.wanted_ != hash) continue;
    if (node.size() > verifier.key_.node_size_max) return verifier.answer(Error::trie_node_too_large).error();
    const Result<TrieProgress> progress = verifier.answer(verifier.check_and_walk(node, hash));
    if (!progress) return progress.error();
    takers |= std::uint64_t{1} << i;
  }
  if (!is_any_open) return Error::trie_trailing_nodes;
  if (takers == 0) return Error::trie_hash_mismatch;
  return takers;
}

Result<TrieAnswer> verify_proof(const Hash32& root, const TrieKey& key, std::span<const Bytes> nodes) {
  TrieVerifier verifier;
  verifier.begin(root, key);
  for (const Bytes node : nodes) {
    const Result<TrieProgress> progress = verifier.push(node);
    if (!progress) return progress.error();
  }
  const Result<TrieProgress> progress = verifier.finish();
  if (!progress) return progress.error();
  return TrieAnswer{*progress == TrieProgress::found, verifier.value()};
}

}  // namespace wattproof::chain
