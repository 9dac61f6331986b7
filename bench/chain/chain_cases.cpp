// SPDX-License-Identifier: Apache-2.0
#include "chain/chain_cases.hpp"

#include "chain/head.hpp"
#include "evidence/pieces.hpp"

namespace wattproof::bench {

Error parse_cases(Bytes file, Cases& out) {
  PieceReader reader(file);
  for (std::size_t i = 0; i < header_cases.size(); ++i) {
    out.heads[i] = reader.next();
    out.headers[i] = reader.next();
  }
  const Bytes root = reader.next();
  for (Bytes& node : out.proof) node = reader.next();
  if (reader.error() != Error::none || root.size() != out.root.size()) return Error::truncated;
  out.root = to_array<32>(root);
  return reader.at_end() ? Error::none : Error::trailing_bytes;
}

namespace {
chain::BftVerifier header_verifier;
chain::TrustedHead trusted_head;
}  // namespace

Error begin_header_case(const Cases& cases, std::size_t index) {
  WATTPROOF_TRY(chain::decode_head(cases.heads[index], trusted_head));
  return header_verifier.begin(cases.headers[index], trusted_head, {}, {});
}

Error verify_header_case(const Cases& cases, std::size_t index) {
  WATTPROOF_TRY(begin_header_case(cases, index));
  for (;;) {  // ends after at most one step a seal
    const Result<chain::Progress> progress = header_verifier.step();
    if (!progress) return progress.error();
    if (*progress == chain::Progress::accepted) break;
  }
  header_verifier.commit(trusted_head);
  return Error::none;
}

Error verify_proof_case(const Cases& cases) {
  static chain::TrieVerifier verifier;
  verifier.begin(cases.root, chain::account_key(proof_address));
  for (const Bytes node : cases.proof) {
    if (const Result<chain::TrieProgress> pushed = verifier.push(node); !pushed) return pushed.error();
  }
  return verifier.progress() == chain::TrieProgress::found ? Error::none : Error::value_absent;
}

}  // namespace wattproof::bench
