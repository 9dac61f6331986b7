// SPDX-License-Identifier: Apache-2.0
// Headers of one engine, WATTPROOF_FUZZ_ENGINE: rubbish of every shape, and a sealed one that the input edits. Nothing is read
// outside the header, a refusal moves nothing, and no other block is accepted than the one that was sealed. Built a second
// time with stand-ins for hash and signature (any_hash.cpp, any_key.cpp): then anybody can seal, so what lies behind the
// seals is reached, and other blocks may be accepted.
#include "seal_cases.hpp"

namespace {

using namespace wattproof;
using namespace wattproof::chain;

void check_fields(Bytes input, HeaderShape shape) {
  Header header;
  if (decode_header(input, shape, header) != Error::none) return;
  for (const Bytes field : {header.parent_hash, header.state_root, header.logs_bloom, header.extra_data, header.mix_hash,
                            header.step_signature, header.empty_steps, header.base_fee}) {
    fuzz::require(fuzz::inside(field, input));
  }
  (void)hash_as_delivered(header);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<fuzz::AnyCase> cases = fuzz::cases_of(fuzz::FuzzEngine::WATTPROOF_FUZZ_ENGINE);
  if (size == 0) return 0;
  const fuzz::AnyCase& seal_case = cases[data[0] / 16 % cases.size()];
  const Bytes rest(data + 1, size - 1);
  if (data[0] % 16 >= 9) {
    fuzz::require(!seal_case.accepts_another(rest, true) || fuzz::is_stubbed);
    return 0;
  }
  check_fields(rest, static_cast<HeaderShape>(data[0] % 16));
  fuzz::require(!seal_case.accepts_another(rest, false) || fuzz::is_stubbed);
  return 0;
}
