// SPDX-License-Identifier: Apache-2.0
// Answers wants: headers, trie nodes and committed data of one block, cut into frames. Proofs are kept for the newest
// blocks, each node once whoever shares it. What is not at hand is named, so that one request to the node can fetch it
// for all devices that wait.
#pragma once

#include <memory>

#include "chain_access.hpp"
#include "chain_view.hpp"
#include "message/frame.hpp"

namespace wattproof::gateway {

constexpr std::size_t header_blocks_max = 64;   // headers kept
constexpr std::size_t proof_blocks_max = 16;    // blocks whose proofs are kept

// A want that outlives the frame that it came in.
struct OwnedWant {
  std::uint32_t sequence = 0;
  message::What what = message::What::header;
  std::uint64_t block = 0;
  Address subject{};
  ByteVector key;
  std::uint32_t offset = 0;
};

OwnedWant own(const message::Want& want);

class Evidence {
 public:
  void add_header(BlockHeader header);
  void drop_headers_above(std::uint64_t block);
  void pin(std::uint64_t block) { pinned_ = block; }  // this block is kept however old it grows
  const BlockHeader* newest() const;
  const BlockHeader* header(std::uint64_t number) const;

  void add_proofs(std::uint64_t block, const ProofAnswer& answer);
  bool has_proof(std::uint64_t block, const Address& account, const Hash32* slot) const;

  // The nodes of a proof, root first; null if it must be fetched.
  const std::vector<std::shared_ptr<const ByteVector>>* proof(const OwnedWant& want) const;

  std::size_t node_count() const { return nodes_.size(); }  // distinct nodes held

 private:
  using Node = std::shared_ptr<const ByteVector>;
  struct Proofs {
    std::vector<Node> account;
    std::map<Hash32, std::vector<Node>> storage;
  };

  std::vector<Node> share(const std::vector<ByteVector>& nodes);
  void drop_old_blocks();

  std::map<std::uint64_t, BlockHeader> headers_;
  std::map<std::uint64_t, std::map<Address, Proofs>> proofs_;  // by block
  std::map<Hash32, std::weak_ptr<const ByteVector>> nodes_;    // by hash
  std::uint64_t pinned_ = UINT64_MAX;
};

// One frame each. `offset` beyond the end gives `none`.
ByteVector header_frame(const OwnedWant& want, std::uint64_t block, Bytes header);
ByteVector data_frame(const OwnedWant& want, Bytes data);
ByteVector nodes_frame(const OwnedWant& want, std::span<const Bytes> nodes);
ByteVector none_frame(const OwnedWant& want, message::NoneReason reason);

// The committed data that a want of kind epoch_head, vectors or record names, as of its block; empty if unknown.
ByteVector data_for(const OwnedWant& want, const ChainView& view);

}  // namespace wattproof::gateway
