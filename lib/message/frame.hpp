// SPDX-License-Identifier: Apache-2.0
// Frames between a device and its gateway: one canonical CBOR array each, at most frame_size_max bytes, the same over
// MQTT and over a serial line. Nothing in a frame is believed; frames only carry what is proved elsewhere. Layout:
// docs/SPEC.md section 6. Both directions stand here so that a device, a gateway and their tests share one definition.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"
#include "crypto/secp256k1.hpp"

namespace wattproof::message {

constexpr std::uint8_t frame_version = 1;
constexpr std::uint32_t part_size_max = 900;      // bytes of a header or data part in one frame
constexpr std::uint32_t nodes_per_frame_max = 8;  // trie nodes in one frame

enum class FrameKind : std::uint8_t {
  hello = 1, want = 2, update = 3, check_in = 4, status = 5,
  notice = 16, header = 17, nodes = 18, data = 19, none = 20,
};

// What a want asks for, and so what may answer it.
enum class What : std::uint8_t {
  header = 1, account_proof = 2, storage_proof = 3, epoch_head = 4, vectors = 5, record = 6,
};

struct Hello {
  std::uint64_t head_number = 0;
  std::uint32_t boot_count = 0;
  std::uint32_t id = 0;
};

struct Want {
  std::uint32_t sequence = 0;
  What what = What::header;
  std::uint64_t block = 0;   // 0 = the newest; only for a header
  Bytes subject;             // contract address, or empty for a header
  Bytes key;                 // storage slot (32), epoch (8), epoch and id (12), or empty
  std::uint32_t offset = 0;  // bytes, or nodes for a proof
};

struct Update {
  std::uint64_t epoch = 0;
  std::uint32_t round = 0;
  Bytes profile;             // 4 bytes a slot
  crypto::Signature signature{};
};

struct CheckIn {
  std::uint64_t nonce = 0;
  crypto::Signature signature{};
};

enum class Sensed : std::uint8_t { open = 0, closed = 1, unknown = 2 };

struct DeviceStatus {
  std::uint8_t mode = 0;                  // node::Mode
  bool relay_commanded = false;
  Sensed relay_sensed = Sensed::unknown;  // commanded is not sensed
  std::int32_t setpoint_w = 0;
  std::uint64_t head_number = 0;
  std::uint64_t epoch = 0;                // the one being followed, else 0
  std::uint32_t round = 0;                // the one answered last
  std::uint64_t justified_by_block = 0;   // the header under which the followed record was proved
  Error last_error = Error::none;
  std::uint64_t uptime_s = 0;
};

struct Notice {
  std::uint64_t head_number = 0;
  std::uint64_t negotiated_epoch = 0;     // 0 = none
  std::uint32_t round = 0;
  std::uint64_t followed_epoch = 0;       // 0 = none

  bool operator==(const Notice&) const = default;
};

struct Part {                             // header or data
  std::uint32_t sequence = 0;
  std::uint64_t block = 0;                // header only
  std::uint32_t total = 0;
  std::uint32_t offset = 0;
  Bytes bytes;
};

struct Nodes {
  std::uint32_t sequence = 0;
  std::uint32_t offset = 0;               // index of the first node of this frame
  std::uint32_t total = 0;                // nodes of the whole proof
  std::uint32_t count = 0;
  std::array<Bytes, nodes_per_frame_max> items{};
};

enum class NoneReason : std::uint8_t { unknown = 1, no_longer_kept = 2, not_yet = 3 };

struct None {
  std::uint32_t sequence = 0;
  NoneReason reason = NoneReason::unknown;
};

// Each writes one frame into `into` (frame_size_max bytes suffice) and returns the part used.
//   capacity  the buffer is too small;  too_large  the frame would pass frame_size_max
Result<Bytes> encode(const Hello& frame, MutableBytes into);
Result<Bytes> encode(const Want& frame, MutableBytes into);
Result<Bytes> encode(const Update& frame, MutableBytes into);
Result<Bytes> encode(const CheckIn& frame, MutableBytes into);
Result<Bytes> encode(const DeviceStatus& frame, MutableBytes into);
Result<Bytes> encode(const Notice& frame, MutableBytes into);
Result<Bytes> encode_header(const Part& frame, MutableBytes into);
Result<Bytes> encode_data(const Part& frame, MutableBytes into);
Result<Bytes> encode(const Nodes& frame, MutableBytes into);
Result<Bytes> encode(const None& frame, MutableBytes into);

// A frame to a device. Only the member that `kind` names is set; spans point into the input.
struct DownFrame {
  FrameKind kind = FrameKind::notice;
  Notice notice{};
  Part part{};
  Nodes nodes{};
  None none{};
};

// A frame from a device, for gateways and tests.
struct UpFrame {
  FrameKind kind = FrameKind::hello;
  Hello hello{};
  Want want{};
  Update update{};
  CheckIn check_in{};
  DeviceStatus status{};
};

// Both refuse everything that `encode` would not have produced:
//   too_large, truncated, trailing_bytes, non_canonical, wrong_type, wrong_length, out_of_range   as in codec/cbor.hpp
//   unknown_version  another first item than frame_version
//   unknown_kind     a kind of the other direction or of the future
Error decode(Bytes input, DownFrame& frame);
Error decode(Bytes input, UpFrame& frame);

}  // namespace wattproof::message
