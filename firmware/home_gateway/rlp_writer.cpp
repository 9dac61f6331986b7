// SPDX-License-Identifier: Apache-2.0
#include "rlp_writer.hpp"

#include "codec/rlp.hpp"

namespace wattproof::ethereum {

RlpWriter& RlpWriter::string(Bytes payload) {
  const bool own_encoding = payload.size() == 1 && payload[0] < 0x80;
  if (!own_encoding) append(items_, codec::rlp_string_prefix(static_cast<std::uint32_t>(payload.size())).view());
  append(items_, payload);
  return *this;
}

RlpWriter& RlpWriter::integer(std::uint64_t value) {
  append(items_, codec::rlp_integer(value).view());
  return *this;
}

RlpWriter& RlpWriter::encoded(Bytes item) {
  append(items_, item);
  return *this;
}

ByteVector RlpWriter::list() const {
  ByteVector whole;
  append(whole, codec::rlp_list_prefix(static_cast<std::uint32_t>(items_.size())).view());
  append(whole, items_);
  return whole;
}

}  // namespace wattproof::ethereum
