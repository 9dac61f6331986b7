// SPDX-License-Identifier: Apache-2.0
// A wire frame that a device or a gateway accepts is, byte for byte, the one that the other side writes.
#include <array>

#include "message/frame.hpp"
#include "oracle.hpp"

namespace {

using namespace wattproof;
using message::FrameKind;

Result<Bytes> encode(const message::DownFrame& frame, MutableBytes into) {
  switch (frame.kind) {
    case FrameKind::notice: return message::encode(frame.notice, into);
    case FrameKind::header: return message::encode_header(frame.part, into);
    case FrameKind::data: return message::encode_data(frame.part, into);
    case FrameKind::nodes: return message::encode(frame.nodes, into);
    case FrameKind::none: return message::encode(frame.none, into);
    default: return Error::unknown_kind;
  }
}

Result<Bytes> encode(const message::UpFrame& frame, MutableBytes into) {
  switch (frame.kind) {
    case FrameKind::hello: return message::encode(frame.hello, into);
    case FrameKind::want: return message::encode(frame.want, into);
    case FrameKind::update: return message::encode(frame.update, into);
    case FrameKind::check_in: return message::encode(frame.check_in, into);
    case FrameKind::status: return message::encode(frame.status, into);
    default: return Error::unknown_kind;
  }
}

template <class Frame>
void try_as(Bytes input) {
  static Frame frame;
  static std::array<std::uint8_t, frame_size_max> buffer;
  frame = {};
  if (message::decode(input, frame) != Error::none) return;
  const Result<Bytes> again = encode(frame, buffer);
  fuzz::require(again && equal(*again, input));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_as<message::DownFrame>({data, size});
  try_as<message::UpFrame>({data, size});
  return 0;
}
