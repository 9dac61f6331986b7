// SPDX-License-Identifier: Apache-2.0
#include "hal/meters/sml_telegram.hpp"

#include <algorithm>

#include "hal/meters/crc16.hpp"

namespace wattproof::hal {
namespace {

constexpr std::uint8_t escape_byte = 0x1b;
constexpr std::uint8_t start_byte = 0x01;
constexpr std::uint8_t end_byte = 0x1a;
constexpr std::uint16_t crc_start = 0xffff;
constexpr std::uint8_t padding_max = 3;

constexpr std::uint8_t type_octets = 0;
constexpr std::uint8_t type_integer = 5;
constexpr std::uint8_t type_unsigned = 6;
constexpr std::uint8_t type_list = 7;
constexpr std::uint32_t entry_elements = 7;  // name, status, time, unit, scaler, value, signature
constexpr std::size_t name_size = 6;
constexpr std::uint64_t unit_w = 27;
constexpr std::uint64_t unit_wh = 30;
constexpr std::uint32_t length_bytes_max = 3;

struct Element {
  std::uint8_t type = 0;
  std::uint32_t count = 0;  // of a list's elements
  Bytes content;            // of anything else
};

// Type and length: the upper bits of the first byte, and four bits of length in each byte as long as the highest bit is set.
Error read_element(Bytes bytes, std::size_t& at, Element& element) {
  if (at >= bytes.size()) return Error::truncated;
  const std::size_t begin = at;
  element.type = bytes[at] >> 4 & 7;
  std::uint32_t length = bytes[at] & 15;
  while ((bytes[at] & 0x80) != 0) {
    if (at - begin == length_bytes_max) return Error::too_large;
    if (++at >= bytes.size()) return Error::truncated;
    length = length << 4 | (bytes[at] & 15);
  }
  ++at;
  if (element.type == type_list) {
    element.count = length;
    return Error::none;
  }
  // A length counts its own bytes too. The byte 0 ends a message and has no content.
  const std::size_t head = at - begin;
  if (length == 0 && head == 1) length = 1;
  if (length < head || bytes.size() - at < length - head) return Error::truncated;
  element.content = bytes.subspan(at, length - head);
  at += length - head;
  return Error::none;
}

// Steps over one element with all that is in it.
Error skip(Bytes bytes, std::size_t& at) {
  for (std::uint64_t left = 1; left != 0; --left) {
    Element element;
    WATTPROOF_TRY(read_element(bytes, at, element));
    if (element.type == type_list) left += element.count;
  }
  return Error::none;
}

bool read_number(const Element& element, std::int64_t& value) {
  if ((element.type != type_integer && element.type != type_unsigned) || element.content.empty() || element.content.size() > 8) return false;
  const bool is_negative = element.type == type_integer && (element.content[0] & 0x80) != 0;
  std::uint64_t bits = is_negative ? ~std::uint64_t{0} : 0;
  for (const std::uint8_t byte : element.content) bits = bits << 8 | byte;
  if (element.type == type_unsigned && bits >> 63 != 0) return false;
  value = static_cast<std::int64_t>(bits);
  return true;
}

// value * 10^exponent, rounded down in magnitude.
bool scale(std::int64_t value, std::int64_t exponent, std::int64_t& scaled) {
  if (exponent < -18 || exponent > 18) return false;
  scaled = value;
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(scaled, std::int64_t{10}, &scaled)) return false;
  }
  for (; exponent < 0; ++exponent) scaled /= 10;
  return true;
}

struct Entry {
  Bytes name;
  std::optional<std::int64_t> unit, scaler, value;
};

// `at` is behind the head of a list of seven.
Error read_entry(Bytes bytes, std::size_t& at, Entry& entry) {
  Element element;
  WATTPROOF_TRY(read_element(bytes, at, element));
  if (element.type == type_octets) entry.name = element.content;
  WATTPROOF_TRY(skip(bytes, at));  // status
  WATTPROOF_TRY(skip(bytes, at));  // time
  for (std::optional<std::int64_t>* field : {&entry.unit, &entry.scaler, &entry.value}) {
    const std::size_t begin = at;
    WATTPROOF_TRY(skip(bytes, at));
    std::size_t again = begin;
    WATTPROOF_TRY(read_element(bytes, again, element));
    std::int64_t number = 0;
    if (element.type != type_list && read_number(element, number)) *field = number;
  }
  return skip(bytes, at);  // signature
}

