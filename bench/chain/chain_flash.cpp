// SPDX-License-Identifier: Apache-2.0
// Nothing but the light client of a QBFT chain, linked: RLP, Keccak, recovery, header, head, trie, accounts and words. Never run;
// bench/chain/measure_chain.py looks at its size, and at that of the empty image beside it.
#include "chain/account.hpp"
#include "chain/bft.hpp"

namespace {

using namespace wattproof;

// Where a link would put what it received. Volatile, so that nothing is computed at build time.
std::array<std::uint8_t, header_size_max> buffer;
volatile std::uint32_t size;

Bytes received() { return Bytes(buffer).first(size); }

}  // namespace

int main() {
  chain::TrustedHead head;
  chain::BftVerifier headers;
  chain::TrieVerifier proof;
  if (headers.begin(received(), head, {}, {}) != Error::none) return 1;
  for (;;) {
    const Result<chain::Progress> progress = headers.step();
    if (!progress) return 1;
    if (*progress == chain::Progress::accepted) break;
  }
  headers.commit(head);
  proof.begin(head.state_root, chain::account_key(Address{1}));
  if (!proof.push(received())) return 1;
  const Result<chain::Account> account = chain::contract_of(proof);
  if (!account) return 1;
  proof.begin(account->storage_root, chain::storage_key(Hash32{1}));
  if (!proof.push(received()) || !proof.finish()) return 1;
  const Result<Hash32> word = chain::word_of(proof);
  return word ? (*word)[31] : 1;
}
