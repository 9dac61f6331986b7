// SPDX-License-Identifier: Apache-2.0
#include "codec/cbor.hpp"

#include <algorithm>

namespace wattproof::codec {
namespace {

// RFC 8949, section 3: the high three bits of a head.
constexpr std::uint8_t major_unsigned = 0;
constexpr std::uint8_t major_negative = 1;
constexpr std::uint8_t major_bytes = 2;
constexpr std::uint8_t major_text = 3;
constexpr std::uint8_t major_array = 4;
constexpr std::uint8_t major_simple = 7;

// The low five bits: the value itself below 24, else the width of the value that follows.
constexpr std::uint8_t info_mask = 0x1f;
constexpr std::uint8_t info_one_byte = 24;
constexpr std::uint8_t info_eight_bytes = 27;

constexpr std::uint8_t simple_false = 20;
constexpr std::uint8_t simple_true = 21;
constexpr std::uint8_t simple_null = 22;

bool is_printable(Bytes text) {
  return std::all_of(text.begin(), text.end(), [](std::uint8_t c) { return c >= 0x20 && c <= 0x7e; });
}

// 0, 1, 2, 4 or 8: bytes after the first one of the shortest head for `value`.
constexpr std::uint32_t extra_size(std::uint64_t value) {
  if (value < info_one_byte) return 0;
  if (value <= 0xff) return 1;
  if (value <= 0xffff) return 2;
  return value <= 0xffffffff ? 4 : 8;
}

}  // namespace

Error CborNesting::item() {
  if (is_complete()) return Error::unexpected;
  started_ = true;
  if (depth_ > 0) --left_[depth_ - 1];
  close_full_arrays();
  return Error::none;
}

Error CborNesting::array(std::uint64_t count) {
  if (is_complete()) return Error::unexpected;
  if (depth_ == cbor_depth_max) return Error::too_deep;
  if (count > cbor_array_count_max) return Error::too_large;
  started_ = true;
  if (depth_ > 0) --left_[depth_ - 1];
  left_[depth_++] = static_cast<std::uint32_t>(count);
  close_full_arrays();
  return Error::none;
}

void CborNesting::close_full_arrays() {
  while (depth_ > 0 && left_[depth_ - 1] == 0) --depth_;
}

void CborWriter::fail(Error error) {
  if (error_ == Error::none) error_ = error;
}

bool CborWriter::may_add(Error nesting) {
  if (error_ == Error::none) error_ = nesting;
  return error_ == Error::none;
}

void CborWriter::append(Bytes value) {
  if (error_ != Error::none) return;
  if (buffer_.size() - size_ < value.size()) return fail(Error::capacity);
  std::copy(value.begin(), value.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
  size_ += value.size();
}

void CborWriter::head(std::uint8_t major, std::uint64_t value) {
  std::array<std::uint8_t, 9> bytes{};
  const std::uint32_t extra = extra_size(value);
  std::uint32_t info = static_cast<std::uint32_t>(value);
  if (extra > 0) {
    info = info_one_byte;
    while (1U << (info - info_one_byte) < extra) ++info;
  }
  bytes[0] = static_cast<std::uint8_t>(static_cast<std::uint32_t>(major) << 5 | info);
  for (std::uint32_t i = 0; i < extra; ++i) {
    bytes[1 + i] = static_cast<std::uint8_t>(value >> 8 * (extra - 1 - i));
  }
  append(Bytes(bytes).first(1 + extra));
}

void CborWriter::array(std::uint32_t count) {
  if (may_add(nesting_.array(count))) head(major_array, count);
}

void CborWriter::uint(std::uint64_t value) {
  if (may_add(nesting_.item())) head(major_unsigned, value);
}

void CborWriter::integer(std::int64_t value) {
  if (value >= 0) return uint(static_cast<std::uint64_t>(value));
  // -1 - n is stored as n; in two's complement that is the bitwise complement, for every n.
  if (may_add(nesting_.item())) head(major_negative, ~static_cast<std::uint64_t>(value));
}

void CborWriter::bytes(Bytes value) {
  if (!may_add(nesting_.item())) return;
  head(major_bytes, value.size());
  append(value);
}

void CborWriter::text(Bytes value) {
  if (!is_printable(value)) return fail(Error::out_of_range);
  if (!may_add(nesting_.item())) return;
  head(major_text, value.size());
  append(value);
}

void CborWriter::boolean(bool value) {
  if (may_add(nesting_.item())) head(major_simple, value ? simple_true : simple_false);
}

void CborWriter::null() {
  if (may_add(nesting_.item())) head(major_simple, simple_null);
}

Result<Bytes> CborWriter::finish() const {
  if (error_ != Error::none) return error_;
  if (!nesting_.is_complete()) return Error::not_ready;
  return Bytes(buffer_.first(size_));
}

Error CborReader::fail(Error error) {
  if (error_ == Error::none) error_ = error;
  return error_;
}

Result<CborKind> CborReader::peek() const {
  if (error_ != Error::none) return error_;
  if (nesting_.is_complete()) return Error::unexpected;
  if (position_ == input_.size()) return Error::truncated;
  const std::uint8_t first = input_[position_];
  switch (first >> 5) {
    case major_unsigned: return CborKind::unsigned_integer;
    case major_negative: return CborKind::negative_integer;
    case major_bytes: return CborKind::bytes;
    case major_text: return CborKind::text;
    case major_array: return CborKind::array;
    default: break;
  }
  if (first == (major_simple << 5 | simple_false) || first == (major_simple << 5 | simple_true)) return CborKind::boolean;
  if (first == (major_simple << 5 | simple_null)) return CborKind::null;
  return Error::wrong_type;
}

// Takes a head in its shortest form.
Result<CborReader::Head> CborReader::next_head() {
  if (error_ != Error::none) return error_;
  if (nesting_.is_complete()) return fail(Error::unexpected);
  const Bytes rest = input_.subspan(position_);
  if (rest.empty()) return fail(Error::truncated);
  Head head{.major = static_cast<std::uint8_t>(rest[0] >> 5), .value = static_cast<std::uint64_t>(rest[0] & info_mask)};
  std::size_t extra = 0;
  if (head.value >= info_one_byte) {
    if (head.value > info_eight_bytes) return fail(Error::non_canonical);
    extra = std::size_t{1} << (head.value - info_one_byte);
    if (rest.size() - 1 < extra) return fail(Error::truncated);
    head.value = 0;
    for (std::size_t i = 1; i <= extra; ++i) head.value = head.value << 8 | rest[i];
    if (extra_size(head.value) != extra) return fail(Error::non_canonical);
  }
  position_ += 1 + extra;
  return head;
}

Result<CborReader::Head> CborReader::expect(std::uint8_t major) {
  if (error_ != Error::none) return error_;
  // The type first: a caller that expects a number learns "another type" even of a head that is wrong in other ways.
  if (position_ < input_.size() && input_[position_] >> 5 != major) return fail(Error::wrong_type);
  return next_head();
}

Error CborReader::read_array(std::uint32_t count) {
  const Result<Head> head = expect(major_array);
  if (!head) return head.error();
  if (head->value != count) return fail(Error::wrong_length);
  if (const Error error = nesting_.array(count); !ok(error)) return fail(error);
  return Error::none;
}

Result<std::uint32_t> CborReader::read_array_up_to(std::uint32_t max) {
  const Result<Head> head = expect(major_array);
  if (!head) return head.error();
  if (head->value > max) return fail(Error::too_large);
  if (const Error error = nesting_.array(head->value); !ok(error)) return fail(error);
  return static_cast<std::uint32_t>(head->value);
}

Result<std::uint64_t> CborReader::read_uint(std::uint64_t max) {
  const Result<Head> head = expect(major_unsigned);
  if (!head) return head.error();
  if (head->value > max) return fail(Error::out_of_range);
  if (const Error error = nesting_.item(); !ok(error)) return fail(error);
  return head->value;
}

Result<std::int64_t> CborReader::read_int(std::int64_t min, std::int64_t max) {
  const bool is_negative = position_ < input_.size() && input_[position_] >> 5 == major_negative;
  const Result<Head> head = expect(is_negative ? major_negative : major_unsigned);
  if (!head) return head.error();
  if (head->value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return fail(Error::out_of_range);
  }
  const std::int64_t magnitude = static_cast<std::int64_t>(head->value);
  const std::int64_t value = is_negative ? -1 - magnitude : magnitude;
  if (value < min || value > max) return fail(Error::out_of_range);
  if (const Error error = nesting_.item(); !ok(error)) return fail(error);
  return value;
}

Result<Bytes> CborReader::read_string(std::uint8_t major, std::uint64_t size_min, std::uint64_t size_max) {
  const Result<Head> head = expect(major);
  if (!head) return head.error();
  // The caller's limit before the input's end: a length of 2^60 is too large, not a short input.
  if (head->value > size_max) return fail(size_min == size_max ? Error::wrong_length : Error::too_large);
  if (head->value < size_min) return fail(Error::wrong_length);
  if (input_.size() - position_ < head->value) return fail(Error::truncated);
  if (const Error error = nesting_.item(); !ok(error)) return fail(error);
  const Bytes value = input_.subspan(position_, static_cast<std::size_t>(head->value));
  position_ += value.size();
  return value;
}

Result<Bytes> CborReader::read_bytes(std::uint32_t size_max) { return read_string(major_bytes, 0, size_max); }

Result<Bytes> CborReader::read_exactly(std::uint64_t size) { return read_string(major_bytes, size, size); }

Result<Bytes> CborReader::read_text(std::uint32_t size_max) {
  const Result<Bytes> value = read_string(major_text, 0, size_max);
  if (value && !is_printable(*value)) return fail(Error::out_of_range);
  return value;
}

Error CborReader::read_simple(std::uint8_t& value) {
  const Result<Head> head = expect(major_simple);
  if (!head) return head.error();
  // 24..27 are one-byte simple values and floating point, taken above as a head: none of them is spoken here.
  if (head->value < simple_false || head->value > simple_null) return fail(Error::wrong_type);
  if (const Error error = nesting_.item(); !ok(error)) return fail(error);
  value = static_cast<std::uint8_t>(head->value);
  return Error::none;
}

Result<bool> CborReader::read_boolean() {
  std::uint8_t value = 0;
  WATTPROOF_TRY(read_simple(value));
  if (value == simple_null) return fail(Error::wrong_type);
  return value == simple_true;
}

Error CborReader::read_null() {
  std::uint8_t value = 0;
  WATTPROOF_TRY(read_simple(value));
  return value == simple_null ? Error::none : fail(Error::wrong_type);
}

Error CborReader::finish() const {
  if (error_ != Error::none) return error_;
  if (!nesting_.is_complete()) return Error::truncated;
  return position_ == input_.size() ? Error::none : Error::trailing_bytes;
}

}  // namespace wattproof::codec
