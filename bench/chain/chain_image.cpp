// SPDX-License-Identifier: Apache-2.0
// The light client on a microcontroller. Between the marks of bench/icount: Keccak of 585 bytes, the header of 3 seals,
// the one of 4, the proof of nine nodes, all but the recoveries of the largest header. Then it prints, line by line, the
// RAM that the largest validator set of this build takes.
#include "chain/chain_cases.hpp"

#include "chain/head.hpp"
#include "crypto/keccak.hpp"
#include "evidence/pieces.hpp"
#include "icount/roi.hpp"
#include "qemu/core_report.hpp"
#include "chain/paint.hpp"

WATTPROOF_EMBED(cases, WATTPROOF_CASES);  // what chain_host wrote

namespace {

using namespace wattproof;

template <class Call>
bool counted(Call call) {
  wattproof_roi_begin();
  const bool is_good = call();
  wattproof_roi_end();
  return is_good;
}

bool count(const bench::Cases& parsed) {
  static std::array<std::uint8_t, bench::keccak_size> message{};
  static Hash32 digest;
  return counted([] {
           digest = crypto::keccak256(message);
           return true;
         }) &&
         counted([&] { return bench::verify_header_case(parsed, 0) == Error::none; }) &&
         counted([&] { return bench::verify_header_case(parsed, 1) == Error::none; }) &&
         counted([&] { return bench::verify_proof_case(parsed) == Error::none; }) &&
         counted([&] { return bench::begin_header_case(parsed, bench::header_cases.size() - 1) == Error::none; });
}

}  // namespace

int main() {
  static bench::Cases parsed;
  if (bench::parse_cases(Bytes(cases_begin, cases_end), parsed) != Error::none || !count(parsed)) return 1;

  // RAM of a device that verifies: what it keeps, the buffer that holds the largest header, and the stack below it all.
  core::print_line("head_and_verifiers",
                   sizeof(chain::TrustedHead) + sizeof(chain::BftVerifier) + sizeof(chain::TrieVerifier));
  core::print_line("header", parsed.headers.back().size());
  bench::paint();
  const bool is_verified = bench::verify_header_case(parsed, bench::header_cases.size() - 1) == Error::none &&
                           bench::verify_proof_case(parsed) == Error::none;
  core::print_line("stack", bench::used());
  return is_verified ? 0 : 1;
}
