// SPDX-License-Identifier: Apache-2.0
#include "gateway_frames.hpp"

#include <cbor/encoding.h>
#include <cbor/streaming.h>

#include <stdexcept>
#include <variant>

namespace wattproof::gateway {
namespace {

using message::FrameKind;

constexpr std::size_t item_count_max = 16;  // of the longest frame from a device: 12
constexpr std::size_t up_key_size_max = 32;

struct Array {
  std::size_t count;
};
struct Negative {
  std::uint64_t minus_one_minus;  // the value is -1 - this
};
using Item = std::variant<std::uint64_t, Negative, Bytes, bool, Array>;

// Callbacks return nothing, so what they find out lies here.
struct Context {
  Error error = Error::none;
  bool has_item = false;
  Item item;
};

void take(void* context, Item item) {
  Context& to = *static_cast<Context*>(context);
  to.item = item;
  to.has_item = true;
}
void refuse(void* context) { static_cast<Context*>(context)->error = Error::wrong_type; }
void refuse_indefinite(void* context) { static_cast<Context*>(context)->error = Error::non_canonical; }

void on_uint8(void* context, std::uint8_t value) { take(context, std::uint64_t{value}); }
void on_uint16(void* context, std::uint16_t value) { take(context, std::uint64_t{value}); }
void on_uint32(void* context, std::uint32_t value) { take(context, std::uint64_t{value}); }
void on_uint64(void* context, std::uint64_t value) { take(context, value); }
void on_negint8(void* context, std::uint8_t value) { take(context, Negative{value}); }
void on_negint16(void* context, std::uint16_t value) { take(context, Negative{value}); }
void on_negint32(void* context, std::uint32_t value) { take(context, Negative{value}); }
void on_negint64(void* context, std::uint64_t value) { take(context, Negative{value}); }
void on_boolean(void* context, bool value) { take(context, value); }
template <class Size>
void on_bytes(void* context, cbor_data data, Size size) { take(context, Bytes(data, static_cast<std::size_t>(size))); }
template <class Size>
void on_array(void* context, Size count) { take(context, Array{static_cast<std::size_t>(count)}); }
template <class Size>
void on_text(void* context, cbor_data, Size) { refuse(context); }
template <class Size>
void on_map(void* context, Size) { refuse(context); }
void on_tag(void* context, std::uint64_t) { refuse(context); }
void on_single(void* context, float) { refuse(context); }
void on_double(void* context, double) { refuse(context); }

cbor_callbacks make_callbacks() {
  cbor_callbacks callbacks{};
  callbacks.uint8 = on_uint8;
  callbacks.uint16 = on_uint16;
  callbacks.uint32 = on_uint32;
  callbacks.uint64 = on_uint64;
  callbacks.negint8 = on_negint8;
  callbacks.negint16 = on_negint16;
  callbacks.negint32 = on_negint32;
  callbacks.negint64 = on_negint64;
  callbacks.byte_string = on_bytes;
  callbacks.array_start = on_array;
  callbacks.boolean = on_boolean;
  callbacks.byte_string_start = refuse_indefinite;
  callbacks.string_start = refuse_indefinite;
  callbacks.indef_array_start = refuse_indefinite;
  callbacks.indef_map_start = refuse_indefinite;
  callbacks.indef_break = refuse_indefinite;
  callbacks.string = on_text;
  callbacks.map_start = on_map;
  callbacks.tag = on_tag;
  callbacks.float2 = on_single;
  callbacks.float4 = on_single;
  callbacks.float8 = on_double;
  callbacks.null = refuse;
  callbacks.undefined = refuse;
  return callbacks;
}

// One encoded item or more, in a buffer of one frame.
class Encoder {
 public:
  void array(std::size_t count) { wrote(cbor_encode_array_start(count, at(), room())); }
  void uint(std::uint64_t value) { wrote(cbor_encode_uint(value, at(), room())); }
  void negative(std::uint64_t minus_one_minus) { wrote(cbor_encode_negint(minus_one_minus, at(), room())); }
  void boolean(bool value) { wrote(cbor_encode_bool(value, at(), room())); }
  void bytes(Bytes value) {
    wrote(cbor_encode_bytestring_start(value.size(), at(), room()));
    if (value.size() > room()) throw std::length_error("a frame of more than 1,024 bytes");
    std::copy(value.begin(), value.end(), at());
    size_ += value.size();
  }
  void head(std::size_t count, FrameKind kind) {
    array(count);
    uint(message::frame_version);
    uint(static_cast<std::uint64_t>(kind));
  }
  std::size_t size() const { return size_; }
  ByteVector take() const { return {buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_)}; }
  Bytes view() const { return Bytes(buffer_).first(size_); }

 private:
  std::uint8_t* at() { return buffer_.data() + size_; }
  std::size_t room() const { return buffer_.size() - size_; }
  void wrote(std::size_t count) {
    if (count == 0) throw std::length_error("a frame of more than 1,024 bytes");
    size_ += count;
  }

