// SPDX-License-Identifier: Apache-2.0
// The evidence of one round as a device gets it, for measuring how much its verification costs: a sealed header, the proof
// of a contract's account, the proofs of two storage words.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::bench {

constexpr std::uint32_t nodes_max = 16;
constexpr std::uint32_t slot_count = 2;

struct Proof {
  std::array<Bytes, nodes_max> nodes{};
  std::uint32_t count = 0;
  std::span<const Bytes> view() const { return std::span(nodes).first(count); }
};

struct Evidence {
  Bytes trusted_head;  // chain::encode_head of the head that the device trusts before
  Bytes header;
  Bytes contract;
  Proof account;
  std::array<Bytes, slot_count> slots{};
  std::array<Proof, slot_count> words{};
};

// What the file says; not one of the things that are measured.
Result<Evidence> parse_evidence(Bytes file);

// Everything that a device does with it: seals, account, both words. Error::none if all is proved.
Error verify_evidence(const Evidence& evidence);

}  // namespace wattproof::bench
