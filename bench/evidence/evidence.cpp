// SPDX-License-Identifier: Apache-2.0
#include "evidence/evidence.hpp"

#include "chain/account.hpp"
#include "chain/bft.hpp"
#include "chain/head.hpp"
#include "chain/trie.hpp"
#include "evidence/pieces.hpp"

namespace wattproof::bench {
namespace {

// A piece of one byte says how many nodes follow.
Result<Proof> read_proof(PieceReader& reader) {
  Proof proof;
  const Bytes count = reader.next();
  if (count.size() != 1 || count[0] > nodes_max) return Error::out_of_range;
  for (std::uint32_t i = 0; i < count[0]; ++i) proof.nodes[proof.count++] = reader.next();
  return proof;
}

Error verify_header(const Evidence& evidence, chain::TrustedHead& head) {
  static chain::BftVerifier verifier;
  WATTPROOF_TRY(chain::decode_head(evidence.trusted_head, head));
  WATTPROOF_TRY(verifier.begin(evidence.header, head, {}, {}));
  for (;;) {  // ends after at most one step a seal
    const Result<chain::Progress> progress = verifier.step();
    if (!progress) return progress.error();
    if (*progress == chain::Progress::accepted) break;
  }
  verifier.commit(head);
  return Error::none;
}

// Leaves the answer in `verifier`.
Error verify(chain::TrieVerifier& verifier, const Hash32& root, const chain::TrieKey& key, const Proof& proof) {
  verifier.begin(root, key);
  for (const Bytes node : proof.view()) {
    if (const Result<chain::TrieProgress> pushed = verifier.push(node); !pushed) return pushed.error();
  }
  return verifier.finish().error();
}

}  // namespace

Result<Evidence> parse_evidence(Bytes file) {
  PieceReader reader(file);
  Evidence evidence;
  evidence.trusted_head = reader.next();
  evidence.header = reader.next();
  evidence.contract = reader.next();
  const Result<Proof> account = read_proof(reader);
  if (!account) return account.error();
  evidence.account = *account;
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    evidence.slots[i] = reader.next();
    const Result<Proof> word = read_proof(reader);
    if (!word) return word.error();
    evidence.words[i] = *word;
  }
  if (reader.error() != Error::none) return reader.error();
  if (evidence.contract.size() != 20 || evidence.slots[0].size() != 32 || evidence.slots[1].size() != 32) {
    return Error::wrong_length;
  }
  return evidence;
}

Error verify_evidence(const Evidence& evidence) {
  static chain::TrustedHead head;
  static chain::TrieVerifier verifier;
  WATTPROOF_TRY(verify_header(evidence, head));
  WATTPROOF_TRY(verify(verifier, head.state_root, chain::account_key(to_array<20>(evidence.contract)), evidence.account));
  const Result<chain::Account> account = chain::contract_of(verifier);
  if (!account) return account.error();
  for (std::uint32_t i = 0; i < slot_count; ++i) {
    const chain::TrieKey key = chain::storage_key(to_array<32>(evidence.slots[i]));
    WATTPROOF_TRY(verify(verifier, account->storage_root, key, evidence.words[i]));
    const Result<Hash32> word = chain::word_of(verifier);
    if (!word) return word.error();
    if (is_zero(*word)) return Error::value_absent;
  }
  return Error::none;
}

}  // namespace wattproof::bench
