// SPDX-License-Identifier: Apache-2.0
// Whatever CBOR the reader accepts, the writer writes again byte for byte.
#include <array>

#include "codec/cbor.hpp"
#include "oracle.hpp"

namespace {

using namespace wattproof;

constexpr std::uint32_t item_count_max = 4096;
constexpr std::uint32_t string_size_max = 4096;

// Copies one item from reader to writer. False at the end and at an error.
bool copy_item(codec::CborReader& reader, codec::CborWriter& writer) {
  const Result<codec::CborKind> kind = reader.peek();
  if (!kind) return false;
  switch (*kind) {
    case codec::CborKind::unsigned_integer: {
      const Result<std::uint64_t> value = reader.read_uint();
      if (value) writer.uint(*value);
      return static_cast<bool>(value);
    }
    case codec::CborKind::negative_integer: {
      const Result<std::int64_t> value = reader.read_int(INT64_MIN, -1);
      if (value) writer.integer(*value);
      return static_cast<bool>(value);
    }
    case codec::CborKind::bytes: {
      const Result<Bytes> value = reader.read_bytes(string_size_max);
      if (value) writer.bytes(*value);
      return static_cast<bool>(value);
    }
    case codec::CborKind::text: {
      const Result<Bytes> value = reader.read_text(string_size_max);
      if (value) writer.text(*value);
      return static_cast<bool>(value);
    }
    case codec::CborKind::array: {
      const Result<std::uint32_t> count = reader.read_array_up_to(codec::cbor_array_count_max);
      if (count) writer.array(*count);
      return static_cast<bool>(count);
    }
    case codec::CborKind::boolean: {
      const Result<bool> value = reader.read_boolean();
      if (value) writer.boolean(*value);
      return static_cast<bool>(value);
    }
    case codec::CborKind::null:
      if (!ok(reader.read_null())) return false;
      writer.null();
      return true;
  }
  return false;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::array<std::uint8_t, 1 << 20> buffer;
  if (size > buffer.size()) return 0;
  const Bytes input(data, size);
  codec::CborReader reader(input);
  codec::CborWriter writer(buffer);
  for (std::uint32_t i = 0; i < item_count_max && reader.position() < size; ++i) {
    if (!copy_item(reader, writer)) break;
  }
  if (reader.finish() != Error::none) return 0;
  const Result<Bytes> again = writer.finish();
  fuzz::require(again && equal(*again, input));
  return 0;
}
