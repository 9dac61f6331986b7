// SPDX-License-Identifier: Apache-2.0
// The bytes of the record store on flash; FORMAT.md is the specification. All numbers are big-endian.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "store/crc32.hpp"
#include "store/flash.hpp"

namespace wattproof::store {

constexpr std::uint8_t record_id_max = 15;        // ids 1 to 15; 0 is the seal
constexpr std::uint32_t record_size_max = 2048;   // bytes of one record
constexpr std::uint8_t seal_id = 0;

constexpr std::uint32_t bank_head_size = 16;
constexpr std::uint32_t entry_head_size = 8;

using BankHeadBytes = std::array<std::uint8_t, bank_head_size>;
using EntryHeadBytes = std::array<std::uint8_t, entry_head_size>;

struct EntryHead {
  std::uint8_t id = 0;
  std::uint16_t size = 0;
  std::uint32_t crc = 0;
};

BankHeadBytes encode_bank_head(std::uint32_t generation);
// The generation.
//   record_corrupt  not a bank head, or not of this format
Result<std::uint32_t> decode_bank_head(const BankHeadBytes& bytes);

EntryHeadBytes encode_entry_head(const EntryHead& head);
//   record_corrupt  not an entry head, or beyond record_id_max or record_size_max
Result<EntryHead> decode_entry_head(const EntryHeadBytes& bytes);

// What an entry's CRC covers before its payload: where it stands and what it is, so that no bytes of an earlier life of
// the bank can pass.
Crc32 begin_entry_crc(std::uint32_t generation, std::uint32_t offset_in_bank, std::uint8_t id, std::uint16_t size);

// The layout of an entry for a unit size: head, payload padded with 0xff, then the mark, one unit that is programmed last.
struct EntryLayout {
  std::uint32_t program_size = 1;

  constexpr std::uint32_t aligned(std::uint32_t size) const { return (size + program_size - 1) & ~(program_size - 1); }
  constexpr std::uint32_t head_size() const { return aligned(entry_head_size); }
  constexpr std::uint32_t first_entry() const { return aligned(bank_head_size); }
  constexpr std::uint32_t mark_offset(std::uint32_t size) const { return head_size() + aligned(size); }
  constexpr std::uint32_t entry_size(std::uint32_t size) const { return mark_offset(size) + program_size; }
};

constexpr std::uint8_t mark_byte = 0x5a;
constexpr std::uint8_t blank_byte = 0xff;

bool is_blank(Bytes bytes);
bool is_mark(Bytes bytes);

}  // namespace wattproof::store
