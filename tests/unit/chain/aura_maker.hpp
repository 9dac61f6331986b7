// SPDX-License-Identifier: Apache-2.0
// Makes AuRa headers with real seals for the tests, and blocks that announce a validator set.
#pragma once

#include "chain/aura.hpp"
#include "chain/aura_signal.hpp"
#include "unit/chain/trie_maker.hpp"

namespace wattproof::testing {

inline bool has_base_fee(chain::HeaderShape shape) {
  return shape == chain::HeaderShape::aura_london || shape == chain::HeaderShape::aura_empty_steps_london;
}
inline bool has_empty_steps(chain::HeaderShape shape) {
  return shape == chain::HeaderShape::aura_empty_steps || shape == chain::HeaderShape::aura_empty_steps_london;
}

struct TestAuraHeader {
  chain::HeaderShape shape = chain::HeaderShape::aura;
  HeaderFields fields;
  Buffer extra;
  std::uint64_t step = 0;
  Buffer difficulty;  // big-endian
  Buffer seal = Buffer(65, 0);
  std::vector<Buffer> empty_steps;  // encoded items

  std::vector<Buffer> bare_items() const {
    std::vector<Buffer> items = fields_before_extra(fields);
    items[7] = rlp_string(difficulty);
    items.push_back(rlp_string(extra));
    return items;
  }
  Buffer encode() const {
    std::vector<Buffer> items = bare_items();
    items.push_back(rlp_number(step));
    items.push_back(rlp_string(seal));
    if (has_empty_steps(shape)) items.push_back(rlp_list(empty_steps));
    if (has_base_fee(shape)) items.push_back(rlp_number(fields.base_fee));
    return rlp_list(items);
  }
  Hash32 hash() const { return crypto::keccak256(encode()); }
  Hash32 seal_hash() const {
    std::vector<Buffer> items = bare_items();
    if (has_base_fee(shape)) items.push_back(rlp_number(fields.base_fee));
    const Hash32 bare = crypto::keccak256(rlp_list(items));
    if (!has_empty_steps(shape)) return bare;
    Buffer both(bare.begin(), bare.end());
    const Buffer list = rlp_list(empty_steps);
    both.insert(both.end(), list.begin(), list.end());
    return crypto::keccak256(both);
  }
  void seal_with(const TestKey& key) {
    const crypto::Signature signature = key.sign(seal_hash());
    seal.assign(signature.begin(), signature.end());
  }
  void add_empty_step(const TestKey& key, std::uint64_t empty_step) {
    const Hash32 digest =
        crypto::keccak256(rlp_list({rlp_number(empty_step), rlp_string(fields.parent_hash)}));
    empty_steps.push_back(rlp_list({rlp_string(key.sign(digest)), rlp_number(empty_step)}));
  }
};

inline Buffer aura_difficulty(std::uint64_t parent_step, std::uint64_t step, std::uint64_t empty_steps) {
  Buffer bytes(16, 0xff);
  store_be64(&bytes[8], UINT64_MAX - (step - parent_step - empty_steps));
  return bytes;
}

constexpr std::uint64_t aura_start_step = 300'000'000;

inline chain::AuraState aura_checkpoint(const std::vector<TestKey>& keys, std::uint64_t number = 50) {
  chain::AuraState state;
  state.number = number;
  state.hash = crypto::keccak256(rlp_number(number));
  state.step = aura_start_step;
  state.timestamp = {5 * aura_start_step};
  state.is_linked = true;
  state.validators = set_of(keys);
  return state;
}

// The child of a state's block at `step`, by whoever's step that is, not sealed yet.
inline TestAuraHeader aura_child(const chain::AuraState& state, std::uint64_t step, chain::HeaderShape shape) {
  TestAuraHeader header;
  header.shape = shape;
  header.fields.number = state.number + 1;
  header.fields.parent_hash = state.hash;
  header.fields.timestamp_s = 5 * step;
  header.fields.coinbase = state.validators.items[static_cast<std::size_t>(step % state.validators.count)];
  header.fields.state_root = crypto::keccak256(rlp_number(header.fields.number));
  header.step = step;
  header.difficulty = aura_difficulty(state.step, step, 0);
  return header;
}

inline void add_to_bloom(std::array<std::uint8_t, 256>& bloom, Bytes item) {
  const Hash32 hash = crypto::keccak256(item);
  for (std::size_t i = 0; i < 6; i += 2) {
    const std::size_t bit = static_cast<std::size_t>(hash[i] << 8 | hash[i + 1]) & 2047;
    bloom[255 - bit / 8] |= static_cast<std::uint8_t>(1 << bit % 8);
  }
}

// The ABI encoding of address[].
inline Buffer address_list_data(const std::vector<Address>& addresses) {
  Buffer data(64 + 32 * addresses.size(), 0);
  data[31] = 32;
  data[63] = static_cast<std::uint8_t>(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    std::copy(addresses[i].begin(), addresses[i].end(), data.begin() + static_cast<std::ptrdiff_t>(64 + 32 * i + 12));
  }
  return data;
}

inline Buffer change_log(const Address& contract, const Hash32& topic, const Hash32& parent_hash, const Buffer& data) {
  return rlp_list({rlp_string(contract), rlp_list({rlp_string(topic), rlp_string(parent_hash)}), rlp_string(data)});
}

inline Buffer receipt_with(const std::vector<Buffer>& logs) {
  return rlp_list({{0x01}, rlp_number(21'000), rlp_string(Buffer(256, 0)), rlp_list(logs)});
}

inline TestTrie receipt_trie(const std::vector<Buffer>& receipts) {
  TestTrie trie;
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    const chain::TrieKey key = chain::index_key(i);
    trie.put(Bytes(key.bytes).first(key.size), receipts[i]);
  }
  return trie;
}

}  // namespace wattproof::testing