  std::array<std::uint8_t, frame_size_max> buffer_{};
  std::size_t size_ = 0;
};

// The one encoding of an item's head, as libcbor writes it; the content of a byte string is not compared.
bool is_shortest(const Item& item, Bytes read) {
  Encoder encoder;
  if (const auto* number = std::get_if<std::uint64_t>(&item)) encoder.uint(*number);
  if (const auto* number = std::get_if<Negative>(&item)) encoder.negative(number->minus_one_minus);
  if (const auto* flag = std::get_if<bool>(&item)) encoder.boolean(*flag);
  if (const auto* array = std::get_if<Array>(&item)) encoder.array(array->count);
  if (const auto* bytes = std::get_if<Bytes>(&item)) encoder.bytes(*bytes);
  return equal(encoder.view(), read);
}

// The flat items of one array. Errors stick, so that a frame's fields are read in a row and tested once.
class Fields {
 public:
  explicit Fields(Bytes input) {
    if (input.size() > frame_size_max) {
      fail(Error::too_large);
      return;
    }
    read_all(input);
  }

  std::size_t count() const { return count_; }
  Error finish() const { return ok(error_) && next_ != count_ ? Error::wrong_length : error_; }
  void fail(Error error) {
    if (ok(error_)) error_ = error;
  }

  std::uint64_t uint(std::uint64_t max = UINT64_MAX) {
    const auto* value = next<std::uint64_t>();
    if (value == nullptr) return 0;
    if (*value > max) fail(Error::out_of_range);
    return ok(error_) ? *value : 0;
  }
  std::int32_t power_w() {
    if (next_ < count_ && std::holds_alternative<std::uint64_t>(items_[next_])) {
      return static_cast<std::int32_t>(uint(power_w_max));
    }
    const auto* value = next<Negative>();
    if (value == nullptr) return 0;
    if (value->minus_one_minus >= power_w_max) fail(Error::out_of_range);
    return ok(error_) ? static_cast<std::int32_t>(-1 - static_cast<std::int64_t>(value->minus_one_minus)) : 0;
  }
  Bytes bytes(std::size_t size_max) {
    const auto* value = next<Bytes>();
    if (value == nullptr) return {};
    if (value->size() > size_max) fail(Error::too_large);
    return ok(error_) ? *value : Bytes();
  }
  crypto::Signature signature() {
    const Bytes value = bytes(frame_size_max);
    if (ok(error_) && value.size() != 65) fail(Error::wrong_length);
    return ok(error_) ? to_array<65>(value) : crypto::Signature{};
  }
  bool boolean() {
    const auto* value = next<bool>();
    return value != nullptr && *value;
  }

 private:
  template <class T>
  const T* next() {
    if (!ok(error_)) return nullptr;
    if (next_ >= count_) {
      fail(Error::wrong_length);
      return nullptr;
    }
    const T* value = std::get_if<T>(&items_[next_++]);
    if (value == nullptr) fail(Error::wrong_type);
    return value;
  }

  void read_all(Bytes input) {
    const Item whole = read_one(input);
    if (!ok(error_)) return;
    const auto* array = std::get_if<Array>(&whole);
    if (array == nullptr) return fail(Error::wrong_type);
    if (array->count > item_count_max) return fail(Error::wrong_length);
    for (std::size_t i = 0; i < array->count && ok(error_); ++i) {
      items_[count_++] = read_one(input);
      if (std::holds_alternative<Array>(items_[i])) fail(Error::wrong_type);
    }
    if (ok(error_) && !input.empty()) fail(Error::trailing_bytes);
  }

  Item read_one(Bytes& input) {
    static const cbor_callbacks callbacks = make_callbacks();
    Context context;
    const cbor_decoder_result result = cbor_stream_decode(input.data(), input.size(), &callbacks, &context);
    if (result.status == CBOR_DECODER_NEDATA) fail(Error::truncated);
    if (result.status == CBOR_DECODER_ERROR) fail(Error::non_canonical);
    if (!ok(context.error)) fail(context.error);
    if (!ok(error_)) return {};
    if (!context.has_item || result.read == 0 || result.read > input.size()) {
      fail(Error::wrong_type);
      return {};
    }
    if (!is_shortest(context.item, input.first(result.read))) fail(Error::non_canonical);
    input = input.subspan(result.read);
    return context.item;
  }

