// SPDX-License-Identifier: Apache-2.0
// Makes Clique headers with real seals for the tests.
#pragma once

#include "chain/clique.hpp"
#include "unit/chain/header_maker.hpp"

namespace wattproof::testing {

struct TestCliqueHeader {
  chain::HeaderShape shape = chain::HeaderShape::frontier;
  HeaderFields fields;
  Buffer vanity = Buffer(32, 0);
  std::vector<Address> list;  // of an epoch block
  Buffer seal = Buffer(65, 0);

  Buffer extra(bool with_seal) const {
    Buffer out = vanity;
    for (const Address& address : list) out.insert(out.end(), address.begin(), address.end());
    if (with_seal) out.insert(out.end(), seal.begin(), seal.end());
    return out;
  }
  Buffer encode() const { return encode_header(fields, extra(true), shape); }
  Hash32 hash() const { return crypto::keccak256(encode()); }
  Hash32 seal_hash() const { return crypto::keccak256(encode_header(fields, extra(false), shape)); }
  void seal_with(const TestKey& key) {
    const crypto::Signature signature = key.sign(seal_hash());
    seal.assign(signature.begin(), signature.end());
  }
  void vote(const Address& target, bool is_add) {
    fields.coinbase = target;
    fields.nonce.fill(is_add ? 0xff : 0x00);
  }
};

// The child of a state's block by `key`, with the difficulty that the state asks for, not sealed yet.
inline TestCliqueHeader clique_child(const chain::CliqueState& state, const TestKey& key,
                                     const chain::CliqueConfig& config) {
  TestCliqueHeader header;
  header.shape = config.shape;
  header.fields.number = state.number + 1;
  header.fields.parent_hash = state.hash;
  header.fields.timestamp_s = state.timestamp.s + config.period_s_min;
  header.fields.state_root = crypto::keccak256(rlp_number(header.fields.number));
  const std::uint32_t index = state.signers.index_of(key.address);
  const bool is_known = index != chain::validator_absent;
  header.fields.difficulty =
      is_known ? chain::clique_difficulty(header.fields.number, index, state.signers.count) : 1;
  if (config.epoch_length != 0 && header.fields.number % config.epoch_length == 0) {
    for (std::uint32_t i = 0; i < state.signers.count; ++i) header.list.push_back(state.signers.items[i]);
  }
  return header;
}

inline chain::CliqueState clique_checkpoint(const std::vector<TestKey>& keys, std::uint64_t number = 0) {
  chain::CliqueState state;
  state.number = number;
  state.hash = crypto::keccak256(rlp_number(number));
  state.timestamp = {1'500'000'000};
  state.is_linked = true;
  state.signers = set_of(keys);
  return state;
}

}  // namespace wattproof::testing
