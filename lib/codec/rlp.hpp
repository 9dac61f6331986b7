// SPDX-License-Identifier: Apache-2.0
// RLP (Ethereum yellow paper, appendix B), strict: exactly one encoding is accepted of every value, so a hash over bytes
// binds one meaning. Nothing is copied; what is read are views into the input.
//
// What the functions refuse, and with which Error:
//   truncated       the input ends inside a prefix or inside the payload that the prefix announces
//   non_canonical   a byte below 0x80 behind a prefix; a long form for less than 56 bytes; a length or an integer with a
//                   leading zero byte
//   too_large       a length of more than four bytes (refused before any shift), or an integer wider than asked for
//   wrong_type      a list where a string is due, or a string where a list is due
//   wrong_length    a string of another size than the fixed one asked for
//   trailing_bytes  something follows the last item that was due
//   too_deep        lists nested deeper than rlp_depth_max
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::codec {

// Deepest nesting that check_rlp follows. A receipt, the deepest thing that this library reads, has 4.
constexpr std::uint32_t rlp_depth_max = 16;

struct RlpItem {
  Bytes payload;
  std::uint8_t prefix_size = 0;  // 0 for a byte that is its own encoding, else 1 to 5
  bool is_list = false;

  // Prefix and payload, as they stand in the input.
  Bytes encoded() const { return {payload.data() - prefix_size, payload.size() + prefix_size}; }
};

// The first item of `input`; what follows it is not looked at, nor are the items inside a list.
Result<RlpItem> first_rlp_item(Bytes input);

// Whether `input` is exactly one item, canonical all the way down.
Error check_rlp(Bytes input);

// Reads the items of one list payload (or of any run of items) in order. The first failure is kept: after it every read
// gives an empty value, so a caller may read all fields first and test error() or finish() once.
class RlpReader {
 public:
  RlpReader() = default;
  explicit RlpReader(Bytes items) : rest_(items) {}

  RlpItem any();                             // whatever comes next
  Bytes string();                            // payload of a string
  Bytes fixed(std::size_t size);             // payload of a string of exactly `size` bytes
  Bytes integer_bytes(std::size_t size_max); // minimal big-endian integer of at most `size_max` bytes; zero is empty
  std::uint64_t integer();                   // the same as a number of at most 64 bits
  Bytes list();                              // payload of a list

  bool at_end() const { return rest_.empty(); }
  Bytes rest() const { return rest_; }       // what was not read yet
  Error error() const { return error_; }
  Error finish() const;                      // error(), or trailing_bytes if something is left

 private:
  friend RlpReader open_rlp_list(Bytes input);
  void fail(Error error);

  Bytes rest_;
  Error error_ = Error::none;
};

// Reads `input` as exactly one list and gives a reader of its items; a failure is the reader's first error.
RlpReader open_rlp_list(Bytes input);

// An encoded prefix or small integer: at most nine bytes, by value, to be hashed or copied where it is due.
struct RlpSmall {
  std::array<std::uint8_t, 9> bytes{};
  std::uint8_t size = 0;
  Bytes view() const { return Bytes(bytes).first(size); }
};

RlpSmall rlp_list_prefix(std::uint32_t payload_size);
// Of a string of `payload_size` bytes; never for one byte below 0x80, which has no prefix.
RlpSmall rlp_string_prefix(std::uint32_t payload_size);
RlpSmall rlp_integer(std::uint64_t value);

}  // namespace wattproof::codec
