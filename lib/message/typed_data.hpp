// SPDX-License-Identifier: Apache-2.0
// The two messages that a device signs, as EIP-712 typed data. A digest binds chain, contract, epoch and round, so a
// signature is worth nothing anywhere else. Bytes: docs/SPEC.md section 2.
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace wattproof::message {

// The domain separator of a contract. Compute once per contract address.
Hash32 scheduler_domain(std::uint64_t chain_id, const Address& scheduler);
Hash32 registry_domain(std::uint64_t chain_id, const Address& registry);

// Update(uint64 epoch,uint32 round,bytes profile); the profile is hashed as big-endian int32, one per slot.
Hash32 update_digest(const Hash32& scheduler_domain, std::uint64_t epoch, std::uint32_t round,
                     std::span<const std::int32_t> profile_w);

// CheckIn(uint64 nonce)
Hash32 check_in_digest(const Hash32& registry_domain, std::uint64_t nonce);

// A profile as bytes: big-endian int32, one per slot.
//   capacity  `into` is smaller than 4 bytes a slot
Result<Bytes> encode_profile(std::span<const std::int32_t> profile_w, MutableBytes into);

//   wrong_length  the bytes are not 4 for each slot of `profile_w`
//   out_of_range  a power beyond +-power_w_max
Error decode_profile(Bytes bytes, std::span<std::int32_t> profile_w);

}  // namespace wattproof::message
