// SPDX-License-Identifier: Apache-2.0
#include "lies.hpp"

#include <algorithm>
#include <array>

#include "chain/validators.hpp"
#include "codec/rlp.hpp"
#include "crypto/keccak.hpp"
#include "crypto/secp256k1.hpp"
#include "gateway_frames.hpp"
#include "rlp_writer.hpp"
#include "schedule/epoch.hpp"

namespace wattproof::gateway {
namespace {

using ethereum::RlpWriter;
using message::What;

constexpr std::size_t extra_data_index = 12;  // of a header's fields

struct Name {
  const char* text;
  Lie lie;
};
constexpr std::array<Name, 13> names{{{"old-head", Lie::old_head},
                                      {"few-seals", Lie::few_seals},
                                      {"doubled-seal", Lie::doubled_seal},
                                      {"outsider", Lie::outsider},
                                      {"forged-node", Lie::forged_node},
                                      {"truncated-proof", Lie::truncated_proof},
                                      {"other-contract", Lie::other_contract},
                                      {"other-device", Lie::other_device},
                                      {"withheld-update", Lie::withheld_update},
                                      {"replayed-day", Lie::replayed_day},
                                      {"slow-clock", Lie::slow_clock},
                                      {"silence", Lie::silence},
                                      {"flood", Lie::flood}}};

// A BFT header taken apart: its fields, and the items of its extraData.
struct Parts {
  std::vector<ByteVector> fields;  // encoded
  std::vector<ByteVector> extra;   // encoded; the last one is the list of seals
  std::vector<ByteVector> seals;   // 65 bytes each
  std::size_t validator_count = 0;
};

std::vector<ByteVector> items_of(codec::RlpReader reader) {
  std::vector<ByteVector> items;
  while (!reader.at_end() && ok(reader.error())) {
    const Bytes encoded = reader.any().encoded();
    items.emplace_back(encoded.begin(), encoded.end());
  }
  return items;
}

std::optional<Parts> take_apart(const ByteVector& header) {
  Parts parts;
  parts.fields = items_of(codec::open_rlp_list(header));
  if (parts.fields.size() <= extra_data_index) return std::nullopt;
  const Result<codec::RlpItem> extra = codec::first_rlp_item(parts.fields[extra_data_index]);
  if (!extra) return std::nullopt;
  parts.extra = items_of(codec::open_rlp_list(extra->payload));
  if (parts.extra.size() != 5) return std::nullopt;
  parts.validator_count = items_of(codec::open_rlp_list(parts.extra[1])).size();
  codec::RlpReader seals = codec::open_rlp_list(parts.extra[4]);
  while (!seals.at_end() && ok(seals.error())) {
    const Bytes seal = seals.string();
    parts.seals.emplace_back(seal.begin(), seal.end());
  }
  return parts;
}

ByteVector extra_with(const Parts& parts, const std::vector<ByteVector>& seals) {
  RlpWriter list;
  for (const ByteVector& seal : seals) list.string(seal);
  RlpWriter extra;
  for (std::size_t i = 0; i + 1 < parts.extra.size(); ++i) extra.encoded(parts.extra[i]);
  return extra.encoded(list.list()).list();
}

ByteVector header_with(const Parts& parts, const std::vector<ByteVector>& seals) {
  RlpWriter header;
  for (std::size_t i = 0; i < parts.fields.size(); ++i) {
    if (i == extra_data_index) {
      header.string(extra_with(parts, seals));
    } else {
      header.encoded(parts.fields[i]);
    }
  }
  return header.list();
}

std::size_t quorum_of(const Parts& parts) {
  return chain::bft_quorum(static_cast<std::uint32_t>(parts.validator_count));
}

ByteVector with_few_seals(const Parts& parts) {
  std::vector<ByteVector> seals = parts.seals;
  seals.resize(std::min(seals.size(), quorum_of(parts) - 1));
  return header_with(parts, seals);
}

ByteVector with_doubled_seal(const Parts& parts) {
  std::vector<ByteVector> seals = parts.seals;
  seals.resize(std::min(seals.size(), std::max<std::size_t>(quorum_of(parts), 2) - 1));
  if (!seals.empty()) seals.push_back(seals.front());
  return header_with(parts, seals);
}

// A true signature of the seal hash, by a key of our own.
ByteVector with_outsider(const Parts& parts) {
  crypto::PrivateKey key{};
  key.fill(0x42);
  std::vector<ByteVector> seals = parts.seals;
  if (seals.empty()) return header_with(parts, seals);
  crypto::Signature seal{};
  if (!ok(crypto::sign(key, crypto::keccak256(header_with(parts, {})), seal))) return header_with(parts, {});
  seals.back().assign(seal.begin(), seal.end());
  return header_with(parts, seals);
}

std::uint32_t other_device(const ChainView& view, std::uint32_t own_id) {
  for (const auto& [id, device] : view.devices()) {
    if (id != own_id) return id;
  }
  return 0;
}

void redirect_slot(OwnedWant& want, const ChainView& view, std::uint32_t own_id, std::uint32_t other_id) {
  for (const auto& [number, epoch] : view.epochs()) {
    if (!equal(want.key, schedule::record_slot(number, own_id))) continue;
    const Hash32 slot = schedule::record_slot(number, other_id);
    want.key.assign(slot.begin(), slot.end());
    return;
  }
}

}  // namespace

std::optional<Lie> lie_of_name(std::string_view name) {
  for (const Name& known : names) {
    if (name == known.text) return known.lie;
  }
  return std::nullopt;
}

std::string lie_names() {
  std::string all;
  for (const Name& name : names) all += (all.empty() ? "" : " ") + std::string(name.text);
  return all;
}

std::uint64_t Liar::shown_block(std::uint64_t newest, bool has_final, std::uint64_t now_ms) {
  const bool begins = lie_ == Lie::old_head || lie_ == Lie::slow_clock || (lie_ == Lie::replayed_day && has_final);
  if (!begins && begun_block_ == 0) return 0;
  if (begun_block_ == 0) {
    begun_block_ = newest;
    begun_ms_ = now_ms;
  }
  if (lie_ != Lie::slow_clock) return begun_block_;
  return std::max<std::uint64_t>(begun_block_, begun_block_ + (newest - std::min(newest, begun_block_)) / 2);
}

ByteVector Liar::header(const ByteVector& encoded) const {
  const bool forges = lie_ == Lie::few_seals || lie_ == Lie::doubled_seal || lie_ == Lie::outsider;
  if (!forges) return encoded;
  const std::optional<Parts> parts = take_apart(encoded);
  if (!parts) return encoded;
  if (lie_ == Lie::few_seals) return with_few_seals(*parts);
  if (lie_ == Lie::doubled_seal) return with_doubled_seal(*parts);
  return with_outsider(*parts);
}

bool Liar::swallows_updates_of(std::uint32_t id, const ChainView& view) const {
  return lie_ == Lie::withheld_update && !view.devices().empty() && id == view.devices().begin()->first;
}

void Liar::redirect(OwnedWant& want, const Address& registry, const ChainView& view, std::uint32_t own_id) const {
  const bool is_proof = want.what == What::account_proof || want.what == What::storage_proof;
  if (lie_ == Lie::other_contract && is_proof && want.subject != registry) want.subject = registry;
  if (lie_ != Lie::other_device) return;
  const std::uint32_t other_id = other_device(view, own_id);
  if (other_id == 0) return;
  if (want.what == What::record) store_be32(want.key.data() + 8, other_id);
  if (want.what == What::storage_proof) redirect_slot(want, view, own_id, other_id);
}

void Liar::nodes(std::vector<ByteVector>& nodes) const {
  if (nodes.empty()) return;
  if (lie_ == Lie::truncated_proof) nodes.pop_back();
  if (lie_ == Lie::forged_node) nodes.back().back() ^= 1;
}

ByteVector Liar::rubbish(std::uint64_t turn) const {
  switch (turn % 4) {
    case 0: return ByteVector(frame_size_max, static_cast<std::uint8_t>(turn));
    case 1: return encode_frame(message::Notice{UINT64_MAX - turn, UINT64_MAX, UINT32_MAX, UINT64_MAX});
    case 2: {
      const ByteVector header(message::part_size_max, 0xf9);
      message::Part part{.sequence = static_cast<std::uint32_t>(turn), .block = turn, .total = header_size_max,
                         .offset = 0, .bytes = header};
      return encode_header_frame(part);
    }
    default: return encode_frame(message::None{static_cast<std::uint32_t>(turn), message::NoneReason::unknown});
  }
}

}  // namespace wattproof::gateway
