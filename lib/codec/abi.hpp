// SPDX-License-Identifier: Apache-2.0
// The 32-byte words of the Ethereum contract ABI and of contract storage: how EIP-712 struct members are hashed
// (encodeData), how storage slots of mappings and arrays are found, and what a proven storage word says. Big-endian.
// Nothing here hashes, so codec/ needs no crypto/: functions return the bytes that go into Keccak-256.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::codec {

// uintN, N <= 64: zero-extended.
Hash32 abi_uint(std::uint64_t value);

// intN, N <= 64: sign-extended to 256 bits, as EIP-712 and the ABI ask.
Hash32 abi_int(std::int64_t value);

// address: 12 zero bytes before it.
Hash32 abi_address(const Address& address);

// A short string or bytesN (N <= 32) on the left, zeros after it, such as a contract's name as a mapping key.
//   too_large  more than 32 bytes
Result<Hash32> abi_left_aligned(Bytes value);

// A proven word back as a value. A word with anything outside the field is refused: it holds something else.
//   out_of_range  the value does not fit the type, or is above `max`
Result<std::uint64_t> uint_from_abi(const Hash32& word, std::uint64_t max);
Result<std::int64_t> int_from_abi(const Hash32& word);
Result<Address> address_from_abi(const Hash32& word);

// A field of a packed storage word: Solidity fills a word from its low end. `offset` and `size` are in bytes, as the
// compiler's storage layout states them; size 1 to 8.
//   out_of_range  the field does not lie inside the word
Result<std::uint64_t> packed_uint(const Hash32& word, std::uint32_t offset, std::uint32_t size);

// What is hashed to find mapping[key] of the mapping at `base`: keccak256(key . base) (Solidity documentation, "Layout
// of State Variables in Storage").
std::array<std::uint8_t, 64> mapping_slot_preimage(const Hash32& key, const Hash32& base);

// base + index modulo 2^256: element `index` of a fixed array whose elements take one word, or word `index` of a struct.
Hash32 slot_plus(const Hash32& base, std::uint64_t index);

}  // namespace wattproof::codec
