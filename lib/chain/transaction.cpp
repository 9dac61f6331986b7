// SPDX-License-Identifier: Apache-2.0
#include "chain/transaction.hpp"

#include "base/math.hpp"
#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"

namespace wattproof::chain {
namespace {

using codec::RlpReader;

constexpr std::uint8_t list_base = 0xc0;  // a legacy transaction begins with a list prefix, a typed one with its type
constexpr std::uint8_t type_max = 2;

// Gas that London takes before anything runs (yellow paper, appendix G; EIP-2028, EIP-2930).
constexpr std::uint64_t gas_transaction = 21'000;
constexpr std::uint64_t gas_creation = 32'000;
constexpr std::uint64_t gas_zero_byte = 4;
constexpr std::uint64_t gas_other_byte = 16;
constexpr std::uint64_t gas_listed_address = 2'400;
constexpr std::uint64_t gas_listed_key = 1'900;

void read_scalar(RlpReader& reader, std::uint8_t* to) {
  const Bytes integer = reader.integer_bytes(32);
  for (std::size_t i = 0; i < integer.size(); ++i) to[32 - integer.size() + i] = integer[i];
}

// 27 and 28 name no chain; from 35 on v is 35 + 2 * chain id + parity (EIP-155).
Error take_legacy_v(std::uint64_t v, Transaction& out) {
  if (v == 27 || v == 28) {
    out.signature[64] = static_cast<std::uint8_t>(v - 27);
    return Error::none;
  }
  if (v < 35) return Error::bad_signature;
  out.has_chain_id = true;
  out.chain_id = (v - 35) / 2;
  out.signature[64] = static_cast<std::uint8_t>((v - 35) % 2);
  return Error::none;
}

// keccak of `type` (none for a legacy one), a list prefix, `items` and `more`.
Hash32 digest_of(std::uint8_t type, Bytes items, Bytes more) {
  crypto::Keccak256 hash;
  if (type != 0) hash.update(Bytes(&type, 1));
  hash.update(codec::rlp_list_prefix(static_cast<std::uint32_t>(items.size() + more.size())).view());
  hash.update(items);
  hash.update(more);
  return hash.finish();
}

Error read_legacy(Bytes encoded, Transaction& out) {
  RlpReader reader = codec::open_rlp_list(encoded);
  const Bytes items = reader.rest();
  out.nonce = reader.integer();
  out.fee_per_gas_max = reader.integer_bytes(32);
  out.gas_limit = reader.integer();
  out.to = reader.string();
  out.value = reader.integer_bytes(32);
  out.data = reader.string();
  const Bytes signed_items = items.first(items.size() - reader.rest().size());
  const std::uint64_t v = reader.integer();
  read_scalar(reader, out.signature.data());
  read_scalar(reader, out.signature.data() + 32);
  if (reader.finish() != Error::none) return Error::transaction_malformed;
  WATTPROOF_TRY(take_legacy_v(v, out));

  std::array<std::uint8_t, 11> chain{};  // chain id, then two empty strings
  std::size_t size = 0;
  if (out.has_chain_id) {
    const codec::RlpSmall number = codec::rlp_integer(out.chain_id);
    for (const std::uint8_t byte : number.view()) chain[size++] = byte;
    chain[size++] = 0x80;
    chain[size++] = 0x80;
  }
  out.signing_digest = digest_of(0, signed_items, Bytes(chain).first(size));
  return Error::none;
}

Error read_typed(Bytes encoded, Transaction& out) {
  RlpReader reader = codec::open_rlp_list(encoded);
  const Bytes items = reader.rest();
  out.has_chain_id = true;
  out.chain_id = reader.integer();
  out.nonce = reader.integer();
  if (out.type == 2) out.priority_fee_per_gas = reader.integer_bytes(32);
  out.fee_per_gas_max = reader.integer_bytes(32);
  out.gas_limit = reader.integer();
  out.to = reader.string();
  out.value = reader.integer_bytes(32);
  out.data = reader.string();
  out.access_list = reader.list();
  const Bytes signed_items = items.first(items.size() - reader.rest().size());
  const std::uint64_t parity = reader.integer();
  read_scalar(reader, out.signature.data());
  read_scalar(reader, out.signature.data() + 32);
  if (reader.finish() != Error::none) return Error::transaction_malformed;
  if (parity > 1) return Error::bad_signature;
  out.signature[64] = static_cast<std::uint8_t>(parity);
  out.signing_digest = digest_of(out.type, signed_items, {});
  return Error::none;
}

// The gas of an access list: a list of [address, [key, ...]].
Result<std::uint64_t> access_list_gas(Bytes list) {
  std::uint64_t gas = 0;
  RlpReader entries(list);
  while (!entries.at_end()) {
    RlpReader entry(entries.list());
    (void)entry.fixed(20);
    RlpReader keys(entry.list());
    gas += gas_listed_address;
    while (!keys.at_end()) {
      (void)keys.fixed(32);
      gas += gas_listed_key;
    }
    if (entry.finish() != Error::none || keys.error() != Error::none) return Error::transaction_malformed;
  }
  return gas;
}

// True if `price` (minimal big-endian) times `gas` stays below 2^256. Horner, from the high byte: product = product * 256 +
// digit * gas, in eight words of 32 bits and one for what overflows.
bool is_product_in_range(Bytes price, std::uint64_t gas) {
  std::array<std::uint32_t, 9> product{};  // little-endian
  for (const std::uint8_t digit : price) {
    std::uint64_t carry_low = (gas & 0xffffffff) * digit;
    std::uint64_t carry_high = (gas >> 32) * digit;
    for (std::size_t i = 0; i < product.size(); ++i) {
      const std::uint64_t word = (std::uint64_t{product[i]} << 8) + (carry_low & 0xffffffff);
      product[i] = static_cast<std::uint32_t>(word);
      carry_low = (carry_low >> 32) + (word >> 32) + (i == 0 ? carry_high : 0);
    }
    if (product[8] != 0) return false;
  }
  return true;
}

int compare(Bytes a, Bytes b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.empty() ? 0 : std::memcmp(a.data(), b.data(), a.size());
}

Error check_limits(const Transaction& transaction) {
  const Result<std::uint64_t> listed = access_list_gas(transaction.access_list);
  if (!listed) return listed.error();
  std::uint64_t gas = gas_transaction + *listed + (transaction.to.empty() ? gas_creation : 0);
  for (const std::uint8_t byte : transaction.data) gas += byte == 0 ? gas_zero_byte : gas_other_byte;
  const bool is_valid = transaction.nonce != UINT64_MAX && transaction.gas_limit >= gas &&
                        compare(transaction.priority_fee_per_gas, transaction.fee_per_gas_max) <= 0 &&
                        is_product_in_range(transaction.fee_per_gas_max, transaction.gas_limit);
  return is_valid ? Error::none : Error::out_of_range;
}

}  // namespace

Error decode_transaction(Bytes encoded, std::optional<std::uint64_t> chain_id, Transaction& out) {
  out = Transaction();
  if (encoded.empty()) return Error::transaction_malformed;
  if (encoded[0] >= list_base) {
    WATTPROOF_TRY(read_legacy(encoded, out));
  } else {
    out.type = encoded[0];
    if (out.type == 0 || out.type > type_max) return Error::unknown_kind;
    WATTPROOF_TRY(read_typed(encoded.subspan(1), out));
  }
  if (!out.to.empty() && out.to.size() != 20) return Error::transaction_malformed;
  if (out.has_chain_id && chain_id && out.chain_id != *chain_id) return Error::wrong_chain;
  return check_limits(out);
}

Result<Address> sender_of(const Transaction& transaction) {
  return crypto::recover_address(transaction.signing_digest, transaction.signature);
}

}  // namespace wattproof::chain
