// SPDX-License-Identifier: Apache-2.0
// Makes block headers with real seals for the tests, by plain concatenation on the heap: deliberately nothing of the
// code under test but the RLP prefixes, Keccak and signing.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "chain/bft.hpp"
#include "chain/head.hpp"
#include "chain/header.hpp"
#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::testing {

using Buffer = std::vector<std::uint8_t>;

inline Bytes text_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline Buffer rlp_string(Bytes payload) {
  Buffer out;
  if (payload.size() != 1 || payload[0] >= 0x80) {
    const codec::RlpSmall prefix = codec::rlp_string_prefix(static_cast<std::uint32_t>(payload.size()));
    out.assign(prefix.view().begin(), prefix.view().end());
  }
  out.insert(out.end(), payload.begin(), payload.end());
  return out;
}

inline Buffer rlp_number(std::uint64_t value) {
  const codec::RlpSmall number = codec::rlp_integer(value);
  return Buffer(number.view().begin(), number.view().end());
}

inline Buffer rlp_list(const std::vector<Buffer>& items) {
  std::size_t size = 0;
  for (const Buffer& item : items) size += item.size();
  const codec::RlpSmall prefix = codec::rlp_list_prefix(static_cast<std::uint32_t>(size));
  Buffer out(prefix.view().begin(), prefix.view().end());
  for (const Buffer& item : items) out.insert(out.end(), item.begin(), item.end());
  return out;
}

// A validator of the tests: key keccak("validator" number).
struct TestKey {
  crypto::PrivateKey key{};
  Address address{};

  explicit TestKey(std::uint32_t number) {
    const std::string name = "validator" + std::to_string(number);
    key = crypto::keccak256(text_bytes(name));
    address = *crypto::address_of(key);
  }
  crypto::Signature sign(const Hash32& digest) const {
    crypto::Signature signature{};
    if (crypto::sign(key, digest, signature) != Error::none) std::abort();
    return signature;
  }
};

// Keys 0 to count - 1 in ascending order of their addresses.
inline std::vector<TestKey> sorted_keys(std::uint32_t count, std::uint32_t first = 0) {
  std::vector<TestKey> keys;
  for (std::uint32_t i = 0; i < count; ++i) keys.emplace_back(first + i);
  std::sort(keys.begin(), keys.end(), [](const TestKey& a, const TestKey& b) { return a.address < b.address; });
  return keys;
}

inline chain::ValidatorSet set_of(const std::vector<TestKey>& keys) {
  chain::ValidatorSet set;
  for (const TestKey& key : keys) set.items[set.count++] = key.address;
  return set;
}

// s and v of the other signature of the same digest by the same key.
inline crypto::Signature with_high_s(crypto::Signature signature) {
  const auto order = std::to_array<std::uint8_t>(
      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
       0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41});
  int borrow = 0;
  for (int i = 31; i >= 0; --i) {
    const std::size_t at = static_cast<std::size_t>(i);
    const int difference = order[at] - signature[32 + at] - borrow;
    borrow = difference < 0 ? 1 : 0;
    signature[32 + at] = static_cast<std::uint8_t>(difference + (borrow != 0 ? 256 : 0));
  }
  signature[64] ^= 1;
  return signature;
}

// The fields of a header but its extraData and what follows that.
struct HeaderFields {
  Hash32 parent_hash{};
  Hash32 ommers_hash = chain::no_ommers_hash;
  Address coinbase{};
  Hash32 state_root{};
  std::uint64_t difficulty = 1;
  std::uint64_t number = 1;
  std::uint64_t gas_limit = 30'000'000;
  std::uint64_t gas_used = 21'000;
  std::uint64_t timestamp_s = 1'700'000'000;
  Hash32 mix_hash{};
  std::array<std::uint8_t, 8> nonce{};
  std::uint64_t base_fee = 0;
  Hash32 receipts_root{};
  std::array<std::uint8_t, 256> bloom{};
};

inline std::vector<Buffer> fields_before_extra(const HeaderFields& fields) {
  const Hash32 zero{};
  return {rlp_string(fields.parent_hash), rlp_string(fields.ommers_hash), rlp_string(fields.coinbase),
          rlp_string(fields.state_root),  rlp_string(zero),               rlp_string(fields.receipts_root),
          rlp_string(fields.bloom),              rlp_number(fields.difficulty),  rlp_number(fields.number),
          rlp_number(fields.gas_limit),   rlp_number(fields.gas_used),    rlp_number(fields.timestamp_s)};
}

