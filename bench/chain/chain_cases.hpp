// SPDX-License-Identifier: Apache-2.0
// What the light client is measured on: headers of several sizes and one long proof, the same on the host and on a
// microcontroller.
#pragma once

#include <array>

#include "chain/bft.hpp"
#include "chain/trie.hpp"

namespace wattproof::bench {

struct HeaderCase {
  std::uint32_t validator_count;
  std::uint32_t seal_count;
};
// Only sets that this build can hold.
constexpr std::array header_cases = std::to_array<HeaderCase>({
    {4, 3}, {4, 4},
#if WATTPROOF_VALIDATOR_COUNT_MAX >= 7
    {7, 5},
#endif
#if WATTPROOF_VALIDATOR_COUNT_MAX >= 21
    {21, 14},
#endif
#if WATTPROOF_VALIDATOR_COUNT_MAX >= 32
    {32, 22},
#endif
});

constexpr std::size_t proof_nodes_max = 9;
constexpr std::size_t keccak_size = 585;  // a header as other verifiers are measured on
constexpr Address proof_address{0xa9, 0x4f, 0x53};

struct Cases {
  std::array<Bytes, header_cases.size()> heads;
  std::array<Bytes, header_cases.size()> headers;
  Hash32 root{};
  std::array<Bytes, proof_nodes_max> proof;
};

// Reads what chain_host wrote; `out` points into the file.
Error parse_cases(Bytes file, Cases& out);

// Begins, steps through all seals, commits.
Error verify_header_case(const Cases& cases, std::size_t index);

// Begins alone: what a header costs that is refused before, or at, its first recovery.
Error begin_header_case(const Cases& cases, std::size_t index);

// Pushes all nodes; the proof must end as found.
Error verify_proof_case(const Cases& cases);

}  // namespace wattproof::bench
