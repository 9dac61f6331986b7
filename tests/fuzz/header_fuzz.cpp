// SPDX-License-Identifier: Apache-2.0
// A header of any shape never reads outside itself, and no header that a fuzzer makes is accepted: it has no key.
#include "chain/bft.hpp"
#include "oracle.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattproof;
  using namespace wattproof::chain;
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  const auto shape = static_cast<HeaderShape>(data[0] % 8);
  Header header;
  if (decode_header(input, shape, header) == Error::none) {
    for (const Bytes field : {header.parent_hash, header.state_root, header.logs_bloom, header.extra_data, header.mix_hash}) {
      fuzz::require(fuzz::inside(field, input));
    }
    (void)hash_as_delivered(header);
  }
  static TrustedHead head;
  head.validators.count = 4;
  for (std::uint32_t i = 0; i < 4; ++i) head.validators.items[i].fill(static_cast<std::uint8_t>(i + 1));
  static BftVerifier verifier;
  BftConfig config;
  config.kind = data[0] & 8 ? BftKind::ibft2 : BftKind::qbft;
  config.shape = shape;
  if (verifier.begin(input, head, config, {}) == Error::none) {
    const Result<Progress> progress = verifier.step();
    fuzz::require(!progress || *progress == Progress::more);
  }
  return 0;
}