inline Buffer encode_header(const HeaderFields& fields, const Buffer& extra, chain::HeaderShape shape) {
  using chain::HeaderShape;
  const Hash32 zero{};
  std::vector<Buffer> items = fields_before_extra(fields);
  items.push_back(rlp_string(extra));
  items.push_back(rlp_string(fields.mix_hash));
  items.push_back(rlp_string(fields.nonce));
  if (shape >= HeaderShape::london) items.push_back(rlp_number(fields.base_fee));
  if (shape >= HeaderShape::shanghai) items.push_back(rlp_string(zero));
  if (shape >= HeaderShape::cancun) {
    items.push_back(rlp_number(0));
    items.push_back(rlp_number(0));
    items.push_back(rlp_string(zero));
  }
  if (shape >= HeaderShape::prague) items.push_back(rlp_string(zero));
  return rlp_list(items);
}

// "ctical byzantine fault tolerance"
inline Hash32 bft_mix_hash() {
  const std::string text = "ctical byzantine fault tolerance";
  return to_array<32>(text_bytes(text));
}

// A QBFT or IBFT2 header that is sealed as the rules say unless a test changes something first.
struct BftHeader {
  chain::BftKind kind = chain::BftKind::qbft;
  chain::HeaderShape shape = chain::HeaderShape::london;
  HeaderFields fields;
  std::vector<Address> validators;
  Buffer vanity = Buffer(32, 0);
  Buffer vote;   // encoded; empty: the engine's "no vote"
  std::uint32_t round = 0;
  std::vector<Buffer> seals;

  BftHeader() { fields.mix_hash = bft_mix_hash(); }

  bool is_qbft() const { return kind == chain::BftKind::qbft; }
  Buffer encoded_round(std::uint32_t value) const {
    if (is_qbft()) return rlp_number(value);
    std::array<std::uint8_t, 4> bytes{};
    store_be32(bytes.data(), value);
    return rlp_string(bytes);
  }
  std::vector<Buffer> extra_items() const {
    std::vector<Buffer> addresses;
    for (const Address& validator : validators) addresses.push_back(rlp_string(validator));
    const Buffer no_vote = is_qbft() ? Buffer{0xc0} : Buffer{0x80};
    return {rlp_string(vanity), rlp_list(addresses), vote.empty() ? no_vote : vote};
  }
  Buffer encode_extra(bool with_round, bool with_seals) const {
    std::vector<Buffer> items = extra_items();
    if (is_qbft()) {
      items.push_back(encoded_round(with_round ? round : 0));
      std::vector<Buffer> strings;
      if (with_seals) {
        for (const Buffer& seal : seals) strings.push_back(rlp_string(seal));
      }
      items.push_back(rlp_list(strings));
    } else {
      if (with_round) items.push_back(encoded_round(round));
      if (with_seals) {
        std::vector<Buffer> strings;
        for (const Buffer& seal : seals) strings.push_back(rlp_string(seal));
        items.push_back(rlp_list(strings));
      }
    }
    return rlp_list(items);
  }
  Buffer encode() const { return encode_header(fields, encode_extra(true, true), shape); }
  Hash32 seal_hash() const { return crypto::keccak256(encode_header(fields, encode_extra(true, false), shape)); }
  Hash32 block_hash() const { return crypto::keccak256(encode_header(fields, encode_extra(false, false), shape)); }
  void seal_with(const std::vector<TestKey>& keys, std::size_t count) {
    const Hash32 digest = seal_hash();
    seals.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const crypto::Signature signature = keys[i % keys.size()].sign(digest);
      seals.emplace_back(signature.begin(), signature.end());
    }
  }
};

// A header of `keys`, number and time given, sealed by a quorum.
inline BftHeader sealed_bft_header(const std::vector<TestKey>& keys, std::uint64_t number, std::uint64_t timestamp_s,
                                   chain::BftKind kind = chain::BftKind::qbft, const Hash32& parent_hash = {}) {
  BftHeader header;
  header.kind = kind;
  header.fields.number = number;
  header.fields.timestamp_s = timestamp_s;
  header.fields.coinbase = keys[0].address;
  header.fields.parent_hash = parent_hash;
  header.fields.state_root = crypto::keccak256(rlp_number(number));
  for (const TestKey& key : keys) header.validators.push_back(key.address);
  header.seal_with(keys, chain::bft_quorum(static_cast<std::uint32_t>(keys.size())));
  return header;
}

// The trusted head that a sealed header leads to.
inline chain::TrustedHead head_of(const BftHeader& header, const std::vector<TestKey>& keys) {
  chain::TrustedHead head;
  head.number = header.fields.number;
  head.hash = header.block_hash();
  head.timestamp = {header.fields.timestamp_s};
  head.state_root = header.fields.state_root;
  head.validators = set_of(keys);
  head.is_linked = true;
  return head;
}

}  // namespace wattproof::testing
