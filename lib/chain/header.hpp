// SPDX-License-Identifier: Apache-2.0
// Block headers (yellow paper 4.3 and later EIPs): strict decoding of one configured shape into views and integers, and
// the hashes that seals are made over, streamed through Keccak without a second copy of the header.
//
// Decoding believes nothing beyond the form: which values a field may have is the business of the seal engine. It comes
// before hashing, else two encodings of one header would exist.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace wattproof::chain {

// Which fields follow the first thirteen. Chosen by configuration, never by what arrives: sixteen fields are London to
// one chain and AuRa with empty steps to another.
enum class HeaderShape : std::uint8_t {
  frontier,                 // 15: mixHash, nonce
  london,                   // 16: + baseFeePerGas (EIP-1559)
  shanghai,                 // 17: + withdrawalsRoot (EIP-4895)
  cancun,                   // 20: + blobGasUsed, excessBlobGas, parentBeaconBlockRoot (EIP-4844, EIP-4788)
  prague,                   // 21: + requestsHash (EIP-7685)
  aura,                     // 15: step, signature
  aura_london,              // 16: step, signature, baseFeePerGas
  aura_empty_steps,         // 16: step, signature, list of empty steps
  aura_empty_steps_london,  // 17: step, signature, list of empty steps, baseFeePerGas
};

std::uint32_t header_field_count(HeaderShape shape);
bool is_aura(HeaderShape shape);

// Views into the bytes that were decoded; the caller keeps those alive. Fields of fixed size have it: hashes 32 bytes,
// coinbase 20, bloom 256, nonce 8.
struct Header {
  Bytes parent_hash;
  Bytes ommers_hash;
  Bytes coinbase;
  Bytes state_root;
  Bytes transactions_root;
  Bytes receipts_root;
  Bytes logs_bloom;
  Bytes difficulty;  // minimal big-endian, at most 32 bytes
  std::uint64_t number = 0;
  std::uint64_t gas_limit = 0;
  std::uint64_t gas_used = 0;
  std::uint64_t timestamp_s = 0;
  Bytes extra_data;

  // Shapes frontier to prague; empty in the others.
  Bytes mix_hash;
  Bytes nonce;

  // Shapes of AuRa; zero and empty in the others.
  std::uint64_t step = 0;
  Bytes step_signature;
  Bytes empty_steps;  // the whole RLP list as it stands

  // Encoded items around extraData, and the encoded base fee (empty if the shape has none): what the seal hashes are
  // put together from.
  Bytes before_extra;
  Bytes after_extra;
  Bytes base_fee;

  Bytes encoded;  // the whole header
};

// Decodes `input` as exactly one header of `shape`; `out` is meaningful only after Error::none.
//   too_large            longer than header_size_max, or an integer wider than its field
//   header_field_count   fewer or more fields than the shape has
//   truncated, non_canonical, wrong_type, wrong_length, trailing_bytes   as in codec/rlp.hpp
Error decode_header(Bytes input, HeaderShape shape, Header& out);

// Keccak of the header with its extraData replaced by the concatenation of `parts` (two bytes or more in all).
Hash32 hash_with_extra(const Header& header, std::span<const Bytes> parts);

// Keccak of the header as delivered: the block hash of Clique, AuRa and of every chain without seals outside the hash.
Hash32 hash_as_delivered(const Header& header);

// keccak(c0): what ommers_hash is in a block without ommers.
extern const Hash32 no_ommers_hash;

// True if difficulty is exactly `value`.
bool difficulty_is(const Header& header, std::uint8_t value);

}  // namespace wattproof::chain
