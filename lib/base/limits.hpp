// SPDX-License-Identifier: Apache-2.0
// Named limits that more than one module needs. A limit of one module stands in that module's header.
#pragma once

#include <cstdint>

#ifndef WATTPROOF_SLOT_COUNT_MAX
#define WATTPROOF_SLOT_COUNT_MAX 96
#endif

#ifndef WATTPROOF_VALIDATOR_COUNT_MAX
#define WATTPROOF_VALIDATOR_COUNT_MAX 32
#endif

#ifndef WATTPROOF_NODE_CLIQUE
#define WATTPROOF_NODE_CLIQUE 1
#endif

namespace wattproof {

// Slots of one epoch. 96 quarter hours by default; 288 (5 minutes) by a build option. More costs RAM in proportion.
constexpr std::uint32_t slot_count_max = WATTPROOF_SLOT_COUNT_MAX;
static_assert(slot_count_max >= 24 && slot_count_max <= 288, "24 to 288 slots");

// Validators of one chain. A header of 32 validators with all seals has about 3.4 kB.
constexpr std::uint32_t validator_count_max = WATTPROOF_VALIDATOR_COUNT_MAX;
static_assert(validator_count_max >= 1 && validator_count_max <= 64, "1 to 64 validators");

// Whether a node can follow a Clique chain. It costs flash, so builds for microcontrollers leave it out.
constexpr bool node_knows_clique = WATTPROOF_NODE_CLIQUE != 0;

constexpr std::uint32_t header_size_max = 3584;     // bytes of one block header as delivered
constexpr std::uint32_t trie_node_size_max = 532;   // bytes of a full branch node, the largest that proofs of state hold
constexpr std::uint32_t frame_size_max = 1024;      // bytes of one frame on any link
constexpr std::uint32_t profile_size_max = 4 * slot_count_max;  // bytes of a profile on the wire (int32, big-endian)
constexpr std::uint32_t vectors_slot_size = 40;                 // bytes of an epoch's vectors for each slot
constexpr std::uint32_t vectors_size_max = vectors_slot_size * slot_count_max;
// Bytes of the longest thing that a link delivers in parts.
constexpr std::uint32_t delivery_size_max = header_size_max > vectors_size_max ? header_size_max : vectors_size_max;

// Powers that may be enrolled or posted, in W. Leaves guard bits in the solver and in the contract's sums.
constexpr std::int32_t power_w_max = 2'000'000;

}  // namespace wattproof
