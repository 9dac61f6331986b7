// SPDX-License-Identifier: Apache-2.0
// The gateway's side of the frames, by libcbor. The device has a reader and writer of its own (lib/codec/cbor.hpp), so
// two implementations check each other on every frame.
//
// Of libcbor only cbor_stream_decode and cbor_encode_* are used: they allocate nothing, whatever a length field claims.
#pragma once

#include "hex_text.hpp"
#include "message/frame.hpp"

namespace wattproof::gateway {

using ethereum::ByteVector;

// A frame from a device. Accepts exactly what a device may send: one definite array of integers, byte strings and
// booleans in their shortest form. Spans of `frame` point into `input`.
//   too_large        more than frame_size_max bytes, or a byte string longer than its field
//   truncated, trailing_bytes, non_canonical, wrong_type, wrong_length, out_of_range
//   unknown_version  another first item than 1
//   unknown_kind     not a kind that devices send
Error decode_frame(Bytes input, message::UpFrame& frame);

// Frames to a device; each is at most frame_size_max bytes.
ByteVector encode_frame(const message::Notice& notice);
ByteVector encode_frame(const message::None& none);
ByteVector encode_header_frame(const message::Part& part);
ByteVector encode_data_frame(const message::Part& part);

// Puts in as many of `nodes` (from index `offset` of a proof of `total`) as one frame holds: at least one.
ByteVector encode_nodes_frame(std::uint32_t sequence, std::uint32_t offset, std::uint32_t total,
                              std::span<const Bytes> nodes);

}  // namespace wattproof::gateway
