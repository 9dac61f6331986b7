// SPDX-License-Identifier: Apache-2.0
#include "message/frame.hpp"

#include <limits>

#include "codec/cbor.hpp"

namespace wattproof::message {
namespace {

using codec::CborReader;
using codec::CborWriter;

constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t u64_max = std::numeric_limits<std::uint64_t>::max();

// The bytes of a frame stay within its limit even if the caller's buffer is larger.
CborWriter begin(MutableBytes into, FrameKind kind, std::uint32_t items) {
  CborWriter writer(into.first(into.size() < frame_size_max ? into.size() : frame_size_max));
  writer.array(items + 2);
  writer.uint(frame_version);
  writer.uint(static_cast<std::uint8_t>(kind));
  return writer;
}

Result<Bytes> finish(const CborWriter& writer, MutableBytes into) {
  const Result<Bytes> bytes = writer.finish();
  if (!bytes && bytes.error() == Error::capacity && into.size() >= frame_size_max) return Error::too_large;
  return bytes;
}

// Reads a number into a field; the reader remembers the first failure.
template <class T>
void take(CborReader& reader, T& field, std::uint64_t max) {
  const Result<std::uint64_t> value = reader.read_uint(max);
  if (value) field = static_cast<T>(*value);
}

void take(CborReader& reader, Bytes& field, std::uint32_t size_max) {
  const Result<Bytes> value = reader.read_bytes(size_max);
  if (value) field = *value;
}

void take(CborReader& reader, crypto::Signature& field) {
  const auto value = reader.read_fixed<sizeof(crypto::Signature)>();
  if (value) field = *value;
}

// Version and kind, and how many items follow them.
struct Preamble {
  FrameKind kind = FrameKind::hello;
  std::uint32_t items = 0;
};

constexpr std::uint32_t items_max = 12;

Result<Preamble> read_preamble(CborReader& reader, Bytes input) {
  if (input.size() > frame_size_max) return Error::too_large;
  const Result<std::uint32_t> count = reader.read_array_up_to(items_max);
  if (!count) return count.error();
  if (*count < 2) return Error::wrong_length;
  const Result<std::uint64_t> version = reader.read_uint();
  if (!version) return version.error();
  if (*version != frame_version) return Error::unknown_version;
  const Result<std::uint64_t> kind = reader.read_uint();
  if (!kind) return kind.error();
  if (*kind > 255) return Error::unknown_kind;
  return Preamble{static_cast<FrameKind>(*kind), *count - 2};
}

Error read_part(CborReader& reader, Part& part, bool is_header) {
  take(reader, part.sequence, u32_max);
  if (is_header) take(reader, part.block, u64_max);
  const std::uint32_t total_max = is_header ? header_size_max : delivery_size_max;
  take(reader, part.total, total_max);
  take(reader, part.offset, total_max);
  take(reader, part.bytes, part_size_max);
  WATTPROOF_TRY(reader.finish());
  if (part.bytes.empty() || part.offset > part.total) return Error::out_of_range;
  return part.bytes.size() <= part.total - part.offset ? Error::none : Error::out_of_range;
}

Error read_nodes(CborReader& reader, Nodes& nodes) {
  take(reader, nodes.sequence, u32_max);
  take(reader, nodes.offset, 255);
  take(reader, nodes.total, 255);
  const Result<std::uint32_t> count = reader.read_array_up_to(nodes_per_frame_max);
  if (!count) return count.error();
  nodes.count = *count;
  for (std::uint32_t i = 0; i < nodes.count; ++i) take(reader, nodes.items[i], trie_node_size_max);
  WATTPROOF_TRY(reader.finish());
  if (nodes.count == 0 || nodes.offset > nodes.total) return Error::out_of_range;
  return nodes.count <= nodes.total - nodes.offset ? Error::none : Error::out_of_range;
}

Error read_status(CborReader& reader, DeviceStatus& status) {
  take(reader, status.mode, 255);
  take(reader, status.relay_commanded, 1);
  take(reader, status.relay_sensed, 2);
  const Result<std::int64_t> setpoint_w = reader.read_int(-power_w_max, power_w_max);
  if (setpoint_w) status.setpoint_w = static_cast<std::int32_t>(*setpoint_w);
  take(reader, status.head_number, u64_max);
  take(reader, status.epoch, u64_max);
  take(reader, status.round, u32_max);
  take(reader, status.justified_by_block, u64_max);
  take(reader, status.last_error, 0xffff);
  take(reader, status.uptime_s, u64_max);
  return reader.finish();
}

Error read_want(CborReader& reader, Want& want) {
  take(reader, want.sequence, u32_max);
  std::uint8_t what = 0;
  take(reader, what, 255);
  take(reader, want.block, u64_max);
  take(reader, want.subject, 20);
  take(reader, want.key, 32);
  take(reader, want.offset, delivery_size_max);
  WATTPROOF_TRY(reader.finish());
  if (what < 1 || what > static_cast<std::uint8_t>(What::record)) return Error::unknown_kind;
  want.what = static_cast<What>(what);
  const bool is_header = want.what == What::header;
  return want.subject.size() == (is_header ? 0u : 20u) ? Error::none : Error::wrong_length;
}

constexpr std::uint32_t item_count(FrameKind kind) {
  switch (kind) {
    case FrameKind::hello: return 3;
    case FrameKind::want: return 6;
    case FrameKind::update: return 4;
    case FrameKind::check_in: return 2;
    case FrameKind::status: return 10;
    case FrameKind::notice: return 4;
    case FrameKind::header: return 5;
    case FrameKind::nodes: return 4;
    case FrameKind::data: return 4;
    case FrameKind::none: return 2;
  }
  return 0;
}

}  // namespace

Result<Bytes> encode(const Hello& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::hello, item_count(FrameKind::hello));
  writer.uint(frame.head_number);
  writer.uint(frame.boot_count);
  writer.uint(frame.id);
  return finish(writer, into);
}

