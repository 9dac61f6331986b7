// SPDX-License-Identifier: Apache-2.0
#include "chain/header.hpp"

#include "base/check.hpp"
#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::chain {
namespace {

using codec::RlpReader;

bool has_empty_steps(HeaderShape shape) {
  return shape == HeaderShape::aura_empty_steps || shape == HeaderShape::aura_empty_steps_london;
}

bool has_base_fee(HeaderShape shape) {
  return shape != HeaderShape::frontier && shape != HeaderShape::aura && shape != HeaderShape::aura_empty_steps;
}

// From `first` up to where the reader stands.
Bytes taken(Bytes items, std::size_t first, const RlpReader& reader) {
  return items.subspan(first, items.size() - first - reader.rest().size());
}

// Counting first gives a wrong shape its own error instead of that of the field that happens to differ.
Error check_field_count(Bytes items, std::uint32_t count_due) {
  RlpReader reader(items);
  std::uint32_t count = 0;
  while (!reader.at_end()) {
    if (count++ == count_due) return Error::header_field_count;
    (void)reader.any();
  }
  if (reader.error() != Error::none) return reader.error();
  return count == count_due ? Error::none : Error::header_field_count;
}

void read_fields_of_later_forks(RlpReader& reader, HeaderShape shape) {
  if (shape >= HeaderShape::shanghai) (void)reader.fixed(32);  // withdrawalsRoot
  if (shape >= HeaderShape::cancun) {
    (void)reader.integer();  // blobGasUsed
    (void)reader.integer();  // excessBlobGas
    (void)reader.fixed(32);  // parentBeaconBlockRoot
  }
  if (shape >= HeaderShape::prague) (void)reader.fixed(32);  // requestsHash
}

}  // namespace

const Hash32 no_ommers_hash = {0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5,
                               0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a,
                               0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47};

bool is_aura(HeaderShape shape) { return shape >= HeaderShape::aura; }

std::uint32_t header_field_count(HeaderShape shape) {
  switch (shape) {
    case HeaderShape::frontier:
    case HeaderShape::aura: return 15;
    case HeaderShape::london:
    case HeaderShape::aura_london:
    case HeaderShape::aura_empty_steps: return 16;
    case HeaderShape::shanghai:
    case HeaderShape::aura_empty_steps_london: return 17;
    case HeaderShape::cancun: return 20;
    case HeaderShape::prague: return 21;
  }
  return 0;
}

Error decode_header(Bytes input, HeaderShape shape, Header& out) {
  if (input.size() > header_size_max) return Error::too_large;
  RlpReader reader = codec::open_rlp_list(input);
  if (reader.error() != Error::none) return reader.error();
  const Bytes items = reader.rest();
  WATTPROOF_TRY(check_field_count(items, header_field_count(shape)));

  out = Header();
  out.encoded = input;
  out.parent_hash = reader.fixed(32);
  out.ommers_hash = reader.fixed(32);
  out.coinbase = reader.fixed(20);
  out.state_root = reader.fixed(32);
  out.transactions_root = reader.fixed(32);
  out.receipts_root = reader.fixed(32);
  out.logs_bloom = reader.fixed(256);
  out.difficulty = reader.integer_bytes(32);
  out.number = reader.integer();
  out.gas_limit = reader.integer();
  out.gas_used = reader.integer();
  out.timestamp_s = reader.integer();
  out.before_extra = taken(items, 0, reader);
  out.extra_data = reader.string();
  out.after_extra = reader.rest();

  if (is_aura(shape)) {
    out.step = reader.integer();
    out.step_signature = reader.fixed(65);
    if (has_empty_steps(shape)) {
      const codec::RlpItem item = reader.any();
      if (!item.is_list && reader.error() == Error::none) return Error::wrong_type;
      out.empty_steps = item.encoded();
    }
  } else {
    out.mix_hash = reader.fixed(32);
    out.nonce = reader.fixed(8);
  }
  if (has_base_fee(shape)) {
    const std::size_t first = items.size() - reader.rest().size();
    (void)reader.integer_bytes(32);
    out.base_fee = taken(items, first, reader);
  }
  if (!is_aura(shape)) read_fields_of_later_forks(reader, shape);
  return reader.finish();
}

Hash32 hash_with_extra(const Header& header, std::span<const Bytes> parts) {
  std::uint32_t extra_size = 0;
  for (const Bytes part : parts) extra_size += static_cast<std::uint32_t>(part.size());
  WATTPROOF_CHECK(extra_size >= 2);  // a string of one byte may have no prefix; no engine makes one

  const codec::RlpSmall extra_prefix = codec::rlp_string_prefix(extra_size);
  const std::size_t payload_size =
      header.before_extra.size() + extra_prefix.size + extra_size + header.after_extra.size();
  crypto::Keccak256 hash;
  hash.update(codec::rlp_list_prefix(static_cast<std::uint32_t>(payload_size)).view());
  hash.update(header.before_extra);
  hash.update(extra_prefix.view());
  for (const Bytes part : parts) hash.update(part);
  hash.update(header.after_extra);
  return hash.finish();
}

Hash32 hash_as_delivered(const Header& header) { return crypto::keccak256(header.encoded); }

bool difficulty_is(const Header& header, std::uint8_t value) {
  return value == 0 ? header.difficulty.empty() : header.difficulty.size() == 1 && header.difficulty[0] == value;
}

}  // namespace wattproof::chain
