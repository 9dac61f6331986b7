// SPDX-License-Identifier: Apache-2.0
#include "codec/rlp.hpp"

namespace wattproof::codec {
namespace {

constexpr std::uint8_t string_base = 0x80;  // 0x80 + size, up to 55 bytes
constexpr std::uint8_t list_base = 0xc0;    // 0xc0 + size, up to 55 bytes
constexpr std::uint8_t short_size_max = 55;
constexpr std::uint32_t length_size_max = 4;

RlpSmall prefix(std::uint8_t base, std::uint32_t payload_size) {
  RlpSmall out;
  if (payload_size <= short_size_max) {
    out.bytes[0] = static_cast<std::uint8_t>(base + payload_size);
    out.size = 1;
    return out;
  }
  std::uint8_t width = 1;
  while (width < length_size_max && payload_size >> (8 * width) != 0) ++width;
  out.bytes[0] = static_cast<std::uint8_t>(base + short_size_max + width);
  for (std::uint32_t i = 0; i < width; ++i) {
    out.bytes[1 + i] = static_cast<std::uint8_t>(payload_size >> (8 * (width - 1 - i)));
  }
  out.size = static_cast<std::uint8_t>(1 + width);
  return out;
}

// The payload size that `width` length bytes after the first byte state, canonical.
Result<std::uint32_t> long_size(Bytes input, std::uint32_t width) {
  if (width > length_size_max) return Error::too_large;
  if (input.size() - 1 < width) return Error::truncated;
  if (input[1] == 0) return Error::non_canonical;
  std::uint32_t size = 0;
  for (std::uint32_t i = 0; i < width; ++i) size = size << 8 | input[1 + i];
  if (size <= short_size_max) return Error::non_canonical;
  return size;
}

}  // namespace

Result<RlpItem> first_rlp_item(Bytes input) {
  if (input.empty()) return Error::truncated;
  const std::uint8_t first = input[0];
  if (first < string_base) return RlpItem{input.first(1), 0, false};

  const bool is_list = first >= list_base;
  std::uint32_t size = static_cast<std::uint32_t>(first - (is_list ? list_base : string_base));
  std::uint8_t prefix_size = 1;
  if (size > short_size_max) {
    const std::uint32_t width = size - short_size_max;
    const Result<std::uint32_t> stated = long_size(input, width);
    if (!stated) return stated.error();
    size = *stated;
    prefix_size = static_cast<std::uint8_t>(1 + width);
  }
  if (input.size() - prefix_size < size) return Error::truncated;
  const Bytes payload = input.subspan(prefix_size, size);
  if (!is_list && size == 1 && payload[0] < string_base) return Error::non_canonical;
  return RlpItem{payload, prefix_size, is_list};
}

Error check_rlp(Bytes input) {
  // Where each open list ends, as bytes that remain of the input at that place.
  std::array<std::size_t, rlp_depth_max> left_at_end{};
  std::uint32_t depth = 0;
  Bytes rest = input;
  do {
    const std::size_t end = depth == 0 ? 0 : left_at_end[depth - 1];
    const Result<RlpItem> item = first_rlp_item(rest.first(rest.size() - end));
    if (!item) return item.error();
    rest = rest.subspan(item->prefix_size);
    if (item->is_list) {
      if (depth == rlp_depth_max) return Error::too_deep;
      left_at_end[depth++] = rest.size() - item->payload.size();
    } else {
      rest = rest.subspan(item->payload.size());
    }
    while (depth != 0 && rest.size() == left_at_end[depth - 1]) --depth;
  } while (depth != 0);
  return rest.empty() ? Error::none : Error::trailing_bytes;
}

void RlpReader::fail(Error error) {
  if (error_ == Error::none) error_ = error;
  rest_ = {};
}

RlpItem RlpReader::any() {
  const Result<RlpItem> item = first_rlp_item(rest_);
  if (!item) {
    fail(item.error());
    return {};
  }
  rest_ = rest_.subspan(item->prefix_size + item->payload.size());
  return *item;
}

Bytes RlpReader::string() {
  const RlpItem item = any();
  if (item.is_list) {
    fail(Error::wrong_type);
    return {};
  }
  return item.payload;
}

Bytes RlpReader::list() {
  const RlpItem item = any();
  if (!item.is_list) {
    fail(Error::wrong_type);
    return {};
  }
  return item.payload;
}

Bytes RlpReader::fixed(std::size_t size) {
  const Bytes payload = string();
  if (payload.size() != size) {
    fail(Error::wrong_length);
    return {};
  }
  return payload;
}

Bytes RlpReader::integer_bytes(std::size_t size_max) {
  const Bytes payload = string();
  if (payload.empty()) return {};
  if (payload[0] == 0) {
    fail(Error::non_canonical);
    return {};
  }
  if (payload.size() > size_max) {
    fail(Error::too_large);
    return {};
  }
  return payload;
}

std::uint64_t RlpReader::integer() {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : integer_bytes(sizeof value)) value = value << 8 | byte;
  return value;
}

Error RlpReader::finish() const {
  if (error_ != Error::none) return error_;
  return rest_.empty() ? Error::none : Error::trailing_bytes;
}

RlpReader open_rlp_list(Bytes input) {
  RlpReader outer(input);
  const Bytes items = outer.list();
  RlpReader inner(items);
  if (outer.finish() != Error::none) inner.fail(outer.finish());
  return inner;
}

RlpSmall rlp_list_prefix(std::uint32_t payload_size) { return prefix(list_base, payload_size); }

RlpSmall rlp_string_prefix(std::uint32_t payload_size) { return prefix(string_base, payload_size); }

RlpSmall rlp_integer(std::uint64_t value) {
  RlpSmall out;
  std::array<std::uint8_t, 8> word{};
  store_be64(word.data(), value);
  std::uint8_t skip = 0;
  while (skip < 8 && word[skip] == 0) ++skip;
  const std::uint8_t size = static_cast<std::uint8_t>(8 - skip);
  if (size == 1 && word[7] < string_base) {
    out.bytes[0] = word[7];
    out.size = 1;
    return out;
  }
  out.bytes[0] = static_cast<std::uint8_t>(string_base + size);
  for (std::uint32_t i = 0; i < size; ++i) out.bytes[1 + i] = word[skip + i];
  out.size = static_cast<std::uint8_t>(1 + size);
  return out;
}

}  // namespace wattproof::codec
