// SPDX-License-Identifier: Apache-2.0
// What an epoch is about: prices, base load and cap of each slot, from JSON or CSV.
//   JSON  {"slot_seconds":3600,"price":[..],"base_w":[..] or n,"cap_w":[..] or n,"gamma":n}; base_w and gamma are 0 if left out
//   CSV   a line of names, then one line a slot: slot,price,base_w,cap_w[,...]; slots 0, 1, 2, ... without a gap
// Prices are in micro-units per kWh and may be negative; gamma is in 2^-16 micro-units per kWh and W.
#pragma once

#include "command.hpp"

namespace wattproof::tool {

constexpr std::uint32_t day_s = 86'400;

struct EpochParameters {
  std::uint32_t slot_seconds = 0;
  std::uint64_t gamma = 0;
  std::vector<std::int32_t> price;
  std::vector<std::int32_t> base_w;
  std::vector<std::int32_t> cap_w;

  std::size_t slots() const { return price.size(); }
  ByteVector encode() const;  // docs/SPEC.md section 4
};

// By the ending of `path`: .csv, else JSON. Throws InputError that names the file, and line or field.
EpochParameters read_epoch_parameters(const std::string& path, const std::string& text);

}  // namespace wattproof::tool
