// SPDX-License-Identifier: Apache-2.0
// The part of CBOR that wattproof speaks: RFC 8949 with the core deterministic encoding of section 4.2.1, and of its
// types only unsigned and negative integers, byte strings, printable ASCII text, arrays, booleans and null. No maps, tags,
// floating point or indefinite lengths. Every value has exactly one encoding, and the reader accepts that one alone.
//
// One CBOR item (usually an array) makes one document; both classes watch that it is whole. Errors stick: after the first
// one nothing is written or read any more, so a caller may run through its fields and look at `finish()` once.
#pragma once

#include <cstdint>
#include <limits>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::codec {

constexpr std::uint32_t cbor_depth_max = 8;              // arrays inside one another
constexpr std::uint32_t cbor_array_count_max = 1U << 16;  // items of one array

enum class CborKind : std::uint8_t { unsigned_integer, negative_integer, bytes, text, array, boolean, null };

// Counts down the items that the open arrays still want. Shared by writer and reader.
class CborNesting {
 public:
  // An item begins; an array announces how many items belong to it.
  //   unexpected  the document is complete already
  Error item();
  //   unexpected  as above
  //   too_deep    more than cbor_depth_max arrays inside one another
  //   too_large   more than cbor_array_count_max items
  Error array(std::uint64_t count);
  bool is_complete() const { return started_ && depth_ == 0; }

 private:
  void close_full_arrays();

  std::array<std::uint32_t, cbor_depth_max> left_{};
  std::uint32_t depth_ = 0;
  bool started_ = false;
};

// Writes into the caller's buffer and never beyond it.
class CborWriter {
 public:
  explicit CborWriter(MutableBytes buffer) : buffer_(buffer) {}

  void array(std::uint32_t count);  // the next `count` items belong to it
  void uint(std::uint64_t value);
  void integer(std::int64_t value);
  void bytes(Bytes value);
  void text(Bytes value);  // printable ASCII, else out_of_range
  void boolean(bool value);
  void null();

  // What was written.
  //   capacity      the buffer is too small
  //   not_ready     an announced item is missing
  //   unexpected    an item too many
  //   too_deep, too_large, out_of_range   as above
  Result<Bytes> finish() const;

 private:
  void head(std::uint8_t major, std::uint64_t value);
  void append(Bytes value);
  bool may_add(Error nesting);
  void fail(Error error);

  MutableBytes buffer_;
  std::size_t size_ = 0;
  Error error_ = Error::none;
  CborNesting nesting_;
};

// Reads a document item by item; each call says what it expects. Spans point into the input.
//   truncated       the input ends within the item
//   wrong_type      another type than expected, or one that wattproof does not speak
//   non_canonical   a longer head than needed, an indefinite length or a reserved head
//   out_of_range    a number outside the stated limits, or text that is not printable ASCII
//   too_large       a length or count above the stated limit
//   wrong_length    a count or size other than the one expected
//   too_deep        as above
//   unexpected      an item is asked for after the document's end
class CborReader {
 public:
  explicit CborReader(Bytes input) : input_(input) {}

  // What comes next, without taking it. Only looks at the head's first byte: the item itself may still be refused.
  Result<CborKind> peek() const;

  Error read_array(std::uint32_t count);                       // exactly so many items
  Result<std::uint32_t> read_array_up_to(std::uint32_t max);   // the count, at most max
  Result<std::uint64_t> read_uint(std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
  Result<std::int64_t> read_int(std::int64_t min, std::int64_t max);
  Result<Bytes> read_bytes(std::uint32_t size_max);
  template <std::size_t size>
  Result<std::array<std::uint8_t, size>> read_fixed() {
    const Result<Bytes> value = read_exactly(size);
    if (!value) return value.error();
    return to_array<size>(*value);
  }
  Result<Bytes> read_text(std::uint32_t size_max);
  Result<bool> read_boolean();
  Error read_null();

  //   the first error of all calls, else
  //   trailing_bytes  bytes follow the document
  //   truncated       announced items were not read (also: nothing was)
  Error finish() const;

  // Bytes taken so far; a caller that embeds CBOR in something else goes on from here.
  std::size_t position() const { return position_; }

 private:
  struct Head {
    std::uint8_t major = 0;
    std::uint64_t value = 0;
  };
  Result<Head> next_head();
  Result<Head> expect(std::uint8_t major);
  Result<Bytes> read_string(std::uint8_t major, std::uint64_t size_min, std::uint64_t size_max);
  Result<Bytes> read_exactly(std::uint64_t size);
  Error read_simple(std::uint8_t& value);
  Error fail(Error error);

  Bytes input_;
  std::size_t position_ = 0;
  Error error_ = Error::none;
  CborNesting nesting_;
};

}  // namespace wattproof::codec
