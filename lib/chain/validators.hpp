// SPDX-License-Identifier: Apache-2.0
// A bounded set of validator addresses, in the order that its engine gives them a meaning: ascending for QBFT, IBFT2 and
// Clique, contract order for AuRa.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/limits.hpp"

namespace wattproof::chain {

constexpr std::uint32_t validator_absent = UINT32_MAX;

struct ValidatorSet {
  std::array<Address, validator_count_max> items{};  // from `count` on zero
  std::uint32_t count = 0;

  // Place of an address of 20 bytes, or validator_absent.
  std::uint32_t index_of(Bytes address) const {
    for (std::uint32_t i = 0; i < count; ++i) {
      if (equal(items[i], address)) return i;
    }
    return validator_absent;
  }
  bool contains(Bytes address) const { return index_of(address) != validator_absent; }
  bool operator==(const ValidatorSet&) const = default;
};

// Distinct seals that make a QBFT or IBFT2 header final: ceil(2 n / 3).
constexpr std::uint32_t bft_quorum(std::uint32_t count) { return (2 * count + 2) / 3; }

// More than half: Clique's signer limit, and the depth after which its blocks count as settled.
constexpr std::uint32_t majority(std::uint32_t count) { return count / 2 + 1; }

}  // namespace wattproof::chain
