// SPDX-License-Identifier: Apache-2.0
// An accepted RLP item lies inside the input, and its prefix is the one that the encoder writes.
#include "codec/rlp.hpp"
#include "oracle.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattproof;
  const Bytes input(data, size);
  const bool is_valid = codec::check_rlp(input) == Error::none;
  const Result<codec::RlpItem> item = codec::first_rlp_item(input);
  fuzz::require(!is_valid || static_cast<bool>(item));
  if (!item) return 0;
  fuzz::require(fuzz::inside(item->payload, input));
  fuzz::require(!is_valid || item->encoded().size() == size);
  const auto payload_size = static_cast<std::uint32_t>(item->payload.size());
  const codec::RlpSmall prefix = item->is_list ? codec::rlp_list_prefix(payload_size) : codec::rlp_string_prefix(payload_size);
  const bool is_own_encoding = !item->is_list && payload_size == 1 && item->payload[0] < 0x80;
  fuzz::require(item->prefix_size == (is_own_encoding ? 0 : prefix.size));
  fuzz::require(is_own_encoding || equal(prefix.view(), input.first(prefix.size)));
  return 0;
}