Error take_entry(const Entry& entry, MeterReading& reading) {
  static constexpr std::array<std::uint8_t, name_size> import_name{1, 0, 1, 8, 0, 255};
  static constexpr std::array<std::uint8_t, name_size> export_name{1, 0, 2, 8, 0, 255};
  static constexpr std::array<std::uint8_t, name_size> power_name{1, 0, 16, 7, 0, 255};
  const auto is = [&](const std::array<std::uint8_t, name_size>& name) { return std::equal(name.begin(), name.end(), entry.name.begin(), entry.name.end()); };
  const bool is_power = is(power_name);
  if (!is_power && !is(import_name) && !is(export_name)) return Error::none;
  if (!entry.value) return Error::none;  // the meter has it, and does not show it
  if (!entry.unit || static_cast<std::uint64_t>(*entry.unit) != (is_power ? unit_w : unit_wh)) return Error::out_of_range;
  std::int64_t scaled = 0;
  if (!scale(*entry.value, entry.scaler.value_or(0) + (is_power ? 0 : 3), scaled)) return Error::out_of_range;
  if (is_power) {
    if (scaled > 0x7fffffff || scaled < -0x7fffffff) return Error::out_of_range;
    reading.power_w = static_cast<std::int32_t>(scaled);
    return Error::none;
  }
  if (scaled < 0) return Error::out_of_range;
  (is(import_name) ? reading.import_mwh : reading.export_mwh) = static_cast<std::uint64_t>(scaled);
  return Error::none;
}

}  // namespace

// The lists are walked as one row of elements; an entry is a list of seven that begins with a name of six bytes.
Error decode_sml_telegram(Bytes content, MeterReading& reading) {
  MeterReading found;
  for (std::size_t at = 0; at < content.size();) {
    Element element;
    WATTPROOF_TRY(read_element(content, at, element));
    const bool is_entry = element.type == type_list && element.count == entry_elements && at < content.size() && content[at] == name_size + 1;
    if (!is_entry) continue;
    Entry entry;
    WATTPROOF_TRY(read_entry(content, at, entry));
    WATTPROOF_TRY(take_entry(entry, found));
  }
  if (!found.power_w && !found.import_mwh && !found.export_mwh) return Error::value_absent;
  reading = found;
  return Error::none;
}

void SmlReader::append(std::uint8_t byte) {
  if (!is_open_) return;
  if (size_ == bytes_.size()) {
    is_open_ = false;
    ++refused_;
    return;
  }
  bytes_[size_++] = byte;
}

// Four escape bytes and four more: a start, an end, or the content's own four escape bytes.
bool SmlReader::take_escape() {
  is_escape_ = false;
  const auto all = [this](std::uint8_t byte) { return std::all_of(escape_.begin(), escape_.end(), [byte](std::uint8_t each) { return each == byte; }); };
  if (all(start_byte)) {
    is_open_ = true;
    size_ = 0;
    crc_ = crc_start;
    for (int i = 0; i < 4; ++i) crc_ = crc16_step(crc_, escape_byte, crc16_polynomial_8408);
    for (int i = 0; i < 4; ++i) crc_ = crc16_step(crc_, start_byte, crc16_polynomial_8408);
    return false;
  }
  if (all(escape_byte)) {
    for (int i = 0; i < 8; ++i) crc_ = crc16_step(crc_, escape_byte, crc16_polynomial_8408);
    for (int i = 0; i < 4; ++i) append(escape_byte);
    return false;
  }
  const bool was_open = is_open_;
  is_open_ = false;
  for (int i = 0; i < 4; ++i) crc_ = crc16_step(crc_, escape_byte, crc16_polynomial_8408);
  crc_ = crc16_step(crc16_step(crc_, escape_[0], crc16_polynomial_8408), escape_[1], crc16_polynomial_8408);
  const std::uint16_t crc = static_cast<std::uint16_t>(~crc_);
  const bool is_right = was_open && escape_[0] == end_byte && escape_[1] <= padding_max && escape_[1] <= size_ && escape_[2] == (crc & 0xff) && escape_[3] == crc >> 8;
  if (!is_right) {
    if (was_open) ++refused_;
    return false;
  }
  size_ -= escape_[1];
  is_complete_ = true;
  return true;
}

bool SmlReader::push(std::uint8_t byte) {
  if (is_complete_) {
    is_complete_ = false;
    size_ = 0;
  }
  if (is_escape_) {
    escape_[escape_size_++] = byte;
    return escape_size_ == escape_.size() && take_escape();
  }
  if (byte == escape_byte) {
    if (++run_ < 4) return false;
    run_ = 0;
    is_escape_ = true;
    escape_size_ = 0;
    return false;
  }
  for (; run_ != 0; --run_) {
    crc_ = crc16_step(crc_, escape_byte, crc16_polynomial_8408);
    append(escape_byte);
  }
  crc_ = crc16_step(crc_, byte, crc16_polynomial_8408);
  append(byte);
  return false;
}

}  // namespace wattproof::hal
