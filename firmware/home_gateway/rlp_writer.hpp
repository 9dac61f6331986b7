// SPDX-License-Identifier: Apache-2.0
// Writing RLP on the gateway's side, where a heap is at hand. Prefixes come from codec/rlp.hpp.
#pragma once

#include "hex_text.hpp"

namespace wattproof::ethereum {

// The items of one list, in order; list() wraps them up.
class RlpWriter {
 public:
  RlpWriter& string(Bytes payload);
  RlpWriter& integer(std::uint64_t value);
  RlpWriter& encoded(Bytes item);  // an item that is RLP already

  const ByteVector& items() const { return items_; }
  ByteVector list() const;  // prefix and items

 private:
  ByteVector items_;
};

}  // namespace wattproof::ethereum