  std::array<Item, item_count_max> items_{};
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  Error error_ = Error::none;
};

void read_want(Fields& fields, message::Want& want) {
  want.sequence = static_cast<std::uint32_t>(fields.uint(UINT32_MAX));
  const std::uint64_t what = fields.uint(UINT8_MAX);
  if (what < 1 || what > static_cast<std::uint64_t>(message::What::record)) fields.fail(Error::out_of_range);
  want.what = static_cast<message::What>(what);
  want.block = fields.uint();
  want.subject = fields.bytes(sizeof(Address));
  want.key = fields.bytes(up_key_size_max);
  want.offset = static_cast<std::uint32_t>(fields.uint(delivery_size_max));  // of the longest thing that is cut into parts
  if (!ok(fields.finish())) return;

  // Sizes of subject and key for each kind of want, in the order of `What`.
  struct Form {
    std::size_t subject, key;
  };
  static constexpr std::array<Form, 6> forms{{{0, 0}, {20, 0}, {20, 32}, {20, 8}, {20, 8}, {20, 12}}};
  const Form& form = forms[what - 1];
  if (want.subject.size() != form.subject || want.key.size() != form.key) fields.fail(Error::wrong_length);
  if (want.block == 0 && want.what != message::What::header) fields.fail(Error::out_of_range);
}

void read_status(Fields& fields, message::DeviceStatus& status) {
  status.mode = static_cast<std::uint8_t>(fields.uint(UINT8_MAX));
  status.relay_commanded = fields.uint(1) == 1;
  status.relay_sensed = static_cast<message::Sensed>(fields.uint(2));
  status.setpoint_w = fields.power_w();
  status.head_number = fields.uint();
  status.epoch = fields.uint();
  status.round = static_cast<std::uint32_t>(fields.uint(UINT32_MAX));
  status.justified_by_block = fields.uint();
  status.last_error = static_cast<Error>(fields.uint(UINT16_MAX));
  status.uptime_s = fields.uint();
}

void read_body(Fields& fields, message::UpFrame& frame) {
  switch (frame.kind) {
    case FrameKind::hello:
      frame.hello.head_number = fields.uint();
      frame.hello.boot_count = static_cast<std::uint32_t>(fields.uint(UINT32_MAX));
      frame.hello.id = static_cast<std::uint32_t>(fields.uint(UINT32_MAX));
      break;
    case FrameKind::want:
      read_want(fields, frame.want);
      break;
    case FrameKind::update:
      frame.update.epoch = fields.uint();
      frame.update.round = static_cast<std::uint32_t>(fields.uint(UINT32_MAX));
      frame.update.profile = fields.bytes(profile_size_max);
      frame.update.signature = fields.signature();
      if (frame.update.profile.empty() || frame.update.profile.size() % 4 != 0) fields.fail(Error::wrong_length);
      break;
    case FrameKind::check_in:
      frame.check_in.nonce = fields.uint();
      frame.check_in.signature = fields.signature();
      break;
    case FrameKind::status:
      read_status(fields, frame.status);
      break;
    default:
      fields.fail(Error::unknown_kind);
  }
}

ByteVector encode_part(FrameKind kind, const message::Part& part) {
  Encoder encoder;
  encoder.head(kind == FrameKind::header ? 7 : 6, kind);
  encoder.uint(part.sequence);
  if (kind == FrameKind::header) encoder.uint(part.block);
  encoder.uint(part.total);
  encoder.uint(part.offset);
  encoder.bytes(part.bytes);
  return encoder.take();
}

// Bytes that one byte string takes, its head included.
std::size_t encoded_size(Bytes node) { return node.size() + (node.size() < 24 ? 1 : node.size() < 256 ? 2 : 3); }

}  // namespace

Error decode_frame(Bytes input, message::UpFrame& frame) {
  Fields fields(input);
  if (fields.uint() != message::frame_version) fields.fail(Error::unknown_version);
  frame.kind = static_cast<FrameKind>(fields.uint(UINT8_MAX));
  if (ok(fields.finish()) || fields.finish() == Error::wrong_length) read_body(fields, frame);
  return fields.finish();
}

ByteVector encode_frame(const message::Notice& notice) {
  Encoder encoder;
  encoder.head(6, FrameKind::notice);
  encoder.uint(notice.head_number);
  encoder.uint(notice.negotiated_epoch);
  encoder.uint(notice.round);
  encoder.uint(notice.followed_epoch);
  return encoder.take();
}

ByteVector encode_frame(const message::None& none) {
  Encoder encoder;
  encoder.head(4, FrameKind::none);
  encoder.uint(none.sequence);
  encoder.uint(static_cast<std::uint64_t>(none.reason));
  return encoder.take();
}

ByteVector encode_header_frame(const message::Part& part) { return encode_part(FrameKind::header, part); }
ByteVector encode_data_frame(const message::Part& part) { return encode_part(FrameKind::data, part); }

ByteVector encode_nodes_frame(std::uint32_t sequence, std::uint32_t offset, std::uint32_t total,
                              std::span<const Bytes> nodes) {
  constexpr std::size_t head_size_max = 4 + 3 * 5 + 1;
  std::size_t count = 0;
  std::size_t size = head_size_max;
  while (count < nodes.size() && count < message::nodes_per_frame_max &&
         size + encoded_size(nodes[count]) <= frame_size_max) {
    size += encoded_size(nodes[count++]);
  }
  Encoder encoder;
  encoder.head(6, FrameKind::nodes);
  encoder.uint(sequence);
  encoder.uint(offset);
  encoder.uint(total);
  encoder.array(count);
  for (const Bytes node : nodes.first(count)) encoder.bytes(node);
  return encoder.take();
}

}  // namespace wattproof::gateway