Result<Bytes> encode(const Want& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::want, item_count(FrameKind::want));
  writer.uint(frame.sequence);
  writer.uint(static_cast<std::uint8_t>(frame.what));
  writer.uint(frame.block);
  writer.bytes(frame.subject);
  writer.bytes(frame.key);
  writer.uint(frame.offset);
  return finish(writer, into);
}

Result<Bytes> encode(const Update& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::update, item_count(FrameKind::update));
  writer.uint(frame.epoch);
  writer.uint(frame.round);
  writer.bytes(frame.profile);
  writer.bytes(frame.signature);
  return finish(writer, into);
}

Result<Bytes> encode(const CheckIn& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::check_in, item_count(FrameKind::check_in));
  writer.uint(frame.nonce);
  writer.bytes(frame.signature);
  return finish(writer, into);
}

Result<Bytes> encode(const DeviceStatus& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::status, item_count(FrameKind::status));
  writer.uint(frame.mode);
  writer.uint(frame.relay_commanded ? 1 : 0);
  writer.uint(static_cast<std::uint8_t>(frame.relay_sensed));
  writer.integer(frame.setpoint_w);
  writer.uint(frame.head_number);
  writer.uint(frame.epoch);
  writer.uint(frame.round);
  writer.uint(frame.justified_by_block);
  writer.uint(static_cast<std::uint16_t>(frame.last_error));
  writer.uint(frame.uptime_s);
  return finish(writer, into);
}

Result<Bytes> encode(const Notice& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::notice, item_count(FrameKind::notice));
  writer.uint(frame.head_number);
  writer.uint(frame.negotiated_epoch);
  writer.uint(frame.round);
  writer.uint(frame.followed_epoch);
  return finish(writer, into);
}

Result<Bytes> encode_header(const Part& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::header, item_count(FrameKind::header));
  writer.uint(frame.sequence);
  writer.uint(frame.block);
  writer.uint(frame.total);
  writer.uint(frame.offset);
  writer.bytes(frame.bytes);
  return finish(writer, into);
}

