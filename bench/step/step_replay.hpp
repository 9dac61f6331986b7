// SPDX-License-Identifier: Apache-2.0
// A device's life as a recording of the inputs of its node, so that a microcontroller can live it again without a chain, a
// gateway or a heap. The recording ends with a hash over every action; a replay that computes another one is no measurement.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "evidence/pieces.hpp"
#include "node/node.hpp"

namespace wattproof::bench {

// A battery of 96 quarter hours, the most work that the library's default limits allow for.
node::Config step_config(const Address& registry, const chain::TrustedHead& checkpoint, const Address& device);

// FNV-1a over what a node does.
class ActionHash {
 public:
  void mix(const node::Actions& actions);
  std::uint64_t value() const { return value_; }

 private:
  void mix(Bytes bytes);
  std::uint64_t value_ = 0xcbf29ce484222325;
};

// One input as a piece, and back. The frame of a read input is a view into the piece.
//   capacity  `into` is too small
Result<Bytes> write_step(BootMs now, const node::Input& input, MutableBytes into);
struct Step {
  BootMs now{};
  node::Input input{};
};
Result<Step> read_step(Bytes piece);
constexpr std::size_t step_fixed_size = 8 + 1 + 1 + 1 + 65;

// Lives a recording with a node of its own, calling `before` and `after` around each step. 0 if the node did at every
// step what the recorded one did.
int replay(Bytes recording, void (*before)(), void (*after)());

}  // namespace wattproof::bench
