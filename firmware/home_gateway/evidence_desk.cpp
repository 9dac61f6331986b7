// SPDX-License-Identifier: Apache-2.0
#include "evidence_desk.hpp"

#include <algorithm>

#include "crypto/keccak.hpp"
#include "gateway_frames.hpp"

namespace wattproof::gateway {
namespace {

using message::NoneReason;
using message::What;

message::Part part_of(const OwnedWant& want, Bytes whole) {
  const std::size_t size = std::min<std::size_t>(whole.size() - want.offset, message::part_size_max);
  message::Part part;
  part.sequence = want.sequence;
  part.total = static_cast<std::uint32_t>(whole.size());
  part.offset = want.offset;
  part.bytes = whole.subspan(want.offset, size);
  return part;
}

// Erases the oldest entries until `count` are left, the pinned one apart.
template <class Map>
void keep_newest(Map& map, std::size_t count, std::uint64_t pinned) {
  for (auto entry = map.begin(); map.size() > count && entry != map.end();) {
    entry = entry->first == pinned ? std::next(entry) : map.erase(entry);
  }
}

}  // namespace

OwnedWant own(const message::Want& want) {
  OwnedWant owned;
  owned.sequence = want.sequence;
  owned.what = want.what;
  owned.block = want.block;
  if (want.subject.size() == sizeof(Address)) owned.subject = to_array<20>(want.subject);
  owned.key.assign(want.key.begin(), want.key.end());
  owned.offset = want.offset;
  return owned;
}

void Evidence::add_header(BlockHeader header) {
  const std::uint64_t number = header.number;
  headers_[number] = std::move(header);
  keep_newest(headers_, header_blocks_max, pinned_);
}

void Evidence::drop_headers_above(std::uint64_t block) {
  headers_.erase(headers_.upper_bound(block), headers_.end());
  proofs_.erase(proofs_.upper_bound(block), proofs_.end());
}

const BlockHeader* Evidence::newest() const { return headers_.empty() ? nullptr : &headers_.rbegin()->second; }

const BlockHeader* Evidence::header(std::uint64_t number) const {
  const auto found = headers_.find(number);
  return found == headers_.end() ? nullptr : &found->second;
}

std::vector<Evidence::Node> Evidence::share(const std::vector<ByteVector>& nodes) {
  std::vector<Node> shared;
  for (const ByteVector& bytes : nodes) {
    std::weak_ptr<const ByteVector>& known = nodes_[crypto::keccak256(bytes)];
    Node node = known.lock();
    if (!node) {
      node = std::make_shared<const ByteVector>(bytes);
      known = node;
    }
    shared.push_back(std::move(node));
  }
  return shared;
}

void Evidence::add_proofs(std::uint64_t block, const ProofAnswer& answer) {
  for (const auto& [address, proof] : answer) {
    Proofs& kept = proofs_[block][address];
    kept.account = share(proof.account);
    for (const auto& [slot, nodes] : proof.storage) kept.storage[slot] = share(nodes);
  }
  drop_old_blocks();
}

void Evidence::drop_old_blocks() {
  if (proofs_.size() <= proof_blocks_max) return;
  keep_newest(proofs_, proof_blocks_max, pinned_);
  std::erase_if(nodes_, [](const auto& entry) { return entry.second.expired(); });
}

bool Evidence::has_proof(std::uint64_t block, const Address& account, const Hash32* slot) const {
  const auto at = proofs_.find(block);
  if (at == proofs_.end()) return false;
  const auto found = at->second.find(account);
  if (found == at->second.end()) return false;
  return slot == nullptr || found->second.storage.contains(*slot);
}

const std::vector<std::shared_ptr<const ByteVector>>* Evidence::proof(const OwnedWant& want) const {
  const auto at = proofs_.find(want.block);
  if (at == proofs_.end()) return nullptr;
  const auto found = at->second.find(want.subject);
  if (found == at->second.end()) return nullptr;
  if (want.what == What::account_proof) return &found->second.account;
  const auto slot = found->second.storage.find(to_array<32>(want.key));
  return slot == found->second.storage.end() ? nullptr : &slot->second;
}

ByteVector header_frame(const OwnedWant& want, std::uint64_t block, Bytes header) {
  if (want.offset >= header.size()) return none_frame(want, NoneReason::unknown);
  message::Part part = part_of(want, header);
  part.block = block;
  return encode_header_frame(part);
}

ByteVector data_frame(const OwnedWant& want, Bytes data) {
  if (want.offset >= data.size()) return none_frame(want, NoneReason::unknown);
  return encode_data_frame(part_of(want, data));
}

ByteVector nodes_frame(const OwnedWant& want, std::span<const Bytes> nodes) {
  if (want.offset >= nodes.size()) return none_frame(want, NoneReason::unknown);
  return encode_nodes_frame(want.sequence, want.offset, static_cast<std::uint32_t>(nodes.size()),
                            nodes.subspan(want.offset));
}

ByteVector none_frame(const OwnedWant& want, NoneReason reason) { return encode_frame(message::None{want.sequence, reason}); }

ByteVector data_for(const OwnedWant& want, const ChainView& view) {
  const std::uint64_t epoch = load_be64(want.key.data());
  if (want.what == What::epoch_head) return view.head_at(epoch, want.block);
  if (want.what == What::vectors) return view.vectors_at(epoch, want.block);
  return view.record_at(epoch, load_be32(want.key.data() + 8), want.block);
}

}  // namespace wattproof::gateway