Result<Bytes> encode_data(const Part& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::data, item_count(FrameKind::data));
  writer.uint(frame.sequence);
  writer.uint(frame.total);
  writer.uint(frame.offset);
  writer.bytes(frame.bytes);
  return finish(writer, into);
}

Result<Bytes> encode(const Nodes& frame, MutableBytes into) {
  if (frame.count == 0 || frame.count > nodes_per_frame_max) return Error::out_of_range;
  CborWriter writer = begin(into, FrameKind::nodes, item_count(FrameKind::nodes));
  writer.uint(frame.sequence);
  writer.uint(frame.offset);
  writer.uint(frame.total);
  writer.array(frame.count);
  for (std::uint32_t i = 0; i < frame.count; ++i) writer.bytes(frame.items[i]);
  return finish(writer, into);
}

Result<Bytes> encode(const None& frame, MutableBytes into) {
  CborWriter writer = begin(into, FrameKind::none, item_count(FrameKind::none));
  writer.uint(frame.sequence);
  writer.uint(static_cast<std::uint8_t>(frame.reason));
  return finish(writer, into);
}

Error decode(Bytes input, DownFrame& frame) {
  CborReader reader(input);
  const Result<Preamble> preamble = read_preamble(reader, input);
  if (!preamble) return preamble.error();
  frame.kind = preamble->kind;
  const bool is_down = preamble->kind >= FrameKind::notice && preamble->kind <= FrameKind::none;
  if (!is_down) return Error::unknown_kind;
  if (preamble->items != item_count(preamble->kind)) return Error::wrong_length;
  switch (preamble->kind) {
    case FrameKind::notice:
      take(reader, frame.notice.head_number, u64_max);
      take(reader, frame.notice.negotiated_epoch, u64_max);
      take(reader, frame.notice.round, u32_max);
      take(reader, frame.notice.followed_epoch, u64_max);
      return reader.finish();
    case FrameKind::header: return read_part(reader, frame.part, true);
    case FrameKind::data: return read_part(reader, frame.part, false);
    case FrameKind::nodes: return read_nodes(reader, frame.nodes);
    default: break;
  }
  take(reader, frame.none.sequence, u32_max);
  std::uint8_t reason = 0;
  take(reader, reason, 255);
  WATTPROOF_TRY(reader.finish());
  if (reason < 1 || reason > 3) return Error::out_of_range;
  frame.none.reason = static_cast<NoneReason>(reason);
  return Error::none;
}

Error decode(Bytes input, UpFrame& frame) {
  CborReader reader(input);
  const Result<Preamble> preamble = read_preamble(reader, input);
  if (!preamble) return preamble.error();
  frame.kind = preamble->kind;
  const bool is_up = preamble->kind >= FrameKind::hello && preamble->kind <= FrameKind::status;
  if (!is_up) return Error::unknown_kind;
  if (preamble->items != item_count(preamble->kind)) return Error::wrong_length;
  switch (preamble->kind) {
    case FrameKind::hello:
      take(reader, frame.hello.head_number, u64_max);
      take(reader, frame.hello.boot_count, u32_max);
      take(reader, frame.hello.id, u32_max);
      return reader.finish();
    case FrameKind::want: return read_want(reader, frame.want);
    case FrameKind::status: return read_status(reader, frame.status);
    case FrameKind::check_in:
      take(reader, frame.check_in.nonce, u64_max);
      take(reader, frame.check_in.signature);
      return reader.finish();
    default: break;
  }
  take(reader, frame.update.epoch, u64_max);
  take(reader, frame.update.round, u32_max);
  take(reader, frame.update.profile, profile_size_max);
  take(reader, frame.update.signature);
  WATTPROOF_TRY(reader.finish());
  const bool is_whole = !frame.update.profile.empty() && frame.update.profile.size() % 4 == 0;
  return is_whole ? Error::none : Error::wrong_length;
}

}  // namespace wattproof::message
